"""Tells the first time from a repetition, for all replicas: a second click, an event that comes twice, a welcome."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.errors import StateUnavailable
from bot.state.protocol import StateStore, person_prefix

logger = logging.getLogger(__name__)

# A second press so soon is a double click; whoever wants the form again has closed the first one by then.
DOUBLE_CLICK = timedelta(seconds=3)
# No platform delivers a press again later.
REDELIVERED = timedelta(hours=1)


class Deduplicator:
    """Remembers in the state store what has happened, under its person's name (keyed hash), so that it is forgotten.

    May be used from any thread. While the store cannot be reached everything is a first time.
    """

    def __init__(
        self,
        state: StateStore,
        platform: str,
        *,
        pseudonym: Callable[[str], str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._state = state
        self._platform = platform
        self._pseudonym = pseudonym
        self._now = now

    def is_first_press(self, user: str, what: str, press: str) -> bool:
        """Whether a person presses something for the first time, and not for the second within a double click.

        `what` is what they press, `press` the platform's own name of this press.
        """
        known = self.is_first(user, f"press:{press}:{what}", within=REDELIVERED)
        return known and self.is_first(user, f"pressed:{what}", within=DOUBLE_CLICK)

    def is_first(self, user: str, name: str, *, within: timedelta) -> bool:
        """Whether something happens to a person for the first time within so long; of all replicas one is told so."""
        return self._add(self._key(user, name), within)

    def is_first_in(self, place: str, name: str, *, within: timedelta) -> bool:
        """Whether something happens in a place, which is no person's, for the first time within so long."""
        return self._add(self._place_key(place, name), within)

    def forget(self, user: str, name: str) -> None:
        """Take back that something has happened to a person."""
        self._remove(self._key(user, name))

    def forget_in(self, place: str, name: str) -> None:
        """Take back that something has happened in a place."""
        self._remove(self._place_key(place, name))

    def _remove(self, key: str) -> None:
        try:
            self._state.remove(key)
        except StateUnavailable as error:
            logger.warning("what was remembered cannot be taken back: %s", error)

    def _add(self, key: str, within: timedelta) -> bool:
        now = self._now()
        try:
            return self._state.add(key, "1", expires=now + within, now=now)
        except StateUnavailable as error:
            logger.warning("what is repeated cannot be told apart just now: %s", error)
            return True

    def _key(self, user: str, name: str) -> str:
        person = self._pseudonym(f"{self._platform}:{user}")
        return f"{person_prefix(person)}{self._platform}:once:{name}"

    def _place_key(self, place: str, name: str) -> str:
        return f"{self._platform}:once:{name}:{place}"
