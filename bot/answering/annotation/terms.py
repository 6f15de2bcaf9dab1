"""Terms of headings, questions and sentences, by which they are compared (pure)."""

import re
from functools import lru_cache

from bot.answering.annotation.claim_values import FREQUENCIES
from bot.answering.annotation.claim_words import GROUPS, says_nothing, term_of
from bot.answering.languages import word_lists
from bot.answering.verification.amount_parser import find_amounts
from bot.answering.verification.amounts import UNITS
from bot.answering.verification.tokenizer import tokenize

_ENGLISH = word_lists("claims")
KINDS = _ENGLISH.words("kinds")
NO_GROUPS = re.compile(rf"\b(?:{_ENGLISH.alternatives('no_groups')})\b", re.IGNORECASE)
ASKING = _ENGLISH.words("asking")
FREQUENCY_ASKED = re.compile(rf"\b(?:{_ENGLISH.alternatives('frequency_asked')})\b", re.IGNORECASE)
COUNT_ASKED = re.compile(rf"\b(?:{_ENGLISH.alternatives('count_asked')})\b", re.IGNORECASE)
CACHED_TEXTS = 4096


def group_words(text: str) -> frozenset[str]:
    """Return the words in a text that say whose rule it is, or where it holds."""
    return frozenset(token.text for token in tokenize(text)) & GROUPS


@lru_cache(maxsize=CACHED_TEXTS)
def case_terms(text: str, language: str) -> frozenset[str]:
    """Return the terms in a heading that tell one case from another."""
    line = tokenize(NO_GROUPS.sub(" ", text), language=language)
    return frozenset(term_of(token) for token in line if token.key and token.text in GROUPS | KINDS)


@lru_cache(maxsize=CACHED_TEXTS)
def subject_terms(text: str, language: str) -> frozenset[str]:
    """Return the terms of a heading or a question."""
    return frozenset(term_of(token) for token in tokenize(text, language=language) if token.key)


@lru_cache(maxsize=CACHED_TEXTS)
def asked_terms(question: str, language: str) -> frozenset[str]:
    """Return what a question asks about: its terms, and units that tell how often, without those of every question."""
    line = tokenize(question, language=language)
    given = {
        at for match in find_amounts(line) if match.amount.value is not None for at in range(match.start, match.end)
    }
    line = [token for at, token in enumerate(line) if at not in given]
    units = {UNITS[token.text] for token in line if token.text in FREQUENCIES & UNITS.keys()}
    words = (
        token for token in line if not says_nothing(token) and token.text not in ASKING and token.text not in UNITS
    )
    return frozenset(map(term_of, words)) | units


def asks_for_count(question: str) -> bool:
    """Whether a question asks how many there are of something."""
    return COUNT_ASKED.search(question) is not None


def asks_for_frequency(question: str) -> bool:
    """Whether a question asks how often something happens."""
    return FREQUENCY_ASKED.search(question) is not None
