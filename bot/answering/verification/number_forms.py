"""Writes numbers in the one form that amounts are read in (pure): plain digits, whatever script, sign or grouping."""

import re
import unicodedata

# "1 000", "1'000" and "1_000", between other digits a telephone number: its groups are told apart elsewhere.
GROUPED = re.compile(
    r"(?<![\w.,+('-])(?<!\d[ .-])[1-9]\d{0,2}(?:([ \u2009\u202f'_])\d{3})(?:\1\d{3})*+(?![ .-]?\d)(?!\w)"
)
EXPONENT = re.compile(r"\b(\d{1,12}(?:\.\d{1,12})?)e([+-]?\d{1,2})\b")
# Dates and the like have more strokes, or a larger part first: "24/7".
FRACTION = re.compile(r"(?<![\w/.,])(?:(\d{1,4}) )?(\d{1,2})/(\d{1,2})(?![\w/])(?!\.\d)")
LARGEST_DENOMINATOR = 20
WITHOUT_ZERO = re.compile(r"(?<![\w.,)\]])\.(?=\d)")
NEGATIVE = re.compile(r"(?<![^\s(])(?<!\d )-(?=[$£€]?\d)")
PER_MILLE = "\u2030"
MOST_PLAIN = 1e15


def plain_numbers(text: str) -> str:
    """Return the text with its numbers in plain digits: `２５` as 25, `½` as 0.5, `1 000` as 1000, `1e3` as 1000."""
    if not text.isascii():
        text = "".join(_plain_signs(text)).replace(PER_MILLE, " permille ")
    text = GROUPED.sub(lambda found: re.sub(r"\D", "", found[0]), text)
    text = EXPONENT.sub(_power, text)
    text = FRACTION.sub(_fraction, text)
    return NEGATIVE.sub("minus ", WITHOUT_ZERO.sub("0.", text))


def _plain_signs(text: str) -> list[str]:
    """Return the characters, those that are numbers as digits; what stands behind a letter belongs to the letter."""
    parts: list[str] = []
    for before, sign, after in zip(f" {text}", text, f"{text[1:]} ", strict=False):
        value = None if sign.isascii() else unicodedata.numeric(sign, None)
        if value is None or unicodedata.category(sign) == "Nl":
            parts.append(sign)
        elif sign.isdecimal():
            parts.append(str(unicodedata.decimal(sign)))
        elif before.isalpha() or (sign.isalpha() and after.isalpha()):
            parts.append(sign)
        elif value != int(value) and before.isdecimal():
            parts.append(_written(value).removeprefix("0"))
        else:
            parts.append(f" {_written(value)} ")
    return parts


def _power(found: re.Match[str]) -> str:
    value = float(found[1]) * 10.0 ** int(found[2])
    return _written(value) if value < MOST_PLAIN else found[0]


def _fraction(found: re.Match[str]) -> str:
    whole, over, under = int(found[1] or 0), int(found[2]), int(found[3])
    if not 0 < over < under <= LARGEST_DENOMINATOR:
        return found[0]
    return _written(whole + over / under)


def _written(value: float) -> str:
    """Return a number without an exponent, to six decimals."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
