"""The handbook that ships with Footnote, in a state folder of its own below the usual one."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from bot.config.settings import Settings, Source
from bot.errors import BotError
from bot.services.ingestion import sources

if TYPE_CHECKING:
    from bot.app import App

HANDBOOK = Path(str(files("bot") / "handbook"))


def opened(
    settings: Settings, *, build: Callable[[Settings], "App"], progress: Callable[[str, int, int], None]
) -> "App":
    """A house that holds the sample handbook and nothing else, brought up to date."""
    source = Source(name="handbook", path=HANDBOOK)
    own = settings.model_copy(update={"home": settings.home / "demo", "sources": (source,), "groups": {}})
    house = build(own)
    report = house.sync(sources(own.sources), allow_empty=False, progress=progress)
    if report.problems:
        raise BotError(f"the sample handbook could not be indexed: {report.problems[0]}")
    return house
