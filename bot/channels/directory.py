"""Finds out the audience of a place from what a platform has told of people and channels, kept for all replicas.

Whoever waits for an answer waits for a few look-ups, however large the workspace is. What is not known then makes the
answer public, that one alone, and is learned in the background. What cannot be found out counts against: whoever may be
a stranger reads only what is public, and a user group that cannot be read opens nothing.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from bot.access.audience import OUTSIDERS, Audience, groups_of_person, groups_of_place
from bot.access.directory import SHORT_NAME, Directory, Person
from bot.channels.directory_learning import DirectoryLearning, NotInTime
from bot.channels.directory_records import OVERDUE, Account, ChannelRecord, DirectoryRecords
from bot.channels.events import Place
from bot.channels.lookups import Lookups
from bot.channels.port import NotDelivered
from bot.config.settings import Settings
from bot.errors import StateUnavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

# How long an answer waits at most for what is not known yet, where the platform is slow: a few look-ups, as many in a
# large workspace as in a small one. What takes more of them is not waited for at all.
ANSWER_SECONDS = 5.0
# And what is shown again, for how it is at this moment: a form must open within three seconds.
MOMENT_SECONDS = 2.5
# What is older is used, and looked up again meanwhile: events may have been missed.
REFRESHED = timedelta(minutes=10)
LARGE_REFRESHED = timedelta(hours=1)
PERSON_REFRESHED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at who reads along: until when it waits (None: not at all), and since when what it finds is true.

    What it has begun to look up it does not look up again.
    """

    ends: float | None
    since: datetime | None = None
    begun: dict[str, "Future[Any]"] = field(default_factory=dict)

    def sees(self, at: datetime) -> bool:
        """Whether what was true at a time is new enough."""
        return self.since is None or at >= self.since

    def begin(self, name: str, look_up: "Callable[[str], Future[T]]") -> None:
        """Begin to look something up, which `find` then waits for."""
        key = f"{look_up.__name__} {name}"
        if self.ends is not None and key not in self.begun:
            self.begun[key] = look_up(name)

    def find(self, name: str, look_up: "Callable[[str], Future[T]]") -> T:
        """Return what a look-up finds; raises what it raises, and `NotInTime`."""
        if self.ends is None:
            raise NotInTime("it is being learned")
        self.begin(name, look_up)
        found: Future[T] = self.begun[f"{look_up.__name__} {name}"]
        return self.wait(found)

    def wait(self, future: "Future[T]") -> T:
        """Return what is being looked up already."""
        try:
            return future.result(max(0.0, (self.ends or 0.0) - time.monotonic()))
        except (TimeoutError, CancelledError) as error:
            raise NotInTime("the platform has not told in time") from error


