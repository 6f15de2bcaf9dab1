"""The port to the people, user groups and channels of a chat platform."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")

# Every value that replicas share of what a platform tells has a key that begins with `DIRECTORY`, or has `ACCOUNT` in
# it where it is about one person alone. People are named in keys and values by their keyed hash, in long lists by the
# first `SHORT_NAME` characters of it.
DIRECTORY = "directory:"
ACCOUNT = ":account:"
SHORT_NAME = 16


@dataclass(frozen=True, slots=True)
class Person:
    """A person of a platform: the names that settings may use for them, and whether they are of this company.

    Somebody of whom nothing is known is a guest; whose account was closed reads nothing, and is none.
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


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list; `cursor` asks for the next one, and is empty for the last."""

    entries: tuple[T, ...]
    cursor: str = ""


class Directory(Protocol):
    """Looks up the people and channels of one workspace of a platform; ids are the platform's own, nothing is cached.

    None is returned where the platform does not tell, as for an unknown id. Every method raises what the platform
    raises while it cannot be reached or asks to wait, and waits for neither.
    """

    def person(self, user: str) -> Person | None:
        """Return a person."""
        ...

    def people(self, cursor: str = "") -> Page[Person] | None:
        """Return a page of all people of the workspace."""
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

    def channel_members(self, channel: str, cursor: str = "") -> Page[str] | None:
        """Return a page of the ids of all who read a channel; the first has all of a channel that is not large."""
        ...
