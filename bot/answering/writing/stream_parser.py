"""Splits a model's text, as it streams in, into sentences with the numbers that they cite (pure).

The text is read one character after the other and every decision rests on what came before, so that the sentences are
the same however the stream is split. A sentence is yielded at the very character that completes it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bot.answering.languages import word_lists
from bot.answering.verification.tokenizer import reads_as_value
from bot.answering.writing.citation_markers import (
    CITATION_MARKER,
    MAX_MARKER_LENGTH,
    cited_positions,
    merge_positions,
)
from bot.answering.writing.fences import FenceReader
from bot.answering.writing.generator import Draft
from retrieval.sectioning.sentences import ABBREVIATIONS, BEFORE_NUMBER, MARKER

STOPS = ".!?…。！？"
WIDE_STOPS = "。！？"  # they need no space after them
CLOSERS = "\"'”’)»*_`"
STOP = re.compile(rf"(?<![{STOPS}])([{STOPS}]++)[{re.escape(CLOSERS)}\]]*+$")
LOOK_BACK = 40
_ENGLISH = word_lists("stream_parser")
NEVER_LAST = _ENGLISH.words("never_last")
TURNING = _ENGLISH.words("turning")
WORD = re.compile(r"[^\W\d_]+")

# No sentence is longer.
MAX_CHARACTERS = 1500

ITEM = re.compile(rf"\s*(?:>\s*)*{MARKER}\s")
ONLY_MARKER = re.compile(rf"\s*(?:>\s*)*{MARKER}$")
LIST_ITEM = re.compile(r"(?:[-*+•◦▪]|\(?([0-9]{1,2})[.)])\s")
# Without a citation these are numbers of passages, written by a model that forgets the brackets.
ONLY_NUMBERS = re.compile(r"[\s\d,.;*_()#-]*")
# What a model thinks aloud before it answers stands between these.
THINKING_START, THINKING_END = "<think>", "</think>"


class StreamParser:
    """Takes text in pieces and yields drafts; `close` ends it."""

    def __init__(self) -> None:
        self._text = ""  # of the current sentence, without its citation markers
        self._has_words = False
        self._bracket = ""  # what may become a citation marker
        self._cited: list[int] = []
        self._just_cited = False
        self._new_line = True
        self._after_stop = False  # right after a sentence that was yielded at its stop
        self._opening: Draft | None = None  # `The following may apply:`, which belongs to what comes after it
        self._opening_is_new = False
        self._last: Draft | None = None
        self._fences = FenceReader()
        self._prelude: str | None = ""  # the beginning, as long as it may be a model thinking aloud
        self._is_thinking = False

    def feed(self, piece: str) -> Iterator[Draft]:
        """Yield the sentences that this piece completes."""
        for character in piece:
            for answered in self._skip_thinking(character):
                yield from self._take(self._fences.feed(answered))

    def close(self) -> Iterator[Draft]:
        """Yield what is left, when the text has come to its own end; one that broke off is not closed."""
        yield from self._take(self._fences.close())
        yield from self._flush_bracket()
        yield from self._end_sentence()

    def _take(self, pieces: Iterable[tuple[str, bool]]) -> Iterator[Draft]:
        for text, is_code in pieces:
            if is_code:
                yield from self._end_with_code(text)
            else:
                for character in text:
                    yield from self._read(character)

    def _end_with_code(self, code: str) -> Iterator[Draft]:
        """End the sentence before a block of code, and yield the block; what opens it is not shown without it."""
        yield from self._flush_bracket()
        yield from self._end_sentence()
        text = code.strip("\n")
        claimed = self._opening.claimed if self._opening else ()
        self._opening, self._new_line, self._after_stop = None, True, False
        if len(text) <= MAX_CHARACTERS and any(character.isalnum() for character in text):
            self._last = Draft(text, claimed, is_code=True)
            yield self._last

    def _skip_thinking(self, character: str) -> str:
        """Return what to read of the text so far: nothing of what a model thinks aloud before it begins."""
        if self._prelude is None:
            return character
        start = (self._prelude + character).lstrip()
        if self._is_thinking:
            self._prelude = None if start.endswith(THINKING_END) else start[-len(THINKING_END) :]
            return ""
        self._is_thinking = start == THINKING_START
        self._prelude = start if THINKING_START.startswith(start) else None
        return "" if self._prelude is not None else start

    def _read(self, character: str) -> Iterator[Draft]:
        if not self._bracket:
            if character in "[【":
                self._bracket = character
            else:
                yield from self._add(character)
            return
        if character in "]】":
            marker = CITATION_MARKER.fullmatch(self._bracket + character)
            if marker and not reads_as_value(self._text):
                self._bracket = ""
                yield from self._cite(cited_positions(marker[1]))
                return
        if character in "\n[【]】" or len(self._bracket) > MAX_MARKER_LENGTH:
            yield from self._flush_bracket()
            yield from self._read(character) if character in "[【" else self._add(character)
        else:
            self._bracket += character

    def _flush_bracket(self) -> Iterator[Draft]:
        """Read a bracket that is no citation marker as text."""
        text, self._bracket = self._bracket, ""
        for character in text:
            yield from self._add(character)

    def _add(self, character: str) -> Iterator[Draft]:
        self._after_stop = self._after_stop and character in STOPS + CLOSERS
        if self._after_stop:
            return
        if character == "\n" and (self._cited or not self._has_content):
            yield from self._end_sentence()
            self._new_line = True
            return
        if not character.isspace() and self._ends_before(character):
            new_line = "\n" in self._trailing_space
            yield from self._end_sentence()
            self._new_line = new_line
        if self._just_cited and character in STOPS + ",;:)":
            self._text = self._text.rstrip()  # where the marker was
        self._text += character
        self._has_words = self._has_words or character.isalnum()
        if self._just_cited and character in STOPS:
            yield from self._end_sentence()
            self._after_stop = True
        elif character not in CLOSERS:
            self._just_cited = self._just_cited and character.isspace()
        if len(self._text) > MAX_CHARACTERS:
            yield from self._end_sentence()

    def _cite(self, cited: tuple[int, ...]) -> Iterator[Draft]:
        if self._has_content:
            self._cited += cited
            self._just_cited = True
            if ends_sentence(self._text.rstrip(), cited=True):
                yield from self._end_sentence()
                self._after_stop = True
        elif self._last:
            self._last = replace(self._last, claimed=merge_positions(self._last.claimed, cited), again=True)
            yield self._last
        else:
            self._cited += cited

    @property
    def _has_content(self) -> bool:
        return self._has_words and not ONLY_MARKER.match(self._text)

    @property
    def _trailing_space(self) -> str:
        return self._text[len(self._text.rstrip()) :]

    def _ends_before(self, character: str) -> bool:
        """Whether the text so far is a sentence, given the character that follows it."""
        if not self._has_content:
            return False
        space, before = self._trailing_space, self._text.rstrip()
        if "\n" in space:
            return True
        if before[-1] in WIDE_STOPS and character not in CLOSERS + STOPS:
            return True
        may_open = bool(space) and not character.islower() and character not in ",;:"
        return may_open and ends_sentence(before, following=character)

    def _end_sentence(self) -> Iterator[Draft]:
        """Yield the current sentence, if it has content, and begin the next one."""
        text, cited = " ".join(self._text.split()), merge_positions((), self._cited)
        has_content = self._has_content and (bool(cited) or not ONLY_NUMBERS.fullmatch(text))
        new_line = self._new_line
        self._text, self._has_words, self._cited, self._just_cited, self._new_line = "", False, [], False, False
        if not has_content:
            return
        draft = self._with_opening(text, cited, new_line=new_line)
        if text.rstrip(CLOSERS).endswith(":"):
            self._opening, self._opening_is_new = Draft(draft.text[-MAX_CHARACTERS:], draft.claimed), True
            return
        self._last = draft
        yield draft

    @property
    def _opening_turns(self) -> bool:
        return self._opening is not None and not TURNING.isdisjoint(WORD.findall(self._opening.text.casefold()))

    def _with_opening(self, text: str, cited: tuple[int, ...], *, new_line: bool) -> Draft:
        """Put its opening before an item: alone, one of what is forbidden reads like one of what is allowed.

        A whole sentence goes without an opening that only announces it ("Here is what applies:").
        """
        marker = ITEM.match(text)
        is_item = marker is not None or text[0].islower()
        belongs = (new_line and is_item) or (self._opening_is_new and (is_item or self._opening_turns))
        self._opening_is_new = False
        shown = list_marker(text) if new_line else ""
        if self._opening is None or not belongs:
            self._opening = None
            return Draft(text, cited, marker=shown, same_line=not new_line)
        item = text[marker.end() :] if marker else text
        return Draft(f"{self._opening.text} {item}", cited or self._opening.claimed, marker=shown)


def list_marker(text: str) -> str:
    """Return the marker of an item as it is shown, `-` or `2.`; empty for what is none. A letter may be a name's."""
    found = LIST_ITEM.match(text)
    if found is None:
        return ""
    return f"{found[1]}." if found[1] else "-"


def ends_sentence(text: str, *, following: str = "", cited: bool = False) -> bool:
    """Whether the text ends as a sentence does.

    `following` is the character that comes next, unless a citation marker does: then `cited` is true.
    """
    found = STOP.search(text[-LOOK_BACK:])
    if found is None:
        return False
    before = text[: len(text) - len(found[0])]
    if ONLY_MARKER.match(before + "."):
        return False
    bare = found[1] != "." or not before or before[-1].isspace()
    word = "" if bare else before[-LOOK_BACK:].split()[-1].lstrip("(['\"“‘*_")
    return bare or stop_ends_sentence(word, following=following, cited=cited)


def stop_ends_sentence(word: str, *, following: str, cited: bool) -> bool:
    """Whether a full stop after this word ends a sentence, and not just the word."""
    if cited:
        return word.lower() not in NEVER_LAST
    if word.lower() in BEFORE_NUMBER:
        return not following.isdigit()
    if len(word) > 1 and word.isupper() and word.isalpha():
        return True  # HR is a department, hr an hour
    return word.lower() not in ABBREVIATIONS and re.fullmatch(r"[a-z](?:\.[a-z])*", word.lower()) is None
