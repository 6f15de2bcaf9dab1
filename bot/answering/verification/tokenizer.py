"""Text to tokens (pure): words with their stems, and whole what must stay whole: numbers, times, codes, links."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from retrieval.ranking.analysis import Analyzer, fold

Kind = Literal["word", "number", "time", "code", "link", "sign", "mark"]

# A negation inside a word is written out, so that "ineligible" and "not eligible" are one. The words are those that
# rules use of permission and validity; a longer list of prefixes would take "invoice" apart.
WRITTEN_OUT = {
    "cannot": ("can", "not"),
    "cant": ("can", "not"),
    "dont": ("do", "not"),
    "wont": ("will", "not"),
    "won't": ("will", "not"),
    "can't": ("can", "not"),
    "shan't": ("shall", "not"),
    "ain't": ("is", "not"),
    "unable": ("not", "able"),
} | {
    negative: ("non", positive)
    for negative, positive in (
        pair.split(":")
        for pair in """unauthorised:authorised unauthorized:authorized unlawful:lawful unpaid:paid
        unlikely:likely unavailable:available unacceptable:acceptable unapproved:approved unused:used
        unrestricted:restricted unlimited:limited uninsured:insured unnecessary:necessary ineligible:eligible
        invalid:valid incomplete:complete incorrect:correct inactive:active inappropriate:appropriate
        insufficient:sufficient inadmissible:admissible impermissible:permissible impossible:possible
        illegal:legal irrelevant:relevant disallowed:allowed disapproved:approved""".split()
    )
}

# "[3]" is a reference, not a value; typographic signs are one with those of a keyboard.
REFERENCE = re.compile(r"\[ ?\d+ ?\]")
# Abbreviations that are function words in lower case.
ABBREVIATIONS = frozenset({"US", "IT", "WHO"})
CONTRACTED = frozenset({"s", "ll", "re", "ve", "d", "m"})
# Function words that a search may want to know of, but that support nothing.
EMPTY = frozenset(
    """since like even another many much one ones anything something everything anyone someone everyone however
    therefore thus also yet still already either instead although though whether them themselves yourself itself via
    upon etc yes okay ok sure case cases thing things way ways""".split()
)
# A web page whose apostrophes were lost says "don t".
LOST = re.compile(
    r"\b(can|won|don|doesn|didn|isn|aren|wasn|weren|hasn|haven|hadn|couldn|shouldn|wouldn|mustn|needn) t\b",
    re.IGNORECASE,
)
SIGNS = str.maketrans({"’": "'", "‘": "'", "‑": "-", "–": "-", "—": ";", "−": "-", "“": '"', "”": '"', "\u00a0": " "})

TOKEN = re.compile(
    r"""
    (?P<easy>\b(?!non\b)[^\W\d_]+(?=[\s,;:!?)]|$))  # most words, at a tenth of the cost
    |(?P<link>https?://[^\s<>"']+|www\.[^\s<>"']+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|
        \b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|gov|edu|int|io|co|uk|eu|de|fr|ca|au)\b(?:/[^\s<>"']*)?)
    |(?P<time>\b\d{1,2}(?:[:.]\d\d)?\ ?(?:[ap]\.m\.?|[ap]m\b)|\b\d{1,2}:\d\d\b|\b\d{1,2}\ o'clock\b)
    |(?P<phone>\+?\(?\b\d{1,4}\)?(?:\ ?[-.\ ]\ ?\d{2,4}){1,3}\ ?[-.\ ]\ ?\d{4}\b)
    |(?P<joined>\bnon(?:\ ?-\ ?|\ )[^\W\d_]+)
    |(?P<letters>\b(?:[a-z]\.){2,}|\b(?:[a-z]\.)+[a-z]\b)
    |(?P<code>\b\d{4}-\d\d-\d\d\b|\b\d{1,2}/\d{1,2}/\d{2,4}\b|\(\s?[a-zA-Z]\s?\)|\b\d+(?:\.\d+)+(?:\.?\(\w{1,4}\))+|
        \b\d+(?:\.\d+){2,}\b|\b[^\W\d_]{1,9}-?\d\w*(?:-\w*\d\w*)*\b|
        \b\d+(?!(?:st|nd|rd|th|k|gb|mb|kb|tb|km|kg|mg|cm|mm|h|hrs?|mins?|d|m)\b)[^\W\d_]\w*\b)
    |(?P<number>\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?:(?:st|nd|rd|th)\b)?
    |(?P<word>[^\W\d_]+(?:'[^\W\d_]+)?)
    |(?P<sign>[$£€%])
    |(?P<mark>[,;:.!?()])
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, value or mark. `key` is what it is compared by, empty for a word that carries no meaning."""

    text: str
    key: str
    kind: Kind
    capital: bool = False
    shown: str = ""


@lru_cache(maxsize=8)
def analyzer(language: str) -> Analyzer:
    """The stems and stop words of a language."""
    return Analyzer(language)


def tokens(text: str, *, language: str = "english") -> list[Token]:
    """The tokens of a text in reading order; references such as `[3]` are none."""
    plain = LOST.sub(r"\1't", REFERENCE.sub(" ", text.translate(SIGNS)))
    found: list[Token] = []
    for match in TOKEN.finditer(plain):
        kind = match.lastgroup
        if kind in {"easy", "word"}:
            found += _word(match.group(), language)
        elif kind == "phone":
            digits = re.sub(r"\D", "", match.group())
            found.append(Token(digits, digits, "code", shown=match.group()))
        elif kind in {"letters", "joined"}:
            found += _word(re.sub(r"[. -]", "", match.group()), language)
        else:
            found.append(_other(match.group(), str(kind)))
    return found


@lru_cache(maxsize=100_000)
def _word(shown: str, language: str) -> tuple[Token, ...]:
    text = fold(shown)
    if text in WRITTEN_OUT:
        return tuple(part for each in WRITTEN_OUT[text] for part in _word(each, language))
    if text.endswith("n't"):
        return *_word(text[:-3], language), *_word("not", language)
    plain, _, ending = text.partition("'")
    if ending not in CONTRACTED:
        plain = text.replace("'", "")
    terms = [] if plain in EMPTY else analyzer(language).terms(plain)
    if shown in ABBREVIATIONS:
        terms = [plain]
    return (Token(plain, terms[0] if terms else "", "word", shown[0].isupper(), shown),)


@lru_cache(maxsize=20_000)
def _other(shown: str, kind: Kind) -> Token:
    text = shown.lower()
    if kind == "link":
        text = re.sub(r"^(?:https?://)?(?:www\.)?", "", text).rstrip("/.,;:!?)")
    elif kind == "code":
        text = re.sub(r"[\s-]", "", text) if not text[0].isdigit() else text
    return Token(text, "" if kind in {"mark", "sign"} else text, kind, kind == "code", shown)
