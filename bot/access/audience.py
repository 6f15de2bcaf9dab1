"""Computes which groups a place has, and which a person has in private (pure; knows no platform)."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.config.settings import Channel, Settings
from retrieval.passages import EVERYONE, PUBLIC

OUTSIDERS = frozenset({PUBLIC})
STAFF = frozenset({EVERYONE})


@dataclass(frozen=True, slots=True)
class Audience:
    """The groups that an answer in a place may use.

    `private` is true where only the asker reads the answer, and nobody is to be shown it.
    """

    groups: frozenset[str]
    private: bool = False


def channel_settings(settings: Settings, channel: str) -> Channel:
    """Return the `[channels]` entry of a channel (`PLATFORM:ID`), or the defaults for one that has none."""
    return settings.channels.get(channel) or Channel()


def groups_of_place(settings: Settings, channel: str, *, shared: bool = False) -> frozenset[str]:
    """Return the groups of a channel: those that the settings give it, else `everyone`.

    A channel `shared` with guests or another company has `public` alone, whatever the settings say.
    """
    return OUTSIDERS if shared else channel_settings(settings, channel).groups


def groups_of_person(settings: Settings, names: Iterable[str], *, guest: bool = False) -> frozenset[str]:
    """Return the groups of a person in a direct message; `names` are all their names, their user groups included.

    A person who is in no group has `everyone`; a `guest` has `public` alone, whatever the settings say. E-mail
    addresses are compared without case, ids of platforms with it.
    """
    if guest:
        return OUTSIDERS
    known = {_normalized(name) for name in names if name.strip()}
    own = {group for group, members in settings.groups.items() if known & {_normalized(member) for member in members}}
    return frozenset(own) or STAFF


def _normalized(name: str) -> str:
    """Return the one spelling of a person's name, as `bot.access.pseudonyms` hashes it."""
    stripped = name.strip()
    return stripped.casefold() if "@" in stripped else stripped
