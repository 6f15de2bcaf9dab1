"""Log lines of the long-running process: on stderr, as text or as JSON, each with the request that it is about.

No line holds the words of a question, and none a traceback of one: those go into the state folder's `errors.log`.
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
# What other people's packages tell at INFO is of no use to whoever runs this one.
NOISY = ("uvicorn", "httpx", "httpcore", "slack_bolt", "slack_sdk", "elastic_transport", "sentence_transformers")
INCIDENT_BYTES = 1_000_000
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@contextmanager
def request(name: str) -> Iterator[None]:
    """Whatever is logged inside, by this thread or task, is about this request."""
    token = _request.set(name)
    try:
        yield
    finally:
        _request.reset(token)


def configure(form: Format, *, incidents: Path) -> None:
    """Send what is logged to stderr in this form, and tracebacks to a file.

    What was configured before no longer holds.
    """
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines() if form == "json" else TextLines())
    incidents.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, handlers=[lines, Incidents(incidents)], force=True)
    logging.captureWarnings(capture=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


class Incidents(RotatingFileHandler):
    """Keeps the tracebacks, in a file that only its owner may read: they may hold words of a question."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=INCIDENT_BYTES, backupCount=1, encoding="utf-8", errors="replace", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether there is a traceback to keep."""
        return bool(record.exc_info)

    def _open(self) -> Any:
        return open(self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, request, and what was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record in one line, without traceback."""
        row = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **({"request": name} if (name := _request.get()) else {}),
            **({"error": _kind(record)} if record.exc_info else {}),
            **{key: value for key, value in vars(record).items() if key not in _OWN},
        }
        return json.dumps(row, default=str)


class TextLines(logging.Formatter):
    """The same for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The record in one line, without traceback and without characters that move a cursor."""
        name = _request.get()
        about = f" [{name}]" if name else ""
        error = f" ({_kind(record)})" if record.exc_info else ""
        line = f"{_time(record)} {record.levelname.lower()} {record.name}{about}: {record.getMessage()}{error}"
        return "".join(character if character.isprintable() else " " for character in line)


def _time(record: logging.LogRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z"


def _kind(record: logging.LogRecord) -> str:
    """The class of an error alone: its text and its traceback may hold words of a question."""
    return record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
