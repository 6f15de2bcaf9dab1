"""Values as rules are compared by them: amounts of one kind on one scale (pure)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from bot.answering.languages import word_lists
from bot.answering.verification.amounts import UNITS, Amount, AmountMatch
from bot.answering.verification.tokenizer import Token

_ENGLISH = word_lists("claims")
CARRYING = _ENGLISH.words("carrying")
LIMITING = _ENGLISH.words("limiting")
GENERIC = _ENGLISH.words("generic")

DAYS = {"day": 1.0, "week": 7.0, "fortnight": 14.0, "month": 30.4, "quarter": 91.3, "year": 365.25}
HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0}
# Five working days are a week.
WORKING_DAY = 1.4
# A month is anything from 28 to 31 days.
TOLERANCE = 0.05
PENCE = re.compile(r"(\d{1,3})[pc]")


@dataclass(frozen=True, slots=True)
class Value:
    """An amount as it is compared: those of one `kind` stand on one scale; `fixed` ones only tell cases apart."""

    kind: str
    size: float
    bound: str
    shown: str
    fixed: bool = False

    def agrees(self, other: "Value") -> bool:
        """Whether both are the same value; durations may differ by a twentieth."""
        if self.kind != other.kind:
            return False
        tolerance = TOLERANCE if self.kind in {"days", "hours"} else 0.0
        return abs(self.size - other.size) <= tolerance * max(self.size, other.size)


def find_values(line: Sequence[Token], matches: Sequence[AmountMatch]) -> Iterator[Value]:
    """Yield the values of a line, given its amounts; sums such as `45p` come last."""
    for match in matches:
        if match.amount.value is not None:
            yield _value(line, match)
    for token in line:
        if token.kind == "code" and (pence := PENCE.fullmatch(token.text)):
            yield Value("cent", float(pence[1]), "", token.shown)


def _value(line: Sequence[Token], match: AmountMatch) -> Value:
    amount, shown = match.amount, _shown(line[match.start : match.end])
    assert amount.value is not None
    if match.start > 1 and line[match.start - 1].text == "over" and line[match.start - 2].key in CARRYING:
        amount = replace(amount, bound="")
    after = line[match.end].text if match.end < len(line) else ""
    if amount.unit == "ordinal" and UNITS.get(after) in DAYS and _is_limit(line, match.start):
        return Value(f"ordinal {UNITS[after]}", amount.value or 0.0, "", f"{shown} {after}")
    kind, size = _on_scale(amount)
    if not kind:
        return _count(line, match, shown)
    return Value(kind, size, amount.bound, shown, fixed=kind in {"ordinal", "weekday", "month name"})


def _is_limit(line: Sequence[Token], at: int) -> bool:
    """Whether "from the" or the like stands before an ordinal."""
    return at > 1 and line[at - 1].text == "the" and line[at - 2].text in LIMITING


def _count(line: Sequence[Token], match: AmountMatch, shown: str) -> Value:
    """Return a number without a unit: of what follows it, unless it is a year or the number of a form or a step."""
    following = next((token for token in line[match.end : match.end + 2] if token.key), None)
    before = line[match.start - 1] if match.start else None
    # "Principle 3" and "step 3" have a number, "send 3 quotes" counts some.
    may_count = before is not None and before.kind == "word" and (not before.key or before.text in GENERIC)
    counts = may_count and following is not None and following.kind == "word" and match.amount.kind == "number"
    size = match.amount.value or 0.0
    if not counts or following is None:
        return Value("number", size, match.amount.bound, shown, fixed=True)
    return Value(f"of {following.key}", size, match.amount.bound, f"{shown} {following.shown}")


def _on_scale(amount: Amount) -> tuple[str, float]:
    """Return the kind of an amount and its size on the scale of that kind; an empty kind for a bare number."""
    assert amount.value is not None
    if amount.unit in DAYS:
        return "days", amount.value * DAYS[amount.unit] * (WORKING_DAY if amount.qualifier == "working" else 1.0)
    if amount.unit in HOURS:
        return "hours", amount.value * HOURS[amount.unit]
    if amount.unit.startswith("month ") and amount.unit != "month name":
        return "date", 100 * float(amount.unit.split()[1]) + amount.value
    return amount.unit, amount.value


def _shown(tokens: Sequence[Token]) -> str:
    """Return an amount as it is written, currency and per cent signs close to their number."""
    shown = ""
    for before, token in pairwise((None, *tokens)):
        assert token is not None
        close = before is None or before.text in {"$", "£", "€", "("} or token.text in {"%", ")", ",", "."}
        shown += ("" if close else " ") + (token.shown or token.text)
    return shown
