"""Citation markers in a model's text, such as `[2]` (pure)."""

import re
from collections.abc import Iterable

# `[2]`, `[1, 3]`, `[1-3]`, `[^2]`, `[passage 2]`, `【2†source】`; the first group is the numbers. One of twelve digits
# and more names no passage, and is no value either.
CITATION_MARKER = re.compile(
    r"[\[【]\s*(?:\^|#|(?:passages?|sources?|sections?|citations?|refs?)\s+)?"
    r"(\d{1,3}(?:\s*(?:[,;–-]|and)\s*\d{1,3})*|\d{12,})(?:†[^\]】]*)?\s*[\]】]",
    re.IGNORECASE,
)
# What opens a bracket and grows longer than this is text.
MAX_MARKER_LENGTH = 40
RANGE = re.compile(r"(\d{1,3})\s{0,3}[–-]\s{0,3}(\d{1,3})")
MAX_RANGE = 10


def cited_positions(numbers: str) -> tuple[int, ...]:
    """Return the positions that the numbers of a marker name: `1, 3-5` is 0, 2, 3, 4; a range has 10 at most."""
    spread = RANGE.sub(
        lambda m: ",".join(map(str, range(int(m[1]), min(int(m[2]), int(m[1]) + MAX_RANGE - 1) + 1))), numbers
    )
    return merge_positions((), (int(number) - 1 for number in re.findall(r"(?<!\d)\d{1,3}(?!\d)", spread)))


def merge_positions(first: Iterable[int], second: Iterable[int]) -> tuple[int, ...]:
    """Return both in order, each position once."""
    return tuple(dict.fromkeys([*first, *second]))
