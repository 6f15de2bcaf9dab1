"""Finds what belongs to a person in a text, by its form and its check digits, and puts placeholders in its place.

Clause numbers, dates, sums and policy numbers look much like telephone numbers and addresses of machines, and an answer
is worth nothing without them. So whatever has check digits or a plan is checked by them, and the rest is left alone.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from ipaddress import ip_address

from feedback.curation.options import NameFinder
from feedback.ports import TEXT_CACHE_SIZE

Span = tuple[int, int, str, str]
"""Where something personal begins and ends, its kind, and what it is, however it was written."""

EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,6}[^\W\d_]{2,24}(?!\w)")
CHAT_ID = re.compile(
    r"<@[UW][A-Z0-9]{5,20}(?:\|[^<>]{0,80})?>"
    r"|\bslack:[UW][A-Z0-9]{5,20}\b"
    r"|<at(?: [^<>]{0,80})?>[^<>]{1,80}</at>"
    r"|\bteams:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\b8:orgid:[0-9a-f-]{36}\b"
    r"|(?<![\w:])29:[\w-]{20,200}",
)
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
CARD = re.compile(r"(?<![\w.-])(?:4|5[1-5]|2[2-7]|3[47]|6[045])(?:[ -]?\d){11,17}(?![\w-])")
SOCIAL_SECURITY = re.compile(
    r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"
    r"|\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?\d{2}){3} ?[A-D]\b"
)
MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![\w:-])")
IP = re.compile(r"(?<![\w.:])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w)")
IP_6 = re.compile(r"(?<![\w.:])(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{1,4}(?![\w:])")
# A number of a clause has no part that is as large.
LARGE_PART = 100
DIGITS = re.compile(r"(?:\d[ ().\u00a0/-]{0,3}){6}\d")


def find_personal_data(text: str, *, regions: tuple[str, ...] = (), names: NameFinder | None = None) -> Sequence[Span]:
    """Return everything personal in a text, in order, none overlapping another; empty where there is none."""
    found = _find_by_pattern(text, regions)
    if not names:
        return found
    named = ((start, end, "NAME", text[start:end].casefold()) for start, end in sorted(names(text)))
    return _drop_overlapping([*found, *named])


class Redactor:
    """Replaces personal data by placeholders of kind and number; equal data has the same one in all texts of a row."""

    def __init__(self, *, regions: tuple[str, ...] = (), names: NameFinder | None = None) -> None:
        self._find = partial(find_personal_data, regions=regions, names=names)
        self._placeholders: dict[tuple[str, str], str] = {}
        self._numbers: Counter[str] = Counter()

    def redact(self, text: str) -> str:
        """Return the text with placeholders like `<EMAIL_1>`, and without half characters."""
        # The very same text where nothing is to be done: it is what the passages that come again are known by.
        text = text if text.isascii() else text.encode("utf-8", "replace").decode()
        found = self._find(text)
        if not found:
            return text
        kept, last = [], 0
        for start, end, kind, value in found:
            kept += [text[last:start], self._placeholder(kind, value)]
            last = end
        return "".join([*kept, text[last:]])

    @property
    def counts(self) -> Counter[str]:
        """How many different things of each kind have a placeholder."""
        return self._numbers

    def _placeholder(self, kind: str, value: str) -> str:
        if (kind, value) not in self._placeholders:
            self._numbers[kind] += 1
            self._placeholders[kind, value] = f"<{kind}_{self._numbers[kind]}>"
        return self._placeholders[kind, value]


@lru_cache(maxsize=TEXT_CACHE_SIZE)
def _find_by_pattern(text: str, regions: tuple[str, ...]) -> tuple[Span, ...]:
    found = [
        (start, end, kind, value)
        for kind, sign, find in FINDERS
        if sign.search(text)
        for start, end, value in find(text)
    ]
    phones = ((start, end, "PHONE", value) for start, end, value in _find_phones(text, regions))
    return tuple(_drop_overlapping([*found, *phones]))


def _drop_overlapping(found: Sequence[Span]) -> list[Span]:
    """Return the spans in order, without those that overlap one that was found before them."""
    kept: list[Span] = []  # in order, so that only the neighbours of a place can reach into it
    for each in found:
        at = bisect_left(kept, each)
        if (at == 0 or kept[at - 1][1] <= each[0]) and (at == len(kept) or each[1] <= kept[at][0]):
            kept.insert(at, each)
    return kept


def _find_matches(
    pattern: re.Pattern[str], is_valid: Callable[[str], bool], text: str
) -> Iterator[tuple[int, int, str]]:
    for match in pattern.finditer(text):
        if is_valid(match[0]):
            yield match.start(), match.end(), match[0].casefold()


def _find_ibans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield account numbers; a word of capitals after one looks like more of it, so shorter ones are tried too."""
    for match in IBAN.finditer(text):
        words = match[0].split(" ")
        for count in range(len(words), 0, -1):
            written = " ".join(words[:count])
            if len(_without_separators(written)) >= 15 and _has_check_digits(_without_separators(written)):
                yield match.start(), match.start() + len(written), _without_separators(written)
                break


