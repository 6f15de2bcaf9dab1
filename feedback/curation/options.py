"""What curation is told: how sure votes must be, who may see the rows, how much of what is too much."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

Names = Callable[[str], Sequence[tuple[int, int]]]
"""Where the names of people stand in a text."""


# Whoever is in any group reads what these open; who is in the second alone reads only that.
EVERYONE, PUBLIC = "everyone", "public"


@dataclass(frozen=True, slots=True)
class Options:
    """`groups` are those that may see the rows: what others were shown is no part of them.

    Exchanges before `since` give no rows, but their questions still hold clusters and splits together. `evaluation`
    are questions that nothing near may be trained on. `names` finds people's names, which patterns cannot.
    `searches` is how many questions are asked again for sections that do not answer them, which takes the embedding
    model with its gigabyte of memory. `regions` are the countries
    whose telephone numbers are known without their country code.
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
    names: Names | None = field(default=None, compare=False)

    @property
    def readable(self) -> frozenset[str]:
        """The words of an audience that open a section to these groups."""
        return self.groups if self.groups == {PUBLIC} else self.groups | {EVERYONE, PUBLIC}
