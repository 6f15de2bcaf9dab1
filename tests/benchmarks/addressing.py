"""Plays messages of a labelled file through the product's decision whether they are for the bot; gives its figures.

    python -m tests.benchmarks.addressing FILE [DOCUMENTS]

A line of the file is `{"id", "place", "conversation": [{"who", "name", "text"}], "who", "name", "text", "for_bot"}`;
`place` is `thread` (of a message that mentioned the bot), `group` or `auto_answer`; `who` is `asker`, `bot` or another.
Every message of a conversation goes as a payload of Slack through its parser and the acceptance of events, with a real
state store; what is accepted is then judged by its meaning and form, with the real embedding model, which has learned
from none of the messages of the file. The label says nothing of what the documents hold. So with a folder of DOCUMENTS
what is taken for a question also goes through search, and it is told which of it is answered.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bot.access.audience import Audience
from bot.answering.answers import Answer, Citation, Question, Sentence
from bot.answering.understanding.addressing import Scene, examples
from bot.app import App, bootstrap
from bot.channels.acceptance import EventAcceptor
from bot.channels.delivery import QuietReply, answer_question
from bot.channels.events import IncomingEvent, from_json
from bot.channels.port import Accepted
from bot.channels.slack import rendering
from bot.channels.slack.events import parse_message
from bot.channels.stop_marks import StopMarks
from bot.channels.thread_state import ThreadState
from bot.channels.unaddressed import UnaddressedMessages
from bot.config.settings import Channel, Settings, Source
from bot.services.chatter import ChatterClassifier
from bot.services.questions import QuestionService
from bot.state.protocol import Event
from retrieval.passages import EVERYONE

BOT, BOT_ID, TEAM = "UBOT", "BBOT", "T1"
KINDS = {"thread": "channel", "group": "mpim", "auto_answer": "channel"}

Row = dict[str, Any]
IsChatter = Callable[[str, Scene], bool]


@dataclass(frozen=True)
class Judged:
    """A message of the file with what the product took it for; None where it is not for the bot."""

    row: Row
    taken: IncomingEvent | None

    @property
    def is_right(self) -> bool:
        return bool(self.taken) is bool(self.row["for_bot"])


@dataclass(frozen=True)
class Figures:
    """How often "is for the bot" is right, and how many of what is for the bot were taken so."""

    precision: float
    recall: float


def read(path: Path) -> list[Row]:
    """Return the lines of a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


@dataclass(frozen=True)
class Meaning:
    """The part of `QuestionService` that judges messages."""

    sounds_like_chatter: IsChatter


class Bench:
    """An acceptor over a real state store; `kept` are the events that it has accepted.

    Without an `is_chatter` messages are not judged by their meaning, which a handler does.
    """

    def __init__(self, app: App, *, is_chatter: IsChatter | None) -> None:
        self.kept: list[IncomingEvent] = []
        state = ThreadState(app.state, "slack", pseudonym=app.pseudonym)
        self._unaddressed = UnaddressedMessages(
            settings=app.settings,
            thread_state=state,
            questions=cast("QuestionService", cast("Any", Meaning(is_chatter or (lambda text, scene: False)))),
            renderer=rendering,
        )
        self._acceptor = EventAcceptor(
            self._accept,
            settings=app.settings,
            thread_state=state,
            escalation=app.escalation,
            stop_marks=StopMarks(app.state, "slack"),
            tell_busy=lambda _: None,
        )

    def _accept(self, event: Event) -> Accepted:
        self.kept.append(from_json(event.payload, platform="slack"))
        return "new"

    def judge(self, row: Row) -> Judged:
        """Let a conversation happen, and then its last message."""
        answered = any(each["who"] == "bot" for each in row["conversation"])
        root = ""
        said = [each for each in row["conversation"] if each["who"] != "bot"]
        for number, each in enumerate([*said, row]):
            text = f"<@{BOT}> {each['text']}" if answered and number == 0 else each["text"]
            message = {"user": f"U{each['name']}", "ts": f"{number + 1}.0", "text": text}
            message |= {"thread_ts": root} if root else {}
            taken = self._tell(row, message)
            root = root or (message["ts"] if answered else "")
        return Judged(row, taken)

    def _tell(self, row: Row, message: Row) -> IncomingEvent | None:
        """Let a message be written, and return it where the bot goes on to answer it."""
        before = len(self.kept)
        place = {"type": "message", "channel": row["id"].upper(), "channel_type": KINDS[row["place"]]}
        body = {"team_id": TEAM, "event": message | place}
        event = parse_message(body, workspace=TEAM, bot=BOT)
        if event:
            self._acceptor.accept_message(event)
        if len(self.kept) == before:
            return None
        taken = self.kept[-1]
        if taken.unaddressed and self._unaddressed.is_chatter(taken):
            self._unaddressed.stay_out(taken)
            return None
        return taken


