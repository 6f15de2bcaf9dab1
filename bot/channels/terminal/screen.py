"""The keyboard and screen of a conversation: a terminal, a dumb one, or a pipe."""

import shutil
import sys
from contextlib import suppress

import click

from bot.channels.terminal.rendering import WIDTH
from bot.cli.output import printable

_NARROWEST = 20
# What a terminal shows where ctrl-c was pressed.
_ECHO = "^C"


class Terminal:
    """Reads lines and prints text, with a status line where somebody is watching; takes over no terminal.

    No escape sequence is sent: a carriage return and spaces erase the status line everywhere.
    """

    def __init__(self) -> None:
        self.watched = sys.stdout.isatty()
        self._typed = sys.stdin.isatty()
        self._status = ""
        self._in_line = False
        if self._typed:
            with suppress(ImportError):  # not everywhere; it lets `input` edit the line and remember the ones before
                import readline  # noqa: F401

    @property
    def width(self) -> int:
        """How wide text may be."""
        return max(_NARROWEST, min(WIDTH, shutil.get_terminal_size().columns)) if self.watched else WIDTH

    def read(self, prompt: str) -> str | None:
        """The next line without blanks around it; None at the end.

        What comes from a file or pipe is printed behind the prompt, so that the talk can be read.
        """
        self.fresh()
        line = self._input(prompt) if self._typed else sys.stdin.buffer.readline().decode(errors="replace") or None
        if line is None:
            return None
        if not self._typed:
            self.say(prompt + line.strip())
        return line.strip()

    def say(self, text: str) -> None:
        """Print text and end the line."""
        self.fresh()
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Print text at once, right behind what was printed before."""
        self._erase()
        shown = printable(text)
        if shown:
            self._in_line = not shown.endswith("\n")  # first: an interrupt may come right behind the text
            click.echo(shown, nl=False)
            sys.stdout.flush()

    def status(self, text: str) -> None:
        """Show what is being done until something else is shown; only to somebody who watches, and not in a text."""
        self._erase()
        if sys.stderr.isatty() and not self._in_line:
            self._status = printable(text)[: self.width - len(_ECHO) - 1]
            click.echo(self._status, err=True, nl=False)

    def fresh(self) -> None:
        """Erase the status line, and begin a new line unless this one is empty."""
        self._erase()
        if self._in_line:
            self.write("\n")

    def _erase(self) -> None:
        if self._status:
            click.echo(f"\r{' ' * len(self._status + _ECHO)}\r", err=True, nl=False)
            self._status = ""

    def _input(self, prompt: str) -> str | None:
        try:
            line = input(prompt)
        except EOFError:
            self.write("\n")
            return None
        except UnicodeDecodeError:
            self.say("That line is not UTF-8.")
            return ""
        # Half characters come from a keyboard whose encoding the locale does not know.
        return line.encode(errors="replace").decode()
