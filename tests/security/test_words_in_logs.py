"""Threat: whoever reads logs reads what people asked, their ids, tokens and addresses; and strangers make logs grow.

Marked requests of every kind go to the real listener over real sockets while every library logs all that it has.
"""

import ast
import contextlib
import gzip
import io
import json
import logging
import re
import socket
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from bot.answering.annotation.supersession import SupersessionResolver
from bot.server import log_records, logs
from retrieval.errors import SearchUnavailable
from retrieval.passages import Document, Query
from tests.bot.channels.slack.harness import SlackStage
from tests.bot.channels.slack.test_conversations import staged
from tests.bot.server.http_calls import exchange_bytes
from tests.servers.redis_servers import eventually
from tests.servers.slack_server import SIGNING_SECRET

MARK = "hunter2"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
# Libraries that might write with a handler of their own.
LIBRARIES = ("slack_bolt", "slack_sdk", "uvicorn", "uvicorn.error", "asyncio", "httpx", "urllib3", "py.warnings")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What the process logs, and how, is left as it was."""
    root, factory, hooks = logging.getLogger(), logging.getLogRecordFactory(), (sys.excepthook, sys.unraisablehook)
    handlers, thread_hook, shown = root.handlers[:], threading.excepthook, warnings.showwarning
    known = [logging.getLogger(name) for name in (*logging.root.manager.loggerDict, *LIBRARIES)]
    levels = [(each, each.level, each.handlers[:]) for each in [root, *known]]
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    for each, level, own in levels:
        each.setLevel(level)
        each.handlers[:] = own if each is not root else handlers
    logging.setLogRecordFactory(factory)
    logging.raiseExceptions = True
    sys.excepthook, sys.unraisablehook = hooks
    threading.excepthook, warnings.showwarning = thread_hook, shown


class Log:
    """All that is logged: stderr, the file of tracebacks, and handlers that libraries brought along."""

    def __init__(self, folder: Path, stderr: io.StringIO) -> None:
        self.folder = folder
        self.stderr = stderr
        self.own = io.StringIO()

    def configure(self, *, debug: bool) -> None:
        logs.configure("json" if debug else "text", incidents=self.folder / "errors.log")
        for each in logging.getLogger().handlers:  # so that nothing hangs on how fast this machine is
            each.filters[:] = [logs.RepeatFilter(3600)]
        if not debug:
            return
        handler = logging.StreamHandler(self.own)
        handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
        logging.getLogger().setLevel(logging.DEBUG)
        for name in {*logging.root.manager.loggerDict, *LIBRARIES}:
            logging.getLogger(name).setLevel(logging.DEBUG)
        for name in LIBRARIES:
            logging.getLogger(name).addHandler(handler)

    def text(self) -> str:
        kept = "".join(each.read_text(encoding="utf-8") for each in self.folder.glob("errors.log*"))
        return self.stderr.getvalue() + self.own.getvalue() + kept


@pytest.fixture(params=[False, True], ids=["usual", "debug"])
def log(request, tmp_path, monkeypatch) -> Log:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    made = Log(tmp_path / "logs", stderr)
    made.configure(debug=request.param)
    return made


def request_bytes(body: bytes, kind: str = JSON, *, head: str = "", **headers: str) -> bytes:
    given = {"Host": "x", "Connection": "close", "Content-Type": kind, "Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    return f"{head or 'POST /slack/events HTTP/1.1'}\r\n{lines}\r\n".encode("latin-1") + body


def signed(stage: SlackStage, body: bytes, kind: str = JSON) -> bytes:
    return request_bytes(body, kind, **stage.slack.sending.signature(body))


def status(address: str, sent: bytes) -> int:
    """The status of the answer; 0 where the other side ended the connection without one."""
    try:
        received = exchange_bytes(address, sent)
    except (ConnectionError, TimeoutError):
        return 0
    return int(received.split(b" ", 2)[1]) if received.startswith(b"HTTP/1.1 ") else 0


def event(stage: SlackStage, **fields: Any) -> dict[str, Any]:
    inner = {"type": "message", "channel_type": "im", "channel": "D1", "user": f"U{MARK}", "text": MARK, "ts": "1.1"}
    team = stage.slack.workspace.team
    return {"type": "event_callback", "team_id": team, "event_id": "Ev1", "token": MARK, "event": inner | fields}


def command(stage: SlackStage, **fields: str) -> bytes:
    given = {
        "command": "/ask",
        "text": MARK,
        "team_id": stage.slack.workspace.team,
        "channel_id": "C1",
        "user_id": f"U{MARK}",
        "trigger_id": f"t{MARK}",
        "response_url": f"{stage.slack.base}/response/{MARK}",
    }
    return urlencode(given | fields).encode()


def pressed(stage: SlackStage, **fields: Any) -> dict[str, Any]:
    payload = {
        "type": "block_actions",
        "team": {"id": stage.slack.workspace.team},
        "user": {"id": f"U{MARK}"},
        "channel": {"id": "C1"},
        "token": MARK,
        "trigger_id": MARK,
        "response_url": f"{stage.slack.base}/response/{MARK}",
        "actions": [{"action_id": "footnote_vote", "value": f"up:{MARK}", "action_ts": "1.2", "block_id": MARK}],
        "container": {"message_ts": "1.1", "channel_id": "C1"},
    }
    return payload | fields


def form(payload: object) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def bodies(stage: SlackStage) -> dict[str, tuple[bytes, str]]:
    """Marked bodies of every kind, whole and malformed, with their content types."""
    deep = "[" * 100_000
    return {
        "event": (json.dumps(event(stage)).encode(), JSON),
        "command": (command(stage), FORM),
        "pressed": (form(pressed(stage)), FORM),
        "view": (
            form(pressed(stage, type="view_submission", view={"id": MARK, "callback_id": MARK, "type": "modal"})),
            FORM,
        ),
        "wrong type": (json.dumps(event(stage)).encode(), f"text/{MARK}"),
        "form as json": (command(stage), JSON),
        "null": (b"null", JSON),
        "list": (b"[]", JSON),
        "marked list": (json.dumps([MARK]).encode(), JSON),
        "number": (b"5", JSON),
        "text": (json.dumps(MARK).encode(), JSON),
        "nothing": (b"", JSON),
        "broken json": (f'{{"event": "{MARK}'.encode(), JSON),
        "broken payload": (urlencode({"payload": f'{{"{MARK}'}).encode(), FORM),
        "payload null": (form(None), FORM),
        "payload list": (form([MARK]), FORM),
        "payload number": (form(5), FORM),
        "deep json": (f'{{"{MARK}": {deep}'.encode(), JSON),
        "deep objects": (('{"a":' * 5000 + f'"{MARK}"' + "}" * 5000).encode(), JSON),
        "huge number": (f'{{"event": {"9" * 50_000}, "x": "{MARK}"}}'.encode(), JSON),
        "not utf-8": (MARK.encode() + b"\xff\xfe\xed\xa0\x80", JSON),
        "half a character": (json.dumps(event(stage, text=f"{MARK} \ud800")).encode(), JSON),
        "compressed": (gzip.compress(json.dumps(event(stage)).encode()), JSON),
        "event a number": (json.dumps(event(stage) | {"event": 5}).encode(), JSON),
        "event a text": (json.dumps(event(stage) | {"event": MARK}).encode(), JSON),
        "team a number": (json.dumps(event(stage) | {"team": 7}).encode(), JSON),
        "channel an object": (json.dumps(event(stage, channel={"id": MARK})).encode(), JSON),
        "event null": (json.dumps(event(stage) | {"event": None}).encode(), JSON),
        "view null": (form(pressed(stage, view=None)), FORM),
        "actions null": (form(pressed(stage, actions=None)), FORM),
        "event without type": (json.dumps(event(stage, type=None)).encode(), JSON),
        "view without type": (form(pressed(stage, type="view_submission", view={"id": MARK})), FORM),
        "message a text": (json.dumps(event(stage, subtype="message_changed", message=MARK)).encode(), JSON),
        "text a list": (json.dumps(event(stage, text=[MARK])).encode(), JSON),
        "no actions": (form(pressed(stage, actions=[])), FORM),
        "actions texts": (form(pressed(stage, actions=[MARK])), FORM),
        "user a text": (form(pressed(stage, user=MARK)), FORM),
        "container a list": (form(pressed(stage, container=[MARK])), FORM),
        "unknown": (json.dumps({"type": MARK, "challenge": MARK}).encode(), JSON),
        "authorizations a number": (json.dumps(event(stage) | {"authorizations": 3}).encode(), JSON),
    }


def unsigned(stage: SlackStage) -> dict[str, bytes]:
    """Requests that Slack has not signed, in every way to get that wrong."""
    body = json.dumps(event(stage)).encode()
    good = stage.slack.sending.signature(body)
    stamp, signature = good["X-Slack-Request-Timestamp"], good["X-Slack-Signature"]
    found = {f"unsigned {name}": request_bytes(*given) for name, given in bodies(stage).items()}
    forged = stage.slack.sending.signature(body, secret="guessed")
    found["forged"] = request_bytes(body, **forged)
    for value in ("nan", "inf", "-inf", "1e999", "9" * 400, "1_0", "", MARK, "0x10", "\u00b2", " ", f"{stamp}.5"):
        found[f"time {value[:8]!r}"] = request_bytes(body, X_Slack_Request_Timestamp=value, X_Slack_Signature=signature)
    for value in (
        MARK,
        "",
        "v0=",
        f"v0={MARK}",
        "v0=\u00e9",
        "v1=" + signature[3:],
        signature + "0",
        signature.upper(),
    ):
        found[f"signature {value[:8]!r}"] = request_bytes(
            body, X_Slack_Request_Timestamp=stamp, X_Slack_Signature=value
        )
    found["old"] = request_bytes(body, **stage.slack.sending.signature(body, at=time.time() - 600))
    found["huge header"] = request_bytes(body, **{"X-Mark": MARK * 10_000})
    found["many headers"] = request_bytes(body, **{f"X-{MARK}-{number}": MARK for number in range(500)})
    found["no method"] = f"{MARK} {MARK}\r\n\r\n".encode()
    found["bad header"] = f"POST /slack/events HTTP/1.1\r\nHost: x\r\n{MARK}\r\n\r\n".encode()
    found["bad length"] = request_bytes(b"", **{"Content-Length": MARK})
    found["bad chunk"] = (
        f"POST /slack/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{MARK}\r\n".encode()
    )
    found["another path"] = request_bytes(b"", head=f"GET /{MARK}?code={MARK} HTTP/1.1")
    found["upgrade"] = request_bytes(b"", head="GET / HTTP/1.1", Connection="upgrade, close", Upgrade=MARK)
    return found


def address_of(stage: SlackStage) -> str:
    return urlsplit(stage.slack.sending.app_urls[0]).netloc


def test_nothing_that_strangers_send_is_logged_and_all_of_it_is_refused(tmp_path, log):
    with staged(tmp_path) as stage:
        statuses = {name: status(address_of(stage), sent) for name, sent in unsigned(stage).items()}
        assert {name: code for name, code in statuses.items() if code and not 400 <= code < 500} == {}
        assert [name for name, code in statuses.items() if not code] == []
        before = len(log.text())
        for sent in list(unsigned(stage).values()) * 5:
            status(address_of(stage), sent)
        grown = len(log.text()) - before
    assert MARK not in log.text()
    assert "Traceback" not in log.text()
    assert grown < 5_000, "a line that repeats is written once"


def test_nothing_that_slack_sends_is_logged_whole_or_malformed(tmp_path, log):
    with staged(tmp_path) as stage:
        statuses = {name: status(address_of(stage), signed(stage, *given)) for name, given in bodies(stage).items()}
        stage.asks(f"How many days of leave does {MARK} get?").seen()
        stage.settle()
    assert {name: code for name, code in statuses.items() if not 200 <= code < 500} == {}
    assert {statuses[name] for name in ("null", "list", "number", "payload null", "event a number", "no actions")} == {
        400
    }
    assert statuses["event"] == 200
    assert MARK not in log.text()


def test_nothing_that_comes_through_socket_mode_is_logged(tmp_path, log):
    with staged(tmp_path, socket=True) as stage:
        send = stage.slack.sending.sockets.send
        for payload in (event(stage), event(stage) | {"event": MARK}, [MARK], None, MARK):
            send("events_api", payload, within=0.5)  # type: ignore[arg-type] # malformed ones, too
        for payload in (pressed(stage), pressed(stage, actions=[MARK]), {"type": MARK}):
            send("interactive", payload, within=0.5)
        send("slash_commands", {"command": "/ask", "text": MARK, "user_id": MARK}, within=0.5)
        send(MARK, {MARK: MARK}, within=0.5)
        stage.asks(f"How many days of leave does {MARK} get?").seen()
        stage.settle()
    assert MARK not in log.text()


def test_nothing_that_a_model_is_asked_is_logged(tmp_path, log):
    with staged(tmp_path, with_model=True) as stage:
        thread = stage.asks(f"How many days of leave does {MARK} get?")
        thread.seen()
        thread.asks_on(f"And {MARK} after a year?")
        stage.settle()
    assert MARK not in log.text()


def failing(text: str) -> None:
    raise KeyError(text)


def test_what_ends_a_thread_or_a_finalizer_is_logged_without_words(log):
    thread = threading.Thread(target=failing, args=(MARK,))
    thread.start()
    thread.join()

    class Finalized:
        def __del__(self) -> None:
            failing(MARK)

    Finalized()
    eventually(lambda: log.text().count("KeyError") >= 2, "it is logged")
    assert "failing" in log.text(), "with the way that led to it"
    assert MARK not in log.text()


def test_warnings_are_logged_without_words(log):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        log_records.install()
        warnings.warn(f"strange: {MARK}", UserWarning, stacklevel=1)
    assert "UserWarning at test_words_in_logs.py" in log.text()
    assert MARK not in log.text()


def test_of_a_library_s_line_only_what_its_code_holds_is_kept(log):
    library = logging.getLogger("somebody.elses")
    library.warning("the certificate has expired")
    library.warning("a request of %s", MARK)
    library.warning(f"a body: {MARK}")
    try:
        failing(MARK)
    except KeyError as error:
        library.exception(f"it failed: {error}")
    library.warning("with more", extra={"body": MARK})
    text = log.text()
    assert "the certificate has expired" in text
    assert "a request of %s" in text
    assert "what test_words_in_logs.py:" in text
    assert "failing(MARK)" in text
    assert MARK not in text


def test_of_errors_in_our_own_lines_only_what_may_be_told_is_kept(log):
    own = logging.getLogger("bot.somewhere")
    own.warning("it failed: %s", ValueError(MARK))
    own.warning("it failed: %s", OSError(28, MARK, MARK))
    text = log.text()
    assert "it failed: ValueError" in text
    assert "No space left on device" in text
    assert MARK not in text


def test_a_line_that_fails_to_be_formatted_is_no_way_out(log):
    logging.getLogger("bot.somewhere").warning("%d", MARK)
    assert MARK not in log.text().replace("\\", "")


def test_what_a_document_names_as_its_successor_is_not_logged(log):
    class Down:
        def __call__(self, name: str, version: str) -> Document | None:
            raise SearchUnavailable("the index cannot be reached")

    found = SupersessionResolver(Query("leave?"), [], documents=Down(), today=date(2026, 3, 2))  # type: ignore[arg-type]
    assert found.document(f"{MARK}.md") is None
    assert "a document could not be looked up: the index cannot be reached" in log.text()
    assert MARK not in log.text()


# What our own lines may not hold, by the names that it has in the code.
PEOPLE_S = re.compile(
    r"\b(text|question|words|body|payload|comment|correction|user|person|email|token|secret|(response_)?url|handle|key)\b"
)
LISTENERS_OWN = {"self.inside.url", "self.public.url"}
METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def own_code() -> Iterator[tuple[str, ast.AST]]:
    """Every piece of our code, with its file."""
    root = Path(logs.__file__).parents[2]
    for path in [path for folder in log_records.OWN_PACKAGES for path in (root / folder).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield str(path.relative_to(root)), node


def own_lines() -> Iterator[tuple[str, ast.Call]]:
    """Every call of ours that logs, with its file."""
    for path, node in own_code():
        function = node.func if isinstance(node, ast.Call) else None
        if isinstance(function, ast.Attribute) and function.attr in METHODS and ast.unparse(function.value) == "logger":
            yield path, node  # type: ignore[misc] # a call, as the line above says


def test_our_loggers_are_given_to_no_library():
    keywords = [(path, node) for path, node in own_code() if isinstance(node, ast.keyword) and node.arg == "logger"]
    assert [path for path, node in keywords if ast.unparse(node.value) == "logger"] == []


def test_our_own_lines_are_constants_with_values_that_are_nobody_s_words():
    lines = list(own_lines())
    assert len(lines) > 40
    for path, call in lines:
        message, *values = call.args
        assert isinstance(message, ast.Constant) or ast.unparse(message).isupper(), (path, ast.unparse(call))
        for value in map(ast.unparse, values):
            assert value in LISTENERS_OWN or not PEOPLE_S.search(value), (path, ast.unparse(call))


def test_a_caller_that_goes_away_leaves_no_words(tmp_path, log):
    with staged(tmp_path) as stage:
        sent = signed(stage, json.dumps(event(stage)).encode())
        host, port = address_of(stage).rsplit(":", 1)
        for length in (10, len(sent) // 2, len(sent)):
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=5) as connection:
                connection.sendall(sent[:length])
        stage.settle()
    assert MARK not in log.text()
    assert SIGNING_SECRET not in log.text()
