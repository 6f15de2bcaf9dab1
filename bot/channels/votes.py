"""Counts votes from buttons, forms and reactions, each at once; they can be changed and taken back."""

import logging
from collections.abc import Callable
from datetime import datetime

from bot.channels import presentation
from bot.channels.events import Place
from bot.channels.metrics import ChannelMetrics
from bot.channels.thread_state import ThreadState
from bot.errors import BotError, StateUnavailable, UsageProblem
from bot.services.votes import Choice, CurrentVote, VoteRequest, VoteService
from feedback.errors import FeedbackError, UnknownExchange
from feedback.records import Reason

logger = logging.getLogger(__name__)


class VoteRecorder:
    """Records the votes of one platform's people, whose ids are the platform's own; may be used from any thread."""

    def __init__(
        self,
        platform: str,
        *,
        votes: VoteService,
        pseudonym: Callable[[str], str],
        thread_state: ThreadState,
        metrics: ChannelMetrics,
    ) -> None:
        self._platform = platform
        self._votes = votes
        self._pseudonym = pseudonym
        self._thread_state = thread_state
        self._metrics = metrics

    def record(
        self,
        user: str,
        answer: str,
        vote: Choice,
        *,
        key: str,
        at: datetime | None = None,
        reason: Reason = "",
        comment: str = "",
        correction: str = "",
    ) -> CurrentVote:
        """Record a vote, and return what counts now; `key` names the click, so that it counts once.

        `at` is when it was made, as the platform says: of several the last counts. Raises `FeedbackError` and
        `BotError` where it does not count; `refusal_text` says why.
        """
        person = f"{self._platform}:{user}"
        request = VoteRequest(answer, vote, person, reason, comment, correction)
        current = self._votes.vote(request, key=f"{self._platform}:{key}", at=at)
        self._metrics.vote_recorded(self._platform, vote, reason)
        try:
            self._thread_state.add_vote(self._pseudonym(person), answer)
        except StateUnavailable as error:  # the list of one's own votes is a convenience
            logger.warning("a vote is not in its person's list: %s", error)
        return current

    def press(
        self, user: str, answer: str, vote: Choice, *, key: str, at: datetime | None = None
    ) -> tuple[str, Choice | None]:
        """Record a pressed button; returns what its person is told, and what counts of them now, None where it failed.

        That is another vote than the pressed one where they have pressed a later one by now.
        """
        try:
            current = self.record(user, answer, vote, key=key, at=at)
        except (FeedbackError, BotError) as error:
            logger.warning("a vote was refused: %s", type(error).__name__)
            return refusal_text(error), None
        text = presentation.VOTE_WAITS if current.waits else presentation.vote_text(current.vote)
        return text, current.vote.vote

    def react(
        self, message: Place, user: str, vote: Choice, *, removed: bool, key: str, at: datetime | None = None
    ) -> str:
        """Record a reaction to a message; returns the answer voted on, empty where the message shows none.

        A removed reaction withdraws the vote only while that vote counts. Raises `FeedbackError` and `BotError` where
        it could not be kept, so that the platform delivers it again.
        """
        answer = self._thread_state.answer_shown_by(message)
        if not answer:
            return ""
        try:
            if removed and self._current(user, answer).vote.vote != vote:
                return ""  # another vote counts by now
            self.record(user, answer, "none" if removed else vote, key=key, at=at)
        except UnknownExchange:
            logger.info("a reaction to an answer that is not kept any more")
            return ""
        return answer

    def thread_of(self, message: Place) -> Place:
        """Return the thread of a message that shows an answer, else its channel; raises `StateUnavailable`."""
        return self._thread_state.thread_of(message)

    def current_text(self, user: str, answer: str) -> str:
        """Return what counts of a person, for them; empty while that cannot be read."""
        try:
            return presentation.vote_text(self._current(user, answer).vote)
        except (FeedbackError, BotError):
            return ""

    def _current(self, user: str, answer: str) -> CurrentVote:
        return self._votes.current(answer, user=f"{self._platform}:{user}")


def refusal_text(error: Exception) -> str:
    """Return why a vote does not count, for its person."""
    if isinstance(error, UnknownExchange):
        return presentation.ANSWER_NOT_KEPT
    if isinstance(error, UsageProblem):
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    return presentation.VOTE_NOT_KEPT
