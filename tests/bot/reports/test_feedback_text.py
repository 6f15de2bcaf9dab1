"""The feedback report as text: nothing in it takes over a terminal, and no terminal is too narrow for it."""

import pytest

from bot.reports.feedback_text import bar, feedback_text
from tests.bot.reports.samples import FEEDBACK


def test_names_cannot_take_over_a_terminal_and_markup_is_text():
    failing = [{**FEEDBACK["failing"][0], "owner": "\x1b[2J[red]Mallory"}]
    platforms = [{**FEEDBACK["platforms"][0], "name": "\x1b]0;x\x07slack"}]
    figures = {**FEEDBACK, "failing": failing, "platforms": platforms}
    shown = feedback_text(figures, width=100, plain=True, coloured=False)
    assert "\x1b" not in shown
    assert "[red]Mallory" in shown


def test_a_bar_for_every_terminal_is_drawn_with_letters():
    assert bar(0.5, plain=True) == "########........"


@pytest.mark.parametrize("width", [60, 80, 110])
def test_no_terminal_is_too_narrow_for_names(width):
    shown = feedback_text(FEEDBACK, width=width, plain=False, coloured=False)
    assert max(map(len, shown.splitlines())) <= width
    assert "Leave > Carry-over" in shown
    assert "handbook/leave.md" in shown
    assert "wrong-answer" in shown
