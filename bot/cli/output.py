"""What reaches the terminal: results on stdout, notes and failures on stderr, and how a failure ends the run."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:  # a command that needs neither must not wait for pydantic and NumPy
    from bot.app import App
    from bot.config.settings import Settings

_LOG_BYTES = 1_000_000


def _bootstrap(settings: "Settings") -> "App":
    from bot.app import bootstrap

    return bootstrap(settings)


@dataclass
class Invocation:
    """One run of the command line: the options before the command, and what they lead to, made when first asked for.

    `bootstrap` makes the app from settings; tests hand in their own.
    """

    home: Path | None = None
    debug: bool = False
    bootstrap: Callable[["Settings"], "App"] = _bootstrap
    _settings: "Settings | None" = field(default=None, init=False)
    _app: "App | None" = field(default=None, init=False)

    @property
    def settings(self) -> "Settings":
        if self._settings is None:
            from bot.config.settings import load

            self._settings = load(self.home)
        return self._settings

    @property
    def app(self) -> "App":
        if self._app is None:
            self._app = self.bootstrap(self.settings)
        return self._app


class Refused(click.ClickException):
    """Ends the run with one line on stderr and status 1."""

    def show(self, file: Any = None) -> None:
        note(f"footnote: {self.message}")


class Misused(Refused):
    """The same with status 2."""

    exit_code = 2


def prepare_streams() -> None:
    """Let no character that a terminal's encoding lacks end a run."""
    for stream in (sys.stdout, sys.stderr):
        encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
        if encoding != "utf8" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def shows(character: str) -> bool:
    """Whether the encoding of stdout has this character."""
    try:
        character.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def printable(text: str) -> str:
    """The text without what could take over a terminal."""
    from retrieval.characters import remove_terminal_controls

    return remove_terminal_controls(text)


def say(text: str) -> None:
    """Print for people, on stdout; a terminal gets no control characters, a file or pipe gets the text as it is."""
    click.echo(printable(text) if sys.stdout.isatty() else text)


def note(text: str) -> None:
    """Print beside the result, on stderr."""
    click.echo(printable(text), err=True)


def encode(value: Any, *, indent: int | None = None) -> str:
    """JSON in UTF-8's own letters, except what could take over a terminal or is no character at all."""
    from retrieval.characters import escape_in_json

    return escape_in_json(json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False))


def emit(value: Any) -> None:
    """Print one JSON value, spread out on a terminal, in UTF-8 whatever the locale is."""
    click.echo(encode(value, indent=2 if sys.stdout.isatty() else None).encode())


def emit_line(value: Any) -> None:
    """Print one line of JSON lines at once, so that a program at the other end of a pipe can go on with it."""
    click.echo(encode(value).encode())
    sys.stdout.flush()


@contextmanager
def guarded(invocation: Invocation) -> Iterator[None]:
    """Turn every failure into one line and a status: 2 for bad usage, else 1; no traceback unless asked for."""
    from bot.errors import BotError, SettingsError, UsageProblem

    try:
        yield
        sys.stdout.flush()  # a pipe closed by its reader is noticed here, not when Python ends
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise  # click's own way to end; it ends a broken pipe without a word
    except (UsageProblem, SettingsError) as error:
        raise Misused(str(error)) from error
    except BotError as error:
        raise Refused(str(error)) from error
    except Exception as error:
        if _is_told(error):
            raise Refused(str(error)) from error
        if invocation.debug:
            raise
        raise Refused(_incident(invocation, error)) from error


def _is_told(error: Exception) -> bool:
    """Whether the error's own text may be shown as it is."""
    from feedback.errors import FeedbackError
    from retrieval.errors import RetrievalError

    return isinstance(error, RetrievalError | FeedbackError)


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

    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    log.touch(mode=0o600)
    with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} incident {incident}\n")
        file.writelines(traceback.format_exception(error))
