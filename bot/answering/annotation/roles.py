"""Finds who does something: roles that sentences name, and what they do (pure)."""

import re

from bot.answering.annotation.claim_words import says_nothing, term_of
from bot.answering.annotation.terms import subject_terms
from bot.answering.languages import word_lists
from bot.answering.verification.tokenizer import tokenize

_ENGLISH = word_lists("roles")
ROLE = re.compile(rf"\b(?:{_ENGLISH.alternatives('roles')})\b", re.IGNORECASE)
REFLEXIVE = _ENGLISH.words("reflexive")
DOING = re.compile(rf"\b(?:{_ENGLISH.alternatives('doing')})\s+$", re.IGNORECASE)
ASKED = re.compile(rf"\W*(?:{_ENGLISH.alternatives('asked')})\b", re.IGNORECASE)


def asks_for_role(question: str) -> bool:
    """Whether a question asks who does something."""
    return ASKED.match(question) is not None


def find_roles(text: str) -> frozenset[str]:
    """Return the roles that a text names, in lower case."""
    return frozenset(" ".join(found[0].lower().split()) for found in ROLE.finditer(text))


def acting_role(text: str, asked: frozenset[str], language: str) -> str:
    """Return the role that does what was asked about, as it is written; empty where it does not, or several are named.

    It does so where "by" stands before it and the asked term earlier, or where the asked term is what follows it.
    """
    found = ROLE.search(text)
    if found is None or len(find_roles(text)) > 1:
        return ""
    before, after = text[: found.start()], text[found.end() :]
    line = tokenize(after, language=language)
    following = next((term_of(token) for token in line if not says_nothing(token)), "")
    does = DOING.search(before) is not None or found[0].lower() in REFLEXIVE
    is_agent = does and subject_terms(before, language) & asked
    return found[0] if is_agent or following in asked else ""
