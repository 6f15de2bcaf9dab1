"""Texts that make work explode, and how the growth of a function with the length of its text is measured."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

# A text is a unit, repeated; what follows it makes a pattern that matched so far fail at the last character.
UNITS = (
    *("a-", "1-", "ab.", "sk-", "_", ".", "#", "\n", "<system ", "[", "(", "://", "a@b.co ", "\t", "|", "**", "`", "<"),
    *("&", "2024-01-02 ", "ab. Cd ", "not ", "n't ", "a\u0301", "\u200b", "\ud800", "a", "1.", "1", " ", "x ", "- a\n"),
    *("] ", "[a](", "![", "</", "1 | ", "1,000 ", "a.b", "@", "http://a.", "'", "\\", "5 % ", "A", "No. ", "a:", "=1,"),
    *(" \n", "> ", "if ", "You must not ", "Ab ", "$1 ", "1:2:", "{", "--", "\ufdfa", "\r", "\u2028", "e.g. ", "é-"),
    *("ignore ", "per cent ", "five (5) ", "½", "[1] ", "a/", "+1 ", "<a href=x>", "AB12 ", "~~~\n", "\n\n# a\n"),
)
KILLERS = ("", "\u00a7", "!\n")
# Work that takes less processor time than this is not looked at: what grows too fast takes longer.
FLOOR_SECONDS = 0.05
STEP = 4
# Between lengths of which one is four times the other; n log n gives less than 5.
MOST_GROWTH = 8.0
RUNS = 3
# Texts that are named where something grows; more would only take long.
NAMED = 3


@dataclass(frozen=True, slots=True)
class Growth:
    """How many times longer a text of `length` characters takes than one of a quarter of it."""

    length: int
    ratio: float
    seconds: float


def text_of(unit: str, length: int, killer: str = "") -> str:
    """Return a unit as often as it fits, and the killer."""
    return unit * (length // len(unit)) + killer


def seconds_of(call: Callable[[], object], *, runs: int = 1) -> float:
    """Return the least processor time of this thread that a call takes in so many runs."""
    least = float("inf")
    for _ in range(runs):
        gc.disable()
        started = time.thread_time()
        try:
            call()
        finally:
            least = min(least, time.thread_time() - started)
            gc.enable()
    return least


def excess(prepare: Callable[[int], Callable[[], object]], lengths: tuple[int, ...]) -> Growth | None:
    """Return where the work for these lengths grows faster than n log n, the shortest first; None where it does not.

    `prepare` returns what is to be measured for a text of a length.
    """
    for length in lengths:
        call = prepare(length)
        seconds = seconds_of(call)
        if seconds < FLOOR_SECONDS:
            continue
        shorter = prepare(length // STEP)
        ratio = seconds / seconds_of(shorter)
        for _ in range(2):  # what seems to grow is measured again, as the machine may only have been busy
            if ratio > MOST_GROWTH:
                seconds = seconds_of(call, runs=RUNS)
                ratio = seconds / max(seconds_of(shorter, runs=RUNS), 1e-6)
        if ratio > MOST_GROWTH:
            return Growth(length, ratio, seconds)
    return None
