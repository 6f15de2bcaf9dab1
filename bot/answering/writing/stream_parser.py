"""A model's text, as it streams in, cut into sentences with the numbers that they cite.

The text is read one character after the other and every decision rests on what came before, so that the sentences are
the same however the stream is chopped. A sentence is given out at the very character that settles it.
"""

import re
from collections.abc import Iterable, Iterator

from bot.answering.writing.generator import Draft
from retrieval.sectioning.sentences import ABBREVIATIONS, BEFORE_NUMBER, MARKER

STOPS = ".!?…。！？"
WIDE_STOPS = "。！？"  # they need no space after them
CLOSERS = "\"'”’)»*_`"
STOP = re.compile(rf"([{STOPS}]+)[{re.escape(CLOSERS)}\]]*$")
LOOK_BACK = 40
NEVER_LAST = frozenset({"e.g", "i.e", "cf", "vs", "approx", "incl", "esp"})

# `[2]`, `[1, 3]`, `[1-3]`, `[^2]`, `[passage 2]`, `【2†source】`
MARK = re.compile(
    r"[\[【]\s*(?:\^|#|(?:passages?|sources?|sections?|citations?|refs?)\s+)?"
    r"(\d{1,3}(?:\s*(?:[,;–-]|and)\s*\d{1,3})*)(?:†[^\]】]*)?\s*[\]】]",
    re.IGNORECASE,
)
RANGE = re.compile(r"(\d+)\s*[–-]\s*(\d+)")
# What opens a bracket and grows longer than this is text.
LONGEST_MARK = 40
# A sentence never is this long; what is, is no sentence.
LONGEST = 1500

ITEM = re.compile(rf"\s*(?:>\s*)*{MARKER}\s")
ONLY_MARKER = re.compile(rf"\s*(?:>\s*)*{MARKER}$")
THINKING, THOUGHT = "<think>", "</think>"


