"""One call to a chat model: its limits, and how each provider's way of ending and failing is read."""

import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from langchain.chat_models import base
from langchain_core.messages import AIMessageChunk

from bot.answering.writing.chat_model import ChatModel, Deadline, Limits, open_model
from bot.answering.writing.prompts import Prompt
from bot.errors import BotError, GenerationFailed

LIMITS = Limits(seconds=5)
PROMPT = Prompt("rules", "data", "#m")


class Scripted:
    """What LangChain gives for a model: it streams these pieces, an error in its place."""

    def __init__(self, *pieces: Any) -> None:
        self.pieces = pieces

    def stream(self, messages: Any) -> Iterator[AIMessageChunk]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


def chunk(text: str, **ending: str) -> AIMessageChunk:
    return AIMessageChunk(content=text, response_metadata=ending)


def stream(*pieces: Any, limits: Limits = LIMITS) -> list[str]:
    scripted: Any = Scripted(*pieces)
    return list(ChatModel(lambda _: scripted, name="p:m", limits=limits).stream(PROMPT, Deadline(limits)))


def failure(*pieces: Any, limits: Limits = LIMITS) -> GenerationFailed:
    with pytest.raises(GenerationFailed) as caught:
        stream(*pieces, limits=limits)
    return caught.value


@pytest.mark.parametrize(
    "ending",
    [{"finish_reason": "stop"}, {"stop_reason": "end_turn"}, {"done_reason": "stop"}, {"finish_reason": "STOP"}],
)
def test_a_model_that_has_ended_is_believed(ending):
    assert stream(chunk("Five "), chunk("days."), chunk("", **ending)) == ["Five ", "days."]


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        ({"finish_reason": "length"}, "truncated"),
        ({"stop_reason": "max_tokens"}, "truncated"),
        ({"finish_reason": "MAX_TOKENS"}, "truncated"),
        ({"done_reason": "length"}, "truncated"),
        ({"finish_reason": "content_filter"}, "refused"),
        ({"stop_reason": "refusal"}, "refused"),
        ({"finish_reason": "SAFETY"}, "refused"),
        ({}, "truncated"),
    ],
)
def test_every_other_ending_is_a_failure_of_its_kind(ending, kind):
    assert failure(chunk("Five"), chunk("", **ending)).kind == kind


def test_content_in_blocks_is_read_without_what_the_model_thinks():
    blocks: Any = [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "Five."}]
    assert stream(AIMessageChunk(content=blocks), chunk("", stop_reason="end_turn")) == ["Five."]


def test_more_than_the_limit_of_characters_is_not_read():
    assert failure(chunk("x" * 50), chunk("y" * 60), limits=Limits(characters=100)).kind == "truncated"


class Unwanted(Exception):
    """Nobody wants the reply any more."""


@pytest.mark.parametrize("pieces", [0, 1], ids=["before-it-begins", "in-the-middle"])
def test_a_model_that_is_silent_is_waited_for_only_as_long_as_somebody_wants_it(pieces):
    released, asked = threading.Event(), []

    class Silent(Scripted):
        def stream(self, messages: Any) -> Iterator[AIMessageChunk]:
            yield from super().stream(messages)
            released.wait(60)

    def check() -> None:
        asked.append(1)
        if len(asked) > pieces + 1:  # not at the first call, which does not wait
            raise Unwanted

    silent: Any = Silent(*[chunk("Five ")] * pieces)
    replies = ChatModel(lambda _: silent, name="p:m", limits=LIMITS).stream(PROMPT, Deadline(LIMITS), check=check)
    try:
        with pytest.raises(Unwanted):
            list(replies)
    finally:
        released.set()


class APITimeoutError(Exception):
    """Named like a client's."""


class Refused(Exception):
    """An HTTP status as the clients give it, in one of the ways that they do."""

    def __init__(self, status: int, *, headers: dict[str, str] | None = None, where: str = "status_code") -> None:
        super().__init__("refused")
        response: Any = type("Response", (), {"status_code": status, "headers": headers or {}})()
        if where == "response":
            self.response = response
        else:
            setattr(self, where, status)
            self.response = type("Response", (), {"headers": headers or {}})()


@pytest.mark.parametrize(
    ("error", "kind", "again", "wait"),
    [
        pytest.param(APITimeoutError(), "timeout", False, 0, id="timeout"),
        pytest.param(OSError("gone"), "unavailable", True, 0, id="connection"),
        pytest.param(ValueError("garbage"), "unavailable", True, 0, id="garbage"),
        pytest.param(Refused(401), "unavailable", False, 0, id="key"),
        pytest.param(Refused(404, where="response"), "unavailable", False, 0, id="unknown-model"),
        pytest.param(Refused(529, where="code"), "unavailable", True, 0, id="overloaded"),
        pytest.param(Refused(503, headers={"retry-after": "2"}), "unavailable", True, 2, id="maintenance"),
        pytest.param(Refused(429, headers={"retry-after": "1.5"}), "rate-limited", True, 1.5, id="rate"),
        pytest.param(Refused(429, headers={"retry-after": "soon"}), "rate-limited", True, 0, id="senseless-wait"),
        pytest.param(Refused(429, headers={"retry-after": "-5"}), "rate-limited", True, 0, id="past-wait"),
    ],
)
def test_what_a_client_raises_becomes_a_kind_of_failure(error, kind, again, wait):
    found = failure(error)
    assert (found.kind, found.again, found.wait) == (kind, again, wait)
    assert "refused" not in str(found)


def test_a_server_may_name_the_hour_at_which_to_come_back():
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 50 < failure(Refused(429, headers={"retry-after": then})).wait <= 60


@pytest.mark.parametrize(
    ("absent", "model", "package"),
    [("langchain.chat_models", "openai:x", "langchain-openai"), ("langchain_openai", "openai:x", "langchain-openai")],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(absent, model, package, monkeypatch):
    base._get_chat_model_creator.cache_clear()  # a provider's module is remembered once it was imported
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(BotError, match=r"pip install 'footnote-bot\[chat-models\]' " + package + "$"):
        open_model(model, limits=Limits())


def test_a_key_that_is_missing_is_one_line_without_the_client_s_words(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(
        BotError, match=r"the model 'openai:x' cannot be used: .* set `model_api_key` if it wants a key"
    ):
        open_model("openai:x", limits=Limits())
