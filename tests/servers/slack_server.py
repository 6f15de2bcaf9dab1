"""Slack on loopback: its Web API and events over real sockets, with its limits, its refusals and its memory."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.servers.slack.limits import Refused, check_blocks
from tests.servers.slack.methods import Args, Rates, call, check_kinds
from tests.servers.slack.seen import Json
from tests.servers.slack.sending import Sending
from tests.servers.slack.workspace import Message, Workspace, named

CODED = {"blocks", "view", "metadata", "chunks", "prompts", "loading_messages", "attachments"}
SIGNING_SECRET = "stand-in-signing-secret"
APP_TOKEN = "xapp-1-stand-in"
PATIENCE = 30.0
CLIENT = ("1111.2222", "stand-in-client-secret")


@dataclass
class Trouble:
    """What happens to the next `times` calls of a method instead of its work; `after` lets the work be done first."""

    error: str = ""
    status: int = 200
    retry_after: int = 0
    times: int = 1
    after: bool = False
    hang: float = 0.0


class Slack(ThreadingHTTPServer):
    """Slack for one app. `calls` are the method and arguments of every call, `refused` the method and error."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.sending = Sending(SIGNING_SECRET, self.base)
        self.workspace = Workspace(self.sending, "T0ONE", "One")
        self.workspaces = {"T0ONE": self.workspace}
        self.codes: dict[str, str] = {}
        self.names_team = False  # in the installation of an organisation too (python-slack-sdk#1640)
        self.rates = Rates()
        self.calls: list[tuple[str, Json]] = []
        self.refused = self.sending.refused
        self.troubles: dict[str, Trouble] = {}
        self.latency = 0.0
        self.gates: dict[str, threading.Event] = {}
        self.app_token = APP_TOKEN
        self.revoked: dict[str, str] = {}  # tokens that worked once, with the error that they are refused with
        self.closing = threading.Event()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        """The base of the Web API."""
        return f"{self.base}/api/"

    def another(self, team: str, name: str, *, enterprise: str = "") -> Workspace:
        """A further workspace, which installs the app with the code that is called like it.

        That of an `enterprise` may install it for the whole organisation, with the code that is called like that.
        """
        self.workspaces[team] = Workspace(self.sending, team, name)
        self.codes[f"code-{team}"] = team
        if enterprise:
            self.workspaces[team].enterprise = enterprise
            self.codes[f"code-{enterprise}"] = team
        return self.workspaces[team]

    def deploy(self, enterprise: str) -> str:
        """Install the app for a whole organisation; its workspaces share one token and one bot from now on."""
        members = [each for each in self.workspaces.values() if each.enterprise == enterprise]
        token = f"xoxb-{enterprise}-secret-{len(self.revoked)}"
        for each in members:
            each.bot, each.bot_id, each.token, each.is_whole = f"UBOT{enterprise}", f"BBOT{enterprise}", token, True
        return token

    def uninstall(self, workspace: Workspace) -> None:
        """Remove the app from a workspace; the token of a whole organisation ends with its last one (bolt-js#2560)."""
        token, workspace.token = workspace.token, f"xoxb-{workspace.team}-secret-{len(self.revoked) + 1}"
        if self.of_token(token) is None:
            self.revoked[token] = "token_revoked"
        workspace.uninstalled_events()
        workspace.is_whole = False
        self.codes |= {f"code-{workspace.team}": workspace.team}
        if workspace.enterprise:
            self.codes[f"code-{workspace.enterprise}"] = workspace.team

    def troubled(self, method: str, **trouble: Any) -> None:
        self.troubles[method] = Trouble(**trouble)

    def revoke(self, workspace: Workspace, error: str = "token_revoked") -> None:
        """Take the bot's token back: an administrator removed the app, or its installer's account was closed.

        The errors are those that https://docs.slack.dev/reference/methods/auth.test lists: `account_inactive`,
        `token_revoked`, `invalid_auth`.
        """
        self.revoked[workspace.token] = error
        workspace.token = f"xoxb-{workspace.team}-next"

    @contextmanager
    def held(self, method: str) -> Iterator[None]:
        """Calls of this method come in and are not answered while the block runs: Slack is slow at times."""
        gate = self.gates[method] = threading.Event()
        try:
            yield
        finally:
            del self.gates[method]
            gate.set()

    def counted(self) -> Counter[str]:
        """How often each method was called."""
        return Counter(method for method, _ in self.calls)

    def trouble(self, method: str) -> Trouble | None:
        found = self.troubles.get(method)
        if not found or found.times <= 0:
            return None
        found.times -= 1
        return found

    def of_token(self, token: str, args: Json | None = None) -> Workspace | None:
        """The workspace of a token; of an organisation's the one that the arguments name something of."""
        found = [each for each in self.workspaces.values() if each.token == token]
        return next((each for each in found if each.is_named_in(args or {})), found[0] if found else None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is part of the play."""


class Handler(BaseHTTPRequestHandler):
    server: Slack
    _granted: str | None = None

    def do_GET(self) -> None:
        self._handled({})

    def do_POST(self) -> None:
        self._handled(self._body())

    def _body(self) -> Json:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "json" in self.headers.get("Content-Type", ""):
            return dict(json.loads(raw or b"{}"))
        return dict(parse_qsl(raw.decode(), keep_blank_values=True))

    def _handled(self, body: Json) -> None:
        parts = urlsplit(self.path)
        args = dict(parse_qsl(parts.query)) | body
        if parts.path.startswith("/response/"):
            self._respond(parts.path.split("/")[2:], args)
            return
        method = parts.path.removeprefix("/api/")
        if self.server.closing.wait(self.server.latency):
            return
        self.server.calls.append((method, args))
        if gate := self.server.gates.get(method):
            gate.wait(PATIENCE)
        trouble = self.server.trouble(method)
        if trouble and self.server.closing.wait(trouble.hang):
            return
        if trouble and trouble.status != 200 and not trouble.after:
            self._answer({"ok": False, "error": trouble.error or "ratelimited"}, trouble.status, trouble.retry_after)
            return
        try:
            if trouble and trouble.error and not trouble.after:
                raise Refused(trouble.error)
            answer = self._called(method, args)
        except Refused as error:
            self._refuse(method, error)
            return
        if trouble and trouble.after:
            self._answer({"ok": False, "error": trouble.error or "internal_error"}, trouble.status)
        else:
            self._answer({"ok": True} | answer)

    def _called(self, method: str, args: Json) -> Json:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or str(args.pop("token", ""))
        if method == "oauth.v2.access":
            return self._installed(args)
        if method == "api.test":
            return {}
        if method == "apps.connections.open":
            return self._socket(token)
        if token in self.server.revoked:
            raise Refused(self.server.revoked[token])
        workspace = self.server.of_token(token, args)
        if workspace is not None and workspace.scopes is not None:
            # Each answer to a token names what it was granted (https://docs.slack.dev/authentication/installing-with-oauth).
            self._granted = ",".join(sorted(workspace.scopes))
        if workspace is None:
            raise Refused("invalid_auth" if token else "not_authed")
        if method == "auth.teams.list":
            return self._teams(token)
        wait = self.server.rates.wait_for(method, args, workspace.team) if method in _known() else 0
        if wait:
            raise Refused("ratelimited", retry_after=wait)
        return call(workspace, method, _decoded(args))

    def _socket(self, token: str) -> Json:
        if token != self.server.app_token:
            raise Refused("invalid_auth" if not token.startswith("xoxb") else "not_allowed_token_type")
        ticket = self.server.sending.sockets.ticket()
        if ticket is None:
            raise Refused("too_many_websockets")
        return {"url": ticket}

    def _installed(self, args: Json) -> Json:
        """What an installation gives for the code that it came back with."""
        code = str(args.get("code"))
        team = self.server.codes.pop(code, None)
        if team is None:
            raise Refused("invalid_code")
        workspace = self.server.workspaces[team]
        enterprise, is_whole = workspace.enterprise, code == f"code-{workspace.enterprise}"
        if enterprise and is_whole:
            self.server.deploy(enterprise)
        return {
            "app_id": "A0APP",
            "authed_user": {"id": "U0INSTALLER"},
            "scope": ",".join(sorted(workspace.scopes or ())),
            "token_type": "bot",
            "access_token": workspace.token,
            "bot_user_id": workspace.bot,
            "team": None if is_whole and not self.server.names_team else {"id": team, "name": workspace.name},
            "enterprise": {"id": enterprise, "name": enterprise} if enterprise else None,
            "is_enterprise_install": is_whole,
        }

    def _teams(self, token: str) -> Json:
        """The workspaces that a token is good for: https://docs.slack.dev/reference/methods/auth.teams.list."""
        found = [each for each in self.server.workspaces.values() if each.token == token]
        return {"teams": [{"id": each.team, "name": each.name} for each in found]}

    def _respond(self, place: list[str], args: Json) -> None:
        """Say something through a response url."""
        workspace = self.server.workspaces[place[0]]
        found = workspace.responding(place[1])
        if isinstance(found, str):
            self._refuse_response(404, found)
            return
        self.server.calls.append(("response_url", args))
        channel, message, user = found
        try:
            if args.get("blocks"):
                check_blocks(args["blocks"])
                private = args.get("response_type") != "in_channel"
                check_kinds(args["blocks"], workspace.refused_privately if private else workspace.refused_blocks)
            elif not args.get("text") and not args.get("delete_original"):
                raise Refused("no_text")
        except Refused as error:
            self._refuse_response(400, error.error)
            return
        self._said(workspace, channel, message, user, args)
        self._answer({"ok": True})

    def _refuse_response(self, status: int, error: str) -> None:
        """Refuse what came by a response url: the status of HTTP says so, and the body has the word."""
        self.server.refused.append(("response_url", error))
        self._answer({"ok": False, "error": error}, status)

    def _said(self, workspace: Workspace, channel: str, message: Message | None, user: str, args: Json) -> None:
        if message and (_true(args, "delete_original") or _true(args, "replace_original")):
            with workspace.changing():
                message.deleted = _true(args, "delete_original")
                message.text = str(args.get("text") or "")
                message.streamed, message.stream_blocks = "", []
                message.blocks = named(args.get("blocks") or [], f"r{workspace.next_ts()}")
                workspace.shows(message)
            return
        made = Message(channel, workspace.next_ts(), workspace.bot, str(args.get("text") or ""), by_bot=True)
        made.only_for = user
        if args.get("response_type") == "in_channel":  # a thread is heeded here alone (bolt-js#963)
            made.only_for, made.thread = "", str(args.get("thread_ts") or "")
        made.blocks = named(args.get("blocks") or [], f"r{made.ts}")
        workspace.said(made)

    def _refuse(self, method: str, error: Refused) -> None:
        self.server.refused.append((method, " ".join([error.error, *error.details])))
        retry_after = int(error.more.pop("retry_after", 0))
        body: Json = {"ok": False, "error": error.error, **error.more}
        if error.details:
            body["response_metadata"] = {"messages": [f"[ERROR] {each}" for each in error.details]}
        self._answer(body, 429 if retry_after else 200, retry_after)

    def _answer(self, body: Json, status: int = 200, retry_after: int = 0) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        if retry_after:
            self.send_header("Retry-After", str(retry_after))
        if self._granted is not None:
            self.send_header("x-oauth-scopes", self._granted)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's name
        """Nothing on stderr."""


def _known() -> frozenset[str]:
    from tests.servers.slack.methods import METHODS

    return frozenset(METHODS)


def _true(args: Args, name: str) -> bool:
    return str(args.get(name, "")).lower() in {"1", "true"}


def _decoded(args: Json) -> Json:
    """What stands as JSON in a form, taken apart."""
    made = {}
    for name, value in args.items():
        try:
            made[name] = json.loads(value) if name in CODED and isinstance(value, str) else value
        except ValueError:
            raise Refused(f"invalid_{name}_format") from None
    return made


@contextmanager
def serving() -> Iterator[Slack]:
    """Slack, as long as the block runs."""
    server = Slack()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.sending.close()
        server.shutdown()
        server.server_close()
        thread.join(5)
