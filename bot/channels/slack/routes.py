"""Slack's addresses on the public listener: events, and installation in further workspaces."""

import asyncio
import http.client
import logging
import re
from collections.abc import Callable

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from slack_sdk.errors import SlackClientError
from slack_sdk.signature import SignatureVerifier
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.channels.slack.events import is_well_formed
from bot.channels.slack.install.flow import InstallationFlow
from bot.channels.slack.install.manifest import EVENTS_PATH, INSTALL_PATH, OAUTH_PATH
from bot.channels.slack.install.workspaces import Workspaces
from bot.config.settings import Settings, reveal
from bot.errors import BotError
from bot.state.protocol import StateStore

logger = logging.getLogger(__name__)

_SECONDS = re.compile(r"[0-9]{1,12}")
# With it Slack looks now and then whether our certificate is right; it signs nothing then.
CERTIFICATE_CHECK = b"ssl_check=1"
# Tells of events that are not sent, and is no event itself: https://docs.slack.dev/reference/events/app_rate_limited.
RATE_LIMITED = "app_rate_limited"
# At the same time: each may wait for Slack, and takes a thread from what events are kept with.
INSTALLATIONS = 4


def events_route(app: Callable[[], App | None], settings: Settings, *, signed: Callable[[], None]) -> Route:
    """Return the address of all events. Without an app they are to be delivered again.

    `signed` is called for each request that Slack has signed, the check of the address included.

    What Slack has not signed, and what is no payload of Slack's, is refused before Bolt sees it: Bolt reads a request
    before it looks at its signature, and repeats it in errors.
    """
    verifier = SignatureVerifier(reveal(settings.slack_signing_secret))

    async def handle(request: Request) -> Response:
        body = await request.body()
        current = app()
        if current is None:
            return PlainTextResponse("not listening", status_code=503)
        if not _is_signed(verifier, request, body):
            if CERTIFICATE_CHECK in body.split(b"&"):
                return PlainTextResponse("")
            logger.warning("a request is refused: Slack has not signed it, or long ago")
            return PlainTextResponse("not signed by Slack", status_code=401)
        signed()
        # What somebody wrote is read, and what is accepted written to disk, in a thread: the loop waits for neither.
        return await run_in_threadpool(_answer, current, request, body)

    return Route(EVENTS_PATH, handle, methods=["POST"])


def install_routes(settings: Settings, workspaces: Workspaces, state: StateStore) -> list[Route]:
    """Return the addresses at which an administrator of another workspace begins and ends the installation."""
    flow = InstallationFlow(settings, workspaces, state)
    turns = asyncio.Semaphore(INSTALLATIONS)

    def route(path: str, handle: Callable[[BoltRequest], BoltResponse]) -> Route:
        async def respond(request: Request) -> Response:
            bolt_request = _read_request(request, b"")
            if bolt_request is None:
                return PlainTextResponse("this cannot be read", status_code=400)
            async with turns:
                return to_starlette_response(await run_in_threadpool(_install, handle, bolt_request))

        return Route(path, respond, methods=["GET"])

    return [route(INSTALL_PATH, flow.handle_installation), route(OAUTH_PATH, flow.handle_callback)]


def _is_signed(verifier: SignatureVerifier, request: Request, body: bytes) -> bool:
    """Whether Slack has signed this in the last five minutes; the library takes only what is of the right form."""
    timestamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature", "")
    if not _SECONDS.fullmatch(timestamp) or not signature.isascii():
        return False
    try:
        return verifier.is_valid(body, timestamp, signature)
    except UnicodeDecodeError:  # what Slack signs is text
        return False


def _read_request(request: Request, body: bytes) -> BoltRequest | None:
    """Return the request as Bolt takes it; None for what is no payload of Slack's."""
    try:
        found = to_bolt_request(request, body)
    except Exception:  # noqa: BLE001 - whatever Bolt raises for a payload that it cannot read
        return None
    return found if is_well_formed(found.body) else None


def _answer(app: App, request: Request, body: bytes) -> Response:
    """Return the response to a signed request: Bolt's, or a refusal of what is no payload of Slack's."""
    bolt_request = _read_request(request, body)
    if bolt_request is None:
        logger.warning("a request is refused: it is signed, and no payload of Slack's")
        return PlainTextResponse("neither JSON nor a form as Slack sends them", status_code=400)
    if bolt_request.body.get("type") == RATE_LIMITED:
        logger.warning("Slack holds events of a workspace back: it sends no more than 30,000 in an hour")
        return PlainTextResponse("")
    return to_starlette_response(_dispatch(app, bolt_request))


def _dispatch(app: App, request: BoltRequest) -> BoltResponse:
    """Return what Bolt answers; what cannot be kept is not acknowledged, so that Slack delivers it again."""
    try:
        return app.dispatch(request)
    except BotError as error:
        logger.warning("an event is not acknowledged: %s", error)
        return BoltResponse(status=503, body="")
    except Exception:
        logger.exception("an event is not acknowledged")
        return BoltResponse(status=500, body="")


def _install(handle: Callable[[BoltRequest], BoltResponse], request: BoltRequest) -> BoltResponse:
    """Return a page of the installation; without Slack or the state store one that says to try again."""
    try:
        return handle(request)
    except (BotError, OSError, http.client.HTTPException, SlackClientError) as error:
        logger.warning("an installation has failed: %s", error)
        return BoltResponse(status=503, body="This does not work at the moment. Please try again in a while.")
    except Exception:
        logger.exception("an installation has failed")
        return BoltResponse(status=500, body="")
