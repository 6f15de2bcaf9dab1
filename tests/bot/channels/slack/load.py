"""A working day in a few minutes: people ask, go on, edit, delete and talk, at two replicas of which one is killed."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bot.app import bootstrap
from bot.config.settings import Settings
from tests.bot.channels.slack.harness import settings
from tests.bot.channels.slack.replica import Replica, replicas
from tests.conversations.conversations import (
    DOORS,
    DOORS_SAID,
    FOLLOW_UP,
    FOLLOW_UP_SAID,
    LEAVE_SAID,
    PARKING,
)
from tests.conversations.harness import write_documents
from tests.scripted_app import QUESTION
from tests.servers import redis_servers
from tests.servers.slack.workspace import Channel, Message, Person
from tests.servers.slack_server import Slack

PEOPLE, CHANNELS = 40, 10
# What is asked, and what the answer says.
ASKED = {QUESTION: LEAVE_SAID, DOORS: DOORS_SAID, PARKING: "40 crowns"}
CHATTER = (
    "ok, noted",
    "I'll tell Bob then",
    "See you on Monday",
    "Sam, did you bring the projector?",
    "lunch at twelve?",
    "haha, good one",
    "can you believe it is December already?",
    "That was new to me.",
    "@Mia are you coming to the offsite?",
    "done, moved the ticket",
    "who has the keys to the meeting room?",
    "my train is late again",
    "I booked the small room for us.",
    "did you get yours approved?",
    "brb",
)
# How much of what happens is what.
SHARES: dict[str, float] = {"ask": 0.45, "follow": 0.12, "chatter": 0.28, "edit": 0.10, "delete": 0.05}
# Nobody edits, deletes or goes on with what was asked a moment ago.
SETTLED_SECONDS = 5.0
BALANCER_SECONDS = 1.0

Step = Literal["ask", "follow", "chatter", "edit", "delete"]


@dataclass
class Asked:
    """A question of somebody, and what its thread must hold in the end: texts in order, none for a deleted one."""

    person: Person
    channel: Channel
    message: Message
    text: str
    followed: int = 0
    edited: bool = False
    deleted: bool = False
    at: float = field(default_factory=time.monotonic)

    @property
    def wanted(self) -> list[str]:
        """What the bot's messages in the thread say."""
        return [ASKED[self.text], *([FOLLOW_UP_SAID] * self.followed)]


@dataclass
class Day:
    """What people have done: their questions, and what they said to each other in places of their own."""

    slack: Slack
    people: list[Person]
    channels: list[Channel]
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    asked: list[Asked] = field(default_factory=list)
    talked: list[Message] = field(default_factory=list)
    steps: Counter[str] = field(default_factory=Counter)

    def go_on(self) -> None:
        """Do the next thing."""
        step = self.chance.choices(list(SHARES), list(SHARES.values()))[0]
        found = self._settled() if step in {"follow", "edit", "delete"} else None
        if found is None and step in {"follow", "edit", "delete"}:
            step = "ask"
        self.steps[step] += 1
        match step, found:
            case "ask", _:
                self._ask()
            case "chatter", _:
                self._talk()
            case "follow", Asked() as asked:
                asked.followed += 1
                asked.person.writes(FOLLOW_UP, asked.channel, thread=asked.message)
            case "edit", Asked() as asked:
                asked.text = self.chance.choice([each for each in ASKED if each != asked.text])
                asked.edited = True
                asked.person.edits(asked.message, asked.text)
            case "delete", Asked() as asked:
                asked.deleted = True
                asked.person.deletes(asked.message)

    def _settled(self) -> Asked | None:
        """Return a question of a while ago to which nothing has happened since; None where there is none."""
        long_ago = time.monotonic() - SETTLED_SECONDS
        free = [
            each
            for each in self.asked[-400:]
            if each.at < long_ago and not (each.followed or each.edited or each.deleted) and each.text == QUESTION
        ]
        return self.chance.choice(free) if free else None

    def _ask(self) -> None:
        person, text = self.chance.choice(self.people), self.chance.choice(list(ASKED))
        if self.chance.random() < 0.5:
            channel = person.direct
            message = person.tells(text)
        else:
            channel = self.chance.choice(self.channels)
            message = person.mentions(text, channel)
        self.asked.append(Asked(person, channel, message, text))

    def _talk(self) -> None:
        """Say something to colleagues, in a channel or below somebody's question."""
        person, text = self.chance.choice(self.people), self.chance.choice(CHATTER)
        threads = [each for each in self.asked[-200:] if each.channel in self.channels and not each.deleted]
        if threads and self.chance.random() < 0.6:
            below = self.chance.choice(threads)
            person.writes(text, below.channel, thread=below.message)
        else:
            self.talked.append(person.writes(text, self.chance.choice(self.channels)))


