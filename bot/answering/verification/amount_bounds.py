"""Tells whether a line states an amount as the least or the most (pure)."""

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.answering.languages import word_lists
from bot.answering.verification.amounts import AmountMatch, Bound
from bot.answering.verification.tokenizer import Token

_ENGLISH = word_lists("amounts")
# "Up to a weight of".
MEASURE = r"(?: an? [a-z]+ of)?$"
LOW_BEFORE = re.compile(rf"(?:^| )(?:{_ENGLISH.alternatives('low_before')}){MEASURE}")
HIGH_BEFORE = re.compile(rf"(?:^| )(?:{_ENGLISH.alternatives('high_before')}){MEASURE}")
LATEST = re.compile(r"no(?:t)? (?:earlier|sooner) than$|at most$")
EARLIEST = re.compile(r"no(?:t)? later than$|at least$")
NEGATIONS = word_lists("negation").words("negators") - {"unless", "except"}
SINCE_BEFORE = re.compile(rf"(?:^| )(?:{_ENGLISH.alternatives('since_before')})(?: the)?$")
UNTIL_BEFORE = re.compile(rf"(?:^| )(?:{_ENGLISH.alternatives('until_before')})(?: the)?$")
LATE_BEFORE = re.compile(rf"(?:^| )(?:{_ENGLISH.alternatives('late_before')})(?: the first)?$")
EARLY_BEFORE = re.compile(rf"(?:^| )(?:{_ENGLISH.alternatives('early_before')})$")
COMPARING = _ENGLISH.words("comparing")
BEFOREHAND = _ENGLISH.words("beforehand")
TIME_UNITS = frozenset({"second", "minute", "hour", "day", "week", "fortnight", "month", "quarter", "year"})
LOW_AFTER = re.compile(rf"or (?:{_ENGLISH.alternatives('low_after')})\b")
HIGH_AFTER = re.compile(rf"or (?:{_ENGLISH.alternatives('high_after')})\b")
# How far before a comparison a negation may stand that it is under.
DENIAL_REACH = 10


def find_bound(line: Sequence[Token], start: int, end: int, unit: str) -> Bound:
    """Return the bound of the number with its unit that is the tokens `[start, end)`."""
    before = " ".join(token.text for token in line[max(start - 6, 0) : start])
    after = " ".join(token.text for token in line[end : end + 2])
    if HIGH_BEFORE.search(before) or HIGH_AFTER.match(after):
        return "" if _is_denied(line, start) else "high"
    if LOW_BEFORE.search(before) or LOW_AFTER.match(after):
        return "" if _is_denied(line, start) else "low"
    if unit not in TIME_UNITS:
        return ""
    if any(token.text in BEFOREHAND for token in line[end : end + 2]):
        return "low" if EARLIEST.search(before) else "high" if LATEST.search(before) else ""
    return "high" if EARLY_BEFORE.search(before) else "low" if LATE_BEFORE.search(before) else ""


def _is_denied(line: Sequence[Token], start: int) -> bool:
    """Whether a comparison stands under a negation, as in "nobody may spend more than"; "no more than" does not."""
    first = max(start - DENIAL_REACH, 0)
    clause = first + max(
        (at + 1 for at, token in enumerate(line[first:start]) if token.kind == "punctuation"), default=0
    )
    words = [token.text for token in line[clause:start]]
    return any(word in COMPARING for word in words) and any(word in NEGATIONS for word in words[:-3])


def with_time_bound(line: Sequence[Token], match: AmountMatch) -> AmountMatch:
    """Give a date or a time of day whether it is the first or the last: "from May", "by 10:00"."""
    if match.amount.kind != "date" or not match.start:
        return match
    before = " ".join(token.text for token in line[max(match.start - 3, 0) : match.start])
    bound: Bound = "low" if SINCE_BEFORE.search(before) else "high" if UNTIL_BEFORE.search(before) else ""
    return replace(match, amount=replace(match.amount, bound=bound)) if bound else match
