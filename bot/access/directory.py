"""The port to the people, user groups and channels of a chat platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Person:
    """A person of a platform: the names that settings may use for them, and whether they are of this company.

    Somebody of whom nothing is known is a guest.
    """

    id: str
    email: str = ""
    guest: bool = True


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """A channel that the bot may look at.

    `external` is true where people of another company read it, `direct` where the bot is alone with one person, whose
    id is `direct_with` where it is known; `has_bot` is whether it is a member.
    """

    external: bool = False
    direct: bool = False
    direct_with: str = ""
    has_bot: bool = True


class Directory(Protocol):
    """Looks up the people and channels of one workspace of a platform; ids are the platform's own, nothing is cached.

    None is returned where the platform does not tell, as for an unknown id.
    """

    def person(self, user: str) -> Person | None:
        """Return a person."""
        ...

    def people(self) -> Mapping[str, bool] | None:
        """Return all people of the workspace by their ids, each with whether they are a guest."""
        ...

    def group_id(self, name: str) -> str:
        """Return the user group that a name in the settings stands for; empty for a name of anything else."""
        ...

    def group_members(self, group: str) -> frozenset[str] | None:
        """Return the ids of a user group's members."""
        ...

    def channel(self, channel: str) -> ChannelInfo | None:
        """Return a channel; None where the bot may not read it because it is no member."""
        ...

    def channel_members(self, channel: str) -> frozenset[str] | None:
        """Return the ids of all who read a channel."""
        ...
