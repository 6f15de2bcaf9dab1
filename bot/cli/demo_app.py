"""The handbook that ships with Footnote, in a state folder of its own below the usual one."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from bot.config.settings import Settings, Source
from bot.errors import BotError

if TYPE_CHECKING:
    from bot.app import App

HANDBOOK = Path(str(files("bot") / "handbook"))


def open_demo(
    settings: Settings, *, bootstrap: Callable[[Settings], "App"], progress: Callable[[str, int, int], None]
) -> "App":
    """Return an app over the sample handbook and nothing else, its index brought up to date."""
    source = Source(name="handbook", path=HANDBOOK)
    own = settings.model_copy(update={"home": settings.home / "demo", "sources": (source,), "groups": {}})
    app = bootstrap(own)
    report = app.ingestion.sync(progress=progress)
    if report.problems:
        raise BotError(f"the sample handbook could not be indexed: {report.problems[0]}")
    return app
