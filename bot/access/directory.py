"""The port through which a chat platform says who somebody is and who reads a place."""

from dataclasses import dataclass
from typing import Protocol

from bot.access.audience import Audience


@dataclass(frozen=True, slots=True)
class Person:
    """A person of a platform: the names that settings may use for them, and whether they are of this company.

    Somebody of whom nothing can be learned is a guest.
    """

    id: str
    email: str = ""
    guest: bool = True


class Directory(Protocol):
    """The people and places of one workspace of a platform; ids are the platform's own."""

    def audience(self, channel: str, user: str, *, direct: bool) -> Audience:
        """Return the groups for an answer to this person in this channel; `direct` where the two are alone.

        What cannot be found out counts as read by strangers.
        """
        ...

    def person(self, user: str) -> Person:
        """Return a person; one who cannot be looked up is a guest."""
        ...

    def groups_of(self, user: str) -> frozenset[str]:
        """Return the groups of a person in private."""
        ...
