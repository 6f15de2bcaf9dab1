"""Looks up what people, channels and user groups are called that a message names by their ids."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from bot.channels.port import NotDelivered, Refused
from bot.channels.presentation import SOME_CHANNEL, SOME_GROUP, SOMEBODY

logger = logging.getLogger(__name__)

# What stands for whom and for what Slack does not tell the name, by how their ids begin.
UNKNOWN = {"U": SOMEBODY, "W": SOMEBODY, "C": SOME_CHANNEL, "G": SOME_CHANNEL, "subteam^": SOME_GROUP}


def without_lookup(target: str) -> str:
    """Return what stands for whom or what a mention names by its id, where nothing can be asked of Slack."""
    return next((name for mark, name in UNKNOWN.items() if target.startswith(mark)), "")


# Of one message; more names than anybody writes in a reply stand there as unknown ones.
MOST_LOOKUPS = 20


class MentionNames:
    """The names in one message: `names("U123")` is what that person is called; each is looked up once.

    Who or what cannot be looked up is somebody, a channel, a group: as is a private channel, whose name its members
    alone may know. What is no id (`here`) has no name.
    """

    def __init__(self, client: Callable[..., Mapping[str, Any]]) -> None:
        self._client = client
        self._known: dict[str, str] = {}

    def __call__(self, target: str) -> str:
        """Return the name of a person (`U…`), a channel (`C…`) or a user group (`subteam^S…`)."""
        unknown = without_lookup(target)
        if unknown and target not in self._known and len(self._known) < MOST_LOOKUPS:
            self._known[target] = self._find(target)
        return self._known.get(target) or unknown

    def _find(self, target: str) -> str:
        try:
            if target.startswith(("U", "W")):
                user = self._client("users.info", user=target).get("user") or {}
                profile = user.get("profile") or {}
                names = [profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name")]
            elif target.startswith(("C", "G")):
                channel = self._client("conversations.info", channel=target).get("channel") or {}
                names = ["" if channel.get("is_private") else channel.get("name")]
            else:
                return ""
        except (Refused, NotDelivered) as error:
            logger.info("what is mentioned cannot be looked up: %s", error)
            return ""
        return " ".join(next((str(name) for name in names if name), "").split())
