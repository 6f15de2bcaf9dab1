"""Gathers what a platform's home page shows to one person: nothing of what they may not read."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.access.audience import Audience
from bot.access.directory import Person
from bot.channels import presentation
from bot.channels.thread_state import ThreadState
from bot.config.settings import Settings
from bot.errors import BotError
from bot.services.overview import FailingSection, OverviewService, Prompt
from bot.services.questions import NotDisclosed, QuestionService
from bot.services.votes import VoteService
from feedback.errors import FeedbackError, UnknownExchange
from feedback.records import StoredCitation
from retrieval.errors import RetrievalError

logger = logging.getLogger(__name__)

VOTES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class OwnVote:
    """A vote of the person who looks; `question` is empty unless they asked it themselves and may still see it."""

    answer: str
    question: str
    vote: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HomePage:
    """The content of the home page; `sources` are those that the person may read, with the day of their newest text.

    `reviews` counts the answers that wait for a decision, None while unknown. Days of 0 keep what is kept for good.
    """

    sources: Sequence[tuple[str, str]] = ()
    votes: Sequence[OwnVote] = ()
    owns: bool = False
    failing: Sequence[FailingSection] = ()
    reviews: int | None = None
    keep_words: int = 0
    keep_exchanges: int = 0


class PersonalOverview:
    """What each person of a platform may see of documents and votes; what cannot be read just now is left out."""

    def __init__(
        self,
        platform: str,
        *,
        overview: OverviewService,
        votes: VoteService,
        questions: QuestionService,
        pseudonym: Callable[[str], str],
        thread_state: ThreadState,
        settings: Settings,
    ) -> None:
        self._platform = platform
        self._overview = overview
        self._votes = votes
        self._questions = questions
        self._pseudonym = pseudonym
        self._thread_state = thread_state
        self._settings = settings

    def home_page(self, person: Person, groups: frozenset[str]) -> HomePage:
        """Return the page for this person, whose own groups these are."""
        owned = self._overview.owned((person.email, f"{self._platform}:{person.id}"), groups)
        return HomePage(
            sources=self._overview.sources(groups),
            votes=list(self._own_votes(person, groups)),
            owns=owned is not None,
            failing=owned.failing if owned else (),
            reviews=owned.reviews if owned else None,
            keep_words=self._settings.keep_words,
            keep_exchanges=self._settings.keep_exchanges,
        )

    def prompts(self, groups: frozenset[str]) -> Sequence[Prompt]:
        """Return a few questions that the documents of these groups answer; none where there are none."""
        return list(self._overview.prompts(groups))

    def quotes(self, answer: str, readers: Callable[[], Audience]) -> Sequence[StoredCitation] | str:
        """Return the citations of an answer with their quotes, or the line that says why there are none to show.

        `readers` looks up the audience, at this moment, of the place where they are asked for.
        """
        try:
            return self._questions.exchange(answer, groups=readers().groups).citations
        except UnknownExchange:
            return presentation.QUOTES_NOT_KEPT
        except NotDisclosed:
            return presentation.QUOTES_NOT_SHOWN
        except (FeedbackError, BotError, RetrievalError):
            return presentation.QUOTES_UNREADABLE

    def _own_votes(self, person: Person, groups: frozenset[str]) -> Iterator[OwnVote]:
        user = f"{self._platform}:{person.id}"
        try:
            name = self._pseudonym(user)
            for answer in self._thread_state.voted_answers(name, limit=VOTES_SHOWN):
                current = self._votes.current(answer, user=user).vote
                if current.vote != "none":
                    yield OwnVote(answer, self._own_question(answer, name, groups), current.vote, current.at)
        except (FeedbackError, BotError, RetrievalError) as error:
            logger.info("own votes cannot be listed just now: %s", error)

    def _own_question(self, answer: str, name: str, groups: frozenset[str]) -> str:
        """Return what a person (keyed hash) asked; empty for what they may not see any more, or somebody else asked."""
        try:
            exchange = self._questions.exchange(answer, groups=groups)
        except NotDisclosed:
            return ""
        return exchange.question if exchange.asker == name else ""
