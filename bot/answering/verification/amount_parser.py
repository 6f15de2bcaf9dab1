"""Finds the amounts in a line of tokens (pure)."""

import re
from collections.abc import Sequence

from bot.answering.languages import word_lists
from bot.answering.verification.amount_bounds import find_bound, with_time_bound
from bot.answering.verification.amounts import CARDINALS, MONTHS, ORDINALS, TENS, UNITS, Amount, AmountMatch
from bot.answering.verification.tokenizer import Token

_ENGLISH = word_lists("amounts")
MULTIPLIERS = {word: float(value) for word, value in _ENGLISH.table("multipliers").items()}
WEEKDAYS = {word: at for at, words in enumerate(_ENGLISH.table("weekdays").values()) for word in words.split()}
TIMES = {word: float(minutes) for word, minutes in _ENGLISH.table("times").items()}
AMBIGUOUS_MONTHS = _ENGLISH.words("ambiguous_months")
DATE_PREPOSITIONS = _ENGLISH.words("date_prepositions")
CASUAL_UNITS = _ENGLISH.words("casual_units")
QUALIFIERS = _ENGLISH.by_word("qualifiers")
PASSED_OVER = _ENGLISH.words("passed_over")
FACTORS = {word: float(factor) for word, factor in _ENGLISH.table("factors").items()}
# These say a number alone too: "a hundred", "dozens of".
MULTIPLYING_WORDS = MULTIPLIERS.keys() - {"k", "m"}
NEGATIVE = "minus"
# "xiv days"; elsewhere such letters are those of a word, a clause or a list.
_TENS_IN_LETTERS = ("", "x", "xx", "xxx", "xl", "l", "lx", "lxx", "lxxx", "xc")
_ONES_IN_LETTERS = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
ROMAN = {
    ten + one: 10.0 * tens + ones
    for tens, ten in enumerate(_TENS_IN_LETTERS)
    for ones, one in enumerate(_ONES_IN_LETTERS)
    if ten + one not in {"", "i", "l"}
}
RANGE_JOINTS = _ENGLISH.words("range_joints")
CURRENCY_BEFORE_NUMBER = frozenset({"usd", "gbp", "eur"})
FIRST_WORDS = (
    (UNITS.keys() | CARDINALS.keys() | ORDINALS.keys() | MONTHS.keys() | WEEKDAYS.keys() | TIMES.keys())
    | {f"{day}s" for day in WEEKDAYS}
    | MULTIPLYING_WORDS
    | ROMAN.keys()
    | {NEGATIVE}
)
ORDINAL_ENDINGS = ("st", "nd", "rd", "th")
CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d\d))? ?(?:([ap])\.?m|o'clock)?")
# "500.000" is written so where a comma stands before decimals.
GROUPED = re.compile(r"[1-9]\d{0,2}\.000")
ISO_DATE = re.compile(r"\d{4}-(\d\d)-(\d\d)")
LAST_DAY = 31


def find_amounts(line: Sequence[Token]) -> list[AmountMatch]:
    """Return the amounts of a line in reading order; they never overlap."""
    matches: list[AmountMatch] = []
    at = 0
    while at < len(line):
        match = _match_at(line, at) if _may_begin_amount(line[at]) else None
        if match is not None:
            matches.append(match)
        at = match.end if match is not None else at + 1
    return _with_shared_units(line, [with_time_bound(line, match) for match in matches])


def _may_begin_amount(token: Token) -> bool:
    """A quick no for nearly every word."""
    return token.text in FIRST_WORDS if token.kind == "word" else token.kind != "punctuation"


def _match_at(line: Sequence[Token], at: int) -> AmountMatch | None:
    token = line[at]
    if token.kind == "time":
        return AmountMatch(at, at + 1, _time_of_day(token.text))
    if token.kind == "code":
        return _iso_date(token.text, at)
    if token.kind == "sign" and token.text != "%":
        number = _number(line, at + 1)
        if number is None:
            return None
        unit = UNITS[token.text]
        return AmountMatch(
            at,
            number[1],
            Amount("number", number[0] * _factor(line, at), unit, "", find_bound(line, at, number[1], unit)),
        )
    return _named_date(line, at) or _quantity(line, at)


def _named_date(line: Sequence[Token], at: int) -> AmountMatch | None:
    """Match a weekday, a time of day that has a name, or a month with its day if it has one."""
    token = line[at]
    text = token.text.removesuffix("s") if token.text not in WEEKDAYS else token.text
    if text in WEEKDAYS and token.capital:
        return AmountMatch(at, at + 1, Amount("date", float(WEEKDAYS[text]), "weekday"))
    if token.text in TIMES:
        return AmountMatch(at, at + 1, Amount("date", TIMES[token.text], "time"))
    if token.text not in MONTHS or not token.capital:
        return None
    following = at + 1
    while following < len(line) and line[following].text in {".", "the"}:
        following += 1
    day = _whole_number(line, following)
    if day is not None and day <= LAST_DAY:
        return AmountMatch(at, following + 1, _day_of_month(day, token))
    after_preposition = at > 0 and line[at - 1].text in DATE_PREPOSITIONS
    if token.text in AMBIGUOUS_MONTHS and day is None and not after_preposition:
        return None
    return AmountMatch(at, at + 1, Amount("date", float(MONTHS[token.text]), "month name"))


def _day_of_month(day: float, month: Token) -> Amount:
    return Amount("date", day, f"month {MONTHS[month.text]}")


def _quantity(line: Sequence[Token], at: int) -> AmountMatch | None:
    """Match a number with its unit, a unit alone, or a day before its month."""
    number = _number(line, at)
    if number is None:
        return _unit_alone(line, at)
    value, end = number
    if end < len(line) and line[end].text in MONTHS and line[end].capital and value <= LAST_DAY:
        return AmountMatch(at, end + 1, _day_of_month(value, line[end]))
    if end + 1 < len(line) and line[end].text == "of" and line[end + 1].text in MONTHS and value <= LAST_DAY:
        return AmountMatch(at, end + 2, _day_of_month(value, line[end + 1]))
    in_brackets = at > 0 and end < len(line) and line[at - 1].text == "(" and line[end].text == ")"
    unit, qualifier, after = _unit(line, end + in_brackets)  # "(5) days"
    after = after if unit else end
    if not unit and line[at].text in {"one", "zero"}:
        return None  # "one of the forms" counts nothing
    if line[at].text in ORDINALS or line[at].text.endswith(ORDINAL_ENDINGS):
        first = at == 0 or line[at - 1].kind == "punctuation"
        counts_nothing = first or (end < len(line) and line[end].text in {"party", "parties"})
        return None if counts_nothing else AmountMatch(at, at + 1, Amount("number", value, "ordinal"))
    is_year = not unit and value.is_integer() and 1900 <= value <= 2100 and line[at].kind == "number"
    bound = find_bound(line, at, after, unit)
    value *= _factor(line, at)
    return AmountMatch(at, after, Amount("date" if is_year else "number", value, unit, qualifier, bound))


def _unit_alone(line: Sequence[Token], at: int) -> AmountMatch | None:
    """Match a unit without a number, or with "half a" before it."""
    unit = UNITS.get(line[at].text, "")
    first = at - (at > 0 and line[at - 1].text in QUALIFIERS)
    if unit and first > 1 and line[first - 1].text in {"a", "an"} and line[first - 2].text == "half":
        return AmountMatch(at, at + 1, Amount("number", FACTORS["half"], unit))
    alone = unit and unit not in CASUAL_UNITS and line[at].kind == "word" and len(line[at].text) > 2
    return AmountMatch(at, at + 1, Amount("unit", None, unit)) if alone else None


def _number(line: Sequence[Token], at: int) -> tuple[float, int] | None:
    """Return the number that starts here and where it ends, with its multipliers and its repetition in brackets."""
    if at >= len(line):
        return None
    token = line[at]
    if token.text == NEGATIVE:
        number = _number(line, at + 1) if at + 1 < len(line) and line[at + 1].text != NEGATIVE else None
        return (-number[0], number[1]) if number else None
    value = _digits(token) if token.kind == "number" else CARDINALS.get(token.text, ORDINALS.get(token.text))
    if value is None and token.text in ROMAN and at + 1 < len(line) and line[at + 1].text in UNITS:
        value = ROMAN[token.text]
    if value is None and token.text in MULTIPLYING_WORDS:
        value = MULTIPLIERS[token.text]
    if value is None:
        return None
    end = at + 1
    if token.text in TENS and end < len(line) and 0 < CARDINALS.get(line[end].text, 0) < 10:
        value, end = value + CARDINALS[line[end].text], end + 1
    while end < len(line) and line[end].text in MULTIPLIERS:
        value, end = value * MULTIPLIERS[line[end].text], end + 1
    return value, _after_repetition(line, end, value, in_words=token.kind == "word")


def _after_repetition(line: Sequence[Token], at: int, value: float, *, in_words: bool) -> int:
    """Return the place past "(30)" after "thirty"."""
    inner = at + 1 if at < len(line) and line[at].text == "(" else at
    if (
        (in_words or inner > at)
        and inner < len(line)
        and line[inner].kind == "number"
        and _digits(line[inner]) == value
    ):
        closed = inner + 1 < len(line) and line[inner + 1].text == ")"
        return inner + 1 + closed
    return at


def _digits(token: Token) -> float:
    digits = token.text.replace(".", "") if GROUPED.fullmatch(token.text) else token.text
    return float(re.sub(r"[^\d.]", "", digits))


def _whole_number(line: Sequence[Token], at: int) -> float | None:
    if at < len(line) and line[at].kind == "number":
        value = _digits(line[at])
        return value if value.is_integer() else None
    return None


def _factor(line: Sequence[Token], at: int) -> float:
    """Return by what "double" or "half of" before a number multiplies it."""
    before = at - 1 if at and line[at - 1].text != "of" else at - 2
    return FACTORS.get(line[before].text, 1.0) if before >= 0 else 1.0


def _unit(line: Sequence[Token], at: int) -> tuple[str, str, int]:
    """Return the unit that starts here, its qualifier, and where it ends; two empty strings and `at` for none."""
    qualifier, end = "", at
    while end < len(line) and (line[end].text in QUALIFIERS or line[end].text in PASSED_OVER) and end < at + 2:
        qualifier = QUALIFIERS.get(line[end].text, qualifier)
        end += 1
    if end + 1 < len(line) and line[end].text == "per" and line[end + 1].text in {"cent", "centum"}:
        return "percent", "", end + 2
    unit = UNITS.get(line[end].text, "") if end < len(line) and line[end].kind in {"word", "sign"} else ""
    return (unit, qualifier, end + 1) if unit else ("", "", at)


def _with_shared_units(line: Sequence[Token], matches: Sequence[AmountMatch]) -> list[AmountMatch]:
    """Give "two" in "two or three days", "$5" in "$5 to 10" and "10" in "10-12 %" the unit of the other."""
    shared = list(matches)
    for at in range(len(shared) - 1):
        one, other = shared[at], shared[at + 1]
        left, right = one.amount, other.amount
        between = line[one.end : other.start]
        joined = len(between) <= 1 and all(token.text in RANGE_JOINTS for token in between)
        if not joined or left.value is None or right.value is None or not left.kind == right.kind == "number":
            continue
        if not left.unit and right.unit not in {"", "ordinal"}:
            shared[at] = AmountMatch(one.start, one.end, Amount("number", left.value, right.unit, right.qualifier))
        elif not right.unit and left.unit in CURRENCY_BEFORE_NUMBER:
            shared[at + 1] = AmountMatch(other.start, other.end, Amount("number", right.value, left.unit))
    return shared


def _time_of_day(text: str) -> Amount:
    match = CLOCK.match(text)
    assert match is not None
    hour, minute, half = int(match[1]), int(match[2] or 0), match[3]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return Amount("date", 60.0 * hour + minute, "time", half_day=not half and 0 < hour <= 12)


def _iso_date(text: str, at: int) -> AmountMatch | None:
    match = ISO_DATE.fullmatch(text)
    if match is None or not 1 <= int(match[1]) <= 12:
        return None
    return AmountMatch(at, at + 1, Amount("date", float(match[2]), f"month {int(match[1])}"))
