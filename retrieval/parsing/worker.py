"""Parses files in a process of its own, so that one that takes too much memory or time costs itself alone.

Parent and worker talk over a socket, in frames of eight bytes of length and a payload. The parent sends a file's name
and content, the worker answers with what the parser made of it, in MessagePack: nothing that a worker sends can run.
The worker limits itself, the parent what it waits for and holds. Whatever ends a worker, the next file gets another.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from retrieval.errors import ParserUnavailable
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.registry import OUT_OF_MEMORY, parse, refusal

_MIB = 1024 * 1024
_LENGTH_BYTES = 8
_READY = b"ready"
_OUT_OF_MEMORY_STATUS = 99
# What a native library does when an allocation fails is to abort; SIGKILL is what the kernel does when memory is short.
_MEMORY_SIGNALS = frozenset({-signal.SIGABRT, -signal.SIGKILL})
# Address space beside the data: programs, libraries and what the allocator reserves without using it.
_ADDRESSES_BESIDE_DATA = 1024 * _MIB
# A worker that has held more than this share of its memory is replaced, so that no file pays for those before it.
_USUAL_SHARE = 0.25
# A library that finds nothing wrong but too little memory may report a broken file.
_SHORT_SHARE = 0.8
# Memory beside the data, such as programs and libraries, as a share.
_TOLERANCE = 1.25
_WATCH_SECONDS = 0.2
_SECONDS_TO_END = 5.0
# The worker sees the modules that its parent sees, from the same places.
_PROGRAM = "import sys; sys.path[:] = sys.argv[4:]; from retrieval.parsing.worker import serve; serve(*sys.argv[1:4])"


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What one file may take: bytes of `memory`, seconds of `processor` time and on the clock, bytes of `answer`."""

    memory: int = 1024 * _MIB
    processor: int = 60
    seconds: float = 120.0
    answer: int = 64 * _MIB


DEFAULT_LIMITS = WorkerLimits()
_NO_ANSWER = Skipped("malformed", "its parser gave nothing that can be kept")


class _Answer(msgspec.Struct):
    """What became of one file, and the most bytes of memory that the worker has held so far."""

    parsed: Parsed | None = None
    skipped: Skipped | None = None
    peak: int = 0


class _Process:
    """A worker process and the socket to it; raises `ParserUnavailable` when it does not start."""

    def __init__(self, limits: WorkerLimits) -> None:
        self._limits = limits
        self._connection, theirs = socket.socketpair()
        arguments = [str(limits.memory), str(limits.processor), str(limits.answer), *sys.path]
        try:
            # A session of its own: an interrupt in the terminal reaches the parent alone, which ends the worker.
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with nothing of a document's
                [sys.executable, "-P", "-c", _PROGRAM, *arguments],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            self._connection.close()
            raise ParserUnavailable(f"files cannot be read: no process starts for it ({error.strerror})") from error
        finally:
            theirs.close()

    def greet(self) -> None:
        """Wait until the worker can parse."""
        try:
            greeting = _receive(self._connection, len(_READY), time.monotonic() + self._limits.seconds)
        except (OSError, EOFError, ValueError):
            greeting = bytearray()
        if greeting != _READY:
            status = self.end(patience=_SECONDS_TO_END)
            raise ParserUnavailable(f"files cannot be read: the process for it ended at once, with status {status}")

    def ask(self, name: str, data: bytes) -> bytearray:
        """The worker's answer; raises `TimeoutError` when it comes too late, `OSError` or `EOFError` when the worker
        ends without one, and `ValueError` when it is too large.
        """
        deadline = time.monotonic() + self._limits.seconds
        for part in (name.encode("utf-8", "surrogatepass"), data):
            self._connection.settimeout(_left(deadline))
            _send(self._connection, part)
        return _receive(self._connection, self._limits.answer, deadline)

    def end(self, *, patience: float = 0.0) -> int:
        """Kill the worker, unless it ends by itself within `patience` seconds; returns its status as `Popen` does.

        May be called twice, and while another thread waits for an answer: that thread gets the end of the stream.
        """
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=patience)
        self._process.kill()
        status = self._process.wait()
        self._connection.close()
        return status


