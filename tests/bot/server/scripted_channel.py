"""A channel that does what a test says, for tests of the server around it."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from bot.channels.port import Accept, ChannelHealth
from bot.errors import BotError
from bot.services.diagnostics.check import Check
from bot.state.protocol import Claim, Event

_numbers = count()


def event(*, turn: str = "", platform: str = "scripted", name: str = "") -> Event:
    return Event(platform, name or f"Ev{next(_numbers):05}", datetime.now(UTC), '{"text": "hunter2"}', turn)


def wait_for(go: threading.Event) -> Callable[[Claim], None]:
    """A handler that returns once `go` is set."""

    def handle(_: Claim) -> None:
        assert go.wait(20)

    return handle


@dataclass
class ScriptedChannel:
    """Calls `on_handle`, `on_give_up` and `on_stop`, and records what it was given; `fails` is what `start` raises."""

    name: str = "scripted"
    on_handle: Callable[[Claim], None] = lambda _: None
    on_give_up: Callable[[Claim], None] = lambda _: None
    on_stop: Callable[[], None] = lambda: None
    addresses: Sequence[Any] = ()
    fails: BotError | None = None
    state: ChannelHealth = field(default_factory=ChannelHealth)
    handled: list[Claim] = field(default_factory=list)
    given_up: list[Claim] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    accept: Accept | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def routes(self) -> Sequence[Any]:
        return self.addresses

    def health(self) -> ChannelHealth:
        return self.state

    def start(self, accept: Accept) -> None:
        self.calls.append("start")
        if self.fails:
            raise self.fails
        self.accept = accept

    def handle(self, claim: Claim) -> None:
        with self.lock:
            self.handled.append(claim)
        self.on_handle(claim)

    def give_up(self, claim: Claim) -> None:
        self.given_up.append(claim)
        self.on_give_up(claim)

    def stop(self) -> None:
        self.calls.append("stop")
        self.on_stop()

    def findings(self) -> Iterable[Check]:
        return ()
