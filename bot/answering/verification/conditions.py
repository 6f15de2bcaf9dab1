"""Finds where a sentence drops, changes or fulfils the condition under which its place in the text holds (pure)."""

from collections.abc import Iterable, Iterator, Sequence

from bot.answering.verification.frames import Frame
from bot.answering.verification.marks import Mark
from bot.answering.verification.parsing import Line
from bot.answering.verification.thesaurus import is_verb, may_replace, opposites

CONDITIONS = frozenset({"if", "unless"})
CONDITIONAL = frozenset({"if", "unless", "even", "only", "relative", "before", "after"})
# Share of a condition's words by which it is known, and of a clause's by which a sentence is about it.
SAME_CONDITION = 0.6
SAME_CLAUSE = 0.6
WHOLE_CLAUSE = 0.75
# A sentence need not repeat so much of a clause as it must have from it.
REPEATED = 0.8
# Words of a condition that may be other ones in a sentence about the same.
CHANGED_WORDS = 2
# Tokens after a mark that may belong to it.
MARKED_TOKENS = 40


def find_changed_condition(line: Line, place: Sequence[Line], known: frozenset[str], claims: Sequence[Line]) -> str:
    """Return the first word by which a condition of the place differs in the sentence; empty for none.

    `known` are the meanings of all cited texts, `claims` all lines of the sentence.
    """
    for given in place:
        found = (
            _overruled(line, given)
            or _narrowed(line, given)
            or _dropped(line, given, claims)
            or _stated(line, given)
            or _changed(line, given, known)
            or _denied(line, given)
        )
        if found:
            return found
    return ""


def marked(lines: Line | Iterable[Line], *kinds: str) -> Iterator[tuple[Line, Mark]]:
    """Yield the marks of these kinds, each with its line."""
    for line in (lines,) if isinstance(lines, Line) else lines:
        yield from ((line, mark) for mark in line.marks if mark.kind in kinds)


def marked_words(line: Line, mark: Mark, reach: int | None = None) -> frozenset[str]:
    """Return the meanings of the words that a mark is said of."""
    words = [word for word in line.words[mark.end : min(mark.stop, mark.end + MARKED_TOKENS)] if word]
    return frozenset(words[:reach])


def _overruled(line: Line, given: Line) -> str:
    """Return an "even if" of what the text makes a condition."""
    mark = next((mark for _, mark in marked(line, "even")), None)
    if mark is None or any(marked(given, "even")):
        return ""
    scope = marked_words(line, mark)
    return mark.shown if any(scope & marked_words(*each) for each in marked(given, *CONDITIONS)) else ""


def _narrowed(line: Line, given: Line) -> str:
    """Return an "only if" of what the text puts under no such condition."""
    for _, mark in marked(line, "if"):
        scope = marked_words(line, mark)
        if mark.shown.startswith("only") and not any(
            scope & marked_words(*each) for each in marked(given, *CONDITIONS)
        ):
            return "" if any(marked(given, "only", *CONDITIONS)) else mark.shown
    return ""


def _dropped(line: Line, given: Line, claims: Sequence[Line]) -> str:
    """Return the exception or condition of the clause that the sentence repeats without it.

    Whoever speaks to somebody ("you need ...") may take a condition for met, but never an exception.
    """
    said = frozenset[str]().union(*(each.meanings for each in claims))
    shared_marks = {mark.shown for mark in given.marks if mark.kind == "relative"}
    kinds = {mark.kind for each in claims for mark in each.marks if mark.shown not in shared_marks}
    conditions = [mark for _, mark in marked(given, "if")]
    for _, mark in marked(given, *CONDITIONS):
        if any(each.start < mark.start < each.stop for each in conditions):
            continue  # of the condition itself: "if it is in any language except English"
        scope = marked_words(given, mark)
        clause = frozenset(given.words[: mark.start] if any(given.words[: mark.start]) else given.words[mark.stop :])
        clause -= {""}
        shared = len(clause & line.meanings)
        if (
            not scope
            or 2 * len(scope & said) >= len(scope)
            or shared < SAME_CLAUSE * max(len(line.meanings), REPEATED * len(clause))
        ):
            continue
        if mark.kind == "unless" and not kinds & {"unless", "if", "even", "only"}:
            return mark.shown
        if mark.kind == "if" and not scope & said and not kinds & CONDITIONAL and not given.addresses:
            return mark.shown
    return ""


