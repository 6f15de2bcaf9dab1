"""Extracts what a sentence claims, as sentences are compared: its words, values and conditions (pure)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from bot.answering.annotation.claim_values import Value, find_frequency, find_values, is_rate
from bot.answering.annotation.claim_words import CONDITIONS, SIDES, Word, find_words
from bot.answering.annotation.roles import find_roles
from bot.answering.languages import word_lists
from bot.answering.verification.amount_parser import find_amounts
from bot.answering.verification.amounts import CARDINALS, ORDINALS, AmountMatch
from bot.answering.verification.tokenizer import Token, tokenize
from bot.answering.writing.generator import Quote
from retrieval.sectioning.blocks import ITEM

_ENGLISH = word_lists("claims")
PRONOUNS = _ENGLISH.words("pronouns")
COMPARATIVES = _ENGLISH.words("comparatives")
AFTER_SOME_TIME = _ENGLISH.table("after_some_time")
ADDING = _ENGLISH.words("adding")
EXAMPLE = re.compile(rf"(?:\b|\()(?:{_ENGLISH.alternatives('examples')})", re.IGNORECASE)
RELATIVE = re.compile(rf" (?:{_ENGLISH.alternatives('relatives')})\b")
ITSELF = re.compile(rf"\bth(?:is|ese) (?:{_ENGLISH.alternatives('documents')})\b", re.IGNORECASE)

# What a sentence adds after its rule, in words that are none of the rule's.
ADDITION = re.compile(rf";|,(?= (?:{_ENGLISH.alternatives('additions')})\b)")
# Few words before a colon are what the value behind it belongs to, more are a sentence of their own.
LEAD = re.compile(r"[^:]*:(?=\s)")
LONGEST_KEY = 6
EXCEPTION = re.compile(rf"\b(?:{_ENGLISH.alternatives('exceptions')})\b", re.IGNORECASE)
# Most sentences give no value, and are recognised by this at once.
NUMBER = re.compile(
    rf"\d|\b(?:{'|'.join([*CARDINALS, *ORDINALS])}|{_ENGLISH.alternatives('frequencies')})\b", re.IGNORECASE
)
MAX_TOKENS = 60  # more is a list, or a sentence of many rules
MAX_CHARACTERS = 1500
MAX_VALUES = 4
CACHED_SENTENCES = 4096


@dataclass(frozen=True, slots=True)
class Claim:
    """What a sentence claims.

    `rates` are units without a number, as in "per day"; `side` is `before` or `after` where a value counts from
    something, `itself` whether it speaks of the document that it stands in. `example` is true of an example, and
    `adjectival` where the only value is one like that in "the monthly report". `roles` are those that it names.
    """

    words: tuple[Word, ...]
    values: tuple[Value, ...]
    rates: frozenset[str] = frozenset()
    conditions: frozenset[str] = frozenset()
    side: str = ""
    itself: bool = False
    example: bool = False
    adjectival: bool = False
    roles: frozenset[str] = frozenset()

    @property
    def additions(self) -> frozenset[str]:
        """The conditions by which a value comes on top of another one."""
        return self.conditions & ADDING


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of one of the retrieved passages, what it claims, and the terms of the one that it leans on."""

    place: Quote
    text: str
    claim: Claim
    context: frozenset[str] = frozenset()


@lru_cache(maxsize=CACHED_SENTENCES)
def extract_claim(text: str, language: str) -> Claim | None:
    """Extract the claim of a sentence.

    None where it gives no value and names no role, or gives so many values that it is a table or a calculation.
    """
    if len(text) > MAX_CHARACTERS:
        return None
    roles = find_roles(text)
    if not roles and not NUMBER.search(text):
        return None
    line = tokenize(_rule(text), language=language)
    matches = find_amounts(line)
    values = tuple(find_values(line, matches))
    frequencies = () if values else tuple(find_frequency(line, matches))
    values = values or tuple(value for value, _ in frequencies)
    rates = frozenset(match.amount.unit for match in matches if is_rate(line, match) and not frequencies)
    if len(line) > MAX_TOKENS or len(values) > MAX_VALUES or not (roles or any(not value.fixed for value in values)):
        return None
    conditions = frozenset(token.text for at, token in enumerate(line) if not _bounds(line, at)) & CONDITIONS
    side = next((SIDES[line[each.end].text] for each in matches if _counts_from(line, each)), "")
    return Claim(
        words=tuple(_after_some_time(find_words(line, matches), line, matches)),
        values=values,
        rates=rates,
        conditions=conditions,
        side=side,
        itself=ITSELF.search(text) is not None,
        example=EXAMPLE.search(text) is not None,
        adjectival=any(is_adjective for _, is_adjective in frequencies),
        roles=roles,
    )


def may_be_compared(one: Claim, other: Claim) -> bool:
    """Whether two claims do not count by the day and by the month, or before something and after it."""
    has_other_rate = one.rates and other.rates and one.rates.isdisjoint(other.rates)
    return not has_other_rate and {one.side, other.side} != {"before", "after"}


def leans_on_another(text: str) -> bool:
    """Whether a sentence begins with a word that stands for something in the sentence before."""
    opening = text.split(maxsplit=1)[:1]
    return bool(opening) and opening[0].lower() in PRONOUNS


def speaks_of_heading(text: str) -> bool:
    """Whether it is the heading or the sentence before that says what a sentence, item or entry is about."""
    return leans_on_another(text) or ITEM.match(text) is not None or LEAD.match(text) is not None


def _rule(text: str) -> str:
    """Return the parts of a sentence that give values or exceptions, with the few words that stand before a colon."""
    lead = LEAD.match(text)
    if not NUMBER.search(text):
        return text
    key, rest = (lead[0], text[lead.end() :]) if lead else ("", text)
    if len(key.split()) > LONGEST_KEY and not NUMBER.search(key):
        key = ""
    parts = ADDITION.split(rest)
    kept = [at for at, part in enumerate(parts) if NUMBER.search(part) or EXCEPTION.search(part)]
    # "Whisper in the quiet hours, which are 2 to 4" says before the comma what the value is of.
    led = [parts[at - 1].rpartition(",")[2] for at in kept if at and at - 1 not in kept and RELATIVE.match(parts[at])]
    return key + ",".join([*led, *(parts[at] for at in kept)])


def _after_some_time(words: Iterable[Word], line: Sequence[Token], matches: Sequence[AmountMatch]) -> Iterator[Word]:
    """Yield the words, with what happens after some time as what lasts until then: "deleted after a year"."""
    follows = any(SIDES.get(line[match.start - 1].text) == "after" for match in matches if match.start)
    for word in words:
        yield replace(word, key=AFTER_SOME_TIME.get(word.key, word.key)) if follows else word


def _bounds(line: Sequence[Token], at: int) -> bool:
    """Whether a negation only makes an amount the most or the least, as in "not more than"."""
    return at + 1 < len(line) and line[at + 1].text in COMPARATIVES


def _counts_from(line: Sequence[Token], match: AmountMatch) -> bool:
    return match.end < len(line) and line[match.end].text in SIDES
