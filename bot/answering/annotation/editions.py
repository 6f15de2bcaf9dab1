"""Names that are the same but for a year, a date, a version or a word such as "final" (pure)."""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from bot.answering.verification.amounts import MONTH

Rank = tuple[float, ...]

SUFFIX = re.compile(r"\.[A-Za-z]\w{0,4}$")
SEPARATOR = re.compile(r"[\W_]+")
MONTHS = "|".join(sorted(MONTH, key=len, reverse=True))
YEAR = r"(?:19|20)\d\d"
DATE = re.compile(
    rf"\b(?P<y1>{YEAR}) (?P<m1>0?[1-9]|1[0-2])(?: (?P<d1>[0-3]?\d))?\b(?! \d)"
    rf"|\b(?P<y2>{YEAR})(?P<m2>0[1-9]|1[0-2])(?P<d2>[0-3]\d)\b"
    rf"|\b(?:(?P<d3>[0-3]?\d)(?:st|nd|rd|th)? )?(?P<m3>{MONTHS}) (?P<y3>{YEAR})\b"
    rf"|\b(?:fy ?)?(?P<y4>{YEAR})(?: \d\d\b)?\b"
)
VERSION = re.compile(
    r"\b(?:version|vers|ver|v|revision|rev|edition|issue) ?(?P<whole>\d{1,3}|[a-z]\b)(?: (?P<part>\d{1,2}))?\b"
)
STATUS = re.compile(
    r"\b(?:(?P<old>draft|old|previous|superseded|obsolete|archived|archive)|(?P<new>final|new|updated|current|latest))\b"
)
# Of these every issue stands for itself: the later one replaces nothing.
PERIODICAL = frozenset(
    """minutes meeting meetings news newsletter bulletin report reports agenda log diary blog press release statement
    results accounts calendar event events post release notes""".split()
)


@dataclass(frozen=True, slots=True)
class Edition:
    """What a name is the name of, and where among others of that name it stands, by the kind of its mark."""

    of: str
    day: Rank = ()
    version: Rank = ()
    status: int = 0


def newer(one: Edition, other: Edition, *, today: date) -> bool:
    """Whether the second is a newer edition of the same; what is dated in years to come is not in force yet."""
    if not one.of or one.of != other.of or bool(one.day) != bool(other.day):
        return False
    if other.day and other.day[0] > today.year:
        return False
    if one.day != other.day and min(len(one.day), len(other.day)) == 1 and one.day[0] == other.day[0]:
        return False  # a year, and a day within it
    # A first version often bears no number.
    first = (one.day, one.version or (1.0,), one.status)
    second = (other.day, other.version or (1.0,), other.status)
    return first < second


def edition_of_title(title: str) -> Edition:
    """The edition that a title names."""
    return _edition(title)


def edition_of_path(document: str) -> Edition:
    """The edition that the path of a document names, folders included."""
    return _edition(SUFFIX.sub("", document))


@lru_cache(maxsize=4096)
def _edition(name: str) -> Edition:
    plain = f" {SEPARATOR.sub(' ', name).strip().lower()} "
    days = list(DATE.finditer(plain))
    plain = DATE.sub(" ", plain)
    versions = list(VERSION.finditer(plain))
    plain = VERSION.sub(" ", plain)
    states = list(STATUS.finditer(plain))
    rest = STATUS.sub(" ", plain).split()
    if max(len(days), len(versions), len(states)) > 1 or not PERIODICAL.isdisjoint(rest):
        return Edition("")
    if not any(character.isalpha() for word in rest for character in word):
        return Edition("")
    return Edition(
        " ".join(rest),
        _day(days[0]) if days else (),
        _number(versions[0]) if versions else (),
        (1 if states[0]["new"] else -1) if states else 0,
    )


def _day(found: re.Match[str]) -> Rank:
    parts = found.groupdict()
    year, month, day = (next((parts[f"{kind}{at}"] for at in "1234" if parts.get(f"{kind}{at}")), "") for kind in "ymd")
    written = (year, MONTH.get(month, month), day)
    return tuple(float(each) for each in written if each)


def _number(found: re.Match[str]) -> Rank:
    whole = found["whole"]
    return float(whole) if whole.isdigit() else float(ord(whole) - ord("a") + 1), float(found["part"] or 0)
