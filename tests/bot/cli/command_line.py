"""Runs `footnote` in this process, and reads what it printed."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

from click.testing import CliRunner, Result

from bot.cli import main
from bot.cli.invocation import Invocation


def footnote(
    *arguments: str, stdin: str | bytes | BytesIO | None = None, bootstrap: Callable[..., Any] | None = None
) -> Result:
    """Run the command line in the working folder; `bootstrap` makes the app in place of `bot.app.bootstrap`."""
    invocation = Invocation(bootstrap=bootstrap) if bootstrap else Invocation()
    return CliRunner().invoke(main, arguments, obj=invocation, input=stdin, prog_name="footnote")


def printed_json(result: Result) -> Any:
    """Return the JSON that a command printed; it must have ended well."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def error_line(result: Result, status: int) -> str:
    """Return the one line on stderr with which a command without a result ended."""
    assert (result.exit_code, result.stdout) == (status, ""), result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("footnote: ")
    return str(line.removeprefix("footnote: "))
