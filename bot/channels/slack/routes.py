"""Slack's addresses on the public listener: events, and installation in further workspaces."""

import logging
from collections.abc import Callable

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.oauth_settings import OAuthSettings
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.channels.slack.install.manifest import EVENTS_PATH, INSTALL_PATH, OAUTH_PATH
from bot.channels.slack.install.scopes import bot_scopes
from bot.channels.slack.install.workspaces import OAuthStates, Workspaces, web_client
from bot.config.settings import Settings, reveal
from bot.errors import BotError
from bot.state.protocol import StateStore

logger = logging.getLogger(__name__)


def events_route(app: Callable[[], App | None]) -> Route:
    """Return the address of all events; Bolt checks the signature. Without an app they are to be delivered again."""

    async def handle(request: Request) -> Response:
        body = await request.body()
        current = app()
        if current is None:
            return PlainTextResponse("not listening", status_code=503)
        try:
            bolt_request = to_bolt_request(request, body)
        except (ValueError, RecursionError):  # bolt reads it before it looks at the signature
            return PlainTextResponse("neither JSON nor a form in UTF-8", status_code=400)
        # The listener writes to disk before it returns, which the loop must not wait for.
        return to_starlette_response(await run_in_threadpool(_dispatch, current, bolt_request))

    return Route(EVENTS_PATH, handle, methods=["POST"])


def install_routes(settings: Settings, workspaces: Workspaces, state: StateStore) -> list[Route]:
    """Return the addresses at which an administrator of another workspace begins and ends the installation."""
    flow = OAuthFlow(
        client=web_client(settings),
        logger=logger,
        settings=OAuthSettings(
            client_id=settings.slack_client_id,
            client_secret=reveal(settings.slack_client_secret),
            scopes=bot_scopes(),
            user_scopes=[],
            install_path=INSTALL_PATH,
            redirect_uri_path=OAUTH_PATH,
            installation_store=workspaces.installations,
            state_store=OAuthStates(state),
            logger=logger,
        ),
    )

    def route(path: str, handle: Callable[[BoltRequest], BoltResponse]) -> Route:
        async def respond(request: Request) -> Response:
            return to_starlette_response(await run_in_threadpool(handle, to_bolt_request(request, b"")))

        return Route(path, respond, methods=["GET"])

    return [route(INSTALL_PATH, flow.handle_installation), route(OAUTH_PATH, flow.handle_callback)]


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
