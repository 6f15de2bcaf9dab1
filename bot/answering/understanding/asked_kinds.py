"""Recognises what kind of thing a question asks for, and whether a text holds such a thing (pure)."""

import re
from functools import lru_cache
from typing import Literal, get_args

from bot.answering.languages import word_lists

AskedKind = Literal["count", "amount", "duration", "date", "link", "steps", "list"]

_ENGLISH = word_lists("asked_kinds")
_QUESTIONS = {kind: re.compile(_ENGLISH.alternatives(kind), re.IGNORECASE) for kind in get_args(AskedKind)}
_ANSWERS = {
    kind: re.compile(_ENGLISH.alternatives(f"{kind}_in_text"), re.IGNORECASE)
    for kind in ("count", "amount", "duration", "date")
}


def asked_kinds(question: str) -> frozenset[AskedKind]:
    """Return the kinds of thing that a question asks for; empty where its words do not tell."""
    text = " ".join(question.split())
    return frozenset(kind for kind, pattern in _QUESTIONS.items() if pattern.search(text))


@lru_cache(maxsize=4096)
def kinds_in(text: str) -> frozenset[AskedKind]:
    """Return the kinds of thing that a text holds: of numbers and times alone, which can be told by the words."""
    return frozenset(kind for kind, pattern in _ANSWERS.items() if pattern.search(text))  # type: ignore[misc]
