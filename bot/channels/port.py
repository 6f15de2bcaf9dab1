"""The port between the long-running process and a platform (Slack, Teams, the page)."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from bot.state.protocol import Claim, Event

if TYPE_CHECKING:  # a platform without addresses needs no web server
    from starlette.routing import BaseRoute

# `new` and `known`: the event is on disk, and the platform may acknowledge it. `busy`: it is not kept, and the platform
# tells the person that too many wait.
Accepted = Literal["new", "known", "busy"]
Accept = Callable[[Event], Accepted]
BUSY = "There are more questions than I can answer at the moment. Please ask again in a minute."


class Channel(Protocol):
    """One way to ask, as the process that serves it sees it. Every method may be called from any thread."""

    @property
    def name(self) -> str:
        """What its events are called by (`Event.platform`)."""
        ...

    def routes(self) -> Sequence["BaseRoute"]:
        """Its addresses on the public listener; empty for none."""
        ...

    def start(self, accept: Accept) -> None:
        """Begin to listen; returns once it does. Raises `BotError` with one line when it cannot.

        `accept` is called for every event before the event is acknowledged. It raises `StateUnavailable` when the
        event could not be kept: then it must not be acknowledged, so that it is delivered again.
        """
        ...

    def handle(self, claim: Claim) -> None:
        """Do what an event asks for; returns when nothing more is to be done.

        `attempt` above 1 means that another may have begun: what is visible already is finished, not repeated. What it
        raises is logged, and the event is handled again later: a `BotError` is something that may pass (nothing can be
        delivered, say) and tried for minutes, anything else once more.
        """
        ...

    def give_up(self, claim: Claim) -> None:
        """Tell whoever waits, in one line, that this could not be done; called after the last attempt.

        What it raises is logged, and it is called again later, a few times.
        """
        ...

    def stop(self) -> None:
        """Listen no more; what was accepted may still be handled. A second time, or unstarted, nothing changes."""
        ...
