"""Ends a run that fails with one line on stderr and a status; what is unexpected is logged under an incident."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from bot.cli.invocation import Invocation
from bot.cli.output import print_note

LOG_BYTES = 1_000_000
FILE_ERRORS = frozenset(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EIO", "EACCES", "EPERM", "EMFILE", "ENFILE")
    if hasattr(errno, name)
)


class CommandFailed(click.ClickException):
    """Ends the run with one line on stderr and status 1."""

    def show(self, file: Any = None) -> None:
        print_note(f"footnote: {self.message}")


class CommandMisused(CommandFailed):
    """Ends the run with one line on stderr and status 2."""

    exit_code = 2


@contextmanager
def one_line_errors(invocation: Invocation) -> Iterator[None]:
    """Turn every failure into one line and a status: 2 for bad usage, else 1; no traceback unless asked for."""
    from bot.errors import BotError, SettingsError, UsageProblem
    from bot.server import log_records
    from feedback.errors import FeedbackError
    from retrieval.errors import RetrievalError

    log_records.install()
    try:
        yield
        sys.stdout.flush()  # a pipe closed by its reader is noticed here, not when Python ends
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise  # click's own way to end; it ends a broken pipe without a word
    except (UsageProblem, SettingsError) as error:
        raise CommandMisused(str(error)) from error
    except (BotError, FeedbackError, RetrievalError) as error:
        raise CommandFailed(str(error)) from error
    except Exception as error:
        if invocation.debug:
            raise
        raise CommandFailed(_file_problem(error) or _incident(invocation, error)) from error


def _file_problem(error: Exception) -> str:
    """Return one line for a disk that is full or a file that may not be used; empty for any other error."""
    import sqlite3

    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says more of the same
        reason = str(error) if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY} else ""
    else:
        reason = (error.strerror or "") if isinstance(error, OSError) and error.errno in FILE_ERRORS else ""
    if not reason:
        return ""
    _discard_output()
    name = repr(str(error.filename)) if isinstance(error, OSError) and error.filename else "a file or the output"
    return f"{name} cannot be used ({reason}): see that the disk has room, and that this user may use it"


def _discard_output() -> None:
    """Let what is left to be printed go nowhere, so that Python does not try it again at its end."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        return
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _incident(invocation: Invocation, error: Exception) -> str:
    """Write the traceback into the state folder's log and return the neutral line that points there."""
    import secrets

    incident = secrets.token_hex(4)
    sentence = f"something unexpected went wrong (incident {incident})"
    with suppress(Exception):  # whatever keeps the log from being written, the line below still helps
        log = invocation.settings.home / "errors.log"
        _append(log, incident, error)
        return f"{sentence}; the details are in {log}"
    return f"{sentence}; `footnote --debug ...` shows the details"


def _append(log: Path, incident: str, error: Exception) -> None:
    """Add a traceback without words to the log, which only its owner may read."""
    from datetime import UTC, datetime

    from bot.server.log_records import format_error
    from retrieval.private_files import make_private_file, make_private_folder

    make_private_folder(log.parent)
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    make_private_file(log)
    with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} incident {incident}\n")
        file.write(f"{format_error(error)}\n")
