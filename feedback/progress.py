"""The callback by which long work reports how far it has come."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with the name of the step, how much of it is done and how much there is; 0 where the total is unknown."""


def ignore_progress(_step: str, _done: int, _total: int) -> None:
    """Report nothing: the default where nobody watches."""
