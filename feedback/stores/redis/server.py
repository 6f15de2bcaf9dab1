"""The server behind the Redis store: its keys, its scripts, many commands at once, and its errors as ours."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from feedback.codec import from_bytes
from feedback.errors import FeedbackUnavailable
from feedback.records import Exchange, R, Record, from_json, to_json, to_text
from feedback.stores.redis.connection import Address, address, connect, failures, installed, unknown_script

PAGE = 100
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
DIGITS = 18  # microseconds up to the year 9999

Command = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A script with its keys and values."""

    script: str
    keys: tuple[bytes, ...]
    values: tuple[Any, ...]

    def command(self, *, known: bool) -> Command:
        """By the script's digest, where the server is known to have it."""
        name, script = ("EVALSHA", _digest(self.script)) if known else ("EVAL", self.script)
        return (name, script, len(self.keys), *self.keys, *self.values)


class Server:
    """A server or cluster, in one workspace of it; threads may share it. It connects when it is first used."""

    def __init__(self, url: str, *, workspace: str, timeout: float) -> None:
        """Raise `FeedbackUnavailable` for a url that is none, or where the client is not installed."""
        try:
            self.address: Address = address(url)
        except ValueError as error:
            raise FeedbackUnavailable(f"`redis_url` must be {error}") from None
        if not installed():
            raise FeedbackUnavailable(
                "`redis_url` needs a package that is not installed: pip install 'footnote-bot[redis]'"
            )
        self._prefix = f"footnote:{{{workspace}}}:".encode()
        self._timeout = timeout
        self._lock = threading.Lock()
        self._connected: Any = None
        self._closed = False

    @contextmanager
    def client(self) -> Iterator[Any]:
        """The client; everything that it raises becomes `FeedbackUnavailable`."""
        if self._closed:
            raise FeedbackUnavailable(f"the feedback store at {self.address.place} has been closed")
        with self._mapped():
            yield self._connect() if self._connected is None else self._connected

    def key(self, kind: str, name: bytes | None = None) -> bytes:
        """The key of this kind and name in the workspace."""
        return self._prefix + kind.encode() + (b"" if name is None else b":" + name)

    def run(self, call: Call) -> int:
        """What the script says; the server is sent its text only where it does not know it."""
        with self.client() as client:
            try:
                return int(client.execute_command(*call.command(known=True)))
            except unknown_script():
                return int(client.execute_command(*call.command(known=False)))

    def run_all(self, calls: Sequence[Call]) -> list[int]:
        """What each of these scripts says, run in this order in one journey."""
        seen: set[str] = set()
        commands = []
        for call in calls:
            commands.append(call.command(known=call.script in seen))
            seen.add(call.script)
        said = self._piped(commands)
        if any(isinstance(each, unknown_script()) for each in said):  # somebody has emptied the server's memory of them
            return [self.run(call) for call in calls]
        return list(map(int, self._sound(said)))

    def all(self, commands: Sequence[Command]) -> list[Any]:
        """What the server says to each of these commands, in one journey."""
        return self._sound(self._piped(commands))

    def get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """What stands under these keys."""
        found: list[bytes | None] = []
        with self.client() as client:
            for begin in range(0, len(keys), PAGE * 10):
                found += client.mget(keys[begin : begin + PAGE * 10])
        return found

    def parsed(self, kind: type[R], record: bytes) -> R:
        """The record that stands there; raises `FeedbackUnavailable` for anything else."""
        try:
            return from_json(kind, from_bytes(record.partition(b"\n")[0]))
        except ValueError as error:
            message = f"a record in the feedback store at {self.address.place} cannot be read: {error}"
            raise FeedbackUnavailable(message) from error

    def close(self) -> None:
        """Let go of the server; a second time changes nothing."""
        with self._lock:
            self._closed, connected, self._connected = True, self._connected, None
        if connected is not None:
            with self._mapped():
                connected.close()

    def _connect(self) -> Any:
        made = connect(self.address, timeout=self._timeout)
        with self._lock:  # not while connecting: nobody waits for another's timeout
            if self._connected is None:
                self._connected = made
            return self._connected

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except failures() as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise FeedbackUnavailable(
                f"the feedback store at {self.address.place} cannot be used ({said}); see that it runs and has room, "
                "and that `redis_url` names it and a user who may write"
            ) from error

    def _piped(self, commands: Sequence[Command]) -> list[Any]:
        if not commands:
            return []
        with self.client() as client:
            pipe = client.pipeline() if self.address.cluster else client.pipeline(transaction=False)
            for command in commands:
                pipe.execute_command(*command)
            said: list[Any] = pipe.execute(raise_on_error=False)
            return said

    def _sound(self, said: list[Any]) -> list[Any]:
        for each in said:
            if isinstance(each, Exception):
                with self._mapped():
                    raise each
        return said


@cache
def _digest(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


def moment(at: datetime, name: bytes) -> bytes:
    """A time and an id or key as bytes that sort like both."""
    return b"%0*d" % (DIGITS, (at - BEGINNING) // timedelta(microseconds=1)) + name


def name_in(of: bytes) -> bytes:
    """The id or key in a moment."""
    return of[DIGITS:]


def encoded(record: Record) -> str:
    """The record's JSON as it is kept; that of an exchange without words begins with saying so."""
    row = to_json(record)
    if isinstance(record, Exchange) and record.pruned:
        row = {"pruned": True, **row}
    return to_text(row)


def as_bytes(text: str) -> bytes:
    """The text in UTF-8; a file name's undecodable byte, half a character, is written out."""
    return text.encode("utf-8", "backslashreplace")