def _has_check_digits(iban: str) -> bool:
    """Return whether the number that ISO 13616 makes of it, the first four characters last, leaves 1 by 97."""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1


def _find_cards(text: str) -> Iterator[tuple[int, int, str]]:
    for match in CARD.finditer(text):
        digits = _without_separators(match[0])
        if _has_luhn_digit(digits):
            yield match.start(), match.end(), digits


def _has_luhn_digit(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(each - 9 * (each > 9) for each in doubled) % 10 == 0


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return ":" in text or max(map(int, text.split("."))) >= LARGE_PART


def _find_phones(text: str, regions: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    if not DIGITS.search(text):
        return
    from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher, format_number, number_type
    from phonenumbers import PhoneNumberType as Type

    shared_numbers = {Type.TOLL_FREE, Type.PREMIUM_RATE, Type.SHARED_COST, Type.UAN}
    for region in regions or (None,):
        for match in PhoneNumberMatcher(text, region, leniency=Leniency.STRICT_GROUPING):
            # A bare row of digits may number anything, and a hotline's number belongs to nobody.
            if not match.raw_string.isdigit() and number_type(match.number) not in shared_numbers:
                yield match.start, match.end, format_number(match.number, PhoneNumberFormat.E164)


def _without_separators(text: str) -> str:
    return text.replace(" ", "").replace("-", "")


# Kind, a sign that every text has that holds one (looked for at little cost), and how they are found.
FINDERS: tuple[tuple[str, re.Pattern[str], Callable[[str], Iterator[tuple[int, int, str]]]], ...] = (
    ("EMAIL", re.compile("@"), partial(_find_matches, EMAIL, bool)),
    ("CHAT_ID", re.compile(r"<@|<at|slack:|teams:|orgid:|29:"), partial(_find_matches, CHAT_ID, bool)),
    ("IBAN", re.compile(r"[A-Z]{2}\d{2}"), _find_ibans),
    ("CARD", re.compile(r"(?:\d[ -]?){12}"), _find_cards),
    (
        "SOCIAL_SECURITY",
        re.compile(r"\d{3}-\d{2}-|[A-Z]{2}(?: ?\d{2}){3}"),
        partial(_find_matches, SOCIAL_SECURITY, bool),
    ),
    ("MAC", re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}"), partial(_find_matches, MAC, bool)),
    ("IP", re.compile(r"\d\.\d{1,3}\.\d"), partial(_find_matches, IP, _is_address)),
    ("IP", re.compile(r":[0-9A-Fa-f]{0,4}:"), partial(_find_matches, IP_6, _is_address)),
)
KINDS = (*dict.fromkeys(kind for kind, _, _ in FINDERS), "PHONE", "NAME")
