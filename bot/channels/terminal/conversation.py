"""A conversation in the terminal: question after question, each with its answer as it comes, and votes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Protocol

from bot.answering.answers import Answer, Done, Event, Question, SentenceReady, Status
from bot.channels.terminal import rendering
from bot.channels.terminal.background import in_background
from bot.channels.terminal.screen import Terminal
from bot.services.questions import QuestionService
from bot.services.votes import REASONS, Choice, VoteRequest, VoteService
from feedback.errors import FeedbackError
from feedback.records import Reason
from retrieval.passages import Turn

HELP = """\
Type a question; one that goes on from those before it is understood.
  +       the last answer helped
  -       it did not; you are asked what is wrong with it
  n       take your vote back
  ?       this help
  ctrl-c  stop an answer
  ctrl-d  end, as /quit does"""
# Questions that a follow-up is understood from.
REMEMBERED = 6


class ConversationServices(Protocol):
    """The services that a conversation calls; each may be opened when it is first asked for, and fail then."""

    @property
    def questions(self) -> QuestionService: ...

    @property
    def votes(self) -> VoteService: ...


class TerminalConversation:
    """One conversation of one person, from its first line to its end; `is_recorded` says whether it can be resumed.

    `report_errors` gives a context in which an exception ends as one line on the screen, and not the conversation.
    """

    def __init__(
        self,
        *,
        terminal: Terminal,
        services: ConversationServices,
        report_errors: Callable[[], AbstractContextManager[None]],
        conversation: str,
        groups: frozenset[str],
        user: str,
    ) -> None:
        self.is_recorded = False
        self._terminal = terminal
        self._services = services
        self._report_errors = report_errors
        self._conversation = conversation
        self._groups = groups
        self._user = user
        self._is_resumed = False
        self._answered: tuple[tuple[str, Answer], ...] = ()  # questions with their answers
        self._last = ""  # the answer that a vote is for

    def resume(self) -> None:
        """Take up the turns of this conversation so far that this person may know of."""
        with self._contained():
            asked = [turn.text for turn in self._recorded_history() if turn.role == "user"]
            self._is_resumed = bool(asked)
            self._terminal.note(f"Going on after: {asked[-1]}" if asked else "This conversation begins here.")

    def run(self) -> None:
        """Take lines until the last."""
        while (line := self._line()) is not None and line != "/quit":
            if line:
                with self._contained():
                    self._take(line)

    def _line(self) -> str | None:
        try:
            return self._terminal.read("> ")
        except KeyboardInterrupt:
            self._terminal.print_line("\nctrl-d or /quit ends the chat")
            return ""

    @contextmanager
    def _contained(self) -> Iterator[None]:
        """Let what fails or is stopped cost itself, with one line, and not the conversation."""
        try:
            with self._report_errors():
                yield
        except KeyboardInterrupt:
            self._terminal.print_line("(stopped)")

    def _take(self, line: str) -> None:
        if line == "+":
            self._vote("up")
        elif line == "-":
            self._vote_down()
        elif line == "n":
            self._vote("none")
        elif line == "?":
            self._terminal.print_line(HELP)
        elif line.startswith("/") and " " not in line:
            self._terminal.print_line(f"{line} is no command; ? tells which there are")
        else:
            self._ask(line)

    def _ask(self, text: str) -> None:
        self._last = ""
        question = Question(text, self._history(), self._groups, self._user, self._conversation)
        answer = self._show_answer(question)
        self._answered = (*self._answered, (text, answer))[-REMEMBERED:]
        try:
            self._services.questions.record(question, answer)
        except FeedbackError as error:
            self._terminal.note(rendering.UNRECORDED.format(error=error))
        else:
            self._last = answer.id
            self.is_recorded = True

    def _history(self) -> tuple[Turn, ...]:
        """Return the turns so far that may still be read; without the store those of this session alone."""
        if self._is_resumed:
            with suppress(FeedbackError):
                return self._recorded_history()
        return tuple(
            turn
            for text, answer in self._answered
            if self._services.questions.may_read({each.document for each in answer.citations}, groups=self._groups)
            for turn in (Turn("user", text, answer.id), Turn("bot", answer.text, answer.id))
        )

    def _recorded_history(self) -> tuple[Turn, ...]:
        return self._services.questions.history(self._conversation, user=self._user, groups=self._groups)

    def _show_answer(self, question: Question) -> Answer:
        """Print the answer as it comes, and return it."""
        terminal = self._terminal
        paragraphs = rendering.Paragraphs(terminal.width)
        terminal.write("\n")
        for event in in_background(self._events(question)):
            match event:
                case Status(step):
                    terminal.status(rendering.STATUS_TEXTS[step])
                case SentenceReady(sentence):
                    terminal.write(paragraphs.add(sentence))
                case Done(answer):
                    if answer.sentences:
                        terminal.print_line(f"\n{rendering.footnotes_text(answer, width=terminal.width)}\n")
                    else:
                        terminal.print_line(f"{rendering.answer_text(answer, width=terminal.width)}\n")
        return answer

    def _events(self, question: Question) -> Iterator[Event]:
        """Open the service and stream the answer, both in the thread that takes the first event."""
        yield from self._services.questions.stream(question)

    def _vote_down(self) -> None:
        """Record the thumb at once, and what is said of it after that."""
        if not self._vote("down"):
            return
        reason = self._choose_reason()
        comment = self._terminal.read("In your own words (enter for nothing): ") or ""
        correction = self._terminal.read("What would be right (enter for nothing): ") or ""
        if reason or comment or correction:
            self._vote("down", reason=reason, comment=comment, correction=correction)

    def _choose_reason(self) -> Reason:
        numbered: dict[str, Reason] = {str(number): reason for number, reason in enumerate(REASONS, start=1)}
        listed = "  ".join(f"{number} {reason}" for number, reason in numbered.items())
        reasons = numbered | {reason: reason for reason in REASONS}
        self._terminal.print_line(listed)
        while typed := self._terminal.read("What is wrong with it? (enter for nothing): "):
            if typed in reasons:
                return reasons[typed]
            self._terminal.print_line(f"One of: {listed}")
        return ""

    def _vote(self, vote: Choice, *, reason: Reason = "", comment: str = "", correction: str = "") -> bool:
        """Vote on the last answer; returns whether there is one. Raises `FeedbackError`."""
        if not self._last:
            self._terminal.print_line("There is no answer to vote on.")
            return False
        request = VoteRequest(self._last, vote, self._user, reason, comment, correction)
        self._terminal.print_line(rendering.vote_text(request, self._services.votes.vote(request)))
        return True
