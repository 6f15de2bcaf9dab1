"""Writes the reference of all commands from the commands themselves: `python -m tests.command_reference`."""

import importlib
import inspect
import sys
from collections.abc import Iterator

import click

from bot.cli import COMMANDS
from tests import ROOT

GUIDE = ROOT / "deploy" / "guides" / "commands.md"
MARK = "<!-- Below here: python -m tests.command_reference -->\n"


def reference() -> str:
    """Return a section for each command in the order of `footnote --help`, groups by their subcommands."""
    return "\n".join(section for name in COMMANDS for section in _sections(name))


def _sections(name: str) -> Iterator[str]:
    command = importlib.import_module(COMMANDS[name][0]).command
    if isinstance(command, click.Group):
        yield from (_section(f"{name} {child}", each) for child, each in command.commands.items())
    else:
        yield _section(name, command)


def _section(name: str, command: click.Command) -> str:
    context = click.Context(command)
    arguments = [each.make_metavar(context) for each in command.params if isinstance(each, click.Argument)]
    options = [_row(each) for each in command.params if isinstance(each, click.Option) and not each.hidden]
    return "\n".join(
        [
            f"## `{' '.join(['footnote', name, *arguments])}`",
            "",
            inspect.cleandoc(command.help or ""),
            "",
            "| option | what |",
            "|---|---|",
            *options,
            "",
        ]
    )


def _row(option: click.Option) -> str:
    value = "" if option.is_flag else f" `{_escaped(_value(option))}`"
    told = f"{(option.help or '').strip()}{_default(option)}"
    return f"| {', '.join(f'`{name}`' for name in option.opts)}{value} | {_escaped(told)} |"


def _value(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "|".join(option.type.choices)
    return {"integer range": "N", "filename": "FILE"}.get(option.type.name, option.type.name.upper())


def _default(option: click.Option) -> str:
    return (
        f" Default: `{option.default:g}`."
        if isinstance(option.default, int | float) and option.default
        else (f" Default: `{option.default}`." if option.show_default else "")
    )


def _escaped(text: str) -> str:
    """Return the text as a cell of a Markdown table."""
    return text.replace("|", r"\|")


if __name__ == "__main__":
    head = GUIDE.read_text(encoding="utf-8").partition(MARK)[0]
    GUIDE.write_text(f"{head}{MARK}\n{reference()}", encoding="utf-8")
    sys.stdout.write(f"{GUIDE}\n")
