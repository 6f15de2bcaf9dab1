"""Decides whether texts support a sentence (pure).

Compared are its words and values, what it denies, demands and allows, who does what, and on what condition.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from bot.answering.deadline import CheckTime, no_deadline
from bot.answering.languages import word_lists
from bot.answering.verification.circumstances import find_changed_circumstance
from bot.answering.verification.contradictions import find_contradiction
from bot.answering.verification.parsing import Item, Line, ParsedText, parse_text
from bot.answering.verification.similarity import Pair, Window, align, best_window, join_windows
from bot.answering.verification.statements import find_other_statement
from bot.answering.verification.values import find_swapped_value, find_unknown_value

Reason = Literal[
    "",
    "uncited",
    "words",
    "number",
    "date",
    "unit",
    "name",
    "link",
    "negation",
    "modality",
    "meaning",
    "role",
    "condition",
    "order",
    "quantity",
    "tense",
]

# The share of a sentence's words that its place in the text must hold; less will do where enough of them are adjacent
# there too, at most one other word between.
MIN_COVERAGE = 0.6
MIN_COVERAGE_IF_ADJACENT = 0.4
MIN_ADJACENT = 0.2
ADJACENT_DISTANCE = 2
# So many words in a row that the place does not hold are a clause of their own.
NEW_CLAUSE = 4
# A clause was added when its place in the text holds no more of it than this, or so many of its words are missing
# there that the text holds no more than half.
ADDED_COVERAGE = 0.34
ADDED_WORDS = 3
ADDED_WORDS_COVERAGE = 0.5
# The same for a sentence of which a value stands there: so it is the right place, whatever words are new.
MIN_COVERAGE_WITH_VALUE = 0.4
NEW_CLAUSE_WITH_VALUE = 5
ADDED_COVERAGE_WITH_VALUE = 0.25
ADDED_WORDS_WITH_VALUE = 4
# With fewer words than these, a sentence's values help to find its place.
FEW_WORDS = 4
# A sentence of more lines, more items in one, or more values and names, is none that a check could answer for.
MAX_LINES = 20
MAX_ITEMS = 200
MAX_VALUES = 24
# How often in a text the words of a sentence are looked at for what turns them.
MAX_QUOTED_PLACES = 50

_ENGLISH = word_lists("entailment")
TURNING_BEFORE_QUOTE = re.compile(rf" (?:{_ENGLISH.alternatives('turning_before_quote')})(?: \S+){{0,3}} $")
CONDITION_BEFORE_QUOTE = re.compile(rf" (?:{_ENGLISH.alternatives('condition_before_quote')}) ")
TURNING_AFTER_QUOTE = re.compile(rf" (?:{_ENGLISH.alternatives('turning_after_quote')}) ")
ANSWER_OPENING = re.compile(
    rf"\s*(?:(?:{_ENGLISH.alternatives('answer_openings')})[,.!:;]\s*|"
    rf"(?:{_ENGLISH.alternatives('announcing_openings')})\b,?\s*|"
    r"[-*•]\s+|\(?(?:[a-z]|[ivx]{1,5})[.)]\s+)+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether texts support a sentence; if not, the kind of problem, and the words that it is about."""

    supported: bool
    reason: Reason = ""
    detail: str = ""


SUPPORTED = Verdict(supported=True)


def check_entailment(sentence: str, texts: Sequence[str], *, language: str = "english") -> Verdict:
    """Decide whether these texts support the sentence; each of several may hold a part of it.

    Without a text that says anything the reason is `uncited`; a sentence without a word that carries meaning, or with
    so many that comparing each would take long, is not supported, unless it stands in a text word for word.
    """
    parsed = [parse_text(text, language) for text in texts if text.strip()]
    if not parsed:
        return Verdict(supported=False, reason="uncited")
    claim = parse_text(sentence, language)
    if any(_is_quoted(claim, text) for text in parsed):
        return SUPPORTED
    if _is_too_long(claim):
        return Verdict(supported=False, reason="words")
    if opening := ANSWER_OPENING.match(sentence):
        claim = parse_text(sentence[opening.end() :], language)
    verdict = Verdict(supported=False, reason="words")
    for line in claim.lines:
        if line.items:
            verdict = _check_line(line, parsed, claim.lines)
            if not verdict.supported:
                break
    return verdict


def best_supporting_text(
    sentence: str, texts: Sequence[str], *, language: str = "english", check_time: CheckTime = no_deadline
) -> int | None:
    """Return the position of the text that supports the sentence best, the first of equals; None if none does.

    `check_time` is called before each text, and raises where there is no more time.
    """
    keys = parse_text(sentence, language).keys
    scores = [(best_window(parse_text(text, language), keys).score if keys else 0.0) for text in texts]
    order = sorted(range(len(texts)), key=lambda at: -scores[at])
    for at in order:
        check_time()
        if check_entailment(sentence, [texts[at]], language=language).supported:
            return at
    return None


def _is_too_long(claim: ParsedText) -> bool:
    return (
        not claim.is_read
        or len(claim.lines) > MAX_LINES
        or any(len(line.items) > MAX_ITEMS or len(line.amounts) + len(line.names) > MAX_VALUES for line in claim.lines)
    )


