import glob
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import click

from bot.cli.errors import CommandFailed
from bot.cli.invocation import Invocation
from bot.cli.options import json_option
from bot.cli.output import note_skipped, print_json, print_note, print_text
from bot.cli.progress import Progress, progress_line

# Of the lines that are refused so many are named one by one.
NAMED = 20
# How a file is named that a dump is still being written to.
PARTIAL = ".partial"
# What a terminal that is closed, a service manager and a user send.
ENDING = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None))]


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
    from feedback.records import SkippedRecord

    skipped: list[SkippedRecord] = []
    with progress_line() as advance:
        lines = _counted(dump_lines(invocation.app.feedback, skipped=skipped.append), advance)
        try:
            number = _write(lines, sys.stdout.buffer) if out is None else _write_whole(lines, out)
        except BrokenPipeError:
            raise  # whoever reads has seen enough
        except OSError as error:
            place = "the standard output" if out is None else repr(str(out))
            raise CommandFailed(
                f"{place} cannot be written ({error.strerror or error}); write to another place with --out"
            ) from error
    invocation.app.audit.record("dumped", about=f"{number - 2} records")
    for each in skipped[:NAMED]:
        note_skipped(each)
    if skipped:
        print_note(f"{len(skipped)} records that cannot be read are left out")
    if out is not None:
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
    invocation.app.audit.record("loaded", about=f"{counts.added} records")
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
        raise CommandFailed(f"this is not a whole dump: {counts.doubt}; what was there has been taken")
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
    """Write a new file for its owner alone and put it in its place when it is whole and on disk.

    Whatever ends the run before removes what was written. Only a kill that nothing can see leaves it, under a name that
    says so, and the next dump to the same place removes it.
    """
    for left in out.parent.glob(f"{glob.escape(out.name)}.*{PARTIAL}"):
        left.unlink(missing_ok=True)
    part = out.with_name(f"{out.name}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        with _ended_by_signals(), os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            number = _write(lines, file)
            os.fsync(file.fileno())
        part.replace(out)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(out.parent)
    return number


def _sync_folder(folder: Path) -> None:
    """Have the new name on disk too, where folders can be synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let what asks the process to end be an exception, so that nothing half written stays."""
    if threading.current_thread() is not threading.main_thread():  # which alone may handle signals
        yield
        return
    before = {number: signal.signal(number, _end) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: Any) -> NoReturn:
    raise SystemExit(128 + number)
