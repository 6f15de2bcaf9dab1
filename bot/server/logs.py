"""Configures the log of the long-running process: lines on stderr, as text or JSON, each with its request.

No line holds the words of a question. A traceback may, so tracebacks go into the state folder's `errors.log` alone.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Literal

Format = Literal["text", "json"]

_request: ContextVar[str] = ContextVar("request", default="")
# Our own packages; what others say at INFO is of no use to whoever runs this process.
OWN_PACKAGES = ("bot", "retrieval", "feedback")
INCIDENT_BYTES = 1_000_000
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


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
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines() if form == "json" else TextLines())
    incidents.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    logging.basicConfig(level=logging.WARNING, handlers=[lines, IncidentFile(incidents)], force=True)
    logging.captureWarnings(capture=True)
    for name in OWN_PACKAGES:
        logging.getLogger(name).setLevel(logging.INFO)


class IncidentFile(RotatingFileHandler):
    """Writes records that have a traceback into a file that only its owner may read, and keeps one older file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=INCIDENT_BYTES, backupCount=1, encoding="utf-8", errors="replace", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record has a traceback."""
        return bool(record.exc_info)

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
            **({"error": _error_class(record)} if record.exc_info else {}),
            **{key: value for key, value in vars(record).items() if key not in _OWN},
        }
        return json.dumps(row, default=str)


class TextLines(logging.Formatter):
    """Formats a record as a line of text for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The record in one line, without traceback and without characters that move a cursor."""
        name = _request.get()
        context = f" [{name}]" if name else ""
        error = f" ({_error_class(record)})" if record.exc_info else ""
        line = f"{_time(record)} {record.levelname.lower()} {record.name}{context}: {record.getMessage()}{error}"
        return "".join(character if character.isprintable() else " " for character in line)


def _time(record: logging.LogRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z"


def _error_class(record: logging.LogRecord) -> str:
    """The name of the error's class alone: its text and its traceback may hold words of a question."""
    return record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
