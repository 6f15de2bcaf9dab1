"""Looks up the people, user groups and channels of a Slack workspace."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bot.access.directory import ChannelInfo, Page, Person
from bot.channels.port import Refused

logger = logging.getLogger(__name__)

# A limit must be under 1000; less than what is asked for may come.
PAGE = 999
# Somebody waits for it: what does not come at once is asked for again by whoever has the time.
ATTEMPTS = 2
PATIENCE_SECONDS = 0.5


class SlackDirectory:
    """A `Directory` of one workspace; every method raises `Unreachable`.

    `team` is the workspace that has installed the app; empty where its whole organisation has. `organization` is the
    Enterprise grid that it is part of; empty for none. Where only the `listed` workspaces and organisations are served,
    people of another workspace of the same company are guests.
    """

    def __init__(
        self,
        client: Callable[..., Mapping[str, Any]],
        team: str,
        organization: str = "",
        *,
        listed: frozenset[str] = frozenset(),
    ) -> None:
        self._client = partial(client, attempts=ATTEMPTS, patience=PATIENCE_SECONDS)
        self._team = team
        self._organization = organization
        self._listed = listed

    def person(self, user: str) -> Person | None:
        """Return a person with their e-mail address."""
        try:
            found = self._client("users.info", user=user).get("user") or {}
        except Refused as error:
            logger.info("a person cannot be looked up: %s", error)
            return None
        return self.parse_person({**found, "id": user})

    def people(self, cursor: str = "") -> Page[Person] | None:
        """Return a page of the people of the workspace."""
        page = self._page("users.list", cursor)
        if page is None:
            return None
        people = [each for each in page.entries if isinstance(each, dict) and each.get("id")]
        return Page(tuple(map(self.parse_person, people)), page.cursor)

    def parse_person(self, user: Mapping[str, Any]) -> Person:
        """Return a person from Slack's user object, as events have it too."""
        profile = user.get("profile")
        email = profile.get("email") if isinstance(profile, dict) else ""
        # A list of members may name whoever was deactivated, who reads nothing any more.
        guest = not user.get("deleted") and self._is_guest(user)
        return Person(str(user.get("id") or ""), str(email or ""), guest)

    def group_id(self, name: str) -> str:
        """Return the id of a user group, which the settings write `slack:S0123`."""
        return name.removeprefix("slack:") if name.startswith("slack:S") else ""

    def group_members(self, group: str) -> frozenset[str] | None:
        """Return the members of a user group."""
        try:
            return frozenset(self._client("usergroups.users.list", usergroup=group).get("users") or ())
        except Refused as error:
            logger.warning("a user group of the settings cannot be read, so it opens nothing: %s", error)
            return None

    def channel(self, channel: str) -> ChannelInfo | None:
        """Return a channel; Slack refuses one that the bot is no member of."""
        try:
            found = self._client("conversations.info", channel=channel).get("channel") or {}
        except Refused as error:
            logger.info("a place cannot be looked at: %s", error)
            return None
        info: Mapping[str, Any] = found if isinstance(found, dict) else {}
        return ChannelInfo(
            external=any(info.get(name) for name in ("is_ext_shared", "is_pending_ext_shared")),
            direct=bool(info.get("is_im")),
            direct_with=str(info.get("user") or ""),
            has_bot=bool(info.get("is_member", True)),  # of direct messages it does not say
        )

    def channel_members(self, channel: str, cursor: str = "") -> Page[str] | None:
        """Return a page of the members of a channel."""
        page = self._page("conversations.members", cursor, channel=channel)
        return page and Page(tuple(str(each) for each in page.entries), page.cursor)

    def _page(self, method: str, cursor: str, **arguments: Any) -> Page[Any] | None:
        """Return a page of a list; None where it is refused."""
        more = {"cursor": cursor} if cursor else {}
        try:
            page = self._client(method, limit=PAGE, **arguments, **more)
        except Refused as error:
            logger.warning("who reads a channel cannot be told, so it counts as shared with guests: %s", error)
            return None
        return Page(
            tuple(page.get("members") or ()), str((page.get("response_metadata") or {}).get("next_cursor") or "")
        )

    def _is_guest(self, user: Mapping[str, Any]) -> bool:
        """Whether this is nobody of the company itself; a program is nobody's guest."""
        if user.get("is_bot") or user.get("id") == "USLACKBOT":
            return False
        if any(user.get(name) for name in ("is_restricted", "is_ultra_restricted", "is_stranger")):
            return True
        # On an Enterprise grid people of other workspaces of the same company are of it; other companies have one too.
        member = user.get("enterprise_user")
        on_grid: Mapping[str, Any] = member if isinstance(member, dict) else {}
        theirs = {str(each) for each in (on_grid.get("enterprise_id"), user.get("enterprise_id")) if each}
        homes = {str(each) for each in (user.get("team_id"), *(on_grid.get("teams") or ())) if each}
        if self._organization and theirs - {self._organization}:
            return True
        if self._team in homes:
            return False
        if not self._organization or self._organization not in theirs | homes:
            return True
        return bool(self._listed) and self._listed.isdisjoint({self._organization, *homes})
