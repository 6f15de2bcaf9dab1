"""Keeps in the state store what a platform has told of people, channels and user groups, for all workers and replicas.

Two kinds of values: records, which are what was looked up, and notes, which are what an event has told since. Each has
the time that it is true for, so that a look-up which was begun before an event does not undo it. People are known by
the keyed hash of their id, e-mail addresses by theirs. Everything expires. What is damaged counts as absent.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.access.directory import ACCOUNT, DIRECTORY, SHORT_NAME, ChannelInfo, Person
from bot.state.protocol import StateStore, person_prefix

# Channels and user groups are cheap to look up again; people, and lists of many, are not.
PLACES_KEPT = timedelta(hours=1)
MEMBERS_KEPT = timedelta(hours=12)
# Longer than any list that was made with its help, so that a change is seen as one.
ACCOUNTS_KEPT = timedelta(hours=24)
ACCOUNTS_USED = ACCOUNTS_KEPT - MEMBERS_KEPT
# What the clocks of replicas and the platform may differ by, and the platform's own copies.
MARGIN = timedelta(seconds=60)
LEASE = timedelta(minutes=2)
# For so long nobody waits again for what could not be learned in time.
OVERDUE = timedelta(seconds=15)
# So many people are looked up one by one while somebody waits; more of whom nothing is known take longer than that.
# Three such channels at once stay within the hundred look-ups of people that a platform may allow in a minute.
FEW = 33
# How many records are read at once.
PAGE = 500


@dataclass(frozen=True, slots=True)
class Account:
    """What is kept of a person; `email` is its keyed hash, empty for none; `from_event`: not from a look-up."""

    at: datetime
    guest: bool
    email: str = ""
    from_event: bool = False


@dataclass(frozen=True, slots=True)
class ChannelRecord:
    """What is kept of a channel; `direct_with` is a keyed hash, empty where it is not known."""

    at: datetime
    external: bool = False
    direct: bool = False
    direct_with: str = ""
    has_bot: bool = True


@dataclass(frozen=True, slots=True)
class MembersRecord:
    """Who reads a channel: names (keyed hashes) of guests, and of people of whom nothing was known.

    `is_large` is true where it takes more than one page to read, `many_unknown` where not all unknown people are named.
    """

    at: datetime
    guests: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    is_large: bool = False
    many_unknown: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether it is known if guests are among them."""
        return bool(self.guests) or not (self.unknown or self.many_unknown)


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """The members of a user group, by the beginnings of their names."""

    at: datetime
    names: frozenset[str] = frozenset()


