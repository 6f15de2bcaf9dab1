"""How a long operation reports how far it is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with the stage, how much of it is done and how much there is; the total is 0 where it is not known."""


def ignore_progress(stage: str, done: int, total: int) -> None:
    """The `Progress` that does nothing."""
