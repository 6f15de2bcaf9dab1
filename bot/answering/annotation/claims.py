"""Extracts what a sentence claims, as sentences are compared: its words, values and conditions (pure)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.answering.annotation.claim_values import GENERIC, PENCE, Value, find_values
from bot.answering.languages import word_lists
from bot.answering.verification.amount_parser import find_amounts
from bot.answering.verification.amounts import CARDINALS, ORDINALS, AmountMatch
from bot.answering.verification.tokenizer import Token, tokenize
from bot.answering.writing.generator import Quote

_ENGLISH = word_lists("claims")
GROUPS = _ENGLISH.words("groups")
CASES = _ENGLISH.words("cases")
SYNONYMS = _ENGLISH.by_word("synonyms")
CONDITIONS = _ENGLISH.words("conditions")
RESTRICTING = _ENGLISH.words("restricting")
PLACING = _ENGLISH.words("placing")
DETERMINERS = _ENGLISH.words("determiners")
VERBAL = _ENGLISH.words("verbal")

# What a sentence adds after its rule, in words that are none of the rule's.
ADDITION = re.compile(rf";|:(?=\s)|,(?= (?:{_ENGLISH.alternatives('additions')})\b)")
EXCEPTION = re.compile(rf"\b(?:{_ENGLISH.alternatives('exceptions')})\b", re.IGNORECASE)
# Most sentences give no value, and are recognised by this at once.
NUMBER = re.compile(rf"\d|\b(?:{'|'.join([*CARDINALS, *ORDINALS])})\b", re.IGNORECASE)
MAX_TOKENS = 60  # more is a list, or a sentence of many rules
MAX_VALUES = 4
CACHED_SENTENCES = 4096


@dataclass(frozen=True, slots=True)
class Word:
    """A word that carries meaning.

    `narrows` is true where it says of what kind or for what, `verbal` where a verb may stand. `case` is true of words
    that tell one case from another, `group` of those among them that tell whose rule it is, or where.
    """

    key: str
    narrows: bool
    verbal: bool
    case: bool
    group: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """What a sentence claims; `rates` are units without a number, as in "per day"."""

    words: tuple[Word, ...]
    values: tuple[Value, ...]
    rates: frozenset[str]
    conditions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of one of the retrieved passages, and what it claims."""

    place: Quote
    text: str
    claim: Claim


@lru_cache(maxsize=CACHED_SENTENCES)
def extract_claim(text: str, language: str) -> Claim | None:
    """Extract the claim of a sentence; None where it gives no value, or so many that it is a table or a calculation."""
    if not NUMBER.search(text):
        return None
    line = tokenize(_rule(text), language=language)
    matches = find_amounts(line)
    values = tuple(find_values(line, matches))
    if len(line) > MAX_TOKENS or not values or len(values) > MAX_VALUES or all(value.fixed for value in values):
        return None
    rates = frozenset(match.amount.unit for match in matches if match.amount.value is None)
    conditions = frozenset(token.text for token in line) & CONDITIONS
    return Claim(tuple(_words(line, matches)), values, rates, conditions)


def group_words(text: str) -> frozenset[str]:
    """Return the words in a text that say whose rule it is, or where it holds."""
    return frozenset(token.text for token in tokenize(text)) & GROUPS


@lru_cache(maxsize=CACHED_SENTENCES)
def subject_terms(text: str, language: str) -> frozenset[str]:
    """Return the terms of a heading or a question."""
    return frozenset(token.key for token in tokenize(text, language=language) if token.key)


def _rule(text: str) -> str:
    """Return the parts of a sentence that give values or exceptions."""
    return ",".join(part for part in ADDITION.split(text) if NUMBER.search(part) or EXCEPTION.search(part))


def _words(line: Sequence[Token], matches: Sequence[AmountMatch]) -> Iterator[Word]:
    inside = {at for match in matches for at in range(match.start, match.end)}
    for at, token in enumerate(line):
        numbers_clause = at == 0 and token.kind == "code"
        if at in inside or not token.key or token.text in GENERIC or numbers_clause or PENCE.fullmatch(token.text):
            continue
        back = at - 1
        while back >= 0 and line[back].text in DETERMINERS:
            back -= 1
        led_by = line[back].text if back >= 0 else ""
        restricts = led_by in RESTRICTING and back - 1 not in inside
        following = line[at + 1] if at + 1 < len(line) else None
        modifies = bool(following and following.key and following.kind == "word") and not token.text.endswith("ly")
        is_name = token.capital and at > 0 and line[at - 1].kind != "punctuation"
        key = SYNONYMS.get(token.text, token.key)
        group = token.text in GROUPS or (is_name and led_by in PLACING)
        yield Word(key, restricts or modifies, led_by in VERBAL, group or is_name or token.text in CASES, group)
