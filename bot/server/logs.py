"""Configures the log of the long-running process: lines on stderr, as text or JSON, each with its request.

Neither lines nor tracebacks hold words (`log_records`); tracebacks, which are long, go into the state folder's
`errors.log` alone. A line that repeats is written once in a while, with how often it was held back.
"""

import hmac
import json
import logging
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Literal

from bot.server import log_records
from bot.server.log_records import OWN_PACKAGES, is_own

Format = Literal["text", "json"]

_NAMING_KEY = secrets.token_bytes(32)
_request: ContextVar[str] = ContextVar("request", default="")
INCIDENT_BYTES = 1_000_000
REPEAT_SECONDS = 60.0
# Different lines that are remembered, so that the next equal one is held back.
MOST_LINES = 1000
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "error_class", "repeated"}


def request_name(platform: str, event: str) -> str:
    """Return the name of an event in this process's log; the event's own id may hold a person's, or a credential."""
    return f"{platform}:{hmac.digest(_NAMING_KEY, event.encode('utf-8', 'surrogatepass'), 'sha256').hex()[:12]}"


@contextmanager
def request_context(name: str) -> Iterator[None]:
    """Add this request to every line that this thread or task logs inside."""
    token = _request.set(name)
    try:
        yield
    finally:
        _request.reset(token)


def configure(form: Format, *, incidents: Path) -> None:
    """Log to stderr in this form, and tracebacks to the file `incidents`; replaces every earlier configuration."""
    log_records.install()
    log_records.install_hooks()
    logging.raiseExceptions = False  # what a handler that fails prints holds the values of the record
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines() if form == "json" else TextLines())
    incidents.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    tracebacks = IncidentFile(incidents)
    for handler in (lines, tracebacks):
        handler.addFilter(RepeatFilter())
    logging.basicConfig(level=logging.WARNING, handlers=[lines, tracebacks], force=True)
    # What others say at INFO is of no use to whoever runs this process.
    for name in OWN_PACKAGES:
        logging.getLogger(name).setLevel(logging.INFO)


class RepeatFilter(logging.Filter):
    """Lets equal lines of a request through once in so many `seconds`; the next one knows how many were held back.

    So nobody makes the log grow by sending what is refused again and again.
    """

    def __init__(self, seconds: float = REPEAT_SECONDS, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        # Of each line that was let through: when, and how many were held back since.
        self._written: dict[tuple[object, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be written; notes in it how many equal ones were held back."""
        line = (record.name, record.levelno, f"{record.msg} {record.args}", record.exc_text, _request.get())
        now = self._clock()
        with self._lock:
            at, held_back = self._written.pop(line, (float("-inf"), 0))
            is_due = now - at >= self._seconds
            self._written[line] = (now, 0) if is_due else (at, held_back + 1)
            if len(self._written) > MOST_LINES:
                del self._written[next(iter(self._written))]
        record.repeated = held_back
        return is_due


class IncidentFile(RotatingFileHandler):
    """Writes records that have a traceback into a file that only its owner may read, and keeps one older file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=INCIDENT_BYTES, backupCount=1, encoding="utf-8", errors="replace", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record that has a traceback."""
        if record.exc_text:
            super().emit(record)

    def _open(self) -> Any:
        return open(self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=_open_private)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: time, level, logger, message, request, error class, and every `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record in one line, without traceback."""
        row = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **({"request": name} if (name := _request.get()) else {}),
            **({"error": name} if (name := _error_class(record)) else {}),
            **({"repeated": number} if (number := _repeated(record)) else {}),
            **{key: value for key, value in vars(record).items() if key not in _OWN and is_own(record.name)},
        }
        return json.dumps(row, default=str)


class TextLines(logging.Formatter):
    """Formats a record as a line of text for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The record in one line, without traceback and without characters that move a cursor."""
        context = f" [{name}]" if (name := _request.get()) else ""
        error = f" ({name})" if (name := _error_class(record)) else ""
        repeated = f" ({number} more like this)" if (number := _repeated(record)) else ""
        told = f"{record.getMessage()}{error}{repeated}"
        line = f"{_time(record)} {record.levelname.lower()} {record.name}{context}: {told}"
        return "".join(character if character.isprintable() else " " for character in line)


def _time(record: logging.LogRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z"


def _error_class(record: logging.LogRecord) -> str:
    return str(getattr(record, "error_class", ""))


def _repeated(record: logging.LogRecord) -> int:
    return int(getattr(record, "repeated", 0))
