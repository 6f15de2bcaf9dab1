"""Recognises what people say to a bot that is no question about the documents, and replies (pure, English)."""

import re
from typing import Literal, cast

from bot.answering.languages import word_lists

Kind = Literal["empty", "greeting", "thanks", "farewell", "identity"]

REPLIES: dict[Kind, str] = {
    "empty": "What would you like to know? Ask in a sentence, for example: how many days of leave do I get?",
    "greeting": "Hello! Ask me anything about our documents, and I will show you the section behind every sentence.",
    "thanks": "You are welcome. A thumb up or down tells us whether the answer helped.",
    "farewell": "Goodbye!",
    "identity": (
        "I am Footnote, a program. I answer from our own documents, show the exact section behind every sentence, "
        "and say so when I cannot find something."
    ),
}

_ENGLISH = word_lists("small_talk")
_PATTERNS: dict[Kind, re.Pattern[str]] = {
    cast(Kind, kind): re.compile("|".join(patterns).replace("{address}", _ENGLISH.text("address")))
    for kind, patterns in _ENGLISH.table("patterns").items()
}


def small_talk(text: str) -> Kind | None:
    """Return the kind of small talk that the whole text is; None for what may be a question about the documents."""
    if not any(char.isalnum() for char in text):
        return "empty"
    words = " ".join(re.findall(r"[a-z0-9]+", text.lower().replace("’", "").replace("'", "")))
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.fullmatch(words)), None)
