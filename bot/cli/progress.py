"""Progress on stderr: a moving line in a terminal, nothing into a file or pipe."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is, 0 where that is not known."""


@contextmanager
def progress_line() -> Iterator[Progress]:
    """Give a function that shows how far the work is; what it showed is gone afterwards."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    from retrieval.characters import remove_terminal_controls

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def advance(stage: str, done: int, total: int) -> None:
            shown = escape(remove_terminal_controls(stage))
            bar.update(task, description=shown, completed=done, total=total or None)

        yield advance