class CachedDirectory:
    """The people and places of one workspace, as all replicas know them; may be used from any thread.

    Every method but `audience` raises what the platform raises while it cannot be reached in time.
    """

    def __init__(
        self,
        directory: Directory,
        settings: Settings,
        platform: str,
        *,
        records: DirectoryRecords,
        lookups: Lookups,
    ) -> None:
        self.records = records
        self._settings = settings
        self._platform = platform
        self._learning = DirectoryLearning(directory, records, lookups)
        self._names = NamesInSettings(directory, settings, records, self._learning)

    def audience(self, place: Place, user: str, *, direct: bool, seen_alone: bool = False) -> Audience:
        """Return the groups for an answer to this person; `direct` where they are known to be alone with the bot.

        What they alone see (`seen_alone`) has their own groups where the bot is no member, and cannot be shared there.
        What is not known and cannot be learned in a moment makes it public, and that is logged; nothing is raised.
        """
        subject = self.records.rows.name(user) if direct else place.channel
        look = _in_a_moment(self.records, subject)
        try:
            return self._audience(place, user, direct=direct, seen_alone=seen_alone, look=look)
        except (NotDelivered, StateUnavailable) as error:
            if _is_first_late(self.records, subject):
                where = "a direct message" if direct else place.channel
                logger.warning("who reads %s is not known in time, so an answer is public: %s", where, error)
                if direct:
                    # More people ask for the first time than the platform lets one look up: all at once costs less.
                    self._learning.everybody()
            return Audience(OUTSIDERS, private=direct)

    def audience_now(self, place: Place, user: str, *, direct: bool = False, seen_alone: bool = False) -> Audience:
        """Return the audience as the platform tells it now, for what was written earlier and is shown again.

        Whether the members of a channel are guests may have been looked up before; so may, of a large channel, who they
        are: events have told since who came, left or became a guest.
        """
        look = self._at_this_moment()
        return self._audience(place, user, direct=direct, seen_alone=seen_alone, look=look)

    def readers_now(self, place: Place) -> frozenset[str]:
        """Return the groups of all who read a place now, whoever asks; where that is one person, their own."""
        look = self._at_this_moment()
        info = look.find(place.channel, self._learning.channel)
        if info is not None and info.direct:
            return self._groups_of(info.direct_with, look)
        shared = info is None or info.external or self._has_guests(place.channel, look)
        return groups_of_place(self._settings, place.channel_name, shared=shared)

    def is_guest_now(self, user: str) -> bool:
        """Whether a person is a guest by now, or nobody that the platform knows."""
        return self._is_guest(user, self._at_this_moment())

    def person(self, user: str) -> Person:
        """Return a person as the platform tells of them now; one of whom nothing can be learned is a guest."""
        return self._at_this_moment().find(user, self._learning.person) or Person(user)

    def groups_of(self, user: str) -> frozenset[str]:
        """Return the groups of a person in private."""
        return self._groups_of(user, Look(time.monotonic() + MOMENT_SECONDS))

    def learn(self, channel: str) -> None:
        """Begin to learn who reads a channel, before anybody asks in it."""
        self._learning.channel(channel)
        self._learning.members(channel)

    def member_changed(self, channel: str, user: str, *, joined: bool, at: datetime) -> None:
        """Keep that somebody has joined or left a channel; who they are is looked up where it is not known."""
        self.records.channels.note_member(channel, user, joined=joined, at=at)
        if joined and self.records.people.unknown([user]):
            self._learning.person(user)

    def _audience(self, place: Place, user: str, *, direct: bool, seen_alone: bool, look: Look) -> Audience:
        if direct:
            return Audience(self._groups_of(user, look), private=True)
        if self.records.channels.get(place.channel) is None:
            # What will be asked for below, at the same time.
            look.begin(place.channel, self._learning.channel)
            if not seen_alone:  # else it may be no place of the bot's, which is not told who reads there
                look.begin(place.channel, self._learning.members)
            if self.records.people.get(user) is None:
                look.begin(user, self._learning.person)
        info = self._channel(place.channel, look)
        if seen_alone and (info is None or not info.has_bot):
            return Audience(self._groups_of(user, look), private=True)
        if info is None:
            return Audience(groups_of_place(self._settings, place.channel_name, shared=True))
        if info.direct and info.direct_with in {"", self.records.rows.name(user)}:
            return Audience(self._groups_of(user, look), private=True)
        shared = info.external or self._is_guest(user, look) or self._has_guests(place.channel, look)
        return Audience(groups_of_place(self._settings, place.channel_name, shared=shared))

    def _channel(self, channel: str, look: Look) -> ChannelRecord | None:
        """Return a channel; None where the bot may not read it."""
        known = self.records.channels.get(channel)
        if known and look.sees(known.at):
            if _is_old(self.records, known.at):
                self._learning.channel(channel)
            return known
        info = look.find(channel, self._learning.channel)
        if info is None:
            return None
        # By a clock that is behind, an event may have told something later than now.
        return self.records.channels.get(channel) or self.records.channels.record(info, at=self.records.rows.now())

    def _is_guest(self, user: str, look: Look) -> bool:
        account = self._account(user, look)
        return account is None or account.guest

    def _account(self, user: str, look: Look) -> Account | None:
        """Return what is known of a person; None for somebody whom the platform does not know."""
        known = self.records.people.get(user)
        if known and look.sees(known.at):
            if _is_old(self.records, known.at, PERSON_REFRESHED):
                self._learning.person(user)
            return known
        if look.find(user, self._learning.person) is None:
            return None
        return self.records.people.get(user)

    def _has_guests(self, channel: str, look: Look) -> bool:
        """Whether guests read along in a channel; where the platform does not tell, they count as if they did."""
        known = self.records.channels.members(channel)
        if known and known.is_settled and (known.is_large or look.sees(known.at)):
            if _is_old(self.records, known.at, LARGE_REFRESHED if known.is_large else REFRESHED):
                refresh = self._learning.members_slowly if known.is_large else self._learning.members
                refresh(channel)
            return bool(known.guests)
        if look.since is None and self._learning.is_reading(channel):
            raise NotInTime("it is being learned")
        lookups = look.find(channel, self._learning.members)
        if lookups is None:
            return True
        for each in lookups:
            look.wait(each)
        known = self.records.channels.members(channel)
        if known is None or not known.is_settled:
            raise NotInTime("not all members are known")
        return bool(known.guests)

    def _groups_of(self, user: str, look: Look) -> frozenset[str]:
        account = self._account(user, look)
        if account is None or account.guest:
            return OUTSIDERS
        names = [f"{self._platform}:{user}", *self._names.addresses(account.email), *self._names.groups(user, look)]
        return groups_of_person(self._settings, names)

    def _at_this_moment(self) -> Look:
        return Look(time.monotonic() + MOMENT_SECONDS, since=self.records.rows.now())


