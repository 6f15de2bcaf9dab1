"""False sentences out of faithful ones: one value replaced, or negation and modality turned round.

These patterns are written apart from the checker's, so that what one overlooks the other may see.
"""

import random
import re
from collections.abc import Iterator
from functools import lru_cache

from retrieval.ranking.analysis import stop_words

MONTHS = (
    "January February March April May June July August September October November December Jan Feb Mar Apr Jun "
    "Jul Aug Sep Sept Oct Nov Dec"
).split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
WORD_NUMBERS = "two three four five six seven eight nine ten twelve fifteen twenty thirty forty sixty ninety".split()
UNITS = (
    ("minute", "hour", "day", "week", "month", "year"),
    ("daily", "weekly", "monthly", "quarterly", "annually"),
    ("percent", "dollars"),
    ("feet", "miles", "inches"),
    ("MB", "GB", "KB"),
)

NUMBER = re.compile(r"(?<![\w.,\-/\[(§])(?<!\[ )\d+(?:,\d{3})*(?:\.\d+)?(?![\w\-/\])]|[.,]\d)")
NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(WORD_NUMBERS)})\b", re.IGNORECASE)
DATE_WORD = re.compile(rf"\b(?:{'|'.join(MONTHS + WEEKDAYS)})\b")
YEAR = re.compile(r"(?<![\w$.,-])(?:19|20)\d\d(?![\w,-])")
UNIT = re.compile(rf"\b(?:{'|'.join(sum(UNITS, ()))})(s?)\b")
NAME = re.compile(
    r"\b(?:[A-Z][a-z]+(?:[ -][A-Z][a-z]+)+|[A-Z]{2,}(?:-?\d[\w-]*)?|[A-Z]{1,3}-\d[\w-]*)\b|(?<=[a-z,] )[A-Z][a-z]{3,}\b"
)
NO_NAME = stop_words("english") | {name.lower() for name in (*MONTHS, *WEEKDAYS)}

MODALITY: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"\b(?:must|shall) not\b", ("may", "must")),
    (r"\bmust\b(?! not)", ("may", "need not", "must not", "can")),
    (r"\bshall\b(?! not)", ("may", "need not", "shall not")),
    (r"\b(?:may|can|could) not\b|\bcannot\b|\bcan't\b", ("can", "may")),
    (r"\bmay\b(?! not)", ("must", "may not", "shall")),
    (r"\bcan\b(?! not|')", ("cannot", "must")),
    (r"\bshould\b(?! not)", ("must", "should not", "need not")),
    (r"\bwill need to\b", ("may", "will not need to")),
    (r"(?<!not )(?<!n't )(?<!will )(?<!may )(?<!would )\bneed to\b", ("may", "do not need to")),
    (r"(?<!not )(?<!n't )(?<!may )(?<!will )(?<!'ll )\bhave to\b", ("may", "do not have to")),
    (r"\bwill\b(?! not)", ("will not", "will never")),
    (r"\bwill not\b|\bwon't\b", ("will",)),
    (r"\b(?:do|does) not\b|\b(?:don't|doesn't)\b", ("",)),
    (r"\b(is|are)\b(?! not)(?! no\b)", (r"\1 not",)),
    (r"\b(is|are|was|were) not\b", (r"\1",)),
    (r"\bnever\b", ("always",)),
    (r"\balways\b", ("never",)),
    (r"\bunless\b", ("if",)),
    (r"\bwithout\b", ("with",)),
    (r"(?<!not )\b(required|allowed|permitted|eligible|entitled)\b", (r"not \1",)),
    (r"\bnot (required|allowed|permitted|eligible|entitled|sufficient)\b", (r"\1",)),
    (r"\brequired\b", ("optional",)),
    (r"\boptional\b", ("required", "mandatory")),
    (r"\bprohibited\b|\bforbidden\b", ("permitted",)),
    (r"\bno (?!longer|later|more|less|one)(?=[a-z])", ("any ",)),
)


# Verbs of one force each.
FORCES = (
    re.compile(r"\b(?:must|shall|(?:will )?needs?(?: to)?|ha(?:ve|s) to|required)\b(?! not)", re.IGNORECASE),
    re.compile(r"\bshould\b(?! not)", re.IGNORECASE),
    re.compile(r"\b(?:may|can|could|able|allowed|permitted)\b(?! not)", re.IGNORECASE),
)


def forces(text: str) -> list[re.Pattern[str]]:
    """The forces that modal verbs of the text have."""
    return [force for force in FORCES if force.search(text)]


