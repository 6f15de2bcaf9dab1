"""Votes from buttons, reactions and the modal: each counts at once, can be changed and taken back."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from bot.channels.metrics import ChannelMetrics
from bot.channels.slack.thread_state import ThreadState
from bot.channels.slack.views import SIGNS
from bot.errors import BotError, StateUnavailable, UsageProblem
from bot.services.votes import Choice, CurrentVote, VoteRequest, VoteService
from feedback.errors import FeedbackError, UnknownExchange
from feedback.records import Reason

logger = logging.getLogger(__name__)

UP = frozenset({"+1", "thumbsup"})
DOWN = frozenset({"-1", "thumbsdown"})

GONE = "This answer is not kept any more, so nobody can vote on it."
NOT_KEPT = "Your vote could not be kept. Please try again in a minute."
THANKS = "Thank you, your vote counts: {vote}."
TAKEN_BACK = "Your vote is taken back."


class Votes:
    """Takes them in the name of a workspace's people."""

    def __init__(
        self, votes: VoteService, pseudonym: Callable[[str], str], memory: ThreadState, metrics: ChannelMetrics
    ) -> None:
        self._votes = votes
        self._pseudonym = pseudonym
        self._memory = memory
        self._metrics = metrics

    def cast(
        self,
        user: str,
        answer: str,
        vote: Choice,
        *,
        key: str,
        reason: Reason = "",
        comment: str = "",
        correction: str = "",
    ) -> CurrentVote:
        """Record a vote; raises `FeedbackError` and `UsageProblem`, both to be told."""
        opinion = VoteRequest(answer, vote, f"slack:{user}", reason, comment, correction)
        counts = self._votes.vote(opinion, key=f"slack:{key}")
        self._metrics.vote_recorded("slack", vote, reason)
        try:
            self._memory.voted(self._pseudonym(f"slack:{user}"), answer)
        except StateUnavailable as error:  # the list of one's own votes is a convenience
            logger.warning("a vote is not in its person's list: %s", error)
        return counts

    def reacted(self, event: Mapping[str, Any], *, team: str, event_id: str, bot: str) -> str:
        """What a reaction to a message of ours does; gives the answer, empty for what is no vote.

        Raises `FeedbackError` and `BotError` where it could not be kept, so that Slack tells of it again.
        """
        name, item = str(event.get("reaction") or "").partition("::")[0], event.get("item") or {}
        vote: Choice | None = "up" if name in UP else "down" if name in DOWN else None
        user = str(event.get("user") or "")
        if vote is None or item.get("type") != "message" or not user or user == bot:
            return ""
        answer = self._memory.answer_at(team, str(item.get("channel")), str(item.get("ts")))
        if not answer:
            return ""
        try:
            if event.get("type") == "reaction_removed":
                if self._votes.current(answer, user=f"slack:{user}").vote.vote != vote:
                    return ""  # another vote counts by now
                vote = "none"
            self.cast(user, answer, vote, key=event_id)
        except UnknownExchange:
            logger.info("a reaction to an answer that is not kept any more")
            return ""
        return answer


def told(counts: CurrentVote) -> str:
    """What counts now, for whoever voted."""
    vote = counts.vote.vote
    return TAKEN_BACK if vote == "none" else THANKS.format(vote=SIGNS[vote])


def complaint(error: Exception) -> str:
    """Why a vote does not count."""
    if isinstance(error, UnknownExchange):
        return GONE
    if isinstance(error, UsageProblem):
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    if not isinstance(error, FeedbackError | BotError):
        logger.error("a vote failed", exc_info=error)
    return NOT_KEPT
