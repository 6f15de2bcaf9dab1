"""The options of curation: how sure votes must be, who may see the rows, how much of what is too much."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

NameFinder = Callable[[str], Sequence[tuple[int, int]]]
"""Returns where the names of people begin and end in a text."""

# Whoever is in any group reads what these open; who is in the second alone reads only that.
EVERYONE, PUBLIC = "everyone", "public"


@dataclass(frozen=True, slots=True)
class CurationOptions:
    """What rows are chosen by; the manifest of an export lists the fields by name.

    `groups` are those that may see the rows: what others were shown is no part of them. Exchanges before `since` give
    no rows, but their questions still hold clusters and splits together. `evaluation` are questions that nothing near
    may be trained on. `person_share` and `person_rows` bound what one person's questions or votes may decide, whichever
    is more. `passages` is how many of them a prompt holds. `searches` is how many questions are asked again for
    sections that do not answer them, which takes the embedding model with its gigabyte of memory. `regions` are the
    countries whose telephone numbers are known without their country code. `names` finds people's names, which patterns
    cannot.
    """

    since: datetime | None = None
    min_agreement: float = 0.75
    groups: frozenset[str] = frozenset({EVERYONE, PUBLIC})
    evaluation: Sequence[str] = ()
    seed: str = "footnote"
    validation: float = 0.1
    test: float = 0.1
    person_share: float = 0.05
    person_rows: int = 20
    pairs_per_cluster: int = 4
    passages: int = 8
    searches: int = 0
    regions: tuple[str, ...] = ("US", "GB")
    names: NameFinder | None = field(default=None, compare=False)

    @property
    def readable(self) -> frozenset[str]:
        """The words of an audience that open a section to these groups."""
        return self.groups if self.groups == {PUBLIC} else self.groups | {EVERYONE, PUBLIC}
