"""Amounts (pure): numbers, dates, times, money, percentages and units, in one form however they are written."""

from dataclasses import dataclass
from typing import Literal

from bot.answering.languages import word_lists

AmountKind = Literal["number", "date", "unit"]
Bound = Literal["", "low", "high"]

_ENGLISH = word_lists("amounts")
TENS = _ENGLISH.words("tens")
CARDINALS = {word: float(value) for value, word in enumerate(_ENGLISH.ordered("ones"))} | {
    word: 10.0 * ten for ten, word in enumerate(_ENGLISH.ordered("tens"), start=2)
}
CARDINALS |= {f"{ten}{one}": CARDINALS[ten] + CARDINALS[one] for ten in TENS for one in _ENGLISH.ordered("ones")[1:10]}
ORDINALS = {word: float(value) for value, word in enumerate(_ENGLISH.ordered("ordinals"), start=1)}
MONTH_NAMES = _ENGLISH.ordered("months")
MONTHS = (
    {name: number for number, name in enumerate(MONTH_NAMES, start=1)}
    | {name[:3]: number for number, name in enumerate(MONTH_NAMES, start=1)}
    | {"sept": 9}
)
UNITS = _ENGLISH.by_word("units")

MINUTES_OF_HALF_DAY = 720


@dataclass(frozen=True, slots=True)
class Amount:
    """A value with its unit; a unit alone has no value.

    Times of day are minutes after midnight, and `half_day` is true of one without a.m. or p.m. `qualifier` is
    `working` or `calendar` (days), `bound` whether the value is the least (`low`) or the most (`high`).
    """

    kind: AmountKind
    value: float | None
    unit: str = ""
    qualifier: str = ""
    bound: Bound = ""
    half_day: bool = False

    @property
    def key(self) -> str:
        """What is equal for amounts that are written differently and mean the same; ages go without their unit."""
        if self.value is not None and self.unit == "year":
            return f"{self.value:g} "
        value = "" if self.value is None else f"{self.value:g}" if self.value < 1e6 else f"{self.value:.0f}"
        return f"{value} {self.unit}"

    def supports(self, claimed: "Amount") -> bool:
        """Whether a text that states this amount supports the claimed one."""
        if {claimed.bound, self.bound} == {"low", "high"}:
            return False
        if claimed.unit == "time" or self.unit == "time":
            return claimed.unit == self.unit and self._is_same_time(claimed)
        if claimed.value is None:
            return claimed.unit == self.unit
        if claimed.value != self.value:
            return False
        if claimed.unit == self.unit:
            return claimed.qualifier == self.qualifier or {claimed.qualifier, self.qualifier} == {"", "calendar"}
        # "65 or older" is said of years; a bare number takes whatever unit the text gives it.
        return claimed.unit == "" or (self.unit == "" and claimed.unit == "year")

    def _is_same_time(self, other: "Amount") -> bool:
        if self.value is None or other.value is None:
            return False
        if self.half_day or other.half_day:
            return self.value % MINUTES_OF_HALF_DAY == other.value % MINUTES_OF_HALF_DAY
        return self.value == other.value


@dataclass(frozen=True, slots=True)
class AmountMatch:
    """An amount and the tokens `[start, end)` of a line that state it."""

    start: int
    end: int
    amount: Amount