class StreamParser:
    """Takes text in pieces and gives out drafts; `close` ends it."""

    def __init__(self) -> None:
        self._text = ""  # of the sentence that is being read, without its marks
        self._has_words = False
        self._bracket = ""  # what may become a mark
        self._marks: list[int] = []
        self._just_marked = False
        self._new_line = True
        self._dangling = False  # right after a sentence that was given out at its stop
        self._opening: Draft | None = None  # `The following may apply:`, which belongs to what comes after it
        self._opening_is_new = False
        self._last: Draft | None = None
        self._prelude: str | None = ""  # the very beginning, as long as it may be a model thinking aloud

    def feed(self, piece: str) -> Iterator[Draft]:
        """The sentences that this piece settles."""
        for character in piece:
            for known in self._awake(character):
                yield from self._step(known)

    def close(self) -> Iterator[Draft]:
        """What is left, when the text has come to its own end; one that broke off is not closed but left."""
        yield from self._spill()
        yield from self._cut()

    def _awake(self, character: str) -> str:
        """What to read of the text so far: nothing of what a model thinks aloud before it begins."""
        if self._prelude is None:
            return character
        self._prelude += character
        begun = self._prelude.lstrip()
        if begun.startswith(THINKING):
            if begun.endswith(THOUGHT):
                self._prelude = None
            return ""
        if THINKING.startswith(begun):
            return ""
        self._prelude = None
        return begun

    def _step(self, character: str) -> Iterator[Draft]:
        if not self._bracket:
            if character in "[【":
                self._bracket = character
            else:
                yield from self._plain(character)
            return
        if character in "]】":
            found = MARK.fullmatch(self._bracket + character)
            if found:
                self._bracket = ""
                yield from self._mark(numbers(found[1]))
                return
        if character in "\n[【]】" or len(self._bracket) > LONGEST_MARK:
            yield from self._spill()
            yield from self._step(character) if character in "[【" else self._plain(character)
        else:
            self._bracket += character

    def _spill(self) -> Iterator[Draft]:
        """A bracket that is no mark is text."""
        spilled, self._bracket = self._bracket, ""
        for character in spilled:
            yield from self._plain(character)

    def _plain(self, character: str) -> Iterator[Draft]:
        self._dangling = self._dangling and character in STOPS + CLOSERS
        if self._dangling:
            return
        if character == "\n" and (self._marks or not self._says_something):
            yield from self._cut()
            self._new_line = True
            return
        if not character.isspace() and self._ends_before(character):
            broken = "\n" in self._trailing
            yield from self._cut()
            self._new_line = broken
        if self._just_marked and character in STOPS + ",;:)":
            self._text = self._text.rstrip()  # where the mark was
        self._text += character
        self._has_words = self._has_words or character.isalnum()
        if self._just_marked and character in STOPS:
            yield from self._cut()
            self._dangling = True
        elif character not in CLOSERS:
            self._just_marked = self._just_marked and character.isspace()
        if len(self._text) > LONGEST:
            yield from self._cut()

    def _mark(self, cited: tuple[int, ...]) -> Iterator[Draft]:
        if self._says_something:
            self._marks += cited
            self._just_marked = True
            if stops(self._text.rstrip(), marked=True):
                yield from self._cut()
                self._dangling = True
        elif self._last:
            self._last = Draft(self._last.text, merged(self._last.claimed, cited), again=True)
            yield self._last
        else:
            self._marks += cited

    @property
    def _says_something(self) -> bool:
        return self._has_words and not ONLY_MARKER.match(self._text)

    @property
    def _trailing(self) -> str:
        return self._text[len(self._text.rstrip()) :]

    def _ends_before(self, character: str) -> bool:
        """Whether the text so far is a sentence, now that this comes after it."""
        if not self._says_something:
            return False
        space, before = self._trailing, self._text.rstrip()
        if "\n" in space:
            return True
        if before[-1] in WIDE_STOPS and character not in CLOSERS + STOPS:
            return True
        return bool(space) and not character.islower() and character not in ",;:" and stops(before, then=character)

    def _cut(self) -> Iterator[Draft]:
        """Give out what was read, if it says something."""
        text, cited = " ".join(self._text.split()), merged((), self._marks)
        says, new_line = self._says_something, self._new_line
        self._text, self._has_words, self._marks, self._just_marked, self._new_line = "", False, [], False, False
        if not says:
            return
        draft = self._read(text, cited, new_line=new_line)
        if text.endswith(":"):
            self._opening, self._opening_is_new = Draft(draft.text[-LONGEST:], draft.claimed), True
            return
        self._last = draft
        yield draft

    def _read(self, text: str, cited: tuple[int, ...], *, new_line: bool) -> Draft:
        """With its opening before it: alone, an item of what is forbidden reads like one of what is allowed."""
        belongs = self._opening_is_new or (new_line and (ITEM.match(text) is not None or text[0].islower()))
        self._opening_is_new = False
        if self._opening is None or not belongs:
            self._opening = None
            return Draft(text, cited)
        return Draft(f"{self._opening.text} {ITEM.sub('', text, count=1)}", cited or self._opening.claimed)


def stops(text: str, *, then: str = "", marked: bool = False) -> bool:
    """Whether the text ends as a sentence does; `then` is what comes next, unless that is a mark."""
    found = STOP.search(text[-LOOK_BACK:])
    if found is None:
        return False
    before = text[: len(text) - len(found[0])]
    if ONLY_MARKER.match(before + "."):
        return False
    bare = found[1] != "." or not before or before[-1].isspace()
    return bare or ends_word(before[-LOOK_BACK:].split()[-1].lstrip("(['\"“‘*_"), then=then, marked=marked)


def ends_word(word: str, *, then: str, marked: bool) -> bool:
    """Whether a full stop after this word ends a sentence, and not just the word."""
    if marked:
        return word.lower() not in NEVER_LAST
    if word.lower() in BEFORE_NUMBER:
        return not then.isdigit()
    if len(word) > 1 and word.isupper() and word.isalpha():
        return True  # HR is a department, hr an hour
    return word.lower() not in ABBREVIATIONS and re.fullmatch(r"[a-z](?:\.[a-z])*", word.lower()) is None


def numbers(listed: str) -> tuple[int, ...]:
    """The positions that a mark's inside names: `1, 3-5` is 0, 2, 3, 4."""
    spread = RANGE.sub(lambda m: ",".join(map(str, range(int(m[1]), min(int(m[2]), int(m[1]) + 9) + 1))), listed)
    return merged((), (int(number) - 1 for number in re.findall(r"\d+", spread)))


def merged(first: Iterable[int], then: Iterable[int]) -> tuple[int, ...]:
    """Both in order, each number once."""
    return tuple(dict.fromkeys([*first, *then]))
