"""The conversations that all platforms share, held in a plain chat: a platform needs no more than the port."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, cast

import pytest

from bot.access.directory import Person
from bot.app import App
from bot.channels.port import Accepted, Channel
from bot.config.settings import Channel as ChannelSettings
from bot.config.settings import Settings, Source
from bot.state.protocol import Event
from feedback.records import Reason
from tests.conversations.conversations import GROUPS, Said, Stage, Thread, Way
from tests.conversations.harness import AppStage, breakable_app, write_documents
from tests.conversations.memory_channel import BOT, NAME, Chat, MemoryChannel, Post, Room
from tests.conversations.scenarios import SCENARIOS, Scenario
from tests.scripted_app import MODEL, RIGHT, numbered
from tests.servers import openai_server

# What the chat has not.
LACKS: frozenset[Way] = frozenset({"agent"})
LEASE = timedelta(minutes=1)


class MemoryStage(AppStage):
    """The stage of the scenarios: handles what was accepted when somebody looks."""

    def __init__(self, chat: Chat, app: App, model: openai_server.Server) -> None:
        super().__init__(app, model)
        self.chat = chat
        self.channel = MemoryChannel(chat, app)
        self.channel.start(self._accept)

    def _accept(self, event: Event) -> Accepted:
        return "new" if self.app.state.accept(event) else "known"

    def settle(self) -> None:
        if self.is_held:
            return
        while claim := self.app.state.claim("worker", lease=LEASE, now=datetime.now(UTC)):
            self.channel.handle(claim)
            assert self.app.state.finish(claim, now=datetime.now(UTC))

    def asks(self, text: str, *, who: str = "Ada", way: Way = "mention", where: str = "general") -> Thread:
        rooms = {"private-channel": "cellar", "direct": f"D-{who}", "group": "group", "channel": "help"}
        room = rooms.get(way, where)
        if way == "command":
            thread = MemoryThread(self, who, room, None, tuple(self.chat.posts))
            self.channel.command(who, room, text)
            return thread
        mention = way in {"mention", "private-channel", "group"}
        return self._begun(self.channel.write(who, room, text, mention=mention))

    def chatter(self, text: str, *, who: str = "Ada", where: str = "general") -> Thread:
        return self._begun(self.channel.write(who, where, text))

    def uploads(self, text: str, *files: str, who: str = "Ada", where: str = "") -> Thread:
        return self._begun(self.channel.write(who, where or f"D-{who}", text, mention=bool(where), files=files))

    def meets(self, who: str) -> list[Said]:
        self.channel.meet(who)
        return self._top(f"D-{who}")

    def invites(self, where: str) -> list[Said]:
        self.channel.invite(where)
        return self._top(where)

    def _top(self, room: str) -> list[Said]:
        self.settle()
        there = [each for each in self.chat.posts if (each.channel, each.user, each.thread) == (room, BOT, "")]
        return [said_of(each) for each in there if not each.only_for]

    def _begun(self, post: Post) -> "MemoryThread":
        return MemoryThread(self, post.user, post.channel, post, tuple(self.chat.posts))

    def expert_is_asked(self) -> list[Said]:
        return [said_of(each) for each in self._in_experts() if not each.thread]

    def experts_are_told(self) -> list[Said]:
        return [said_of(each) for each in self._in_experts() if each.thread]

    def expert_answers(self, text: str, *, who: str = "Eve", files: Sequence[str] = ()) -> None:
        request = [each for each in self._in_experts() if not each.thread][-1]
        self.channel.write(who, "experts", text, thread=request.id, files=tuple(files))
        self.settle()

    def expert_edits(self, text: str) -> None:
        self.channel.edit(self._last_of_experts(), text)
        self.settle()

    def joins(self, who: str, where: str) -> None:
        self.channel.move(who, where, joins=True)

    def leaves(self, who: str, where: str) -> None:
        self.channel.move(who, where, joins=False)

    def becomes(self, who: str, *, guest: bool) -> None:
        self.channel.change(who, guest=guest)

    def expert_deletes(self) -> None:
        self.channel.delete(self._last_of_experts())
        self.settle()

    def expert_sends(self) -> None:
        self._press("send")

    def expert_accepts(self) -> None:
        self._press("accept")

    def _press(self, action: str) -> None:
        note = [each for each in self._in_experts() if action in dict(each.buttons)][-1]
        self.channel.press("Eve", note, action)
        self.settle()

    def _last_of_experts(self) -> Post:
        self.settle()
        return [each for each in self.chat.posts if each.channel == "experts" and each.user != BOT][-1]

    def _in_experts(self) -> list[Post]:
        self.settle()
        there = [each for each in self.chat.posts if each.channel == "experts" and each.user == BOT]
        return [each for each in there if not each.only_for]


@dataclass(frozen=True)
class MemoryMessage:
    """A message in the chat, in the hands of whoever wrote it."""

    stage: MemoryStage
    post: Post

    def edits(self, text: str, *, calls: bool = False) -> None:
        self.stage.settle()
        self.stage.channel.edit(self.post, text, mention=calls)

    def deletes(self) -> None:
        self.stage.settle()
        self.stage.channel.delete(self.post)


@dataclass
class MemoryThread:
    """A question in the chat; `asked` is its message, which a command has not, `before` what was written before it."""

    stage: MemoryStage
    person: str
    room: str
    asked: Post | None
    before: tuple[Post, ...]

    def seen(self, *, by: str = "") -> list[Said]:
        return [said_of(each) for each in self._posts(by or self.person)]

    def notes(self, *, by: str = "") -> list[Said]:
        assert self.asked
        self.stage.settle()
        told = [each for each in self.stage.chat.posts if each.only_for == (by or self.person)]
        return [said_of(each) for each in told if (each.channel, each.thread) == (self.room, self.asked.id)]

    def stops(self) -> None:
        """Press when the chat shows a sentence: nothing is done here before somebody looks."""
        asked, chat = self.asked, self.stage.chat
        assert asked

        def stop_once(post: Post) -> None:
            if post.thread == asked.id and "[1]" in post.text:
                chat.watch = lambda _: None
                self.stage.channel.stop_work(self.person, asked)
                self.stage.released.set()

        chat.watch = stop_once
        self.stage.settle()

    def _posts(self, person: str) -> list[Post]:
        self.stage.settle()
        there = [each for each in self.stage.chat.posts if each.channel == self.room and each.user == BOT]
        if self.asked:
            return [each for each in there if each.thread == self.asked.id and not each.only_for]
        since = [each for each in there if not any(each is old for old in self.before)]
        return [each for each in since if each.only_for in {"", person}]

    def asks_on(self, text: str) -> None:
        self.says(text)

    def says(self, text: str, *, who: str = "", calls: bool = False) -> "MemoryMessage":
        assert self.asked
        person = who or self.person
        post = self.stage.channel.write(person, self.room, text, thread=self.asked.id, mention=calls)
        return MemoryMessage(self.stage, post)

    def edits(self, text: str, *, calls: bool = False) -> None:
        assert self.asked
        MemoryMessage(self.stage, self.asked).edits(text, calls=calls)

    def deletes(self) -> None:
        assert self.asked
        MemoryMessage(self.stage, self.asked).deletes()

    def asked_about(self, *, by: str) -> "MemoryThread":
        assert self.asked
        thread = MemoryThread(self.stage, by, self.room, None, tuple(self.stage.chat.posts))
        self.stage.channel.ask_about(by, self.asked)
        return thread

    def votes(self, vote: Literal["up", "down", "none"], *, by: str = "") -> None:
        self.stage.channel.vote(by or self.person, self._answer(), vote)

    def explains(self, *, reason: str, comment: str = "", better: str = "", by: str = "") -> None:
        given = cast("Reason", reason)
        self.stage.channel.vote(by or self.person, self._answer(), "down", reason=given, comment=comment, better=better)

    def asks_a_person(self) -> None:
        self.stage.channel.press(self.person, self._with_buttons(), "person")
        self.stage.settle()

    def shares(self) -> list[Said]:
        before = self._posts(self.person)
        self.stage.channel.press(self.person, self._with_buttons(), "share")
        return [said_of(each) for each in self._posts("") if each not in before]

    def _answer(self) -> str:
        return dict(self._with_buttons().buttons)["up"]

    def _with_buttons(self) -> Post:
        return next(each for each in reversed(self._posts(self.person)) if each.buttons)


def said_of(post: Post) -> Said:
    actions = frozenset(action for action, _ in post.buttons)
    return Said(post.text, tuple(post.links), (), actions, tuple(post.versions))


def peopled_chat() -> Chat:
    """The people and rooms of the scenarios."""
    people = {name: Person(name, f"{name.lower()}@example.com", guest=name not in STAFF) for name in PEOPLE}
    rooms = {name: Room(name, STAFF) for name in ("general", "random", "board", "help", "experts")}
    rooms["cellar"] = Room("cellar", STAFF, "private")
    rooms["partners"] = Room("partners", STAFF | {"Pat"}, external=True)
    rooms["colleague"] = Room("colleague", frozenset({"Ada", "Mia"}), "direct", has_bot=False)
    rooms["group"] = Room("group", frozenset({"Ada", "Bob", "Mia"}), "group")
    chat = Chat(people, rooms)
    for name in people:
        chat.direct_room(name)
    return chat


STAFF = frozenset({"Ada", "Bob", "Mia", "Eve"})
PEOPLE = STAFF | {"Gil", "Pat"}


def settings(home: Path, *, model_url: str = "") -> Settings:
    source = Source(name="docs", path=home / "docs")
    given = Settings(
        home=home / "state",
        model=MODEL if model_url else "",
        model_base_url=model_url,
        confidence_threshold=0.45,
        groups={name: frozenset(members) for name, members in GROUPS.items()},
    )
    channels = {
        f"{NAME}:board": ChannelSettings(groups=frozenset({"managers"})),
        f"{NAME}:help": ChannelSettings(auto_answer=True),
    }
    # Settings know no channel of a platform that tests alone have.
    owned = source.model_copy(update={"owner_channel": f"{NAME}:experts"})
    return given.model_copy(update={"channels": channels, "sources": (owned,)})


@contextmanager
def opened(folder: Path, *, with_model: bool) -> Iterator[MemoryStage]:
    with openai_server.serving() as model:
        write_documents(folder)
        model.replies = [openai_server.Reply(numbered(RIGHT))]
        with breakable_app(settings(folder, model_url=model.url if with_model else "")) as app:
            yield MemoryStage(peopled_chat(), app, model)


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if each.way not in LACKS], ids=lambda each: each.name)
def test_the_conversation_is_as_it_should_be(tmp_path, scenario: Scenario):
    with opened(tmp_path, with_model=scenario.with_model) as stage:
        playing: Stage = stage
        scenario.play(playing)


def test_it_is_a_channel_and_lacks_nothing_but_the_agent_view(tmp_path):
    with opened(tmp_path, with_model=False) as stage:
        channel: Channel = stage.channel
        assert channel.routes() == ()
    assert [each.name for each in SCENARIOS if each.way in LACKS] == ["asked-in-the-agent-view"]
