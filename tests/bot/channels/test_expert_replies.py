"""What experts reply reaches whoever asked once, whatever fails on the way, comes late, twice or in another order."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.channels.events import IncomingEvent, Place, accept_event, message_event, send_event
from bot.channels.port import NotDelivered
from bot.state.protocol import Event
from tests.conversations.memory_channel import NAME, WORKSPACE, MemoryTransport, Post
from tests.conversations.test_memory import MemoryStage, opened
from tests.scripted_app import QUESTION

SIX, SEVEN = "Six days, from next year on.", "Seven days, from next year on."
NO_TIME = timedelta(0)


@pytest.fixture
def stage(tmp_path) -> Iterator[MemoryStage]:
    with opened(tmp_path, with_model=False) as made:
        yield made


def asked_a_person(stage: MemoryStage) -> Any:
    asked = stage.asks(QUESTION)
    asked.asks_a_person()
    return asked


def shown(stage: MemoryStage, room: str) -> list[str]:
    """All that the bot says in a room, but to one person alone."""
    stage.settle()
    return [each.text for each in stage.chat.posts if each.channel == room and each.user == "bot" and not each.only_for]


def last_of_experts(stage: MemoryStage) -> Post:
    return [each for each in stage.chat.posts if each.channel == "experts" and each.user != "bot"][-1]


def tell(stage: MemoryStage, kind: Any, post: Post, *, text: str = "", version: str = "") -> None:
    """The platform tells of a message, as it was at some time."""
    place = stage.channel._place(post.channel, thread=post.thread, message=post.id)
    event = message_event(kind, place, post.user, text or post.text, edited=version)
    assert stage.channel._acceptor
    stage.channel._acceptor.accept_message(event)


def handle_again(stage: MemoryStage, post: Post) -> None:
    """The platform tells of a message once more, when nobody remembers that it did."""
    place = stage.channel._place(post.channel, thread=post.thread, message=post.id)
    event = replace(message_event("question", place, post.user, post.text), kind="expert")
    stage.app.state.accept(Event(NAME, f"{event.id}:again", datetime.now(UTC), event.to_json()))
    stage.settle()


class Failing:
    """Lets the call of the transport with this number fail after it was done; counts all."""

    def __init__(self, patch: pytest.MonkeyPatch, number: int) -> None:
        self.count, self.number = 0, number
        for name in ("post", "edit", "delete"):
            patch.setattr(MemoryTransport, name, self._wrapped(getattr(MemoryTransport, name)))

    def _wrapped(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(transport: MemoryTransport, *arguments: Any, **named: Any) -> Any:
            result = method(transport, *arguments, **named)
            self.count += 1
            if self.count == self.number:
                raise NotDelivered("the word of it got lost")
            return result

        return call


class RetryingStage(MemoryStage):
    """Tries an event again that could not be delivered."""

    def settle(self) -> None:
        state = self.app.state
        while claim := state.claim("worker", lease=timedelta(minutes=1), now=datetime.now(UTC)):
            try:
                self.channel.handle(claim)
            except NotDelivered:
                state.renew(claim, lease=NO_TIME, now=datetime.now(UTC))
            else:
                state.finish(claim, now=datetime.now(UTC))


def live_through(stage: MemoryStage) -> list[list[str]]:
    """Ask, reply with talk and answer, send the talk, edit, accept, delete; what stands there after each step."""
    asked = asked_a_person(stage)
    steps: tuple[Callable[[], None], ...] = (
        lambda: stage.expert_answers("let me check"),
        stage.expert_sends,
        lambda: stage.expert_edits(SIX),
        stage.expert_accepts,
        lambda: stage.expert_edits(SEVEN),
        stage.expert_deletes,
        lambda: stage.expert_answers(SIX, who="Bob"),
        asked.deletes,
        lambda: stage.expert_answers(SEVEN, who="Mia"),
    )
    seen = []
    for step in steps:
        step()
        seen += [sorted(shown(stage, "general")), sorted(shown(stage, "experts"))]
    return seen


def test_a_call_that_is_lost_at_any_moment_changes_nothing(tmp_path):
    with opened(tmp_path / "whole", with_model=False) as stage, pytest.MonkeyPatch.context() as patch:
        counted = Failing(patch, 0)
        expected = live_through(stage)
    assert counted.count > 20
    for number in range(1, counted.count + 1):
        with opened(tmp_path / str(number), with_model=False) as made, pytest.MonkeyPatch.context() as patch:
            Failing(patch, number)
            stage = RetryingStage(made.chat, made.app, made.model)
            assert live_through(stage) == expected, number


def test_what_is_told_again_much_later_is_sent_once(stage):
    asked_a_person(stage)
    stage.expert_answers(SIX)
    before = shown(stage, "general"), shown(stage, "experts")
    for _ in range(2):
        handle_again(stage, last_of_experts(stage))
    assert (shown(stage, "general"), shown(stage, "experts")) == before
    stage.expert_answers("ok thanks")
    before = shown(stage, "general"), shown(stage, "experts")
    handle_again(stage, last_of_experts(stage))
    assert (shown(stage, "general"), shown(stage, "experts")) == before


def test_a_message_that_is_told_of_after_its_deletion_is_passed_over(stage):
    asked_a_person(stage)
    (request,) = [each for each in stage.chat.posts if each.channel == "experts"]
    post = stage.chat.add("experts", "Eve", SIX, thread=request.id)
    stage.chat.posts.remove(post)
    before = shown(stage, "general"), shown(stage, "experts")
    tell(stage, "delete", post)
    stage.settle()
    tell(stage, "question", post)
    assert (shown(stage, "general"), shown(stage, "experts")) == before


@pytest.mark.parametrize("first", ["edit", "question"])
def test_an_edit_in_any_order_ends_in_what_stands_there_once(stage, first):
    asked_a_person(stage)
    (request,) = [each for each in stage.chat.posts if each.channel == "experts"]
    post = stage.chat.add("experts", "Eve", SEVEN, thread=request.id)
    told: list[tuple[Any, str, str]] = [("edit", SEVEN, "2"), ("edit", SIX, "1"), ("question", SIX, "")]
    for kind, text, version in told if first == "edit" else told[::-1]:
        tell(stage, kind, post, text=text, version=version)
        stage.settle()
    assert [SEVEN in each for each in shown(stage, "general")].count(True) == 1
    assert not any(SIX in each for each in shown(stage, "general"))


def test_an_answer_that_became_talk_before_it_was_read_is_not_sent(stage):
    asked_a_person(stage)
    (request,) = [each for each in stage.chat.posts if each.channel == "experts"]
    post = stage.chat.add("experts", "Eve", "no, wait, let me check", thread=request.id)
    tell(stage, "question", post, text=SIX)
    assert not any(SIX in each or "wait" in each for each in shown(stage, "general"))


def test_after_something_was_sent_only_its_author_corrects_it_without_a_button(stage):
    asked_a_person(stage)
    stage.expert_answers(SIX)
    stage.expert_answers(f"Actually, {SEVEN.casefold()}", who="Bob")
    stage.expert_answers("Three days for part-time staff.")
    assert not any("seven" in each or "Three" in each for each in shown(stage, "general"))
    stage.expert_answers(f"Sorry, {SEVEN.casefold()}")
    assert sum("seven" in each for each in shown(stage, "general")) == 1


def test_what_a_guest_would_read_is_taken_back_when_it_is_changed(stage):
    asked_a_person(stage)
    stage.expert_answers(SIX)
    stage.joins("Gil", "general")
    stage.expert_edits(SEVEN)
    assert not any("days, from" in each for each in shown(stage, "general"))
    assert any("who reads where the question was asked has changed" in each for each in shown(stage, "experts"))


def test_the_same_question_asked_twice_of_a_person_reaches_the_owners_once(stage):
    asked = asked_a_person(stage)
    asked.asks_a_person()
    assert len([each for each in shown(stage, "experts") if QUESTION in each]) == 1
    assert len([each for each in shown(stage, "general") if "passed this question on" in each]) == 1


def test_a_question_that_could_not_be_passed_on_may_be_passed_on_again(stage):
    asked = stage.asks(QUESTION)
    (answer,) = [each for each in asked._posts("Ada") if each.buttons]
    with pytest.MonkeyPatch.context() as patch:
        Failing(patch, 1)
        stage.channel.press("Ada", answer, "person")
        claim = stage.app.state.claim("worker", lease=NO_TIME, now=datetime.now(UTC))
        assert claim
        with pytest.raises(NotDelivered):
            stage.channel.handle(claim)
    stage.channel.give_up(claim)
    stage.app.state.finish(claim, now=datetime.now(UTC))
    asked.asks_a_person()
    assert any(QUESTION in each for each in shown(stage, "experts"))


def test_an_edited_question_that_is_deleted_is_withdrawn_where_its_first_words_were_passed_on(stage):
    asked = asked_a_person(stage)
    asked.edits(f"{QUESTION} I mean, in all?")
    stage.settle()
    asked.deletes()
    assert not any(QUESTION in each for each in shown(stage, "experts"))


@pytest.mark.parametrize("make", [accept_event, send_event])
def test_nobody_sends_or_accepts_from_another_place(stage, make):
    asked_a_person(stage)
    stage.expert_answers("let me check")
    before = shown(stage, "general"), shown(stage, "experts")
    said = last_of_experts(stage)
    thread = Place(NAME, WORKSPACE, "general", thread=said.thread)
    event = make(IncomingEvent("question", "", thread, "Ada"), said.id, press="1")
    stage.channel._accept(event)
    assert (shown(stage, "general"), shown(stage, "experts")) == before
    assert stage.corrections() == []
    assert "not there any more" in [each.text for each in stage.chat.posts if each.only_for == "Ada"][-1]
