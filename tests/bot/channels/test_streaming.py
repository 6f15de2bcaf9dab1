"""An answer comes about by the best means that work just then, is not changed too often, and ends whole."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace

import pytest

from bot.answering.answers import Answer, Citation, Sentence
from bot.channels.connection import Connection, Platform
from bot.channels.events import IncomingEvent, Place, message_event
from bot.channels.port import Checkpoint, DisplayOptions, Limits, Message, NotDelivered, Refused, ShownStatus
from bot.channels.streaming import StreamingReply, find_checkpoint
from bot.config.settings import Settings
from bot.state.sqlite.store import SqliteState
from tests.conversations.memory_channel import BOT, Chat, MemoryRenderer, MemoryTransport, Post, Room, memory_directory

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
    stays: bool = True

    def show_status(self, event: IncomingEvent) -> ShownStatus:
        is_visible = self._works("status")
        return ShownStatus(is_visible, stays=is_visible and self.stays)

    def clear_status(self, place: Place) -> bool:
        return self._works("clear")

    def start(self, event: IncomingEvent, text: str) -> str:
        self._call("start")
        post = self.chat.add(event.place.channel, BOT, text, thread=event.place.root)
        return post.id

    def append(self, place: Place, text: str) -> None:
        self._call("append")
        self._post(place).text += text

    def finish(
        self, place: Place, text: str, answer: Answer, options: DisplayOptions, *, event: str, clears: bool
    ) -> bool:
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


class Transport(MemoryTransport):
    """A transport whose next edit fails, once."""

    fails: NotDelivered | None = None

    def edit(self, place: Place, message: Message, *, event: str = "", retry: bool = True) -> bool:
        error, self.fails = self.fails, None
        if error:
            raise error
        return super().edit(place, message, event=event, retry=retry)


class Bench:
    """A chat with a question in it, and a clock that stands still unless somebody sleeps."""

    def __init__(self, state: SqliteState) -> None:
        self.state = state
        self.chat = Chat({}, {"general": Room("general", frozenset())})
        self.chat.add("general", "ada", "How many days?")
        self.transport = Transport(self.chat)
        self.streams = Streams(self.chat)
        self.notes: list[str] = []
        self.now = 100.0

    def reply(
        self, *, streams: bool = True, checkpoint: Checkpoint | None = None, is_resumed: bool = False
    ) -> StreamingReply:
        directory = memory_directory(self.chat, Settings(), self.state, str)
        return StreamingReply(
            Platform("memory", "the chat", MemoryRenderer(), LIMITS, lambda _: None),
            Connection(self.transport, directory, self.streams if streams else None),
            EVENT,
            options=lambda _: DisplayOptions("r"),
            save_checkpoint=self.notes.append,
            checkpoint=checkpoint,
            is_resumed=is_resumed,
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.chat.posts if each.user == BOT]


@pytest.fixture
def bench(tmp_path) -> Iterator[Bench]:
    with closing(SqliteState(tmp_path / "state.db")) as state:
        yield Bench(state)


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


def test_where_no_status_can_be_shown_the_stream_begins_with_it_and_the_answer_takes_its_place(bench):
    bench.streams.fails["status"] = Refused("status", "unknown")
    reply = bench.reply()
    reply.begun("Looking")
    assert bench.texts == ["Looking\n\n"]
    bench.now += LIMITS.append_seconds
    reply.sentence(FIRST, [CITATION])
    assert bench.texts == ["Looking\n\nFirst sentence. [1]"]
    reply.done(ANSWER)
    (text,) = bench.texts
    assert text.startswith("First sentence. [1] Second sentence. [1] Third sentence. [1]")
    assert bench.streams.calls == ["status", "start", "append", "close"]
    reply.end()
    assert bench.streams.calls[-1] == "close"  # no status was there to be cleared


def test_where_neither_status_nor_stream_is_to_be_had_one_message_is_changed_after_pauses(bench):
    bench.streams.fails |= {"status": Refused("status", "unknown"), "start": Refused("start", "unknown")}
    reply = bench.reply()
    reply.begun("Looking")
    assert bench.texts == ["Looking"]
    reply.sentence(FIRST, [CITATION])
    assert bench.texts == ["Looking"]  # what follows a moment later comes with it
    bench.now += LIMITS.update_seconds
    reply.sentence(SECOND, [])
    assert bench.texts == ["First sentence. [1] Second sentence. [1]"]
    before = bench.now
    reply.done(ANSWER)
    assert bench.now - before == LIMITS.update_seconds
    (text,) = bench.texts
    assert text.startswith("First sentence. [1] Second sentence. [1] Third sentence. [1]")
    assert bench.streams.calls == ["status", "start"]


def test_an_answer_that_is_whole_at_once_waits_for_nothing(bench):
    reply, before = bench.reply(streams=False), bench.now
    reply.begun("Looking")
    for sentence in ANSWER.sentences:
        reply.sentence(sentence, [CITATION])
    reply.done(ANSWER)
    assert bench.now == before
    assert len(bench.texts) == 1
    assert "Third" in bench.texts[0]


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
    before = bench.now
    reply.done(ANSWER)
    assert "Third sentence. [1] (whole)" in bench.texts[0]
    assert bench.now - before == Late.wait - 2  # as long as it was told to, and the answer still comes


def test_an_edit_that_has_to_wait_holds_back_the_next_one_and_the_last(bench):
    reply = bench.reply(streams=False)
    reply.begun("Looking")
    bench.now += LIMITS.update_seconds
    bench.transport.fails = Late("too fast")
    reply.sentence(FIRST, [CITATION])
    bench.now += 1
    reply.sentence(SECOND, [])
    assert bench.texts == ["Looking"]
    reply.done(ANSWER)
    assert bench.now == 100 + LIMITS.update_seconds + Late.wait
    assert "Third" in bench.texts[0]


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
def test_what_may_not_be_shown_any_more_is_replaced_by_the_line_that_says_so(bench, streams, shown):
    reply = bench.reply(streams=streams)
    reply.begun("Looking")
    for sentence in (FIRST, SECOND, THIRD)[:shown]:
        bench.now += 60
        reply.sentence(sentence, [CITATION])
    assert any("First sentence." in text for text in bench.texts)
    reply.done(WITHDRAWN)
    assert bench.texts == ["The documents changed."]
    assert "finish" not in bench.streams.calls


# Statuses that stay, and answers that are stopped


def ended(reply: StreamingReply, show: Callable[[StreamingReply], None]) -> None:
    reply.begun("Looking")
    reply.sentence(FIRST, [CITATION])
    show(reply)
    reply.end()


@pytest.mark.parametrize(
    "show",
    [
        pytest.param(lambda reply: reply.failed("Sorry"), id="failed"),
        pytest.param(lambda reply: reply.done(WITHDRAWN), id="withdrawn"),
        pytest.param(lambda reply: reply.stopped(keep=lambda: True), id="stopped"),
        pytest.param(lambda reply: None, id="said-nothing"),
    ],
)
def test_a_status_that_stays_is_cleared_whatever_comes_of_the_question(bench, show):
    ended(bench.reply(), show)
    assert bench.streams.calls[-1] == "clear"
    assert bench.streams.calls.count("clear") == 1


def test_a_status_that_a_reply_ends_is_cleared_where_there_is_none(bench):
    bench.streams.stays = False
    ended(bench.reply(), lambda reply: reply.failed("Sorry"))
    assert "clear" not in bench.streams.calls
    silent = bench.reply()
    silent.begun("Looking")
    silent.end()
    assert bench.streams.calls[-1] == "clear"


def test_the_end_of_a_stream_takes_the_status_along(bench):
    ended(bench.reply(), lambda reply: reply.done(ANSWER))
    assert bench.streams.calls == ["status", "start", "finish"]


def test_a_stream_that_cannot_be_ended_leaves_the_status_to_be_cleared(bench):
    bench.streams.fails["finish"] = Refused("finish", "unknown")
    ended(bench.reply(), lambda reply: reply.done(ANSWER))
    assert bench.streams.calls[-1] == "clear"


def test_what_a_dead_worker_may_have_left_is_cleared_too(bench):
    reply = bench.reply(checkpoint=Checkpoint("000002", streams=True), is_resumed=True)
    reply.failed("Sorry")
    reply.end()
    assert bench.streams.calls[-1] == "clear"


def test_no_status_is_cleared_where_none_was_shown(bench):
    reply = bench.reply()
    reply.failed("Too long")
    reply.end()
    assert bench.streams.calls == []


@pytest.mark.parametrize("streams", [True, False], ids=["stream", "message"])
def test_what_can_be_read_stays_when_it_is_stopped_and_nothing_can_be_pressed(bench, streams):
    reply = bench.reply(streams=streams)
    reply.begun("Looking")
    bench.now += 60
    reply.sentence(FIRST, [CITATION])
    reply.sentence(SECOND, [])  # checked, and not shown yet
    reply.stopped(keep=lambda: True)
    assert bench.texts == ["First sentence. [1]\n\nStopped."]
    assert [each.buttons for each in bench.chat.posts if each.user == BOT] == [[]]


def test_what_may_not_be_read_any_more_goes_when_it_is_stopped(bench):
    reply = bench.reply()
    reply.begun("Looking")
    reply.sentence(FIRST, [CITATION])
    reply.stopped(keep=lambda: False)
    assert bench.texts == ["Stopped."]


def test_where_nothing_was_shown_yet_it_is_said_that_it_was_stopped(bench):
    reply = bench.reply()
    reply.begun("Looking")
    reply.stopped(keep=lambda: pytest.fail("there is nothing to be kept"))
    assert bench.texts == ["Stopped."]
