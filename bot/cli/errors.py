"""Ends a run that fails with one line on stderr and a status; what is unexpected is logged under an incident."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from bot.cli.invocation import Invocation
from bot.cli.output import print_note

LOG_BYTES = 1_000_000


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
    from feedback.errors import FeedbackError
    from retrieval.errors import RetrievalError

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
        raise CommandFailed(_incident(invocation, error)) from error


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
    """Add a traceback to the log, which only its owner may read: it may hold words of a question."""
    import traceback
    from datetime import UTC, datetime

    from retrieval.private_files import make_private_file, make_private_folder

    make_private_folder(log.parent)
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    make_private_file(log)
    with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} incident {incident}\n")
        file.writelines(traceback.format_exception(error))