class RecordRows:
    """Values of one workspace of a platform in the state store, as JSON objects; `now` is the clock."""

    def __init__(
        self,
        state: StateStore,
        platform: str,
        workspace: str,
        *,
        pseudonym: Callable[[str], str],
        now: Callable[[], datetime],
    ) -> None:
        self._state = state
        self._platform = platform
        self._workspace = workspace
        self._pseudonym = pseudonym
        self.now = now

    def name(self, user: str) -> str:
        """Return the name under which a person (the platform's id) is kept."""
        return self._pseudonym(f"{self._platform}:{user}")

    def email_name(self, address: str) -> str:
        """Return the name under which an e-mail address is kept; empty for none."""
        return self._pseudonym(address)

    def key(self, *parts: str) -> str:
        """Return the key of a value that is not about one person alone."""
        return ":".join([f"{DIRECTORY}{self._platform}", self._workspace, *parts])

    def account_key(self, name: str) -> str:
        """Return the key of what is kept of a person."""
        return f"{person_prefix(name)}{self._platform}{ACCOUNT}{self._workspace}"

    def put(self, key: str, row: Mapping[str, Any], kept: timedelta) -> None:
        """Keep a row."""
        self._state.put(key, json.dumps(row), expires=self.now() + kept)

    def put_many(self, rows: Mapping[str, Mapping[str, Any]], kept: timedelta) -> None:
        """Keep rows by their keys."""
        made = {key: json.dumps(row) for key, row in rows.items()}
        self._state.put_many(made, expires=self.now() + kept)

    def read(self, key: str) -> Mapping[str, Any]:
        """Return a row; empty for none."""
        return _row(self._state.get(key, now=self.now()))

    def read_many(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return the rows that there are; few are read at a time, so that nobody waits long for the store."""
        found: dict[str, str] = {}
        for begin in range(0, len(keys), PAGE):
            found |= self._state.get_many(keys[begin : begin + PAGE], now=self.now())
        return {key: _row(value) for key, value in found.items()}

    def note(self, key: str, row: Mapping[str, Any], *, at: datetime) -> None:
        """Keep what an event has told, unless a later one has told already."""
        before = _time(self.read(key))
        if before is None or before <= at:
            self.put(key, {"at": at.isoformat(), **row}, MEMBERS_KEPT)

    def notes(self, *of: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the rows whose keys begin so, by what they end in."""
        prefix = self.key(*of, "")
        rows = self._state.values(prefix, now=self.now())
        return {key.removeprefix(prefix): _row(value) for key, value in rows}

    def take(self, work: str, *, within: timedelta = LEASE) -> bool:
        """Acquire the lease of a task for so long; False, and nothing changes, while a replica has it."""
        at = self.now()
        return self._state.add(self.key("work", work), "1", expires=at + within, now=at)

    def hold(self, work: str) -> None:
        """Renew a lease that was acquired."""
        self._state.put(self.key("work", work), "1", expires=self.now() + LEASE)

    def is_taken(self, work: str) -> bool:
        """Whether a replica has the lease of a task."""
        return self._state.get(self.key("work", work), now=self.now()) is not None

    def release(self, work: str) -> None:
        """Release a lease."""
        self._state.remove(self.key("work", work))


class PeopleRecords:
    """What is kept of the people of a workspace."""

    def __init__(self, rows: RecordRows) -> None:
        self._rows = rows

    def get(self, user: str) -> Account | None:
        """Return what is kept of a person (the platform's id), with what an event has told since; not if it is old."""
        found = self._get(self._rows.name(user))
        return found if found and found.at > self._rows.now() - ACCOUNTS_USED else None

    def known(self, names: Sequence[str]) -> Mapping[str, Account]:
        """Return what is kept of these people, by name, as far as it is not too old to tell who reads a channel."""
        oldest = self._rows.now() - ACCOUNTS_USED
        return {name: account for name, account in self._read(names).items() if account.at > oldest}

    def unknown(self, users: Collection[str]) -> list[str]:
        """Return those of these people (the platform's ids) of whom nothing is known."""
        names = {self._rows.name(user): user for user in users}
        known = self.known(list(names))
        return [user for name, user in names.items() if name not in known]

    def is_staff(self, name: str) -> bool:
        """Whether somebody is known to be no guest."""
        account = self.known([name]).get(name)
        return account is not None and not account.guest

    def turned(self) -> Mapping[str, Account]:
        """Return all, by name, who have become guests of late, or are guests no more."""
        return {name: made for name, row in self._rows.notes("turned").items() if (made := _account(row))}

    def save(self, people: Iterable[Person], *, at: datetime) -> None:
        """Keep what was looked up at a time."""
        made = {self._rows.name(each.id): self._account(each, at, from_event=False) for each in people}
        known = self._read(list(made))
        newer = {name: each for name, each in made.items() if name not in known or _is_newer(each, known[name])}
        for name, each in newer.items():
            if name in known and known[name].guest != each.guest:
                self._rows.put(self._rows.key("turned", name), _row_of(each), MEMBERS_KEPT)
        rows = {self._rows.account_key(name): _row_of(each) for name, each in newer.items()}
        self._rows.put_many(rows, ACCOUNTS_KEPT)

    def note(self, person: Person, *, at: datetime) -> None:
        """Keep what an event has told of a person; an older one that comes later does not undo it."""
        name, made = self._rows.name(person.id), self._account(person, at, from_event=True)
        before = self._get(name)
        if before and not _is_newer(made, before):
            return
        # A look-up that was begun before may end later, and must not undo it.
        if made.guest if before is None else before.guest != made.guest:
            self._rows.put(self._rows.key("turned", name), _row_of(made), MEMBERS_KEPT)
        self._rows.put(self._rows.account_key(name), _row_of(made), ACCOUNTS_KEPT)

    def _read(self, names: Sequence[str]) -> Mapping[str, Account]:
        keys = {self._rows.account_key(name): name for name in names}
        rows = self._rows.read_many(list(keys))
        found = {keys[key]: account for key, row in rows.items() if (account := _account(row))}
        turned = self.turned() if found else {}
        return {name: _merged(account, turned.get(name)) for name, account in found.items()}

    def _get(self, name: str) -> Account | None:
        found = _account(self._rows.read(self._rows.account_key(name)))
        turned = _account(self._rows.read(self._rows.key("turned", name)))
        return _merged(found, turned) if found else turned

    def _account(self, person: Person, at: datetime, *, from_event: bool) -> Account:
        return Account(at, person.guest, self._rows.email_name(person.email), from_event)


class ChannelRecords:
    """What is kept of the channels of a workspace, and of who reads them."""

    def __init__(self, rows: RecordRows, people: PeopleRecords) -> None:
        self._rows = rows
        self._people = people

    def get(self, channel: str) -> ChannelRecord | None:
        """Return what is kept of a channel, with what events have told since."""
        row, note = (
            self._rows.read(self._rows.key("channel", channel)),
            self._rows.read(self._rows.key("shared", channel)),
        )
        at, told_at = _time(row), _time(note)
        if at is None:
            return None
        external = row.get("external") is True
        if told_at and note.get("external") is True and told_at > at - MARGIN:
            external = True
        elif told_at and told_at > at:
            return None  # shared with nobody any more, as it seems: that is asked
        return ChannelRecord(
            at, external, row.get("direct") is True, str(row.get("with") or ""), row.get("bot") is not False
        )

    def record(self, info: ChannelInfo, *, at: datetime) -> ChannelRecord:
        """Return what is to be kept of what was looked up."""
        direct_with = self._rows.name(info.direct_with) if info.direct_with else ""
        return ChannelRecord(at, info.external, info.direct, direct_with, info.has_bot)

    def save(self, channel: str, info: ChannelInfo, *, at: datetime) -> None:
        """Keep what was looked up of a channel."""
        made = self.record(info, at=at)
        row = {"at": at.isoformat(), "external": made.external, "direct": made.direct, "with": made.direct_with}
        row |= {} if made.has_bot else {"bot": False}
        self._rows.put(self._rows.key("channel", channel), row, PLACES_KEPT)

    def note_shared(self, channel: str, *, external: bool, at: datetime) -> None:
        """Keep that a channel was shared with another company, or is so no more."""
        self._rows.note(self._rows.key("shared", channel), {"external": external}, at=at)

    def save_members(self, channel: str, users: Collection[str], *, large: bool, at: datetime) -> None:
        """Keep who reads a channel; `large` where that takes more than a page."""
        names = [self._rows.name(user) for user in users]
        known = self._people.known(names)
        unknown = [name for name in names if name not in known]
        row = {
            "at": at.isoformat(),
            "guests": [name for name, account in known.items() if account.guest],
            "unknown": unknown[:FEW],
            "many": len(unknown) > FEW,
            "large": large,
        }
        # The list first: without it nobody could tell whether somebody who becomes a guest is in the channel.
        shortened = {"names": [each[:SHORT_NAME] for each in names]}
        self._rows.put(self._rows.key("members", channel, "list"), shortened, MEMBERS_KEPT + MARGIN)
        self._rows.put(self._rows.key("members", channel), row, MEMBERS_KEPT if large else PLACES_KEPT)

    def members(self, channel: str) -> MembersRecord | None:
        """Return who reads a channel, as far as it matters, with what events have told since."""
        row = self._rows.read(self._rows.key("members", channel))
        at = _time(row)
        if at is None:
            return None
        since = at - MARGIN
        came = {name for name, note in self._rows.notes("members", channel, "came").items() if _is_after(note, since)}
        turned = {name: note for name, note in self._people.turned().items() if note.at > since}
        became_guests = {name for name, note in turned.items() if note.guest}
        guests, unknown = _texts(row.get("guests")), _texts(row.get("unknown")) | came
        joined, gone = self._moved(channel, guests | unknown | became_guests, since=at)
        if became_guests - joined - gone:
            listed = self._listed(channel)
            if listed is None:
                return None
            became_guests = {name for name in became_guests if name in joined or name[:SHORT_NAME] in listed}
        known = self._people.known(sorted(unknown))
        guests |= {name for name, each in known.items() if each.guest} | became_guests
        gone |= {name for name, note in turned.items() if not note.guest and note.at > at}
        return MembersRecord(
            at,
            guests=frozenset(guests - gone),
            unknown=frozenset(unknown - known.keys() - gone),
            is_large=row.get("large") is True,
            many_unknown=row.get("many") is not False,
        )

    def note_member(self, channel: str, user: str, *, joined: bool, at: datetime) -> None:
        """Keep that somebody has joined or left a channel."""
        name = self._rows.name(user)
        self._rows.note(self._moved_key(channel, name), {"in": joined}, at=at)
        if joined and not self._people.is_staff(name):
            # Only they are read with every answer: a thousand of the staff may come at once.
            self._rows.note(self._rows.key("members", channel, "came", name), {}, at=at)

    def _moved(self, channel: str, names: Collection[str], *, since: datetime) -> tuple[set[str], set[str]]:
        """Return those of these people who have joined since, or at about that time, and those who have left since."""
        keys = {self._moved_key(channel, name): name for name in sorted(names)}
        rows = {keys[key]: row for key, row in self._rows.read_many(list(keys)).items()}
        left = {name for name, row in rows.items() if row.get("in") is False and _is_after(row, since)}
        joined = {name for name, row in rows.items() if row.get("in") is not False and _is_after(row, since - MARGIN)}
        return joined, left

    def _moved_key(self, channel: str, name: str) -> str:
        return self._rows.key("members", channel, "moved", name)

    def _listed(self, channel: str) -> set[str] | None:
        found = self._rows.read(self._rows.key("members", channel, "list")).get("names")
        return _texts(found) if isinstance(found, list) else None


class GroupRecords:
    """What is kept of the user groups of a workspace that the settings name."""

    def __init__(self, rows: RecordRows) -> None:
        self._rows = rows

    def get(self, group: str) -> GroupRecord | None:
        """Return the members of a user group; None where an event has told since that they are others."""
        row, note = self._rows.read(self._rows.key("group", group)), self._rows.read(self._rows.key("regrouped", group))
        at, told_at = _time(row), _time(note)
        if at is None or (told_at and told_at > at):
            return None
        return GroupRecord(at, frozenset(_texts(row.get("names"))))

    def save(self, group: str, users: Collection[str], *, at: datetime) -> None:
        """Keep who is in a user group."""
        names = [self._rows.name(user)[:SHORT_NAME] for user in users]
        self._rows.put(self._rows.key("group", group), {"at": at.isoformat(), "names": names}, PLACES_KEPT)

    def note(self, group: str, *, at: datetime) -> None:
        """Keep that the members of a user group have changed."""
        self._rows.note(self._rows.key("regrouped", group), {}, at=at)


class DirectoryRecords:
    """All records of one workspace of a platform; every method of them raises `StateUnavailable`.

    `pseudonym` gives a person (`PLATFORM:ID`) or an e-mail address its keyed hash.
    """

    def __init__(
        self,
        state: StateStore,
        platform: str,
        workspace: str,
        *,
        pseudonym: Callable[[str], str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.rows = RecordRows(state, platform, workspace, pseudonym=pseudonym, now=now)
        self.people = PeopleRecords(self.rows)
        self.channels = ChannelRecords(self.rows, self.people)
        self.groups = GroupRecords(self.rows)


def _merged(found: Account, turned: Account | None) -> Account:
    """Return what is kept of a person with what was told since, if it was."""
    if turned is None or not _is_newer(turned, found):
        return found
    return replace(found, guest=turned.guest, at=max(found.at, turned.at), from_event=turned.from_event)


def _is_after(note: Mapping[str, Any], since: datetime) -> bool:
    at = _time(note)
    return at is not None and at > since


def _is_newer(made: Account, before: Account) -> bool:
    """Whether what was learned of a person now holds; of an event and a look-up of about the same time a guest does."""
    may_be_later = made.from_event != before.from_event and made.guest and not before.guest
    return made.at > before.at - MARGIN if may_be_later else made.at >= before.at


def _account(row: Mapping[str, Any]) -> Account | None:
    at = _time(row)
    if at is None:
        return None
    return Account(at, row.get("guest") is not False, str(row.get("email") or ""), row.get("told") is True)


def _row_of(account: Account) -> Mapping[str, Any]:
    row = {"at": account.at.isoformat(), "guest": account.guest, "email": account.email}
    return row | ({"told": True} if account.from_event else {})


def _row(value: str | None) -> Mapping[str, Any]:
    """Return a kept value; empty for none, and for one that is damaged."""
    try:
        found = json.loads(value or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _time(row: Mapping[str, Any]) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(row.get("at")))
    except ValueError:
        return None
    return at if at.tzinfo else None


def _texts(value: object) -> set[str]:
    return {each for each in value if isinstance(each, str)} if isinstance(value, list) else set()
