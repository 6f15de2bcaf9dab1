"""The handbook that ships with Footnote, in a state folder of its own below the usual one."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import BotError
from bot.settings import Settings, Source
from bot.sources import sources

if TYPE_CHECKING:
    from bot.wiring import House

HANDBOOK = Path(str(files("bot") / "handbook"))


def opened(
    settings: Settings, *, build: Callable[[Settings], "House"], progress: Callable[[str, int, int], None]
) -> "House":
    """A house that holds the sample handbook and nothing else, brought up to date."""
    source = Source(name="handbook", path=HANDBOOK)
    own = settings.model_copy(update={"home": settings.home / "demo", "sources": (source,), "groups": {}})
    house = build(own)
    report = house.sync(sources(own.sources), allow_empty=False, progress=progress)
    if report.problems:
        raise BotError(f"the sample handbook could not be indexed: {report.problems[0]}")
    return house