class ParserWorker:
    """Parses one file after the other in a worker process, which is started with the first one.

    A context manager: the process ends with the block. `close` may be called while another thread parses.
    """

    def __init__(self, limits: WorkerLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def parse(self, name: str, data: bytes) -> Parsed | Skipped:
        """What the registry's parser makes of the file; `Skipped` with the reason when it breaks a limit.

        A worker that dies of a file is tried again once, if it had parsed others before, which may be the cause.
        Raises `ParserUnavailable` when no worker can be started.
        """
        refused = refusal(name, len(data))
        if refused is not None:
            return refused
        was_used = self._process is not None
        result, is_certain = self._ask(name, data)
        if was_used and not is_certain:
            result, _ = self._ask(name, data)
        return result

    def close(self) -> None:
        """End the worker, whatever it is doing; nothing can be parsed afterwards."""
        with self._lock:
            self._is_closed = True
            process, self._process = self._process, None
        if process is not None:
            process.end()

    def _ask(self, name: str, data: bytes) -> tuple[Parsed | Skipped, bool]:
        """What became of the file, and whether that is certain to be its own doing."""
        process, limits = self._started(), self._limits
        is_certain = True
        result: Parsed | Skipped
        try:
            answer = msgspec.msgpack.decode(process.ask(name, data), type=_Answer)
            result = answer.parsed or answer.skipped or _NO_ANSWER
            if answer.peak <= _USUAL_SHARE * limits.memory:
                return result, True
        except TimeoutError:
            result = _timed_out(f"{limits.seconds:g} s")
        except (OSError, EOFError):
            result, is_certain = _cause_of_death(process.end(patience=_SECONDS_TO_END), limits)
        except msgspec.DecodeError:
            result = _NO_ANSWER
        except ValueError:
            result = _too_large(limits.answer)
        self._process = None
        process.end()
        return result, is_certain

    def _started(self) -> _Process:
        with self._lock:
            if self._is_closed:
                raise ParserUnavailable("no more files are read: the sync is ending")
            if self._process is None:
                self._process = _Process(self._limits)
                self._process.greet()
            return self._process


def _cause_of_death(status: int, limits: WorkerLimits) -> tuple[Skipped, bool]:
    """Why a worker has ended without an answer, and whether it was by one of its limits."""
    if status == _OUT_OF_MEMORY_STATUS:
        return OUT_OF_MEMORY, True
    if status == -signal.SIGXCPU:
        return _timed_out(f"{limits.processor} s of processor time"), True
    if status in _MEMORY_SIGNALS:
        return OUT_OF_MEMORY, False
    return Skipped("malformed", f"its parser crashed (status {status})"), False


def _timed_out(limit: str) -> Skipped:
    return Skipped("timed-out", f"reading it takes more than {limit}")


def _too_large(largest: int) -> Skipped:
    return Skipped("too-large", f"it holds more than {largest / _MIB:g} MiB of text and structure")


def _left(deadline: float) -> float:
    """Seconds until the deadline; not 0, which would mean not to wait at all."""
    return max(deadline - time.monotonic(), 0.001)


def _send(connection: socket.socket, payload: bytes) -> None:
    connection.sendall(len(payload).to_bytes(_LENGTH_BYTES))
    connection.sendall(payload)


def _receive(connection: socket.socket, largest: int | None = None, deadline: float | None = None) -> bytearray:
    """The payload of one frame; raises `EOFError` at the end of the stream, `TimeoutError` after the deadline, and
    `ValueError`, before it is read, for one of more than `largest` bytes.
    """
    size = int.from_bytes(_receive_exactly(connection, _LENGTH_BYTES, deadline))
    if largest is not None and size > largest:
        raise ValueError(size)
    return _receive_exactly(connection, size, deadline)


def _receive_exactly(connection: socket.socket, size: int, deadline: float | None) -> bytearray:
    received = bytearray()
    while len(received) < size:
        if deadline is not None:
            connection.settimeout(_left(deadline))
        piece = connection.recv(min(size - len(received), _MIB))
        if not piece:
            raise EOFError
        received += piece
    return received


def serve(memory: str, processor: str, answer: str) -> None:
    """Be a worker: answer what comes over standard input, a socket, until its other end is closed."""
    connection = socket.socket(fileno=0)
    _limit_memory(int(memory))
    threading.Thread(target=_watch, args=(os.getppid(), int(memory)), daemon=True).start()
    _send(connection, _READY)
    with suppress(EOFError, ConnectionError):
        while True:
            name = _receive(connection).decode("utf-8", "surrogatepass")
            data = bytes(_receive(connection))
            _limit_processor(int(processor))
            reply = _parse_and_encode(name, data, memory=int(memory), largest=int(answer))
            _check_memory(int(memory))
            _send(connection, reply)


def _parse_and_encode(name: str, data: bytes, *, memory: int, largest: int) -> bytes:
    try:
        result = parse(name, data)
        encoded = _encode(result) if isinstance(result, Parsed) else b""
    except MemoryError:
        result = OUT_OF_MEMORY
    except UnicodeError:  # half a character, which cannot be stored either
        result = _NO_ANSWER
    if isinstance(result, Parsed):
        return encoded if len(encoded) <= largest else _encode(_too_large(largest))
    is_short = result.reason == "malformed" and _peak_memory() > _SHORT_SHARE * memory
    return _encode(OUT_OF_MEMORY if is_short else result)


def _encode(result: Parsed | Skipped) -> bytes:
    parsed, skipped = (result, None) if isinstance(result, Parsed) else (None, result)
    return msgspec.msgpack.encode(_Answer(parsed, skipped, _peak_memory()))


def _limit_memory(memory: int) -> None:
    """Bound the process's data, where the system can, and let the kernel end it before others when memory is short."""
    import resource

    limits = {
        resource.RLIMIT_DATA: memory,
        resource.RLIMIT_AS: memory + _ADDRESSES_BESIDE_DATA,
        resource.RLIMIT_CORE: 0,
    }
    for limit, size in limits.items():
        with suppress(OSError, ValueError):  # macOS knows these limits and keeps none of them
            resource.setrlimit(limit, (size, resource.getrlimit(limit)[1]))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _limit_processor(seconds: int) -> None:
    """Let the kernel end the process after so many more seconds of processor time."""
    import resource

    limit = int(time.process_time()) + 1 + seconds
    with suppress(OSError, ValueError):  # whoever started us may have set a lower one
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _watch(parent: int, memory: int) -> None:
    """End the process when its parent has ended, or when it holds too much memory and the system lets it."""
    while os.getppid() == parent:
        _check_memory(memory)
        time.sleep(_WATCH_SECONDS)
    os._exit(0)


def _check_memory(memory: int) -> None:
    if _peak_memory() > _TOLERANCE * memory:
        os._exit(_OUT_OF_MEMORY_STATUS)


def _peak_memory() -> int:
    """The most bytes of memory that this process has held.

    Linux counts what its parent held in the usual figure, so that there it comes from elsewhere.
    """
    with suppress(OSError), Path("/proc/self/status").open() as lines:
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
