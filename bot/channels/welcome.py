"""Welcomes a person who meets the bot for the first time, and a channel that it was invited to, once each."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from bot.channels import presentation
from bot.channels.connection import Connection, Platform
from bot.channels.events import Place
from bot.channels.repetition import Deduplicator
from bot.config.settings import Settings

WELCOMED = timedelta(days=365)
NAME = "welcome"


class Welcome:
    """Says how to ask, who reads along and what is kept; may be used from any thread.

    It names no document, so that it may be shown to anybody. A welcome that could not be posted comes another time.
    """

    def __init__(self, platform: Platform, deduplicator: Deduplicator, settings: Settings) -> None:
        self._renderer = platform.renderer
        self._deduplicator = deduplicator
        self._kept = presentation.privacy_text(keep_words=settings.keep_words, keep_exchanges=settings.keep_exchanges)

    def greet_person(self, connection: Connection, place: Place, user: str) -> None:
        """Welcome somebody where the bot is alone with them, unless they were before; raises `NotDelivered`."""
        if self._deduplicator.is_first(user, NAME, within=WELCOMED):
            undo = partial(self._deduplicator.forget, user, NAME)
            self._post(connection, place, presentation.WELCOME, undo=undo)

    def greet_channel(self, connection: Connection, place: Place) -> None:
        """Welcome the members of a channel, unless they were before; raises `NotDelivered`."""
        name = f"{place.workspace}:{place.channel}"
        if self._deduplicator.is_first_in(name, NAME, within=WELCOMED):
            undo = partial(self._deduplicator.forget_in, name, NAME)
            self._post(connection, place, presentation.WELCOME_CHANNEL, undo=undo)

    def _post(self, connection: Connection, place: Place, text: str, *, undo: Callable[[], None]) -> None:
        message = self._renderer.line(f"{text}\n{self._kept}")
        try:
            connection.transport.post(place.in_channel(), message, event=f"{NAME}:{place.channel}")
        except Exception:
            undo()
            raise
