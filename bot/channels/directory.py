"""Finds out the audience of a place from what a platform tells of people and channels, and remembers it for a while.

What cannot be found out counts against: whoever may be a stranger reads only what is public.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from cachetools import TTLCache

from bot.access.audience import Audience, groups_of_person, groups_of_place
from bot.access.directory import ChannelInfo, Directory, Person
from bot.channels.events import Place
from bot.config.settings import Settings

T = TypeVar("T")

CACHE_SECONDS = 600.0
CACHE_ENTRIES = 10_000
# So many people are looked up one by one; for more the list of all is read.
FEW = 30


class CachedDirectory:
    """The people and places of one workspace; asks again after ten minutes. May be used from any thread.

    Every method raises what the platform raises while it cannot be reached.
    """

    def __init__(
        self,
        directory: Directory,
        settings: Settings,
        platform: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._platform = platform
        self._cache: TTLCache[tuple[str, str], Any] = TTLCache(CACHE_ENTRIES, CACHE_SECONDS, timer=clock)
        self._lock = threading.Lock()

    def audience(self, place: Place, user: str, *, direct: bool, seen_alone: bool = False) -> Audience:
        """Return the groups for an answer to this person; `direct` where they are known to be alone with the bot.

        What they alone see (`seen_alone`) has their own groups where the bot is no member, and cannot be shared there.
        """
        if direct:
            return Audience(self.groups_of(user), private=True)
        info = self._channel(place.channel)
        if seen_alone and (info is None or not info.has_bot):
            return Audience(self.groups_of(user), private=True)
        if info is None:
            return Audience(groups_of_place(self._settings, place.channel_name, shared=True))
        if info.direct and info.direct_with in {"", user}:
            return Audience(self.groups_of(user), private=True)
        shared = info.external or self._has_guests(place.channel) or self.person(user).guest
        return Audience(groups_of_place(self._settings, place.channel_name, shared=shared))

    def audience_now(self, place: Place, user: str, *, direct: bool = False, seen_alone: bool = False) -> Audience:
        """Return the audience as the platform tells it now, for what was written earlier and is shown again.

        Only whether the members of a channel are guests may have been looked up before.
        """
        self._forget(place.channel, user)
        return self.audience(place, user, direct=direct, seen_alone=seen_alone)

    def readers_now(self, place: Place) -> frozenset[str]:
        """Return the groups of all who read a place now, whoever asks; where that is one person, their own."""
        self._forget(place.channel, "")
        info = self._channel(place.channel)
        if info is not None and info.direct:
            self._forget(place.channel, info.direct_with)
            return self.groups_of(info.direct_with)
        shared = info is None or info.external or self._has_guests(place.channel)
        return groups_of_place(self._settings, place.channel_name, shared=shared)

    def is_guest_now(self, user: str) -> bool:
        """Whether a person is a guest by now, or nobody that the platform knows."""
        self._forget("", user)
        return self.person(user).guest

    def person(self, user: str) -> Person:
        """Return a person; one of whom nothing can be learned is a guest."""
        return self._cached("person", user, lambda: self._directory.person(user)) or Person(user)

    def groups_of(self, user: str) -> frozenset[str]:
        """Return the groups of a person in private."""
        person = self.person(user)
        names = [f"{self._platform}:{user}", person.email, *self._user_groups(user)]
        return groups_of_person(self._settings, [name for name in names if name], guest=person.guest)

    def forget_members(self, channel: str) -> None:
        """Look anew at a channel that somebody has joined or left."""
        with self._lock:
            for kind in ("guests", "channel"):
                self._cache.pop((kind, channel), None)

    def _forget(self, channel: str, user: str) -> None:
        """Look anew at a channel, a person and all user groups."""
        self.forget_members(channel)
        with self._lock:
            self._cache.pop(("person", user), None)
            for key in [each for each in self._cache if each[0] == "group"]:
                self._cache.pop(key, None)

    def _user_groups(self, user: str) -> list[str]:
        """Return those of the platform's user groups in the settings, as they are named there, that hold a person."""
        named = {member for members in self._settings.groups.values() for member in members}
        groups = {name: self._directory.group_id(name) for name in sorted(named)}
        return [name for name, group in groups.items() if group and user in self._group_members(group)]

    def _group_members(self, group: str) -> frozenset[str]:
        return self._cached("group", group, lambda: self._directory.group_members(group)) or frozenset()

    def _channel(self, channel: str) -> ChannelInfo | None:
        return self._cached("channel", channel, lambda: self._directory.channel(channel))

    def _has_guests(self, channel: str) -> bool:
        """Whether guests read along in a channel; where that cannot be told, they count as if they did."""
        found = self._cached("guests", channel, lambda: self._find_guests(channel))
        return True if found is None else found

    def _find_guests(self, channel: str) -> bool | None:
        members = self._directory.channel_members(channel)
        if members is None:
            return None
        if len(members) <= FEW:
            return any(self.person(user).guest for user in sorted(members))
        people = self._cached("people", "", self._directory.people)
        if people is None:
            return None
        # Who is not in the list of people yet is looked up alone.
        unlisted = sorted(members - people.keys())
        return any(people.get(user) for user in members) or any(self.person(user).guest for user in unlisted)

    def _cached(self, kind: str, name: str, find: Callable[[], T | None]) -> T | None:
        """Return what was found before, else what is found now; nothing found is not remembered."""
        with self._lock:
            cached: T | None = self._cache.get((kind, name))
        if cached is not None:
            return cached
        found = find()
        if found is not None:
            with self._lock:
                self._cache[kind, name] = found
        return found
