"""Options that several commands share, and option names that are reserved."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bot.errors import UsageProblem

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

text_argument = click.argument("words", nargs=-1, metavar="[TEXT]")
from_option = click.option(
    "--from",
    "source",
    type=click.File("rb"),
    help='Read questions from JSON lines such as {"id": "1", "text": "..."}; `-` is the standard input.',
)


def _groups(_: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    for group in value:
        if not group.strip() or not group.isprintable():
            raise click.BadParameter(f"{group!r}: give the name of a group.", param=parameter)
    return value


def _person(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    person = (value or "").strip()
    if not person.isprintable() or len(person.split()) > 1 or person.endswith(":"):
        raise click.BadParameter(f"{value!r}: give an e-mail address, slack:ID, teams:ID or one name.", param=parameter)
    return value


def groups_option(purpose: str) -> Decorator:
    """Return the option `--group`, which may be repeated."""
    return click.option("--group", "groups", multiple=True, metavar="GROUP", callback=_groups, help=purpose)


group_option = groups_option("A group of whoever asks; repeat it for several.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")


def page_option(purpose: str) -> Decorator:
    """Return the option `--html`, a file to write."""
    return new_file_option("--html", purpose)


def new_file_option(name: str, purpose: str) -> Decorator:
    """Return an option for a file to write; what cannot be written is refused before anything is done."""
    kind = click.Path(dir_okay=False, writable=True, path_type=Path)
    return click.option(name, type=kind, callback=_new_file, metavar="FILE", help=purpose)


def user_option(purpose: str) -> Decorator:
    """Return the option `--user` of a command that somebody acts with; `current_user` completes its value."""
    return person_option(f"{purpose}: an e-mail address, slack:ID or teams:ID; else your name on this computer.")


def person_option(purpose: str, *, default: str | None = None) -> Decorator:
    """Return the option `--user` with a default."""
    return click.option("--user", metavar="U", default=default, callback=_person, help=purpose)


def reserved_option(name: str, command: str) -> Decorator:
    """Return an option of the whole product that this version refuses in one line; `--help` does not show it."""

    def refuse(_: click.Context, parameter: click.Parameter, value: Any) -> None:
        if value is not None:
            raise UsageProblem(f"`footnote {command} {parameter.opts[0]}` is reserved for a later version")

    return click.option(
        name, hidden=True, expose_value=False, is_eager=True, is_flag=False, flag_value="", callback=refuse
    )


def parse_moment(_: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    """Parse a day or a moment; without a zone it is in UTC."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(
            f"{text!r}: give a day such as 2026-03-01, or a moment such as 2026-03-01T12:00.", param=parameter
        ) from error


def check_period(since: datetime | None, until: datetime | None) -> None:
    """Raise `UsageError` for a period that ends before it begins."""
    if since and until and since >= until:
        raise click.UsageError("--since must lie before --until.")


def current_user(name: str | None) -> str:
    """Return who is at the keyboard: the one who was named, else whom the system knows; empty for nobody."""
    import getpass

    if name is not None:
        return name.strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run under a number that has no name
        return ""


def question_text(words: tuple[str, ...], source: Any) -> str:
    """Return the question on the command line; empty when questions come from a file, and never both or neither."""
    text = " ".join(words).strip()
    if bool(text) == (source is not None):
        raise click.UsageError("Give either TEXT or --from FILE.")
    return text


def _new_file(_: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    folder = path.absolute().parent if path else None
    if folder and not folder.is_dir():
        raise click.BadParameter(f"the folder of {str(path)!r} does not exist.", param=parameter)
    if folder and path and not path.exists() and not os.access(folder, os.W_OK):
        raise click.BadParameter(f"the folder of {str(path)!r} cannot be written in.", param=parameter)
    return path
