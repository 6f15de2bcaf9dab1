"""The keyboard and screen of a conversation: a terminal, a dumb one, or a pipe."""

import shutil
import sys
from contextlib import suppress

from bot.channels.terminal.rendering import WIDTH
from retrieval.characters import remove_terminal_controls

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
        """How many columns a text may have."""
        return max(_NARROWEST, min(WIDTH, shutil.get_terminal_size().columns)) if self.watched else WIDTH

    def read(self, prompt: str) -> str | None:
        """Return the next line without blanks around it; None at the end.

        What comes from a file or pipe is printed behind the prompt, so that the conversation can be read.
        """
        self.end_line()
        line = self._input(prompt) if self._typed else sys.stdin.buffer.readline().decode(errors="replace") or None
        if line is None:
            return None
        if not self._typed:
            self.print_line(prompt + line.strip())
        return line.strip()

    def print_line(self, text: str) -> None:
        """Print text and end the line."""
        self.end_line()
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Print text at once, right behind what was printed before."""
        self._erase()
        shown = remove_terminal_controls(text)
        if shown:
            self._in_line = not shown.endswith("\n")  # first: an interrupt may come right behind the text
            sys.stdout.write(shown)
            sys.stdout.flush()

    def note(self, text: str) -> None:
        """Print a line beside the conversation, on stderr."""
        _write_beside(f"{remove_terminal_controls(text)}\n")

    def status(self, text: str) -> None:
        """Show what is being done until something else is shown; only to somebody who watches, and not in a text."""
        self._erase()
        if sys.stderr.isatty() and not self._in_line:
            self._status = remove_terminal_controls(text)[: self.width - len(_ECHO) - 1]
            _write_beside(self._status)

    def end_line(self) -> None:
        """Erase the status line, and begin a new line unless this one is empty."""
        self._erase()
        if self._in_line:
            self.write("\n")

    def _erase(self) -> None:
        if self._status:
            _write_beside(f"\r{' ' * len(self._status + _ECHO)}\r")
            self._status = ""

    def _input(self, prompt: str) -> str | None:
        try:
            line = input(prompt)
        except EOFError:
            self.write("\n")
            return None
        except UnicodeDecodeError:
            self.print_line("That line is not UTF-8.")
            return ""
        # Half characters come from a keyboard whose encoding the locale does not know.
        return line.encode(errors="replace").decode()


def _write_beside(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
