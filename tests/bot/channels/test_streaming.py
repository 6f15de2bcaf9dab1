"""An answer comes about by the best means that work just then, is not changed too often, and ends whole."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from bot.answering.answers import Answer, Citation, Sentence
from bot.channels.connection import Connection, Platform
from bot.channels.directory import CachedDirectory
from bot.channels.events import IncomingEvent, Place, message_event
from bot.channels.port import Checkpoint, DisplayOptions, Limits, NotDelivered, Refused
from bot.channels.streaming import StreamingReply, find_checkpoint
from bot.config.settings import Settings
from tests.conversations.memory_channel import BOT, Chat, MemoryDirectory, MemoryRenderer, MemoryTransport, Post, Room

EVENT = message_event("question", Place("memory", "chat", "general", message="000001"), "ada", "How many days?")
CITATION = Citation(1, "leave.md", "Leave", "Leave > Carry-over", "c", "https://docs.example/leave", "Five days.", "v")
FIRST, SECOND, THIRD = (Sentence(f"{word} sentence.", (1,)) for word in ("First", "Second", "Third"))
ANSWER = Answer("a1", "All.", (FIRST, SECOND, THIRD), (CITATION,))
LIMITS = Limits(update_seconds=10, append_seconds=1, partial_characters=4_000, private_messages=3)


class Unsure(NotDelivered):
    unsure = True


class Late(NotDelivered):
    wait = 5.0


@dataclass
class Streams:
    """Streams on a chat; `fails` is raised by the next call of these names, once each."""

    chat: Chat
    fails: dict[str, Exception] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def show_status(self, place: Place) -> bool:
        return self._works("status")

    def start(self, event: IncomingEvent, text: str) -> str:
        self._call("start")
        post = self.chat.add(event.place.channel, BOT, text, thread=event.place.root)
        return post.id

    def append(self, place: Place, text: str) -> None:
        self._call("append")
        self._post(place).text += text

    def finish(self, place: Place, text: str, answer: Answer, options: DisplayOptions, *, event: str) -> bool:
        if not self._works("finish"):
            return False
        post = self._post(place)
        post.text, post.mark = f"{post.text}{text} (whole)", (event, 0)
        return True

    def close(self, place: Place) -> bool:
        return self._works("close")

    def _post(self, place: Place) -> Post:
        post = self.chat.get(place.channel, place.message)
        assert post
        return post

    def _works(self, name: str) -> bool:
        try:
            self._call(name)
        except (Refused, NotDelivered):
            return False
        return True

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.fails:
            raise self.fails.pop(name)


class Bench:
    """A chat with a question in it, and a clock that stands still unless somebody sleeps."""

    def __init__(self) -> None:
        self.chat = Chat({}, {"general": Room("general", frozenset())})
        self.chat.add("general", "ada", "How many days?")
        self.transport = MemoryTransport(self.chat)
        self.streams = Streams(self.chat)
        self.notes: list[str] = []
        self.now = 100.0

    def reply(self, *, streams: bool = True, checkpoint: Checkpoint | None = None) -> StreamingReply:
        directory = CachedDirectory(MemoryDirectory(self.chat), Settings(), "memory")
        return StreamingReply(
            Platform("memory", "the chat", MemoryRenderer(), LIMITS, lambda _: None),
            Connection(self.transport, directory, self.streams if streams else None),
            EVENT,
            options=lambda _: DisplayOptions("r"),
            save_checkpoint=self.notes.append,
            checkpoint=checkpoint,
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.chat.posts if each.user == BOT]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_stream_grows_no_faster_than_the_platform_takes_it_and_ends_whole(bench):
    reply = bench.reply()
    reply.begun("Looking")
    assert bench.texts == []  # the status stands beside the thread
    reply.sentence(FIRST, [CITATION])
    reply.sentence(SECOND, [])  # too soon
    bench.now += 1.5
    reply.sentence(THIRD, [])
    assert bench.texts == ["First sentence. [1] Second sentence. [1] Third sentence. [1]"]
    reply.done(ANSWER)
    assert bench.texts == ["First sentence. [1] Second sentence. [1] Third sentence. [1] (whole)"]
    assert bench.streams.calls == ["status", "start", "append", "finish"]
    assert reply.messages == ("000002",)


def test_where_no_status_can_be_shown_one_message_is_changed_after_a_pause(bench):
    bench.streams.fails["status"] = Refused("status", "unknown")
    reply = bench.reply()
    reply.begun("Looking")
    assert bench.texts == ["Looking"]
    reply.sentence(FIRST, [CITATION])
    assert bench.texts == ["First sentence. [1]"]
    before = bench.now
    reply.done(ANSWER)
    assert bench.now - before == LIMITS.update_seconds
    (text,) = bench.texts
    assert text.startswith("First sentence. [1] Second sentence. [1] Third sentence. [1]")
    assert bench.streams.calls == ["status"]


def test_a_platform_without_streams_changes_a_message(bench):
    reply = bench.reply(streams=False)
    reply.begun("Looking")
    reply.sentence(FIRST, [CITATION])
    reply.done(ANSWER)
    assert len(bench.texts) == 1
    assert bench.streams.calls == []


@pytest.mark.parametrize(
    "error",
    [pytest.param(Refused("append", "ended"), id="ended"), pytest.param(Unsure("lost"), id="perhaps-appended")],
)
def test_a_stream_that_cannot_go_on_goes_on_as_a_message(bench, error):
    reply = bench.reply()
    reply.begun("Looking")
    reply.sentence(FIRST, [CITATION])
    bench.now += 5
    bench.streams.fails["append"] = error
    reply.sentence(SECOND, [])
    assert bench.texts == ["First sentence. [1] Second sentence. [1]"]
    assert bench.streams.calls[-1] == "close"
    reply.done(ANSWER)
    assert len(bench.texts) == 1
    assert "Third" in bench.texts[0]


def test_who_is_told_to_wait_says_more_later(bench):
    reply = bench.reply()
    reply.begun("Looking")
    reply.sentence(FIRST, [CITATION])
    bench.now += 2
    bench.streams.fails["append"] = Late("too fast")
    reply.sentence(SECOND, [])
    bench.now += 2
    reply.sentence(THIRD, [])
    assert bench.texts == ["First sentence. [1]"]
    reply.done(ANSWER)
    assert "Third sentence. [1] (whole)" in bench.texts[0]


def test_a_stream_that_was_begun_though_its_answer_got_lost_is_not_begun_twice(bench):
    def lost(event: IncomingEvent, text: str) -> str:
        bench.chat.add("general", BOT, text, thread=event.place.root).mark = (EVENT.id, 0)
        raise Unsure("lost")

    reply = bench.reply()
    reply.begun("Looking")
    start: Callable[[IncomingEvent, str], str] = lost
    bench.streams.start = start
    reply.sentence(FIRST, [CITATION])
    reply.done(ANSWER)
    assert len(bench.texts) == 1


def test_a_stream_that_cannot_be_ended_is_replaced(bench):
    bench.streams.fails["finish"] = Refused("finish", "unknown")
    reply = bench.reply()
    reply.begun("Looking")
    reply.sentence(FIRST, [CITATION])
    reply.done(ANSWER)
    assert bench.streams.calls[-2:] == ["finish", "close"]
    assert len(bench.texts) == 1
    assert "Third" in bench.texts[0]


def test_whoever_takes_over_ends_the_stream_and_finishes_its_message(bench):
    dead = bench.reply()
    dead.begun("Looking")
    dead.sentence(FIRST, [CITATION])
    checkpoint = find_checkpoint(bench.transport, EVENT, bench.notes[-1])
    assert checkpoint == Checkpoint("000002", streams=True)
    reply = bench.reply(checkpoint=checkpoint)
    reply.begun("Looking")
    assert bench.streams.calls[-1] == "close"
    assert bench.texts == ["Looking"]
    reply.done(ANSWER)
    assert len(bench.texts) == 1


def test_parts_that_are_there_already_are_not_posted_again(bench):
    sentences = tuple(Sentence(f"Sentence {number} " + "about leave " * 20, (1,)) for number in range(60))
    long = replace(ANSWER, sentences=sentences)
    bench.reply(streams=False).done(long)
    parts = bench.texts
    assert len(parts) > 1
    reply = bench.reply(streams=False, checkpoint=Checkpoint("000002"))
    reply.done(long)
    assert bench.texts == parts
    assert len(reply.messages) == len(parts)


def test_notes_of_an_earlier_version_are_read(bench):
    assert find_checkpoint(bench.transport, EVENT, '{"ts": "18.1", "streams": true}') == Checkpoint(
        "18.1", streams=True
    )
    assert find_checkpoint(bench.transport, EVENT, '{"ts": "18.1", "streams": false}') == Checkpoint("18.1")
    assert find_checkpoint(bench.transport, EVENT, '{"streams": true}') is None
    assert find_checkpoint(bench.transport, EVENT, "") is None
    bench.reply(streams=False).begun("Looking")
    assert json.loads(bench.notes[-1]) == {"ts": "000002", "streams": False}


WITHDRAWN = Answer("a1", "The documents changed.", abstained=True)


@pytest.mark.parametrize("streams", [True, False], ids=["stream", "message"])
@pytest.mark.parametrize("shown", [1, 3])
def test_what_may_not_be_shown_any_more_is_replaced_by_the_line_that_says_so(streams, shown):
    bench = Bench()
    reply = bench.reply(streams=streams)
    reply.begun("Looking")
    for sentence in (FIRST, SECOND, THIRD)[:shown]:
        reply.sentence(sentence, [CITATION])
        bench.now += 60
    assert any("First sentence." in text for text in bench.texts)
    reply.done(WITHDRAWN)
    assert bench.texts == ["The documents changed."]
    assert "finish" not in bench.streams.calls