def judged(rows: Sequence[Row], *, accepted: bool = False) -> list[Judged]:
    """Return what the product takes the messages for, or what it accepts before it has judged their meaning.

    The messages, and whatever says the same, are no examples to it.
    """
    texts = {row["text"] for row in rows}
    learned = [each for each in examples() if each.text not in texts]
    channels = {
        f"slack:{row['id'].upper()}": Channel(auto_answer=True) for row in rows if row["place"] == "auto_answer"
    }
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), channels=channels)
        with closing(bootstrap(settings)) as app:
            bench = Bench(
                app, is_chatter=None if accepted else ChatterClassifier(app.embedder, lambda: learned).is_chatter
            )
            return [bench.judge(row) for row in rows]


def figures(found: Sequence[Judged]) -> Figures:
    """Return the figures of a file; of nothing taken, and of nothing to be taken, 1."""
    right = sum(each.is_right and each.taken is not None for each in found)
    taken, wanted = sum(each.taken is not None for each in found), sum(each.row["for_bot"] for each in found)
    return Figures(right / taken if taken else 1.0, right / wanted if wanted else 1.0)


@contextmanager
def documents(folder: Path) -> Iterator[App]:
    """Open an app over a folder of documents, with the real embedding model."""
    with tempfile.TemporaryDirectory() as home:
        source = Source(name="docs", path=folder)
        with closing(bootstrap(Settings(home=Path(home), sources=(source,)))) as app:
            app.ingestion.sync()
            yield app


class Shown:
    """A `Reply` that nobody sees."""

    def begun(self, status: str) -> None:
        """Do nothing."""

    def sentence(self, sentence: Sentence, citations: Sequence[Citation]) -> None:
        """Do nothing."""

    def done(self, answer: Answer) -> None:
        """Do nothing."""

    def failed(self, text: str) -> None:
        """Do nothing."""

    def stopped(self, *, keep: Callable[[], bool]) -> None:
        """Do nothing."""


def spoken(found: Sequence[Judged], app: App) -> list[Judged]:
    """Return those of the messages taken for questions that are answered from the documents."""
    said = []
    for each in found:
        if each.taken is None:
            continue
        if each.taken.place.thread:
            asked = Question(each.row["conversation"][0]["text"], user="slack:U1", conversation=each.taken.conversation)
            answer = app.questions.answer(asked)
            app.questions.record(asked, answer, platform="slack")
        outcome = answer_question(
            app.questions, each.taken, QuietReply(Shown()), audience=lambda: Audience(frozenset({EVERYONE}))
        )
        said += [each] if outcome.kind == "answered" else []
    return said


def main(path: str, folder: str = "") -> None:
    """Print the figures and what was decided wrongly."""
    rows = read(Path(path))
    accepted = figures(judged(rows, accepted=True))
    found = judged(rows)
    for each in found:
        if not each.is_right:
            print("missed" if each.row["for_bot"] else "taken ", each.row["id"], repr(each.row["text"]))
    of = figures(found)
    print(f"accepted: precision {accepted.precision:.1%}, recall {accepted.recall:.1%}")
    print(f"{len(found)} messages: precision {of.precision:.1%}, recall {of.recall:.1%}")
    if folder:
        with documents(Path(folder)) as app:
            said = spoken(found, app)
        for each in said:
            print("answered", each.row["for_bot"], each.row["id"], repr(each.row["text"]))
        print(f"answered: {len(said)}, of which {sum(each.row['for_bot'] for each in said)} were for the bot")


if __name__ == "__main__":
    main(*sys.argv[1:])
