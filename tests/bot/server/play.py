"""A platform that does as it is told, for tests of the process around it."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from bot.channels.port import Accept
from bot.errors import BotError
from bot.services.diagnostics.check import Check
from bot.state.protocol import Claim, Event

_numbers = count()


def event(*, turn: str = "", platform: str = "playing", name: str = "") -> Event:
    return Event(platform, name or f"Ev{next(_numbers):05}", datetime.now(UTC), '{"text": "hunter2"}', turn)


def until(go: threading.Event) -> Callable[[Claim], None]:
    """Work that takes until then."""

    def play(_: Claim) -> None:
        assert go.wait(20)

    return play


@dataclass
class Playing:
    """Handles by `play`, gives up by `telling`, and keeps what it was given; `fails` is what `start` raises."""

    name: str = "playing"
    play: Callable[[Claim], None] = lambda _: None
    telling: Callable[[Claim], None] = lambda _: None
    addresses: Sequence[Any] = ()
    fails: BotError | None = None
    handled: list[Claim] = field(default_factory=list)
    given_up: list[Claim] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    accept: Accept | None = None
    guard: threading.Lock = field(default_factory=threading.Lock)

    def routes(self) -> Sequence[Any]:
        return self.addresses

    def start(self, accept: Accept) -> None:
        self.calls.append("start")
        if self.fails:
            raise self.fails
        self.accept = accept

    def handle(self, claim: Claim) -> None:
        with self.guard:
            self.handled.append(claim)
        self.play(claim)

    def give_up(self, claim: Claim) -> None:
        self.given_up.append(claim)
        self.telling(claim)

    def stop(self) -> None:
        self.calls.append("stop")

    def findings(self) -> Iterable[Check]:
        return ()


@dataclass
class Watching:
    """Remembers what it was told."""

    told: list[tuple[Any, ...]] = field(default_factory=list)

    def refused(self, platform: str) -> None:
        self.told.append(("refused", platform))

    def failed(self, platform: str, error: BaseException) -> None:
        self.told.append(("failed", platform, type(error).__name__))

    def handled(self, platform: str, seconds: float) -> None:
        assert seconds >= 0
        self.told.append(("handled", platform))
