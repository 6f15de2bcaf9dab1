"""What is fuzzed: each target takes bytes from outside and raises where a promise does not hold.

A target that hangs, or holds more memory than it was given, is a finding too; the fuzzer sees to that.
"""

import asyncio
import hmac
import json
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from bot.answering.verification.answer_builder import AnswerBuilder
from bot.answering.writing.generator import Draft
from bot.answering.writing.stream_parser import StreamParser
from bot.app import bootstrap
from bot.config.settings import Settings
from bot.server.metrics import Metrics
from feedback.backup import dump_lines, load_lines
from feedback.errors import FeedbackError
from feedback.stores.sqlite.store import SqliteFeedback
from retrieval.index.protocols import SearchIndex
from retrieval.parsing import front_matter
from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.registry import FORMATS, parse
from retrieval.passages import EVERYONE, PUBLIC, Passage
from tests.fakes import FakeEmbedder
from tests.retrieval.parsing.assertions import assert_well_formed
from tests.servers import slack_server
from tests.servers.slack_server import SIGNING_SECRET

# What stays open between inputs; whoever runs targets closes it.
OPEN = ExitStack()
# Thousands of stores are written; a folder in memory takes them without waiting for a disk.
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None
SUFFIXES = sorted(FORMATS)
FENCE = re.compile(r"^(---|\.\.\.|\+\+\+)", re.MULTILINE)


def parsers(data: bytes) -> None:
    """A file of any format, chosen by the first byte, becomes a well-formed text or a reason."""
    if data:
        found = parse(f"fuzzed{SUFFIXES[data[0] % len(SUFFIXES)]}", data[1:])
        if isinstance(found, Parsed):
            assert_well_formed(found)


def headers(data: bytes) -> None:
    """A document whose header names an audience on a line of its own is never everyone's, whatever stands around it."""
    before, _, after = data.decode("utf-8", "replace").replace("\r", "\n").partition("\0")
    if FENCE.search(before):
        return  # the header ends there
    found = front_matter.split(f"---\n{before}\naudience: hr\n{after}\n---\nText.\n")
    if not isinstance(found, Skipped):
        audience = found[0].audience
        assert audience is not None, "the header was not read, and restricts nobody"
        assert not audience & {EVERYONE, PUBLIC}, "the header was read as another audience"


def check(data: bytes) -> None:
    """A model's text over a section gives only sentences whose quotes are slices of the section."""
    section, _, written = data.decode("utf-8", "replace").partition("\0")
    passage = Passage("docs/a.md", 0, ("A",), "a", "a", section, 0, len(section), "1", "A", "", frozenset())
    parser = StreamParser()
    drafts: list[Draft] = [*parser.feed(written), *parser.close()]
    builder = AnswerBuilder([passage], language="english")
    for draft in drafts:
        verified = builder.verifier.verify(draft)
        if verified:
            assert verified.text
            assert verified.quotes, "a sentence that nothing is quoted for"
            assert all(0 <= each.start < each.end <= len(section) for each in verified.quotes)


def payloads(data: bytes) -> None:
    """A signed payload of any form gets an answer below 500: Slack would deliver it again."""
    at = str(int(time.time()))
    signed = hmac.new(SIGNING_SECRET.encode(), b"v0:" + at.encode() + b":" + data, sha256).hexdigest()
    kind = "application/json" if data[:1] == b"{" else "application/x-www-form-urlencoded"
    status = _post(data, {"x-slack-request-timestamp": at, "x-slack-signature": f"v0={signed}", "content-type": kind})
    assert 200 <= status < 500, f"the listener failed with {status}"


def dumps(data: bytes) -> None:
    """Whatever a dump holds, what was taken of it can be dumped, loaded again and reported."""
    with tempfile.TemporaryDirectory(dir=FAST) as folder:
        home = Path(folder)
        with closing(SqliteFeedback(home / "feedback.db")) as store:
            with suppress(FeedbackError):  # of a newer version
                *_, _counts = load_lines(store, data.split(b"\n"), refuse=lambda _number, _reason: None)
            dumped = list(dump_lines(store))
            refused: list[str] = []
            with closing(SqliteFeedback(home / "other.db")) as other:
                *_, _counts = load_lines(
                    other, [line.encode() for line in dumped], refuse=lambda _, reason: refused.append(reason)
                )
                assert not refused, "what was taken once is refused the second time"
                assert list(dump_lines(other)) == dumped
        app = bootstrap(Settings(home=home), embedder=FakeEmbedder(), index=_index())
        json.dumps(app.overview.report(), default=str)
        app.close()


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "parsers": parsers,
    "headers": headers,
    "check": check,
    "payloads": payloads,
    "dumps": dumps,
}


@cache
def _index() -> SearchIndex:
    """Return an empty index."""
    home = Path(OPEN.enter_context(tempfile.TemporaryDirectory()))
    return bootstrap(Settings(home=home), embedder=FakeEmbedder()).index


@cache
def _listener() -> Any:
    """Return the listener's application, on a state folder of its own, with Slack's stand-in behind it."""
    home = Path(OPEN.enter_context(tempfile.TemporaryDirectory()))
    slack = OPEN.enter_context(slack_server.serving())
    given: dict[str, Any] = {
        "slack_bot_token": slack.workspace.token,
        "slack_signing_secret": SIGNING_SECRET,
        "slack_api_url": slack.url,
    }
    app = bootstrap(Settings(home=home, **given), embedder=FakeEmbedder())
    (channel,) = app.channels(Metrics(waiting=lambda: 0))
    channel.start(lambda _event: "new")
    OPEN.callback(channel.stop)
    (route,) = channel.routes()
    return route


def _post(body: bytes, headers: Mapping[str, str]) -> int:
    """Send a request to the listener without a socket, and return the status of its answer."""
    statuses: list[int] = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/slack/events",
        "raw_path": b"/slack/events",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    asyncio.run(_listener().app(scope, receive, send))
    return statuses[0]
