"""Which groups a place has, and which a person has in private (pure; knows no platform)."""

from collections.abc import Iterable

from bot.config.settings import Channel, Settings
from retrieval.passages import EVERYONE, PUBLIC

OUTSIDERS = frozenset({PUBLIC})
STAFF = frozenset({EVERYONE})


def channel_of(settings: Settings, channel: str) -> Channel:
    """What the settings say of a channel (`slack:C0123`); of one that they do not name, what holds without them."""
    return settings.channels.get(channel) or Channel()


def groups_of_place(settings: Settings, channel: str, *, shared: bool = False) -> frozenset[str]:
    """The groups of a channel: those that the settings give it, else `everyone`.

    One that is `shared` with guests or another company has `public` alone, whatever the settings say.
    """
    return OUTSIDERS if shared else channel_of(settings, channel).groups


def groups_of_person(settings: Settings, names: Iterable[str], *, guest: bool = False) -> frozenset[str]:
    """The groups of a person in private, who goes by all these names, those of the platform's user groups included.

    Whoever is in none has `everyone`; a `guest` has `public` alone, whatever the settings say. E-mail addresses are
    the same in upper and lower case, ids of platforms are not.
    """
    if guest:
        return OUTSIDERS
    known = {_same(name) for name in names if name.strip()}
    own = {group for group, members in settings.groups.items() if known & {_same(member) for member in members}}
    return frozenset(own) or STAFF


def _same(name: str) -> str:
    """The one spelling of a person's name, as bot/access/pseudonyms has it."""
    stripped = name.strip()
    return stripped.casefold() if "@" in stripped else stripped