class NamesInSettings:
    """What the settings may call a person besides their id: an e-mail address, and the platform's user groups."""

    def __init__(
        self, directory: Directory, settings: Settings, records: DirectoryRecords, learning: DirectoryLearning
    ) -> None:
        self._records = records
        self._learning = learning
        named = {member for members in settings.groups.values() for member in members}
        self._groups = {name: group for name in sorted(named) if (group := directory.group_id(name))}
        self._named_addresses = [name for name in named if "@" in name]

    def addresses(self, email: str) -> Sequence[str]:
        """Return the addresses that are kept under this name."""
        return self._addresses.get(email, ()) if email else ()

    def groups(self, user: str, look: Look) -> Sequence[str]:
        """Return those user groups that hold a person; one of which that cannot be told in time opens nothing."""
        for group in self._groups.values():
            if not self._sees(group, look) and self._may_ask(group, look):
                look.begin(group, self._learning.group)  # all at the same time
        return [name for name, group in self._groups.items() if self._holds(group, user, look)]

    @cached_property
    def _addresses(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for address in self._named_addresses:
            found.setdefault(self._records.rows.email_name(address), []).append(address)
        return found

    def _sees(self, group: str, look: Look) -> bool:
        known = self._records.groups.get(group)
        return known is not None and look.sees(known.at)

    def _may_ask(self, group: str, look: Look) -> bool:
        """Whether to ask: not for an answer, when that did not help a moment ago."""
        return look.since is not None or not _is_late(self._records, group)

    def _holds(self, group: str, user: str, look: Look) -> bool:
        if not self._sees(group, look):
            if not self._may_ask(group, look):
                return False
            try:
                look.find(group, self._learning.group)
            except NotDelivered as error:
                if _is_first_late(self._records, group):
                    logger.warning("who is in the user group %s is not known in time: %s", group, error)
                return False
        known = self._records.groups.get(group)
        if known and _is_old(self._records, known.at):
            self._learning.group(group)
        return known is not None and self._records.rows.name(user)[:SHORT_NAME] in known.names


def _in_a_moment(records: DirectoryRecords, subject: str) -> Look:
    """Return a look for an answer; what was not known in time a moment ago is not waited for again."""
    return Look(None if _is_late(records, subject) else time.monotonic() + ANSWER_SECONDS)


def _is_late(records: DirectoryRecords, subject: str) -> bool:
    return records.rows.is_taken(f"late:{subject}")


def _is_first_late(records: DirectoryRecords, subject: str) -> bool:
    """Remember for a while that something was not known in time; False where that is remembered already."""
    with suppress(StateUnavailable):
        return records.rows.take(f"late:{subject}", within=OVERDUE)
    return True


def _is_old(records: DirectoryRecords, at: datetime, than: timedelta = REFRESHED) -> bool:
    return records.rows.now() - at > than