def _is_quoted(claim: ParsedText, text: ParsedText) -> bool:
    """Whether the sentence stands in the text word for word, and not as the end of what denies it."""
    at = text.plain.find(claim.plain) if claim.plain.strip() else -1
    for _ in range(MAX_QUOTED_PLACES):
        if at < 0:
            break
        line = bisect_right(text.starts, at)
        before = text.plain[text.starts[line - 1] : at + 1]
        after = text.plain[at + len(claim.plain) - 1 : text.starts[line] + 1]
        is_turned = TURNING_BEFORE_QUOTE.search(before) or CONDITION_BEFORE_QUOTE.search(before)
        if not is_turned and not TURNING_AFTER_QUOTE.match(after):
            return True
        at = text.plain.find(claim.plain, at + 1)
    return False


def _check_line(line: Line, texts: Sequence[ParsedText], claims: Sequence[Line]) -> Verdict:
    wanted = _search_keys(line)
    windows = sorted((best_window(text, wanted) for text in texts), key=lambda each: -each.score)
    place = windows[0]
    pairs = align(line.items, place.items)
    if not _holds_enough(line, place, pairs) and len(windows) > 1:
        place = join_windows(windows[:2], wanted)
        pairs = align(line.items, place.items)
    if not _holds_enough(line, place, pairs):
        missing = [item.shown for item in line.items if item.key not in {each.key for each in place.items}]
        return Verdict(supported=False, reason="words", detail=", ".join(missing))
    problem = (
        find_unknown_value(line, texts)
        or find_swapped_value(line, place, pairs, texts)
        or find_contradiction(line, place, pairs)
        or find_other_statement(line, place, texts)
        or find_changed_circumstance(line, place, texts, claims)
    )
    if problem:
        return Verdict(False, *problem)
    added = _find_added_clause(line, texts)
    return Verdict(supported=False, reason="words", detail=added) if added else SUPPORTED


def _search_keys(line: Line) -> frozenset[str]:
    """Return what the place in the text is found by: words, unless there are hardly any."""
    words = frozenset(item.key for item in line.items if not item.is_value)
    return words if len(words) >= FEW_WORDS else line.keys


def _holds_enough(line: Line, place: Window, pairs: Sequence[Pair]) -> bool:
    adjacent = sum(
        after[0] - before[0] == 1 and after[1] - before[1] <= ADJACENT_DISTANCE for before, after in pairwise(pairs)
    )
    share = adjacent / max(len(line.items) - 1, 1)
    coverage = _coverage(line.items, place)
    enough = coverage >= MIN_COVERAGE or (coverage >= MIN_COVERAGE_IF_ADJACENT and share >= MIN_ADJACENT)
    if enough and not _adds_words(line, place, NEW_CLAUSE):
        return True
    of_value = coverage >= MIN_COVERAGE_WITH_VALUE and _shares_value(line, place.items)
    return of_value and not _adds_words(line, place, NEW_CLAUSE_WITH_VALUE)


def _shares_value(line: Line, items: Iterable[Item]) -> bool:
    """Whether a number or date of the sentence stands among these items."""
    claimed = [amount for at in line.amounts if (amount := line.items[at].amount) and amount.value is not None]
    given = [item.amount for item in items if item.amount and item.amount.value is not None]
    return any(each.supports(amount) for amount in claimed for each in given)


def _adds_words(line: Line, place: Window, most: int) -> bool:
    """Whether several words in a row are nowhere in that place: half a sentence may be true and the other invented."""
    held, in_a_row = {item.meaning for item in place.items}, 0
    for item in line.items:
        in_a_row = 0 if item.meaning in held else in_a_row + 1
        if in_a_row == most:
            return True
    return False


def _find_added_clause(line: Line, texts: Sequence[ParsedText]) -> str:
    """Return the words of the first clause that no text holds, however well the rest fits; empty for none."""
    of_value = any(_shares_value(line, each.items) for text in texts for each in text.lines)
    for clause in line.clauses:
        items = line.items[clause.start : clause.stop]
        if len(items) > 1 and _is_added(items, texts, of_value=of_value):
            return ", ".join(item.shown for item in items)
    return ""


def _is_added(items: Sequence[Item], texts: Sequence[ParsedText], *, of_value: bool) -> bool:
    keys = frozenset(item.key for item in items)
    coverage = max(_coverage(items, best_window(text, keys)) for text in texts)
    missing = round(len(keys) * (1 - coverage))
    least, words = (ADDED_COVERAGE_WITH_VALUE, ADDED_WORDS_WITH_VALUE) if of_value else (ADDED_COVERAGE, ADDED_WORDS)
    return coverage <= least or (missing >= words and coverage <= ADDED_WORDS_COVERAGE)


def _coverage(items: Sequence[Item], place: Window) -> float:
    """Return the share of what these items mean that the place holds, in the same words or in others."""
    held = frozenset(item.meaning for item in place.items)
    meanings = frozenset(item.meaning for item in items)
    return max(place.coverage, len(meanings & held) / max(len(meanings), 1))
