import shlex
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from bot.channels.terminal import rendering
from bot.channels.terminal.screen import Terminal
from bot.cli.background import in_background
from bot.cli.options import group_option, this_user
from bot.cli.output import Invocation, guarded, note
from retrieval.passages import Turn

if TYPE_CHECKING:
    from bot.answering.answers import Answer, Event, Question
    from bot.services.votes import Choice
    from feedback.records import Reason

DOING = {"searching": "Looking in the documents ...", "writing": "Writing the answer ..."}
HELP = """\
Type a question; one that goes on from those before it is understood.
  +       the last answer helped
  -       it did not; you are asked what is wrong with it
  n       take your vote back
  ?       this help
  ctrl-c  stop an answer
  ctrl-d  end, as /quit does"""
# Turns that a follow-up is understood from.
REMEMBERED = 12


@click.command("chat")
@click.option("--conversation", metavar="ID", help="Go on with this conversation, or begin it.")
@group_option
@click.option(
    "--user",
    metavar="U",
    help="Who asks and votes: an e-mail address, slack:ID or teams:ID; else your name on this computer.",
)
@click.pass_obj
def command(invocation: Invocation, /, *, conversation: str | None, groups: tuple[str, ...], user: str | None) -> None:
    """Ask question after question in the terminal, and vote on the answers.

    Each question is understood from those before it. An answer is recorded, so that it can be voted on.
    """
    terminal = Terminal()
    chat = Chat(
        invocation,
        terminal,
        conversation=conversation or uuid.uuid4().hex,
        groups=frozenset(groups),
        user=this_user(user),
    )
    if conversation:
        chat.recall()
    if terminal.watched:
        note("Ask about your documents. + or - votes on an answer, ? tells more, ctrl-d ends.")
    chat.run()
    if chat.is_recorded:
        note(f"To go on later: footnote chat --conversation {shlex.quote(chat.conversation)}")


class Chat:
    """One conversation, from its first line to its end."""

    def __init__(
        self, invocation: Invocation, terminal: Terminal, *, conversation: str, groups: frozenset[str], user: str
    ) -> None:
        self.conversation = conversation
        self.is_recorded = False
        self._invocation = invocation
        self._app = invocation.app
        self._terminal = terminal
        self._groups = groups
        self._user = user
        self._history: tuple[Turn, ...] = ()
        self._last = ""  # the answer that a vote is for

    def recall(self) -> None:
        """Take up what was said in this conversation before."""
        with self._forgiving():
            self._history = self._app.questions.history(self.conversation, user=self._user, groups=self._groups)
            asked = [turn.text for turn in self._history if turn.role == "user"]
            note(f"Going on after: {asked[-1]}" if asked else "This conversation begins here.")

    def run(self) -> None:
        """Take lines until the last."""
        while (line := self._line()) is not None and line != "/quit":
            if line:
                with self._forgiving():
                    self._take(line)

    def _line(self) -> str | None:
        try:
            return self._terminal.read("> ")
        except KeyboardInterrupt:
            self._terminal.say("\nctrl-d or /quit ends the chat")
            return ""

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        """What fails or is stopped costs itself, with one line, and not the conversation."""
        try:
            with guarded(self._invocation):
                yield
        except click.ClickException as failure:
            self._terminal.fresh()
            failure.show()
        except KeyboardInterrupt:
            self._terminal.fresh()
            self._terminal.say("(stopped)")

    def _take(self, line: str) -> None:
        if line == "+":
            self._vote("up")
        elif line == "-":
            self._vote_down()
        elif line == "n":
            self._vote("none")
        elif line == "?":
            self._terminal.say(HELP)
        elif line.startswith("/") and " " not in line:
            self._terminal.say(f"{line} is no command; ? tells which there are")
        else:
            self._ask(line)

    def _ask(self, text: str) -> None:
        from bot.answering.answers import Question

        self._last = ""
        question = Question(text, self._history, self._groups, self._user, self.conversation)
        given = self._show(question)
        self._history = (*self._history, Turn("user", text), Turn("bot", given.text))[-REMEMBERED:]
        self._record(question, given)

    def _show(self, question: "Question") -> "Answer":
        """Print the answer as it comes."""
        from bot.answering.answers import Done, SentenceReady, Status

        paragraphs = rendering.Paragraphs(self._terminal.width)
        self._terminal.write("\n")
        for event in in_background(self._events(question)):
            match event:
                case Status(step):
                    self._terminal.status(DOING[step])
                case SentenceReady(sentence):
                    self._terminal.write(paragraphs.add(sentence.text, sentence.citations))
                case Done(given):
                    self._finish(given)
        return given

    def _events(self, question: "Question") -> "Iterator[Event]":
        yield from self._app.questions.stream(question)

    def _finish(self, given: "Answer") -> None:
        """Print what is still to be seen of an answer whose sentences stand there."""
        width = self._terminal.width
        if given.sentences:
            self._terminal.say(f"\n{rendering.below(given, width=width)}\n")
        else:
            self._terminal.say(f"{rendering.answer(given, width=width)}\n")

    def _record(self, question: "Question", given: "Answer") -> None:
        from feedback.errors import FeedbackError

        try:
            self._app.questions.record(question, given)
        except FeedbackError as error:
            note(f"footnote: the answer could not be recorded, so that nobody can vote on it: {error}")
        else:
            self._last = given.id
            self.is_recorded = True

    def _vote_down(self) -> None:
        """The thumb counts at once; what is said of it after that is added."""
        if not self._vote("down"):
            return
        reason = self._choose_reason()
        comment = self._terminal.read("In your own words (enter for nothing): ") or ""
        correction = self._terminal.read("What would be right (enter for nothing): ") or ""
        if reason or comment or correction:
            self._vote("down", reason=reason, comment=comment, correction=correction)

    def _choose_reason(self) -> "Reason":
        from bot.services.votes import REASONS

        named: dict[str, Reason] = {str(number): reason for number, reason in enumerate(REASONS, start=1)}
        listed = "  ".join(f"{number} {reason}" for number, reason in named.items())
        named |= {reason: reason for reason in REASONS}
        self._terminal.say(listed)
        while typed := self._terminal.read("What is wrong with it? (enter for nothing): "):
            if typed in named:
                return named[typed]
            self._terminal.say(f"One of: {listed}")
        return ""

    def _vote(self, vote: "Choice", *, reason: "Reason" = "", comment: str = "", correction: str = "") -> bool:
        """Whether there is an answer to vote on; raises `FeedbackError`."""
        from bot.services.votes import VoteRequest

        if not self._last:
            self._terminal.say("There is no answer to vote on.")
            return False
        request = VoteRequest(self._last, vote, self._user, reason, comment, correction)
        self._terminal.say(rendering.current_vote(request, self._app.votes.vote(request)))
        return True
