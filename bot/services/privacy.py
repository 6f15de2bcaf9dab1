"""Erases a person everywhere, and prunes what is too old."""

from collections.abc import Callable
from datetime import datetime

from bot.services.retention import Retention
from bot.state.protocol import StateStore, person_prefix
from feedback.records import ErasureResult
from feedback.stores.protocol import FeedbackEraser


class PrivacyService:
    """What people may ask for about what is kept of them."""

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

        Raises `FeedbackError` and `StateUnavailable`; then call it again.
        """
        person = self._pseudonym(user)
        for key in self._state.keys(person_prefix(person), now=self._clock()):
            self._state.remove(key)
        return self._feedback.forget(person)

    def prune(self) -> tuple[int, int]:
        """Prune what is older than the settings keep it; returns how many exchanges lost their words and how many went.

        It also happens by itself once a day, beside a question or a vote.
        """
        return self._retention.prune()
