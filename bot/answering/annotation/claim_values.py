"""Values as rules are compared by them: amounts of one kind on one scale (pure)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

from bot.answering.languages import word_lists
from bot.answering.verification.amount_parser import QUALIFIERS
from bot.answering.verification.amounts import UNITS, Amount, AmountMatch, Bound
from bot.answering.verification.tokenizer import Token

_ENGLISH = word_lists("claims")
CARRYING = _ENGLISH.words("carrying")
LIMITING = _ENGLISH.words("limiting")
GENERIC = _ENGLISH.words("generic")
DAY_OF = _ENGLISH.words("day_of")
REPEATS = _ENGLISH.words("repeats")
REPEATING = _ENGLISH.words("repeating")
RATES = _ENGLISH.words("rates")
FREQUENCIES = _ENGLISH.words("frequencies")
TIMES: dict[str, int] = _ENGLISH.table("times")
DEFINITE = _ENGLISH.words("definite")

DAYS = {"day": 1.0, "week": 7.0, "fortnight": 14.0, "month": 30.4, "quarter": 91.3, "year": 365.25}
HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0}
# Five working days are a week.
WORKING_DAY = 1.4
# A month is anything from 28 to 31 days.
TOLERANCE = 0.05
MOST_ADJECTIVES = 2
WORDS_OF_BOUND = 3
COMPARATIVES = _ENGLISH.words("comparatives")
LEAST = _ENGLISH.words("least")
MOST = _ENGLISH.words("most")
OPENERS = _ENGLISH.words("clause_openers")
COUNT = "of "
# How often something happens is no length of time.
INTERVAL = "interval"
PENCE = re.compile(r"(\d{1,3})[pc]")


@dataclass(frozen=True, slots=True)
class Value:
    """An amount as it is compared: those of one `kind` stand on one scale; `fixed` ones only tell cases apart.

    `leeway` is by how much one of two may be off that is written in another way: "from the fourth day" can mean "after
    three days".
    """

    kind: str
    size: float
    bound: str
    shown: str
    fixed: bool = False
    leeway: float = 0.0

    def agrees(self, other: "Value") -> bool:
        """Whether both are the same value; durations may differ by a twentieth."""
        if self.kind != other.kind:
            return False
        tolerance = TOLERANCE if self.kind in {"days", "hours", INTERVAL} else 0.0
        leeway = self.leeway or other.leeway if self.leeway != other.leeway else 0.0
        return abs(self.size - other.size) <= max(tolerance * max(self.size, other.size), leeway)


def find_values(line: Sequence[Token], matches: Sequence[AmountMatch]) -> Iterator[Value]:
    """Yield the values of a line, given its amounts; sums such as `45p` come last."""
    for match, following in zip_longest(matches, matches[1:]):
        counts_amount = (
            following is not None and following.start == match.end and following.amount.value is not None
        )  # "the first 15 days" are 15 days
        if match.amount.value is not None and not (match.amount.unit == "ordinal" and counts_amount):
            yield _value(line, match)
    for token in line:
        if token.kind == "code" and (pence := PENCE.fullmatch(token.text)):
            yield Value("cent", float(pence[1]), "", token.shown)


def find_frequency(line: Sequence[Token], matches: Sequence[AmountMatch]) -> Iterator[tuple[Value, bool]]:
    """Yield how often something happens, where that is said once and without a number: "quarterly", "twice a year".

    True beside it where it stands before what happens so often, as in "the monthly report".
    """
    found = [match for match in matches if is_rate(line, match) and match.amount.unit in DAYS]
    if len(found) != 1:
        return
    start = found[0].start
    times = TIMES.get(line[start - 2].text, 1) if start > 1 else 1
    shown = _shown(line[start - 2 if start > 1 and line[start - 2].text in TIMES else max(start - 1, 0) : found[0].end])
    written = line[start].shown if line[start].text in FREQUENCIES else shown
    yield Value(INTERVAL, DAYS[found[0].amount.unit] / times, "", written), _modifies(line, found[0])


def is_rate(line: Sequence[Token], match: AmountMatch) -> bool:
    """Whether a unit without a number says how often: "per day", "monthly", but not "the last day"."""
    start = match.start - (match.start > 0 and line[match.start - 1].text in QUALIFIERS)
    before = line[start - 1].text if start else ""
    return match.amount.value is None and (before in RATES or line[match.start].text in FREQUENCIES)


def _modifies(line: Sequence[Token], match: AmountMatch) -> bool:
    """Whether a unit says of what kind the following word is: "monthly backups"."""
    following = line[match.end] if match.end < len(line) else None
    return following is not None and following.kind == "word" and bool(following.key)


def _value(line: Sequence[Token], match: AmountMatch) -> Value:
    amount, shown = match.amount, _shown(line[match.start : match.end])
    assert amount.value is not None
    if match.start > 1 and line[match.start - 1].text == "over" and line[match.start - 2].key in CARRYING:
        amount = replace(amount, bound="")
    if not amount.bound:
        amount = replace(amount, bound=_bound_before(line, match.start))
    end = match.end + (match.end < len(line) and line[match.end].text in QUALIFIERS)
    after = line[end].text if end < len(line) else ""
    if amount.unit == "ordinal" and UNITS.get(after) in DAYS and _is_limit(line, match.start):
        days = (amount.value or 0.0) * DAYS[UNITS[after]]
        return Value("days", days, "", f"{shown} {after}", leeway=1.0 if UNITS[after] == "day" else 0.0)
    if amount.unit == "ordinal" and after in {"", ".", ",", *DAY_OF} and _is_limit(line, match.start):
        return Value("ordinal day", amount.value or 0.0, "", f"the {shown}")
    if unit := _unit_behind_adjectives(line, match):
        amount, shown = replace(amount, unit=UNITS[unit.text]), f"{shown} {unit.shown}"
    kind, size = _on_scale(amount)
    if not kind:
        return _count(line, match, shown)
    if kind == "days" and match.start and line[match.start - 1].text in REPEATING:
        kind, shown = INTERVAL, f"{line[match.start - 1].shown} {shown}"
    return Value(kind, size, amount.bound, shown, fixed=kind in {"ordinal", "weekday", "month name"})


def _bound_before(line: Sequence[Token], at: int) -> Bound:
    """Whether a few words before an amount make it the least or the most: "a minimum length of"."""
    before = {token.text for token in line[max(at - WORDS_OF_BOUND, 0) : at]}
    return "low" if before & LEAST else "high" if before & MOST else ""


def _is_limit(line: Sequence[Token], at: int) -> bool:
    """Whether "from the" or the like stands before an ordinal."""
    return at > 1 and line[at - 1].text in DEFINITE and line[at - 2].text in LIMITING


def _unit_behind_adjectives(line: Sequence[Token], match: AmountMatch) -> Token | None:
    """Return the unit of time of a number that is one word or two further on, as in "3 paid days"."""
    if match.amount.unit or match.amount.kind != "number":
        return None
    start = match.end
    if start + 1 < len(line) and line[start].text == "or" and line[start + 1].text in COMPARATIVES:
        start += 2  # "eight or more days"
    for at in range(start, min(start + MOST_ADJECTIVES + 1, len(line))):
        token = line[at]
        if UNITS.get(token.text) in DAYS.keys() | HOURS.keys() and token.text not in FREQUENCIES:
            return token
        if token.kind != "word" or not token.key:
            return None
    return None


def _count(line: Sequence[Token], match: AmountMatch, shown: str) -> Value:
    """Return a number without a unit: of what follows it, unless it is a year or the number of a form or a step."""
    following = next((token for token in line[match.end : match.end + 2] if token.key), None)
    repeats = following is not None and following.text in REPEATS
    before = line[match.start - 1] if match.start else None
    # "Principle 3" and "step 3" have a number, "send 3 quotes" counts some.
    may_count = before is not None and before.kind == "word" and (not before.key or before.text in GENERIC | OPENERS)
    counts = may_count and following is not None and following.kind == "word" and match.amount.kind == "number"
    size = match.amount.value or 0.0
    if following is None or not (counts or repeats):
        return Value("number", size, match.amount.bound, shown, fixed=True)
    return Value(f"{COUNT}{following.key}", size, match.amount.bound, f"{shown} {following.shown}")


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
