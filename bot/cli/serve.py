import logging
import signal
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Literal

import click

from bot.cli.invocation import Invocation
from bot.errors import BotError

logger = logging.getLogger(__name__)

# How long a signal may go unnoticed that the system gave to another thread than the main one.
UNNOTICED_SECONDS = 1.0

NOTHING = (
    "no platform is configured, so health and metrics alone are served; for Slack give `slack_bot_token` and "
    "`slack_app_token` (`footnote slack manifest` prints what its administrator installs)"
)


@click.command("serve")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How lines are written to stderr.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 200),
    default=8,
    show_default=True,
    help="Questions that are answered at the same time.",
)
@click.option(
    "--queue-limit",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    help="Questions that may wait or be answered; who asks beyond that is told that the bot is busy.",
)
@click.option(
    "--stop-timeout",
    type=click.FloatRange(0, 600),
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="How long what has begun may take when the process is stopped; the rest is handed over.",
)
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    log_format: Literal["text", "json"],
    workers: int,
    queue_limit: int,
    stop_timeout: float,
) -> None:
    """Run everything that is configured, with health and metrics, until it is stopped.

    SIGTERM or ctrl-c ends it: what was begun is finished, the rest is handed over to another replica or the next start.
    """
    try:
        from bot.server.lifecycle import Server  # noqa: F401 - whether its packages are there
        from bot.server.logs import configure
    except ImportError as error:
        raise BotError(
            "`footnote serve` needs packages that are not installed: pip install 'footnote-bot[serve]'"
        ) from error
    from bot.app import build_server

    app = invocation.app
    server = build_server(app, workers=workers, queue_limit=queue_limit, stop_timeout=stop_timeout)
    configure(log_format, incidents=app.settings.home / "errors.log")
    if not server.channels:
        logger.warning(NOTHING)
    stop = stop_signals()
    try:
        server.start()
        logger.info("ready for questions; stop with ctrl-c or SIGTERM")
        wait_for(stop)
        logger.info("stopping")
        left = server.stop()
        logger.info("stopped; %d events were handed over unfinished", left)
    finally:
        app.close()


def stop_signals() -> "SimpleQueue[int]":
    """Return a queue that gets the first SIGTERM or ctrl-c; the second ends the process as if nobody waited for it."""
    # A handler runs in the midst of whatever the main thread does. An event's lock may be held by its own `wait` then,
    # and `set` would wait for ever; this queue has none.
    stop: SimpleQueue[int] = SimpleQueue()

    def put(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop.put(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, put)
    return stop


def wait_for(stop: "SimpleQueue[int]") -> int:
    """Wait for the signal of `stop_signals`, and return its number.

    Handlers run in the main thread, which a signal that reaches another thread does not wake: so it wakes by itself.
    """
    while True:
        with suppress(Empty):
            return stop.get(timeout=UNNOTICED_SECONDS)
