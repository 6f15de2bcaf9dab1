"""The server behind the Redis stores: names keys, runs scripts and pipelines, and maps the client's errors to ours."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from feedback.codec import from_bytes, from_json
from feedback.errors import FeedbackUnavailable
from feedback.records import R
from feedback.stores.redis.connection import (
    Address,
    client_errors,
    connect,
    is_installed,
    parse_url,
    unknown_script,
)

PAGE = 100

Command = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a Lua script with its keys and values."""

    script: str
    keys: tuple[bytes, ...]
    values: tuple[Any, ...]

    def command(self, *, known: bool) -> Command:
        """Return the command; by the script's digest where the server is `known` to have it."""
        name, script = ("EVALSHA", _digest(self.script)) if known else ("EVAL", self.script)
        return (name, script, len(self.keys), *self.keys, *self.values)


class Server:
    """One workspace of a server or cluster; threads may share it. It connects when it is first used."""

    def __init__(self, url: str, *, workspace: str, timeout: float) -> None:
        """Raise `FeedbackUnavailable` for a url that is none, or where the client is not installed."""
        try:
            self.address: Address = parse_url(url)
        except ValueError as error:
            raise FeedbackUnavailable(f"`redis_url` must be {error}") from None
        if not is_installed():
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
        """Yield the client; everything that it raises becomes `FeedbackUnavailable`."""
        if self._closed:
            raise FeedbackUnavailable(f"the feedback store at {self.address.place} has been closed")
        with self._map_errors():
            yield self._connect() if self._connected is None else self._connected

    def key(self, kind: str, name: bytes | None = None) -> bytes:
        """Return the key of this kind and name in the workspace."""
        return self._prefix + kind.encode() + (b"" if name is None else b":" + name)

    def run(self, call: Call) -> int:
        """Run a script that returns a number; the server is sent its text only where it does not know it."""
        with self.client() as client:
            try:
                return int(client.execute_command(*call.command(known=True)))
            except unknown_script():
                return int(client.execute_command(*call.command(known=False)))

    def run_all(self, calls: Sequence[Call]) -> list[int]:
        """Run scripts in this order in one round trip and return their numbers."""
        seen: set[str] = set()
        commands = []
        for call in calls:
            commands.append(call.command(known=call.script in seen))
            seen.add(call.script)
        replies = self._replies(commands)
        if any(isinstance(each, unknown_script()) for each in replies):  # somebody has flushed the server's scripts
            return [self.run(call) for call in calls]
        return list(map(int, self._raise_errors(replies)))

    def pipeline(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands in one round trip and return the reply to each; raises the first error among them."""
        return self._raise_errors(self._replies(commands))

    def get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the strings under these keys, None for each that is not there."""
        found: list[bytes | None] = []
        with self.client() as client:
            for begin in range(0, len(keys), PAGE * 10):
                found += client.mget(keys[begin : begin + PAGE * 10])
        return found

    def parse(self, record_type: type[R], record: bytes) -> R:
        """Return the record that a key holds; raises `FeedbackUnavailable`, which names the server."""
        try:
            return from_json(record_type, from_bytes(record.partition(b"\n")[0]))
        except ValueError as error:
            message = f"a record in the feedback store at {self.address.place} cannot be read: {error}"
            raise FeedbackUnavailable(message) from error

    def close(self) -> None:
        """Close the connections; a second time changes nothing."""
        with self._lock:
            self._closed, connected, self._connected = True, self._connected, None
        if connected is not None:
            with self._map_errors():
                connected.close()

    def _connect(self) -> Any:
        made = connect(self.address, timeout=self._timeout)
        with self._lock:  # not while connecting: nobody waits for another's timeout
            if self._connected is None:
                self._connected = made
            return self._connected

    @contextmanager
    def _map_errors(self) -> Iterator[None]:
        try:
            yield
        except client_errors() as error:
            # What a server does not know it repeats with its arguments, which may be somebody's words.
            reason = " ".join(str(error).partition(", with args")[0].split()) or type(error).__name__
            raise FeedbackUnavailable(
                f"the feedback store at {self.address.place} cannot be used ({reason}); see that it runs and has room, "
                "and that `redis_url` names it and a user who may write"
            ) from error

    def _replies(self, commands: Sequence[Command]) -> list[Any]:
        if not commands:
            return []
        with self.client() as client:
            pipe = client.pipeline() if self.address.cluster else client.pipeline(transaction=False)
            for command in commands:
                pipe.execute_command(*command)
            replies: list[Any] = pipe.execute(raise_on_error=False)
            return replies

    def _raise_errors(self, replies: list[Any]) -> list[Any]:
        for each in replies:
            if isinstance(each, Exception):
                with self._map_errors():
                    raise each
        return replies


@cache
def _digest(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


def as_bytes(text: str) -> bytes:
    """Return the text in UTF-8; half a character, as of an undecodable file name, is escaped."""
    return text.encode("utf-8", "backslashreplace")
