"""Does this text support this sentence (pure): its words, its values, what it denies, demands and allows."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from bot.answering.verification.modality import stance_conflict
from bot.answering.verification.parsing import Line, Reading, read
from bot.answering.verification.similarity import Pair, Window, align, joined, window
from bot.answering.verification.values import swapped_value, unknown_value

Reason = Literal["", "uncited", "words", "number", "date", "unit", "name", "link", "negation", "modality"]

# The share of a sentence's words that its place in the text must hold; less will do where they also stand together.
ENOUGH = 0.6
ENOUGH_TOGETHER = 0.4
TOGETHER = 0.2
LOOSE = 2
NEW_CLAUSE = 4
# A clause was added when its place in the text holds no more of it than this, or so many of its words are missing
# there that the text holds no more than half.
LEAST_HELD = 0.34
MISSING = 3
HELD_OF_CLAUSE = 0.5
# With fewer words than these, a sentence's values help to find its place.
FEW_WORDS = 4
# What stands shortly before a quote that begins inside a line and would change what it says.
TURNS = re.compile(r" (?:not|no|never|without|unless|except|neither|nor|if|only)(?: \S+){0,3} $")
# What an answer opens with before it says anything.
OPENING = re.compile(
    r"\s*(?:(?:yes|no|ok|okay|sure|certainly|of course)[,.!:;]\s*|[-*•]\s+|\(?(?:[a-z]|[ivx]{1,5})[.)]\s+)+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a sentence may be shown; if not, the kind of thing that stands against it, and the thing."""

    supported: bool
    reason: Reason = ""
    detail: str = ""


SUPPORTED = Verdict(supported=True)


def check(sentence: str, cited: Sequence[str], *, language: str = "english") -> Verdict:
    """Whether the cited texts support the sentence; each of several may hold a part of it."""
    readings = [read(text, language) for text in cited if text.strip()]
    if not readings:
        return Verdict(supported=False, reason="uncited")
    said = read(sentence, language)
    if any(_quotes(said, reading) for reading in readings):
        return SUPPORTED
    said = read(OPENING.sub("", sentence, count=1), language) if OPENING.match(sentence) else said
    verdict = Verdict(supported=False, reason="words")
    for line in said.lines:
        if line.items:
            verdict = _check_line(line, readings)
            if not verdict.supported:
                break
    return verdict


def best(sentence: str, texts: Sequence[str], *, language: str = "english") -> int | None:
    """Which of the texts supports the sentence best, the first of equals; None if none does."""
    said = read(sentence, language)
    wanted = frozenset[str]().union(*(line.keys for line in said.lines))
    fits = [(window(read(text, language), wanted).score if wanted else 0.0) for text in texts]
    order = sorted(range(len(texts)), key=lambda at: -fits[at])
    return next((at for at in order if check(sentence, [texts[at]], language=language).supported), None)


def _quotes(said: Reading, reading: Reading) -> bool:
    """Whether the sentence stands in the text word for word, and not as the end of what denies it."""
    at = reading.plain.find(said.plain) if said.plain.strip() else -1
    while at >= 0:
        start = reading.starts[bisect_right(reading.starts, at) - 1]
        if not TURNS.search(reading.plain[start : at + 1]):
            return True
        at = reading.plain.find(said.plain, at + 1)
    return False


def _check_line(line: Line, readings: Sequence[Reading]) -> Verdict:
    wanted = _words(line)
    windows = sorted((window(reading, wanted) for reading in readings), key=lambda each: -each.score)
    place = windows[0]
    pairs = align(line.items, place.items)
    if not _enough(line, place, pairs) and len(windows) > 1:
        place = joined(windows[:2], wanted)
        pairs = align(line.items, place.items)
    if not _enough(line, place, pairs):
        missing = [item.shown for item in line.items if item.key not in {each.key for each in place.items}]
        return Verdict(supported=False, reason="words", detail=", ".join(missing))
    return _compare(line, place, pairs, readings)


def _enough(line: Line, place: Window, pairs: Sequence[Pair]) -> bool:
    together = sum(
        after[0] - before[0] == 1 and after[1] - before[1] <= LOOSE for before, after in pairwise(pairs)
    ) / max(len(line.items) - 1, 1)
    enough = place.covered >= ENOUGH or (place.covered >= ENOUGH_TOGETHER and together >= TOGETHER)
    return enough and not _adds_a_clause(line, place)


def _adds_a_clause(line: Line, place: Window) -> bool:
    """Whether several words in a row are nowhere in that place: half a sentence may be true and the other invented."""
    held, row = {item.key for item in place.items}, 0
    for item in line.items:
        row = 0 if item.key in held else row + 1
        if row == NEW_CLAUSE:
            return True
    return False


def _words(line: Line) -> frozenset[str]:
    """What the place in the text is found by: words, unless there are hardly any; the values must then be right."""
    words = frozenset(item.key for item in line.items if not item.is_value)
    return words if len(words) >= FEW_WORDS else line.keys


def _compare(line: Line, place: Window, pairs: Sequence[Pair], readings: Sequence[Reading]) -> Verdict:
    found = (
        unknown_value(line, readings)
        or swapped_value(line, place, pairs, readings)
        or stance_conflict(line, place, pairs)
    )
    if found:
        return Verdict(False, *found)
    added = _added_clause(line, readings)
    return Verdict(supported=False, reason="words", detail=added) if added else SUPPORTED


def _added_clause(line: Line, readings: Sequence[Reading]) -> str:
    """The words of the first clause that no text holds, however well the rest of the sentence fits; empty for none."""
    for clause in line.clauses:
        items = line.items[clause.start : clause.stop]
        if len(items) > 1 and _is_added(frozenset(item.key for item in items), readings):
            return ", ".join(item.shown for item in items)
    return ""


def _is_added(keys: frozenset[str], readings: Sequence[Reading]) -> bool:
    held = max(window(reading, keys).covered for reading in readings)
    missing = round(len(keys) * (1 - held))
    return held <= LEAST_HELD or (missing >= MISSING and held <= HELD_OF_CLAUSE)
