"""Prints results on stdout and notes on stderr, in forms that no terminal and no encoding is hurt by."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from feedback.records import SkippedRecord


def prepare_streams() -> None:
    """Let no character that a terminal's encoding lacks end a run; UTF-8 lacks half a character."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def can_print(character: str) -> bool:
    """Say whether the encoding of stdout has this character."""
    try:
        character.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def print_text(text: str) -> None:
    """Print for people, on stdout; a terminal gets no control characters, a file or pipe gets the text as it is."""
    from retrieval.characters import remove_terminal_controls

    click.echo(remove_terminal_controls(text) if sys.stdout.isatty() else text)


def print_note(text: str) -> None:
    """Print beside the result, on stderr."""
    from retrieval.characters import remove_terminal_controls

    click.echo(remove_terminal_controls(text), err=True)


def note_skipped(skipped: "SkippedRecord") -> None:
    """Name a stored record that cannot be read and is left out, on stderr."""
    print_note(f"left out: the {skipped.kind} {skipped.name!r} cannot be read: {skipped.reason}")


def print_json(value: Any) -> None:
    """Print one JSON value, spread out on a terminal, in UTF-8 whatever the locale is."""
    click.echo(_encode(value, indent=2 if sys.stdout.isatty() else None))


def print_json_line(value: Any) -> None:
    """Print one line of JSON lines at once, so that a program at the other end of a pipe can go on with it."""
    click.echo(_encode(value))
    sys.stdout.flush()


def write_page(path: Path, page: str) -> None:
    """Write a page into a file, a new one for its owner alone, and say so; raises `BotError` when it cannot be."""
    from bot.errors import BotError

    try:
        path.touch(mode=0o600)
        path.write_text(page, encoding="utf-8", errors="replace")  # half characters have no UTF-8
    except OSError as error:
        raise BotError(f"{str(path)!r} cannot be written ({error.strerror})") from error
    print_note(f"written: {path}")


def _encode(value: Any, *, indent: int | None = None) -> bytes:
    """Return JSON in UTF-8's own letters, except what could take over a terminal or is no character at all."""
    from retrieval.characters import escape_in_json

    return escape_in_json(json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)).encode()
