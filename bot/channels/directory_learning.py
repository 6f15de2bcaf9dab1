"""Learns from a platform who its people are and who reads its channels, and keeps it in the records.

What takes a call or two is learned while somebody waits. Who reads a large channel, or one with many people of whom
nothing is known, is learned in the background: its pages, then all people of the workspace page by page, which is one
pass for all channels and made by one replica, then one by one those that were in no page.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from bot.access.directory import ChannelInfo, Directory, Page, Person
from bot.channels.directory_records import FEW, DirectoryRecords
from bot.channels.lookups import Lookups
from bot.channels.port import NotDelivered

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_SECONDS = 600.0
# The list of all people is not read twice within that time, whatever is missing in it.
PASS_AGAIN = timedelta(minutes=10)
# People of one channel that were in no list, who are looked up one by one in one go.
MOST_UNLISTED = 1_000
# More than any platform has; a cursor that leads round in circles ends here.
MOST_PAGES = 1_000


class NotInTime(NotDelivered):
    """Something is not known yet, and is being learned."""


class DirectoryLearning:
    """Looks up people and channels of one workspace; every method raises what the platform and the records raise."""

    def __init__(self, directory: Directory, records: DirectoryRecords, lookups: Lookups) -> None:
        self._directory = directory
        self._records = records
        self._lookups = lookups

    def person(self, user: str) -> "Future[Person | None]":
        """Look up a person; None where nothing can be learned of them."""
        return self._lookups.start(self._name("person", user), partial(self._person, user))

    def channel(self, channel: str) -> "Future[ChannelInfo | None]":
        """Look up a channel; None where the bot may not read it."""
        return self._lookups.start(self._name("channel", channel), partial(self._channel, channel))

    def group(self, group: str) -> "Future[bool]":
        """Look up the members of a user group; False where the platform does not tell."""
        return self._lookups.start(self._name("group", group), partial(self._group, group))

    def members(self, channel: str) -> "Future[Sequence[Future[Person | None]] | None]":
        """Look up who reads a channel, and begin to look up those of whom nothing is known; None where it is not told.

        Raises `NotInTime` where that takes longer than anybody waits; it goes on in the background.
        """
        return self._lookups.start(self._name("members", channel), partial(self._members, channel))

    def members_slowly(self, channel: str) -> None:
        """Learn in the background who reads a channel, and who all of them are; one replica does."""
        self._lookups.start(self._name("all members", channel), partial(self._members_slowly, channel), slow=True)

    def everybody(self) -> None:
        """Learn in the background who is in the workspace; one replica does, and not again a moment later."""
        self._lookups.start(self._name("everybody", ""), partial(self._learn_people, lambda: None), slow=True)

    def is_reading(self, channel: str) -> bool:
        """Whether some replica is learning in the background who reads a channel."""
        return self._records.rows.is_taken(f"members:{channel}")

    def _name(self, kind: str, of: str) -> str:
        return self._records.rows.key(kind, of)

    def _person(self, user: str) -> Person | None:
        at = self._records.rows.now()
        person = self._directory.person(user)
        if person:
            self._records.people.save([person], at=at)
        return person

    def _channel(self, channel: str) -> ChannelInfo | None:
        at = self._records.rows.now()
        info = self._directory.channel(channel)
        if info:
            self._records.channels.save(channel, info, at=at)
        return info

    def _group(self, group: str) -> bool:
        at = self._records.rows.now()
        members = self._directory.group_members(group)
        if members is not None:
            self._records.groups.save(group, members, at=at)
        return members is not None

    def _members(self, channel: str) -> "Sequence[Future[Person | None]] | None":
        at = self._records.rows.now()
        page = self._directory.channel_members(channel)
        if page is None:
            return None
        unknown = [] if page.cursor else self._records.people.unknown(page.entries)
        if page.cursor or len(unknown) > FEW:
            self.members_slowly(channel)
            raise NotInTime(f"who reads {channel} is being learned")
        self._records.channels.save_members(channel, page.entries, large=False, at=at)
        return [self.person(user) for user in unknown]

    def _members_slowly(self, channel: str) -> None:
        work = f"members:{channel}"
        if not self._records.rows.take(work):
            return
        try:
            self._learn_members(channel, partial(self._records.rows.hold, work))
        finally:
            self._records.rows.release(work)

    def _learn_members(self, channel: str, hold: Callable[[], None]) -> None:
        begun, users, pages = self._records.rows.now(), dict[str, None](), 0
        for _, page in self._pages(partial(self._directory.channel_members, channel), hold):
            users |= dict.fromkeys(page.entries)
            pages += 1
        if len(unknown := self._records.people.unknown(users)) > FEW:
            self._learn_people(hold)
            unknown = self._records.people.unknown(users)
        for user in unknown[:MOST_UNLISTED]:
            self._with_retries(partial(self._person, user), hold)
        self._records.channels.save_members(channel, users, large=pages > 1, at=begun)
        logger.info("who reads %s is known: %d members", channel, len(users))

    def _learn_people(self, hold: Callable[[], None]) -> None:
        """Read the list of all people, or wait for whoever reads it; not again a moment after it was read."""
        rows = self._records.rows
        if rows.is_taken("people were read"):
            return
        if not rows.take("people"):
            self._with_retries(self._others_have_read, hold)
            return

        def hold_both() -> None:
            hold()
            rows.hold("people")

        try:
            number = 0
            for at, page in self._pages(self._directory.people, hold_both):
                self._records.people.save(page.entries, at=at)
                number += len(page.entries)
            rows.take("people were read", within=PASS_AGAIN)
            logger.info("all people of the workspace are known: %d accounts", number)
        finally:
            rows.release("people")

    def _others_have_read(self) -> None:
        if self._records.rows.is_taken("people"):
            raise NotInTime("another replica reads who is in the workspace")

    def _pages(
        self, read: Callable[[str], Page[T] | None], hold: Callable[[], None]
    ) -> Iterator[tuple[datetime, Page[T]]]:
        """Yield all pages of a list, each with when it was asked for; raises `NotInTime` where it does not end."""
        cursor = ""
        for _ in range(MOST_PAGES):
            at = self._records.rows.now()
            page = self._with_retries(partial(read, cursor), hold)
            if page is None:
                break
            yield at, page
            if not page.cursor:
                return
            cursor = page.cursor
        raise NotInTime("the platform does not tell all of a list")

    def _with_retries(self, do: Callable[[], T], hold: Callable[[], None]) -> T:
        """Do something as often as it takes, at the pace that the platform asks for."""
        waited = 0.0
        while True:
            hold()
            try:
                return do()
            except NotDelivered as error:
                pause = max(error.wait, 1.0)
                waited += pause
                if waited > PATIENCE_SECONDS:
                    raise
                self._wait(pause)

    def _wait(self, seconds: float) -> None:
        if not self._lookups.pause(seconds):
            raise NotInTime("the process ends")