def _stated(line: Line, given: Line) -> str:
    """Return a condition that the sentence states as a fact; of whom it speaks to, it may be one."""
    speaks = line.addresses and given.addresses
    for _, mark in marked(given, *CONDITIONS, "before", "after"):
        scope = marked_words(given, mark)
        held = scope & line.meanings
        frames = [frame for frame in given.frames if mark.end <= frame.at < mark.stop]
        if frames:
            stated = any(_is_stated(frame, line, only_past=speaks or mark.kind not in CONDITIONS) for frame in frames)
        else:
            stated = (
                not speaks and mark.kind in CONDITIONS and len(scope) > 1 and held == scope and _is_free(line, held)
            )
        if stated:
            return mark.shown
    return ""


def _is_stated(given: Frame, line: Line, *, only_past: bool) -> bool:
    """Whether the sentence says without an "if" that what stands in a condition is done, or has been."""
    whole = given.words | {given.verb}
    return any(
        frame.verb == given.verb
        and not frame.is_modal
        and (not only_past or frame.tense in {"past", "perfect"})
        and bool(frame.words & given.words)
        and 2 * len(line.meanings & whole) >= len(whole) + 1
        and _is_free(line, line.meanings & whole)
        for frame in line.frames
    )


def _is_free(line: Line, words: frozenset[str]) -> bool:
    """Whether no condition stands before the last of these words; a "that" only counts before the first."""
    places = [at for at, word in enumerate(line.words) if word in words]
    return not any(
        mark.start < (places[0] if mark.shown == "that" else places[-1]) for _, mark in marked(line, *CONDITIONAL)
    )


def _changed(line: Line, given: Line, known: frozenset[str]) -> str:
    """Return a word of a condition for which the text has another."""
    for _, mark in marked(line, *CONDITIONS):
        own = marked_words(line, mark)
        for _, each in marked(given, *CONDITIONS):
            other = marked_words(given, each)
            new, missing = sorted(own - other), sorted(other - line.meanings)
            if not (own & other and len(new) == 1 and 0 < len(missing) <= CHANGED_WORDS):
                continue
            is_alike = len(own & other) > 1 or len(line.meanings & given.meanings) >= WHOLE_CLAUSE * len(line.meanings)
            is_alike = is_alike and len(line.meanings - known) <= 1 and not (new[0] in known and line.addresses)
            if is_alike or any(_excludes(new[0], word) for word in missing):
                return new[0]
    return ""


def _denied(line: Line, given: Line) -> str:
    """Return a condition that the sentence denies where the text does not, or the reverse, with the same outcome."""
    for _, mark in marked(line, *CONDITIONS):
        own = marked_words(line, mark)
        for _, each in marked(given, *CONDITIONS):
            other = marked_words(given, each)
            here, there = _denials(line, mark), _denials(given, each)
            is_same = len(own & other) >= SAME_CONDITION * max(len(own), 1)
            if len(own & other) > 1 and is_same and here[0] != there[0] and here[1] == there[1]:
                return mark.shown
    return ""


def _denials(line: Line, mark: Mark) -> tuple[bool, bool]:
    """Return whether what stands in a condition is denied, and whether what is outside it is."""
    inside = sum(mark.end <= at < mark.stop for at in line.negations) + (mark.kind == "unless")
    outside = sum(not mark.start <= at < mark.stop for at in line.negations)
    return inside % 2 == 1, outside % 2 == 1


def _excludes(word: str, other: str) -> bool:
    is_other_deed = is_verb(word) and is_verb(other) and not may_replace(word, other)
    return other in opposites(word) or is_other_deed
