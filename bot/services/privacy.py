"""Erases a person everywhere, and prunes what is older than the settings keep it."""

from collections.abc import Callable
from datetime import datetime

from bot.services.retention import Retention
from bot.state.protocol import StateStore, person_prefix
from feedback.records import ErasureResult
from feedback.stores.protocol import FeedbackEraser


class PrivacyService:
    """Removes what is kept of people."""

    def __init__(
        self,
        *,
        feedback: FeedbackEraser,
        state: StateStore,
        retention: Retention,
        pseudonym: Callable[[str], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._feedback = feedback
        self._state = state
        self._retention = retention
        self._pseudonym = pseudonym
        self._clock = clock

    def forget(self, user: str) -> ErasureResult:
        """Erase what is recorded of a person, and return what it was and which exports hold rows of theirs.

        Raises `FeedbackError` and `StateUnavailable`; it may then be called again, for it is idempotent.
        """
        person = self._pseudonym(user)
        for key in self._state.keys(person_prefix(person), now=self._clock()):
            self._state.remove(key)
        return self._feedback.forget(person)

    def prune(self) -> tuple[int, int]:
        """Prune now, and return how many exchanges lost their words and how many were removed.

        Pruning also happens once a day by itself, when a question or a vote is recorded.
        """
        return self._retention.prune()
