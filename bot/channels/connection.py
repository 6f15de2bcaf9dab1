"""The values that a platform hands to the code for all platforms: renderer, limits and connections."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.channels.directory import CachedDirectory
from bot.channels.events import IncomingEvent
from bot.channels.port import Limits, Message, Renderer, Streams, Transport


@dataclass(frozen=True, slots=True)
class Connection:
    """One workspace of a platform; `streams` is None where answers are shown by changing a message."""

    transport: Transport
    directory: CachedDirectory
    streams: Streams | None = None

    def tell(self, event: IncomingEvent, message: Message) -> bool:
        """Show a message to an event's user alone, where the event comes from; False where they could not be told."""
        return self.transport.tell(event.place, event.user, message, handle=event.reply_handle)


@dataclass(frozen=True, slots=True)
class Platform:
    """A chat platform; `connect` gives the workspace of an event, None where the bot is not installed any more.

    `title` is what people call it.
    """

    name: str
    title: str
    renderer: Renderer
    limits: Limits
    connect: Callable[[IncomingEvent], Connection | None]