@dataclass(frozen=True)
class Judgement:
    """How many threads hold what they should, and what is wrong with the others."""

    right: int
    wrong: list[str]


def said_in(day: Day, channel: Channel, message: Message) -> list[Message]:
    """Return what the bot has said below a message, for all to see."""
    return day.slack.workspace.visible(channel, message)


def judge(day: Day) -> Judgement:
    """Look at every thread: each question answered once, by its newest text; chatter not at all."""
    wrong, right = [], 0
    for asked in day.asked:
        said = [each.shown for each in said_in(day, asked.channel, asked.message)]
        if asked.deleted:
            fine = not any(text in each for each in said for text in ASKED.values())
        else:
            fine = len(said) == len(asked.wanted) and all(
                text in each for text, each in zip(asked.wanted, said, strict=True)
            )
        right += fine
        if not fine:
            wrong.append(f"{asked.text!r} (deleted {asked.deleted}, edited {asked.edited}): {[s[:90] for s in said]}")
    for message in day.talked:
        said = [each.shown for each in said_in(day, day.slack.workspace.channels[message.channel], message)]
        right += not said
        if said:
            wrong.append(f"chatter {message.text!r}: {[each[:90] for each in said]}")
    return Judgement(right, wrong)


@contextmanager
def two_replicas(folder: Path, slack: Slack, *, kind: str = "redis") -> Iterator[tuple[Day, Sequence[Replica]]]:
    """Two processes on one Redis with the real embedder; the documents are read in."""
    people = [slack.workspace.person(f"P{number}") for number in range(PEOPLE)]
    channels = [slack.workspace.channel(f"room-{number}", *people) for number in range(CHANNELS)]
    with ExitStack() as stack:
        (folder / "redis").mkdir()
        url = stack.enter_context(redis_servers.serving(kind, folder / "redis")).url
        write_documents(folder)
        configured: Settings = settings(folder, slack, redis_url=url, user_key="the same for every replica")
        app = bootstrap(configured)
        app.ingestion.sync()
        app.close()
        both = stack.enter_context(replicas(configured, slack, 2, real_embedder=True))
        yield Day(slack, people, channels), both


def meet(day: Day) -> None:
    """Let everybody and every channel ask once: who reads along is learned by then, as in a service that runs."""
    workspace = day.slack.workspace
    asked = [person.tells(QUESTION) for person in day.people]
    asked += [day.people[0].mentions(QUESTION, channel) for channel in day.channels]
    workspace.wait(lambda: all(said_in(day, workspace.channels[each.channel], each) for each in asked), seconds=120)


def play(day: Day, both: Sequence[Replica], *, events: int, rate: float) -> float:
    """Let so many things happen, so many a second; one replica is killed halfway, at the moment that is returned."""
    slack = day.slack
    slack.sending.redelivered = 0.2
    slack.sending.retries = (0.1, 0.5, 1.0, 5.0)
    started = gone = time.monotonic()
    for number in range(events):
        time.sleep(max(0.0, started + number / rate - time.monotonic()))
        if number == events // 2:
            both[0].kill()
            gone = time.monotonic()
        if number > events // 2 and len(slack.sending.app_urls) > 1 and time.monotonic() - gone > BALANCER_SECONDS:
            slack.sending.app_urls.remove(f"{both[0].url}/slack/events")
        day.go_on()
    return gone


def wait_until_right(day: Day, *, seconds: float) -> Judgement:
    """Return how it ended, as soon as all is right, or after so long."""
    ends = time.monotonic() + seconds
    while (found := judge(day)).wrong and time.monotonic() < ends:
        time.sleep(0.5)
    return found