def modality_swaps(sentence: str, source: str) -> list[str]:
    """Every way to turn one negation or modal verb of the sentence round, which was made from the source's words.

    One modal verb takes the place of another only where the source has the force of the first: of "Visit a DMV office"
    one person says "you can visit", the other "you must visit", and neither is wrong.
    """
    made = []
    for pattern, replacements in MODALITY:
        for found in re.finditer(pattern, sentence):
            for replacement in replacements:
                put = found.expand(replacement)
                if _is_open(found.group(), put, source):
                    continue
                after = sentence[found.end() :] if put else sentence[found.end() :].lstrip()
                made.append(sentence[: found.start()] + put + after)
    return made


def _is_open(verb: str, put: str, source: str) -> bool:
    """Whether one modal verb is put for another whose force the source has not."""
    modal = forces(verb) and forces(put) and not re.search(r"\bnot\b", put)
    return bool(modal) and not any(force in forces(source) for force in forces(verb))


def value_swaps(sentence: str, kind: str, section: str, document: str, rng: random.Random) -> list[str]:
    """The sentence with one value of this kind replaced, for each value that also stands in the section."""
    return [
        sentence[:start] + other + sentence[end:]
        for start, end, other in _replacements(sentence, kind, section, document, rng)
        if sentence[start:end] in section and other != sentence[start:end]
    ]


Replacement = tuple[int, int, str]


def _replacements(sentence: str, kind: str, section: str, document: str, rng: random.Random) -> Iterator[Replacement]:
    if kind == "number":
        yield from _numbers(sentence, section, rng)
    elif kind == "date":
        yield from _dates(sentence, rng)
    elif kind == "unit":
        yield from _units(sentence, rng)
    else:
        for found in NAME.finditer(sentence):
            other = "" if _ordinary(found.group()) else _other_name(found.group(), sentence, section, document, rng)
            if other:
                yield *found.span(), other


def _numbers(sentence: str, section: str, rng: random.Random) -> Iterator[Replacement]:
    for found in NUMBER.finditer(sentence, 1):  # one at the very beginning is a list's or a footnote's own
        yield *found.span(), _other_number(found.group(), section, rng)
    for found in NUMBER_WORD.finditer(sentence):
        yield *found.span(), rng.choice([word for word in WORD_NUMBERS if word != found.group().lower()])


def _dates(sentence: str, rng: random.Random) -> Iterator[Replacement]:
    for found in DATE_WORD.finditer(sentence):
        names = MONTHS[:12] if found.group() in MONTHS else WEEKDAYS
        yield *found.span(), rng.choice([name for name in names if not name.startswith(found.group()[:3])])
    for found in YEAR.finditer(sentence):
        yield *found.span(), str(int(found.group()) + rng.choice([-2, -1, 1, 2, 5]))


def _units(sentence: str, rng: random.Random) -> Iterator[Replacement]:
    for found in UNIT.finditer(sentence):
        family = next(each for each in UNITS if found.group() in each or found.group().removesuffix("s") in each)
        ending = found.group(1) if family is UNITS[0] else ""
        others = [each for each in family if each not in {found.group(), found.group().removesuffix("s")}]
        yield *found.span(), rng.choice(others) + ending


def _other_number(number: str, section: str, rng: random.Random) -> str:
    """Another number of the section half the time, else one nearby."""
    others: list[str] = [
        each for each in NUMBER.findall(section) if each != number and ("." in each) == ("." in number)
    ]
    if others and rng.random() < 0.5:
        return rng.choice(others)
    value = float(number.replace(",", ""))
    changed = rng.choice([value + 1, value + 2, value * 2 + 1, value + 5, value * 10 + 1])
    return f"{changed:,.2f}" if "." in number else f"{changed:,.0f}" if "," in number else f"{changed:.0f}"


def _other_name(name: str, sentence: str, section: str, document: str, rng: random.Random) -> str:
    """Another name of the same shape that shares no word with it: of the section half the time, else of the whole."""
    for text in (section, document) if rng.random() < 0.5 else (document, section):
        others = sorted(
            {
                each
                for each in names(text)
                if each not in sentence and each.isupper() == name.isupper() and not _related(each, name)
            }
        )
        if others:
            return rng.choice(others)
    return ""


@lru_cache(maxsize=4096)
def names(text: str) -> frozenset[str]:
    """What looks like a name in the text."""
    return frozenset(name for name in NAME.findall(text) if not _ordinary(name))


def _ordinary(name: str) -> bool:
    return any(word.lower() in NO_NAME for word in name.split())


def _related(one: str, other: str) -> bool:
    words, others = ({word[:5] for word in re.findall(r"\w+", name.lower())} for name in (one, other))
    initials = ("".join(part[0] for part in text.split()) for text in (one, other))
    return bool(words & others) or one in next(initials) or other in next(initials)
