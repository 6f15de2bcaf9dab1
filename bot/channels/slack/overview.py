"""Gathers what the app's home page says to one person: nothing of what they may not read."""

import logging
from collections.abc import Callable, Iterator

from bot.access.directory import Person
from bot.channels.slack.thread_state import ThreadState
from bot.channels.slack.views import Known, OwnVote
from bot.config.settings import Settings
from bot.errors import BotError
from bot.services.overview import OverviewService, Prompt
from bot.services.questions import QuestionService
from bot.services.votes import VoteService
from feedback.errors import FeedbackError

logger = logging.getLogger(__name__)

VOTES_SHOWN = 8


class Home:
    """The home page of each person; what cannot be read just now is left out."""

    def __init__(
        self,
        *,
        overview: OverviewService,
        votes: VoteService,
        questions: QuestionService,
        pseudonym: Callable[[str], str],
        memory: ThreadState,
        settings: Settings,
    ) -> None:
        self._overview = overview
        self._vote_service = votes
        self._questions = questions
        self._pseudonym = pseudonym
        self._memory = memory
        self._settings = settings

    def known(self, person: Person, groups: frozenset[str]) -> Known:
        """Return the page for this person, whose own groups these are."""
        owned = self._overview.owned((person.email, f"slack:{person.id}"))
        return Known(
            sources=self._overview.sources(groups),
            votes=list(self._votes(person)),
            owns=owned is not None,
            failing=owned.failing if owned else (),
            reviews=owned.reviews if owned else None,
            keep_words=self._settings.keep_words,
            keep_exchanges=self._settings.keep_exchanges,
        )

    def prompts(self, groups: frozenset[str]) -> list[Prompt]:
        """Return a few questions that the documents of these groups answer; none where there are none."""
        return list(self._overview.prompts(groups))

    def _votes(self, person: Person) -> Iterator[OwnVote]:
        user = f"slack:{person.id}"
        try:
            name = self._pseudonym(user)
            for answer in self._memory.votes(name, most=VOTES_SHOWN):
                current = self._vote_service.current(answer, user=user).vote
                if current.vote != "none":
                    exchange = self._questions.exchange(answer)
                    # What somebody else asked stays between them and the bot.
                    question = exchange.question if exchange.asker == name else ""
                    yield OwnVote(answer, question, current.vote, current.at)
        except (FeedbackError, BotError) as error:
            logger.info("own votes cannot be listed just now: %s", error)
