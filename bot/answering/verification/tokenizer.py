"""Splits text into tokens (pure): words with their stems; numbers, times, codes and links stay whole."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bot.answering.languages import word_lists
from bot.answering.verification.number_forms import plain_numbers
from retrieval.ranking.analysis import Analyzer, fold

Kind = Literal["word", "number", "time", "code", "link", "sign", "punctuation"]

_ENGLISH = word_lists("tokenizer")
ABBREVIATIONS = _ENGLISH.words("abbreviations")
CONTRACTED_ENDINGS = _ENGLISH.words("contracted_endings")
EMPTY_WORDS = _ENGLISH.words("empty")
WRITTEN_OUT = {word: tuple(words.split()) for word, words in _ENGLISH.table("contractions").items()} | {
    negative: ("non", positive) for negative, positive in _ENGLISH.table("negative_forms").items()
}

# A web page whose apostrophes were lost says "don t".
# Several words that are one of the words that are looked for.
PHRASES = {phrase: word for word, phrases in _ENGLISH.table("phrases").items() for phrase in phrases}
PHRASE = re.compile(rf"\b(?:{'|'.join(sorted(PHRASES, key=len, reverse=True))})\b", re.IGNORECASE)
LOST_APOSTROPHE = re.compile(rf"\b({_ENGLISH.alternatives('before_lost_apostrophe')}) t\b", re.IGNORECASE)
# "[3]" is a reference, not a value; typographic signs are one with those of a keyboard.
REFERENCE = re.compile(r"\[ ?\d{1,3} ?\]")
# What stands right before or after a number in brackets that is a value all the same.
BEFORE_VALUE = re.compile(rf"\b(?:{_ENGLISH.alternatives('before_value')})\s*$", re.IGNORECASE)
_UNIT_NAMES = sorted((unit for unit in word_lists("amounts").by_word("units") if unit.isalpha()), key=len, reverse=True)
AFTER_VALUE = re.compile(rf"\s*(?:%|(?:{'|'.join(_UNIT_NAMES)})\b)", re.IGNORECASE)
VALUE_LOOK_BACK = 20
# Nobody cites so many passages.
LEAST_VALUE = 100
# A number of more digits is the name of something, an account or a device, and right only as it is written.
MOST_DIGITS = 15
SIGNS = str.maketrans({"’": "'", "‘": "'", "‑": "-", "–": "-", "—": ";", "−": "-", "“": '"', "”": '"', "\u00a0": " "})

TOKEN = re.compile(
    r"""
    (?P<plain_word>\b(?!non\b)[^\W\d_]+(?=[\s,;:!?)]|$))  # most words, at a tenth of the cost
    |(?P<link>https?://[^\s<>"']+|www\.[^\s<>"']+|(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+|
        (?<![\w-])(?<![\w-]\.)-*+\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|gov|edu|int|io|co|uk|eu|de|fr|ca|au)\b
        (?:/[^\s<>"']*)?)
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
    |(?P<punctuation>[,;:.!?()])
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, value or punctuation mark.

    `text` is its normalised form, `shown` the characters in the text, and `key` what it is compared by: the stem of a
    word, the text of a value, empty for punctuation and for a word that carries no meaning.
    """

    text: str
    key: str
    kind: Kind
    capital: bool = False
    shown: str = ""


@lru_cache(maxsize=8)
def _analyzer(language: str) -> Analyzer:
    return Analyzer(language)


def tokenize(text: str, *, language: str = "english") -> list[Token]:
    """Return the tokens of a text in reading order; references such as `[3]` are left out."""
    plain = LOST_APOSTROPHE.sub(r"\1't", REFERENCE.sub(_reference, plain_numbers(text.translate(SIGNS))))
    plain = PHRASE.sub(lambda match: PHRASES[match[0].lower()], plain)
    tokens: list[Token] = []
    for match in TOKEN.finditer(plain):
        kind = match.lastgroup
        if kind in {"plain_word", "word"}:
            tokens += _word(match.group(), language)
        elif kind == "phone":
            digits = re.sub(r"\D", "", match.group())
            tokens.append(Token(digits, digits, "code", shown=match.group()))
        elif kind in {"letters", "joined"}:
            tokens += _word(re.sub(r"[. -]", "", match.group()), language)
        else:
            tokens.append(_other(match.group(), str(kind)))
    return tokens


def reads_as_value(before: str) -> bool:
    """Whether a number in brackets is no reference after this text."""
    return BEFORE_VALUE.search(before[-VALUE_LOOK_BACK:]) is not None


def _reference(match: re.Match[str]) -> str:
    """Return a number in brackets if it is a value, else a space."""
    text, start, number = match.string, match.start(), match[0].strip("[] ")
    is_value = reads_as_value(text[max(start - VALUE_LOOK_BACK, 0) : start]) or AFTER_VALUE.match(text, match.end())
    return number if is_value or int(number) >= LEAST_VALUE else " "


@lru_cache(maxsize=100_000)
def _word(shown: str, language: str) -> tuple[Token, ...]:
    """Return the token of a word, or the tokens of the words that a contraction stands for."""
    text = fold(shown)
    if text in WRITTEN_OUT:
        return tuple(token for each in WRITTEN_OUT[text] for token in _word(each, language))
    if text.endswith("n't") and text != "n't":
        return *_word(text[:-3], language), *_word("not", language)
    plain, _, ending = text.partition("'")
    if ending not in CONTRACTED_ENDINGS:
        plain = text.replace("'", "")
    terms = [] if plain in EMPTY_WORDS else _analyzer(language).terms(plain)
    if shown in ABBREVIATIONS:
        terms = [plain]
    return (Token(plain, terms[0] if terms else "", "word", shown[:1].isupper(), shown),)


@lru_cache(maxsize=20_000)
def _other(shown: str, kind: Kind) -> Token:
    text = shown.lower()
    if kind == "number" and sum(map(str.isdigit, text)) > MOST_DIGITS:
        kind = "code"
    if kind == "link":
        text = re.sub(r"^-*(?:https?://)?(?:www\.)?", "", text).rstrip("/.,;:!?)")
    elif kind == "code":
        text = re.sub(r"[\s-]", "", text) if not text[0].isdigit() else text
    return Token(text, "" if kind in {"punctuation", "sign"} else text, kind, kind == "code", shown)
