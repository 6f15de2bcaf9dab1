"""Finds phrases in a text by their words: letters and digits, with case, accents and markup aside (pure)."""

import re
from collections.abc import Sequence
from itertools import pairwise

from retrieval.ranking.analysis import words

# Of so many words of a phrase one may differ, be missing or be added; a shorter phrase must stand there as it is.
ONE_MAY_DIFFER = 8
# The work of finding a phrase grows with the words that may differ.
MAX_WORDS = 200

LINK = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")
TAG = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", re.IGNORECASE)


def visible_words(text: str) -> list[str]:
    """Return the words that a reader sees; links of Markdown are their words, and tags are none."""
    return words(TAG.sub(" ", LINK.sub(r"\1", text)))


def find_phrase(phrase: Sequence[str], text: Sequence[str]) -> int | None:
    """Return where the words of a phrase first stand in a text, in order and together; None where they do not.

    One word in eight may differ; by so many as do, the place may be off. A phrase without words is nowhere. The time
    grows with the words of the text, times those of the phrase that may differ.
    """
    if not phrase:
        return None
    masks: dict[str, int] = {}
    for at, word in enumerate(phrase):
        masks[word] = masks.get(word, 0) | 1 << at
    size, allowed = len(phrase), len(phrase) // ONE_MAY_DIFFER
    found, every = 1 << (size - 1), (1 << size) - 1
    # Wu and Manber's: bit n of the state of so many errors says that the first n + 1 words of the phrase end here.
    states = [(1 << errors) - 1 for errors in range(allowed + 1)]
    ends: list[tuple[int, int]] = []  # with the words that differ
    for at, word in enumerate(text, start=1):
        mask, before = masks.get(word, 0), states
        states = [(before[0] << 1 | 1) & mask]
        for fewer, same in pairwise(before):
            kept = (same << 1 | 1) & mask
            added, changed, missing = fewer, fewer << 1, states[-1] << 1
            states.append((kept | added | changed | missing | 1) & every)
        if states[-1] & found:
            ends.append((next(errors for errors, state in enumerate(states) if state & found), at))
        # A phrase ends where fewest words differ, and not already where its last ones are taken to be missing.
        if ends and at >= ends[0][1] + allowed:
            break
    return max(0, min(ends)[1] - size) if ends else None
