"""Reads the edition of a document from its name: a year, a date, a version or a word such as "final" (pure)."""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from bot.answering.languages import word_lists
from bot.answering.verification.amounts import MONTHS

Rank = tuple[float, ...]
"""Numbers that are compared from the left: year, month, day; or version, subversion."""

_ENGLISH = word_lists("editions")
SUFFIX = re.compile(r"\.[A-Za-z]\w{0,4}$")
SEPARATOR = re.compile(r"[\W_]+")
MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
YEAR = r"(?:19|20)\d\d"
DATE = re.compile(
    rf"\b(?P<y1>{YEAR}) (?P<m1>0?[1-9]|1[0-2])(?: (?P<d1>[0-3]?\d))?\b(?! \d)"
    rf"|\b(?P<y2>{YEAR})(?P<m2>0[1-9]|1[0-2])(?P<d2>[0-3]\d)\b"
    rf"|\b(?:(?P<d3>[0-3]?\d)(?:st|nd|rd|th)? )?(?P<m3>{MONTH}) (?P<y3>{YEAR})\b"
    rf"|\b(?:fy ?)?(?P<y4>{YEAR})(?: \d\d\b)?\b"
)
VERSION = re.compile(
    rf"\b(?:{_ENGLISH.alternatives('version_words')}) ?(?P<whole>\d{{1,3}}|[a-z]\b)(?: (?P<part>\d{{1,2}}))?\b"
)
STATUS = re.compile(rf"\b(?:(?P<old>{_ENGLISH.alternatives('old')})|(?P<new>{_ENGLISH.alternatives('new')}))\b")
# Of these every issue stands for itself: the later one replaces nothing.
PERIODICALS = _ENGLISH.words("periodicals")


@dataclass(frozen=True, slots=True)
class Edition:
    """What the editions of a document have in common (`of`), and what tells this one from others; empty for nothing."""

    of: str
    day: Rank = ()
    version: Rank = ()
    status: int = 0


def is_newer(one: Edition, than: Edition, *, today: date) -> bool:
    """Whether the first is a newer edition of the same; what is dated in years to come is not in force yet."""
    if not one.of or one.of != than.of or bool(one.day) != bool(than.day):
        return False
    if one.day and one.day[0] > today.year:
        return False
    if one.day != than.day and min(len(one.day), len(than.day)) == 1 and one.day[0] == than.day[0]:
        return False  # a year, and a day within it
    # A first version often bears no number.
    return (one.day, one.version or (1.0,), one.status) > (than.day, than.version or (1.0,), than.status)


def edition_of_title(title: str) -> Edition:
    """Return the edition that a title names."""
    return _edition(title)


def edition_of_path(document: str) -> Edition:
    """Return the edition that the path of a document names, folders included."""
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
    if max(len(days), len(versions), len(states)) > 1 or not PERIODICALS.isdisjoint(rest):
        return Edition("")
    if not any(character.isalpha() for word in rest for character in word):
        return Edition("")
    return Edition(
        " ".join(rest),
        _day(days[0]) if days else (),
        _number(versions[0]) if versions else (),
        (1 if states[0]["new"] else -1) if states else 0,
    )


def _day(match: re.Match[str]) -> Rank:
    parts = match.groupdict()
    year, month, day = (next((parts[f"{kind}{at}"] for at in "1234" if parts.get(f"{kind}{at}")), "") for kind in "ymd")
    written = (year, MONTHS.get(month, month), day)
    return tuple(float(each) for each in written if each)


def _number(match: re.Match[str]) -> Rank:
    whole = match["whole"]
    return float(whole) if whole.isdigit() else float(ord(whole) - ord("a") + 1), float(match["part"] or 0)
