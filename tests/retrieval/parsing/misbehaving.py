"""A parser that does what a file tells it to, however bad; workers of tests have it for `.txt`."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.passages import Block

# What a worker runs in place of its own program.
PROGRAM = """
import sys; sys.path[:] = sys.argv[4:]
from retrieval.parsing import registry, worker
from tests.retrieval.parsing import misbehaving
sys.modules["retrieval.parsing.misbehaving"] = misbehaving
registry.FORMATS[".txt"] = "misbehaving"
worker.serve(*sys.argv[1:4])
"""


def parse(name: str, data: bytes) -> Parsed | Skipped:
    """Do what the first word says, with the rest of the words."""
    command, *arguments = data.decode().split()
    return text(COMMANDS[command](*arguments) or "done")


def text(content: str) -> Parsed:
    return Parsed(content, (Block("paragraph", 0, len(content)),))


def send(payload: bytes) -> None:
    socket.socket(fileno=os.dup(0)).sendall(payload)


def wait_for_ever(notes: str = "") -> str:
    """Note the worker's own id in a file, and wait."""
    if notes:
        with Path(notes).open("a") as file:
            file.write(f"{os.getpid()}\n")
    while True:
        time.sleep(60)


def spin() -> str:
    while True:
        pass


def fill_memory() -> str:
    kept = []
    while True:
        kept.append(bytearray(1024 * 1024))


def die_unless_first(marker: str) -> str:
    """Die of what an earlier file has left behind."""
    if Path(marker).exists():
        Path(marker).unlink()
        os.kill(os.getpid(), signal.SIGSEGV)
    return "first"


COMMANDS: dict[str, Callable[..., str | None]] = {
    "say": lambda *words: " ".join(words),
    "pid": lambda: str(os.getpid()),
    "modules": lambda: " ".join(sorted(sys.modules)),
    "die": lambda name: os.kill(os.getpid(), getattr(signal, name)),
    "die-unless-first": die_unless_first,
    "exit": lambda status: os._exit(int(status)),
    "wait": wait_for_ever,
    "spin": spin,
    "fill": fill_memory,
    "use": lambda mib: str(len(b"x" * (int(mib) * 1024 * 1024))),
    "write": lambda size: "a" * int(size),
    "half": lambda: "\ud800",
    "print": lambda: print("noise", flush=True) or print("noise", file=sys.stderr, flush=True),  # noqa: T201
    "send-garbage": lambda: send((7).to_bytes(8) + b"garbage"),
    "send-another-type": lambda: send((10).to_bytes(8) + b"\x81\xa6parsed\x07\x07"),
    "announce": lambda size: send(int(size).to_bytes(8)),
}
