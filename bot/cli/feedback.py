import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import click

from bot.cli.errors import CommandFailed
from bot.cli.invocation import Invocation
from bot.cli.options import json_option
from bot.cli.output import print_json, print_note, print_text
from bot.cli.progress import Progress, progress_line

# Of the lines that are refused so many are named one by one.
NAMED = 20


@click.group("feedback", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Move recorded answers and votes: into a file, or from a file into the store."""


@command.command("dump")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write this file; else the standard output."
)
@click.pass_obj
def dump(invocation: Invocation, /, *, out: Path | None) -> None:
    """Write everything that is kept as JSON lines: exchanges, votes, corrections, decisions, registered exports."""
    from feedback.backup import dump_lines

    with progress_line() as advance:
        lines = _counted(dump_lines(invocation.app.feedback), advance)
        if out is None:
            _write(lines, sys.stdout.buffer)
            return
        try:
            number = _write_whole(lines, out)
        except OSError as error:
            raise CommandFailed(
                f"{str(out)!r} cannot be written ({error.strerror or error}); name another with --out"
            ) from error
    print_note(f"{number - 2} records in {out}")


@command.command("load")
@click.argument("file", type=click.File("rb"))
@json_option
@click.pass_obj
def load(invocation: Invocation, /, file: BinaryIO, *, as_json: bool) -> None:
    """Take what a dump holds into the store; what is there already stays as it is.

    Loading the same file again changes nothing. FILE may be `-`, the standard input.
    """
    from feedback.backup import load_lines

    named = 0

    def refuse(number: int, why: str) -> None:
        nonlocal named
        named += 1
        if named <= NAMED:
            print_note(f"line {number}: {why}")

    with progress_line() as advance:
        for counts in load_lines(invocation.app.feedback, file, refuse=refuse):
            advance("records", counts.added + counts.known, 0)
    refused = sum(counts.refused.values())
    if as_json:
        whole = {"added": counts.added, "known": counts.known, "refused": dict(sorted(counts.refused.items()))}
        print_json({**whole, "whole": counts.whole})
    else:
        by_reason = "".join(f" ({reason}: {number})" for reason, number in sorted(counts.refused.items()))
        print_text(f"{counts.added} added, {counts.known} known already, {refused} refused{by_reason}")
    if named > NAMED:
        print_note(f"... and {named - NAMED} lines more")
    if not counts.whole:
        raise CommandFailed("the end of the dump is missing: it may have been cut off; what was there has been taken")
    if refused:
        raise CommandFailed(f"lines that were refused: {refused}; all others have been taken")


def _counted(lines: Iterable[str], advance: Progress) -> Iterable[str]:
    for number, line in enumerate(lines):
        if number % 500 == 0:
            advance("records", number, 0)
        yield line


def _write(lines: Iterable[str], file: BinaryIO) -> int:
    number = 0
    for line in lines:
        file.write(line.encode() + b"\n")
        number += 1
    file.flush()
    return number


def _write_whole(lines: Iterable[str], out: Path) -> int:
    """Write a new file for its owner alone and put it in its place when it is whole and on disk."""
    new = out.with_name(f"{out.name}.new")
    new.unlink(missing_ok=True)  # left by a run that died
    with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        number = _write(lines, file)
        os.fsync(file.fileno())
    new.replace(out)
    return number
