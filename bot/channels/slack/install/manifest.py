"""Makes the app's manifest, which an administrator pastes, with exactly the scopes that the code uses (pure)."""

from typing import Any

from bot.channels.presentation import ASK_ABOUT_MESSAGE, ASK_ABOUT_MESSAGE_HINT
from bot.channels.slack.install.scopes import EVENTS, bot_scopes

COMMAND = "/ask"
ABOUT_MESSAGE = "footnote_about_message"
EVENTS_PATH, INSTALL_PATH, OAUTH_PATH = "/slack/events", "/slack/install", "/slack/oauth"
DESCRIPTION = "Answers from your own documents, with the section behind every sentence."
ADDRESS = "https://YOUR-PUBLIC-ADDRESS"


def manifest(*, socket: bool, several: bool, address: str = ADDRESS) -> dict[str, Any]:
    """Return the manifest for Socket Mode or for HTTP at a public address, of one workspace or of several."""
    events_url = f"{address.rstrip('/')}{EVENTS_PATH}"
    listened = {} if socket else {"request_url": events_url}
    command = {} if socket else {"url": events_url}
    redirect = {"redirect_urls": [f"{address.rstrip('/')}{OAUTH_PATH}"]} if several else {}
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Footnote",
            "description": DESCRIPTION,
            "background_color": "#1f2d3d",
        },
        "features": {
            "agent_view": {"agent_description": DESCRIPTION},
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Footnote", "always_online": True},
            "shortcuts": [
                {
                    "name": ASK_ABOUT_MESSAGE,
                    "type": "message",
                    "callback_id": ABOUT_MESSAGE,
                    "description": ASK_ABOUT_MESSAGE_HINT,
                }
            ],
            "slash_commands": [
                {
                    "command": COMMAND,
                    "description": "An answer that only you see; you may share it.",
                    "usage_hint": "how many days of leave do I get?",
                    "should_escape": True,
                    **command,
                }
            ],
        },
        "oauth_config": {**redirect, "scopes": {"bot": bot_scopes()}},
        "settings": {
            "event_subscriptions": {**listened, "bot_events": sorted(EVENTS)},
            "interactivity": {"is_enabled": True, **listened},
            "org_deploy_enabled": several,
            "socket_mode_enabled": socket,
            "token_rotation_enabled": False,
        },
    }
