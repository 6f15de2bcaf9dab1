"""`footnote chat` in a real terminal: prompt, status line, ctrl-c, ctrl-d, and nothing that needs a clever one."""

import os
import re
import select
import subprocess
import time
from collections.abc import Iterator

import pytest

from bot.channels.terminal.rendering import STATUS_TEXTS
from tests.processes import start_python

pty = pytest.importorskip("pty", reason="Windows has no such terminals")
termios = pytest.importorskip("termios")

LOOKING = STATUS_TEXTS["searching"]

# A child that has this terminal as its own, so that ctrl-c reaches it. A question that begins with Slow is searched for
# until it is stopped, one that begins with Half is written at until then.
CHILD = """
import fcntl, os, sys, termios, threading
from pathlib import Path
os.environ.pop("COLUMNS", None)  # left in the environment by a readline of the process that runs the tests
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from bot.answering.answers import Answer, Citation, Sentence, SentenceReady, Status
from bot.cli import main
from bot.cli.invocation import Invocation
from feedback.stores.sqlite.store import SqliteFeedback
from tests.bot.cli.conftest import answering_app
from tests.fakes import ScriptedPipeline

class Pipeline(ScriptedPipeline):
    def stream(self, question, *, prepare=None, check=None):
        if question.text.startswith("Slow"):
            yield Status("searching")
            threading.Event().wait()
        if question.text.startswith("Half"):
            yield SentenceReady(Sentence("Five days.", (1,)), ())
            threading.Event().wait()
        quote = "Five\x1b[2J days may be carried over into the next year in every office that we have."
        cited = Citation(1, "d", "Leave", "Leave", "a", "", quote, "v")
        self.answers = [Answer(f"a{len(self.questions)}", quote, (Sentence(quote, (1,)),), (cited,))]
        yield from super().stream(question, prepare=prepare)

app = answering_app(Pipeline(), SqliteFeedback(Path("feedback.db")), home=Path())
main(["chat", "--user", "ada"], obj=Invocation(bootstrap=lambda _: app), prog_name="footnote")
"""


class Screen:
    """The other side of a terminal: what is typed there and what stands on it."""

    def __init__(self, child: "subprocess.Popen[str]", side: int) -> None:
        self.child = child
        self.seen = ""
        self._side = side

    def type(self, text: str) -> None:
        os.write(self._side, text.encode())

    def wait(self, text: str) -> str:
        """What has come up to this text since the last time; fails when it does not come."""
        deadline = time.monotonic() + 30
        while text not in self.seen:
            ready, _, _ = select.select([self._side], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"{text!r} did not come; {self.seen!r} did"
            self.seen += self._read() or pytest.fail(f"the chat ended before {text!r}: {self.seen!r}")
        before, found, self.seen = self.seen.partition(text)
        return before + found

    def insist(self, key: str, text: str) -> None:
        """Type a key until this comes: Python's line editor misses an interrupt right behind what it has just shown."""
        while text not in self.seen:
            self.type(key)
            if select.select([self._side], [], [], 1)[0]:
                self.seen += self._read()
        self.wait(text)

    def ended(self) -> str:
        """What comes until the chat ends by itself, which it does well."""
        rest = self.seen
        while more := self._read():
            rest += more
        assert self.child.wait(timeout=30) == 0, rest
        return rest

    def _read(self) -> str:
        try:
            return os.read(self._side, 10_000).decode()
        except OSError:  # how a terminal says that nobody is at its other side
            return ""


@pytest.fixture(params=["dumb", "xterm-256color"])
def screen(request, folder, monkeypatch) -> Iterator[Screen]:
    """A chat of 40 columns whose prompt stands there."""
    monkeypatch.setenv("TERM", request.param)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 40))
    child = start_python(CHILD, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    screen = Screen(child, ours)
    try:
        screen.wait("> ")
        yield screen
    finally:
        child.kill()
        child.wait()
        os.close(ours)


def test_the_status_line_is_erased_before_the_answer_is_shown(screen):
    screen.type("How many?\n")
    screen.wait(LOOKING)
    shown = screen.wait("> ")
    assert shown.startswith(f"\r{' ' * len(LOOKING + '^C')}\rFive[2J days may be carried over into\r\nthe next year")
    assert "\r\n\r\n[1] Leave\r\n    “Five[2J days may be carried over\r\n    into" in shown
    assert "\x1b[2J" not in shown


def test_a_thumb_down_asks_why(screen):
    screen.type("How many?\n")
    screen.wait("> ")
    screen.type("-\n")
    screen.wait("Recorded: down.")
    screen.wait("(enter for nothing): ")
    screen.type("2\n")
    screen.wait("(enter for nothing): ")
    screen.type("\n")
    screen.wait("(enter for nothing): ")
    screen.type("Six.\n")
    screen.wait("Recorded: down (outdated).")


def test_ctrl_c_stops_an_answer_and_the_chat_goes_on(screen):
    screen.type("Slow one?\n")
    screen.wait(LOOKING)
    screen.type("\x03")
    screen.wait("(stopped)")
    screen.wait("> ")
    screen.type("+\n")
    screen.wait("There is no answer to vote on.")
    screen.type("How many?\n")
    screen.wait("[1] Leave")


def test_a_sentence_is_shown_before_the_answer_is_done(screen):
    screen.type("Half an answer?\n")
    screen.wait("Five days. [1]")
    screen.type("\x03")
    screen.wait("\r\n(stopped)\r\n> ")


def test_ctrl_c_at_a_question_about_a_vote_keeps_the_vote(screen):
    screen.type("How many?\n")
    screen.wait("> ")
    screen.type("-\n")
    screen.wait("(enter for nothing): ")
    screen.insist("\x03", "(stopped)")
    screen.wait("> ")
    screen.type("n\n")
    screen.wait("Withdrawn")


def test_ctrl_c_at_the_prompt_drops_the_line_and_says_how_to_end(screen):
    screen.type("half a quest")
    screen.wait("half a quest")
    screen.insist("\x03", "ctrl-d or /quit ends the chat")
    screen.wait("> ")


@pytest.mark.parametrize("end", ["\x04", "/quit\n"])
def test_the_end_names_the_command_to_go_on_with(screen, end):
    screen.type("How many?\n")
    screen.wait("> ")
    screen.type(end)
    assert re.search(r"\r\nTo go on later: footnote chat --conversation [0-9a-f]{32}\r\n", screen.ended())


def test_ctrl_d_right_after_an_answer_was_stopped_ends_well(screen):
    screen.type("Slow one?\n")
    screen.wait(LOOKING)
    screen.type("\x03")
    screen.wait("> ")
    screen.type("\x04")
    screen.ended()
