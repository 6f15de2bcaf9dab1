"""Who may read what in Slack: a channel's groups, a person's, guests and other companies.

What cannot be found out counts against: whoever may be a stranger reads only what is public.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bot.access.audience import Audience, groups_of_person, groups_of_place
from bot.access.directory import Person
from bot.channels.slack.client import Refused, SlackClient
from bot.config.settings import Settings

logger = logging.getLogger(__name__)

T = TypeVar("T")

FRESH_SECONDS = 600.0
MOST_KEPT = 10_000
PAGE = 200
# So many people are looked up one by one; for more the list of all is read.
FEW = 30
# Pages of people and of a channel's members; who is beyond is not looked at, and the channel counts as shared.
MOST_PAGES = 100


class Cached:
    """Values that are asked for again after ten minutes; a failure is not kept."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[tuple[str, str], tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def get(self, kind: str, name: str, make: Callable[[], T]) -> T:
        with self._lock:
            found = self._held.get((kind, name))
        if found and self._clock() < found[0]:
            value: T = found[1]
            return value
        made = make()
        with self._lock:
            if len(self._held) >= MOST_KEPT:
                self._held.clear()
            self._held[kind, name] = (self._clock() + FRESH_SECONDS, made)
        return made

    def drop(self, kind: str, name: str) -> None:
        """Ask anew next time."""
        with self._lock:
            self._held.pop((kind, name), None)


class SlackDirectory:
    """The people and places of one workspace."""

    def __init__(self, calls: SlackClient, settings: Settings, team: str, *, cached: Cached | None = None) -> None:
        self._calls = calls
        self._settings = settings
        self._team = team
        self._cached = cached or Cached()

    def audience(self, channel: str, user: str, *, direct: bool) -> Audience:
        """Return the groups for an answer to this person in this channel; raises `Unreachable`."""
        if direct:
            return Audience(self.groups_of(user), private=True)
        try:
            info = self._info(channel)
        except Refused as error:
            logger.info("a place cannot be looked at: %s", error)
            return Audience(groups_of_place(self._settings, f"slack:{channel}", shared=True), bot_not_member=True)
        if info.get("is_im") and info.get("user", user) == user:
            return Audience(self.groups_of(user), private=True)
        shared = self._is_shared(channel, info) or self.person(user).guest
        return Audience(groups_of_place(self._settings, f"slack:{channel}", shared=shared))

    def person(self, user: str) -> Person:
        """Somebody; of whom nothing can be learned, a guest. Raises `Unreachable`."""
        try:
            return self._cached.get("person", user, lambda: self._person(user))
        except Refused as error:
            logger.info("a person cannot be looked up: %s", error)
            return Person(user)

    def members_changed(self, channel: str) -> None:
        """Somebody has come or gone there."""
        self._cached.drop("shared", channel)
        self._cached.drop("info", channel)

    def groups_of(self, user: str) -> frozenset[str]:
        """The groups of a person in private; raises `Unreachable`."""
        person = self.person(user)
        names = [f"slack:{user}", person.email, *(f"slack:{group}" for group in self._user_groups(user))]
        return groups_of_person(self._settings, [name for name in names if name], guest=person.guest)

    def _person(self, user: str) -> Person:
        found = self._calls("users.info", user=user).get("user") or {}
        email = str((found.get("profile") or {}).get("email") or "")
        return Person(user, email, _is_guest(found, self._team))

    def _user_groups(self, user: str) -> list[str]:
        """Of Slack's user groups that the settings name, those that this person is in."""
        named = {
            member.removeprefix("slack:")
            for members in self._settings.groups.values()
            for member in members
            if member.startswith("slack:S")
        }
        return [group for group in sorted(named) if user in self._members_of_group(group)]

    def _members_of_group(self, group: str) -> frozenset[str]:
        def ask() -> frozenset[str]:
            return frozenset(self._calls("usergroups.users.list", usergroup=group).get("users") or ())

        try:
            return self._cached.get("group", group, ask)
        except Refused as error:
            logger.warning("a user group of the settings cannot be read, so it opens nothing: %s", error)
            return frozenset()

    def _info(self, channel: str) -> Mapping[str, Any]:
        def ask() -> Mapping[str, Any]:
            found = self._calls("conversations.info", channel=channel).get("channel") or {}
            return found if isinstance(found, dict) else {}

        return self._cached.get("info", channel, ask)

    def _is_shared(self, channel: str, info: Mapping[str, Any]) -> bool:
        """Whether guests or another company read along."""
        if any(info.get(name) for name in ("is_ext_shared", "is_pending_ext_shared")):
            return True
        try:
            return self._cached.get("shared", channel, lambda: self._has_guests(channel))
        except Refused as error:
            logger.warning("who reads a channel cannot be told, so it counts as shared with guests: %s", error)
            return True

    def _has_guests(self, channel: str) -> bool:
        members = frozenset(self._all("conversations.members", "members", channel=channel))
        if len(members) <= FEW:
            return any(self.person(user).guest for user in sorted(members))
        guests, known = self._guests()
        # Who is not in the list of people yet is looked at alone.
        return bool(members & guests) or any(self.person(user).guest for user in sorted(members - known))

    def _guests(self) -> tuple[frozenset[str], frozenset[str]]:
        """The guests of the workspace, and all whom its list names."""

        def ask() -> tuple[frozenset[str], frozenset[str]]:
            people = [each for each in self._all("users.list", "members") if isinstance(each, dict)]
            guests = frozenset(str(each["id"]) for each in people if _is_guest(each, self._team))
            return guests, frozenset(str(each["id"]) for each in people)

        return self._cached.get("people", self._team, ask)

    def _all(self, method: str, key: str, **arguments: Any) -> list[Any]:
        """All pages of a list; raises `Refused` when there are more than anybody has."""
        found: list[Any] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            more: dict[str, Any] = {"cursor": cursor} if cursor else {}
            page = self._calls(method, limit=PAGE, **arguments, **more)
            found += page.get(key) or ()
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return found
        raise Refused(method, "too many pages")


def _is_guest(user: Mapping[str, Any], team: str) -> bool:
    """Whether this is nobody of the company itself; a program is nobody's guest."""
    if user.get("is_bot") or user.get("id") == "USLACKBOT":
        return False
    if any(user.get(name) for name in ("is_restricted", "is_ultra_restricted", "is_stranger")):
        return True
    home = str(user.get("team_id") or team)
    # On an Enterprise grid people of other workspaces of the same company are of it.
    return home != team and not user.get("enterprise_user")
