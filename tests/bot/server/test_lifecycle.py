"""The whole server starts, serves and stops, with a scripted channel."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.app import App, build_readiness
from bot.channels.port import ChannelHealth, PartHealth
from bot.errors import BotError
from bot.server.health import SLOW
from bot.server.lifecycle import Addresses, Server
from bot.server.metrics import Metrics
from bot.state.protocol import StateStore
from bot.state.schedule import schedule
from tests.bot.server.http_calls import Received, call
from tests.bot.server.scripted_channel import ScriptedChannel, event, wait_for
from tests.scripted_app import LEAVE, Place
from tests.servers import openai_server
from tests.servers.redis_servers import eventually

Start = Callable[..., Server]


@pytest.fixture
def place(tmp_path) -> Iterator[Place]:
    server = openai_server.Server()
    listening = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    listening.start()
    yield Place(tmp_path, server)
    server.closing.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def app(place) -> App:
    place.write("leave.md", LEAVE)
    made: App = place.app()
    return made


@pytest.fixture
def store(app) -> StateStore:
    opened: StateStore = app.state
    return opened


@pytest.fixture
def service() -> Iterator[Start]:
    """Makes servers, which stop with the test."""
    with ExitStack() as stack:

        def made(app: App, *channels: ScriptedChannel, port: int = 0) -> Server:
            server = Server(
                app.state,
                channels,
                addresses=Addresses("127.0.0.1", port, "127.0.0.1", 0),
                readiness=build_readiness(app),
                metrics=Metrics(waiting=app.state.waiting),
                stop_timeout=5,
                workers=2,
            )
            stack.callback(app.close)
            stack.callback(server.stop)
            return server

        yield made


def checked(running: Server, name: str, ok: bool) -> Received:
    """The response of `/readyz` once this check has ended like this; what it loads first may take a while."""
    received = [call(running.inside.address, "/readyz")]

    def is_so() -> bool:
        received.append(call(running.inside.address, "/readyz"))
        row = received[-1].json["checks"][name]
        return row["ok"] is ok and row["detail"] != SLOW

    eventually(is_so, f"{name} is checked")
    return received[-1]


def hook(_: Request) -> Response:
    return PlainTextResponse("received")


def test_a_channel_is_served_from_its_start_to_its_end(app, service, store):
    channel = ScriptedChannel(addresses=[Route("/slack/events", hook, methods=["POST"])])
    running = service(app, channel)
    running.start()
    assert running.public is not None
    assert channel.accept is not None
    assert call(running.public.address, "/slack/events", method="POST").body == b"received"
    assert call(running.public.address, "/metrics").status == 404
    assert channel.accept(event()) == "new"
    eventually(lambda: len(channel.handled) == 1, "it is handled")
    eventually(lambda: b"footnote_queue 0.0" in call(running.inside.address, "/metrics").body, "it is finished")
    assert running.stop() == 0
    assert channel.calls == ["start", "stop"]


def test_what_a_channel_sees_of_itself_is_in_readiness_and_metrics(app, service, store):
    parts = (PartHealth("token", True, "Footnote in One"), PartHealth("events", False, "none", required=False))
    channel = ScriptedChannel(state=ChannelHealth((*parts, PartHealth("token", True, "here", workspace="T2")), 17.0))
    running = service(app, channel)
    running.start()
    for name in ("index", "embedding"):
        checked(running, name, ok=True)
    assert checked(running, "scripted events", ok=False).status == 200
    metrics = call(running.inside.address, "/metrics").body.decode()
    assert 'footnote_channel_ok{part="token",platform="scripted",workspace="T2"} 1.0' in metrics
    assert 'footnote_channel_ok{part="events",platform="scripted",workspace=""} 0.0' in metrics
    assert 'footnote_last_event_timestamp_seconds{platform="scripted"} 17.0' in metrics
    channel.state = ChannelHealth((PartHealth("token", False, "is not accepted (token_revoked)"),))
    received = checked(running, "scripted token", ok=False)
    assert received.status == 503
    assert "token_revoked" in received.json["checks"]["scripted token"]["detail"]
    assert b'workspace="T2"' not in call(running.inside.address, "/metrics").body


def test_what_is_due_is_handled_once_and_what_is_not_waits(app, service, store):
    channel = ScriptedChannel()
    now = datetime.now(UTC)
    schedule(store, event(name="due"), now - timedelta(minutes=5))
    schedule(store, event(name="later"), now + timedelta(days=1))
    running = [service(app, channel), service(app, ScriptedChannel())]
    for each in running:
        each.start()
    eventually(lambda: len(store.keys("scheduled:", now=now)) == 1, "it is in the queue")
    eventually(lambda: store.waiting() == 0, "it is handled")
    handled = [*channel.handled, *(claim for each in running[1].channels for claim in each.handled)]
    assert [claim.event.id for claim in handled] == ["due"]
    for each in running:
        each.stop()


def test_every_part_of_the_app_is_checked(app, service, store):
    running = service(app)
    running.start()
    for name in ("index", "embedding", "state", "store", "model"):
        received = checked(running, name, ok=True)
    rows = received.json["checks"]
    assert (received.status, len(rows)) == (200, 5)
    assert rows["index"]["detail"].startswith("1 documents")
    assert rows["model"]["detail"] == "openai:scripted"
    assert running.public is None
    running.stop()


def test_without_documents_it_is_not_ready_and_says_what_to_do(place, service):
    (place.folder / "docs").mkdir()
    app = place.app(model="")
    running = service(app)
    running.start()
    received = checked(running, "index", ok=False)
    assert received.status == 503
    assert "footnote sync" in received.json["checks"]["index"]["detail"]
    received = checked(running, "model", ok=True)
    assert received.json["checks"]["model"] == {"ok": True, "needed": False, "detail": "none: sections are quoted"}
    assert call(running.inside.address, "/healthz").status == 200
    running.stop()


def test_a_model_s_server_that_is_down_is_reported_and_keeps_nobody_from_asking(app, service, place):
    place.server.shutdown()
    place.server.server_close()
    running = service(app)
    running.start()
    checked(running, "embedding", ok=True)
    received = checked(running, "model", ok=False)
    assert received.status == 200
    assert "takes no connection" in received.json["checks"]["model"]["detail"]
    running.stop()


def test_a_state_store_that_fails_is_not_ready(app, service, store):
    running = service(app)
    store.close()
    running.start()
    received = checked(running, "state", ok=False)
    assert received.status == 503
    assert "cannot be used" in received.json["checks"]["state"]["detail"]
    running.stop()


def test_while_it_ends_it_is_not_ready(app, service, store):
    go = threading.Event()
    channel = ScriptedChannel(on_handle=wait_for(go))
    running = service(app, channel)
    running.start()
    assert channel.accept is not None
    channel.accept(event())
    eventually(lambda: len(running.queue.held()) == 1, "it is begun")
    ending = threading.Thread(target=running.stop)
    ending.start()
    eventually(lambda: channel.calls[-1] == "stop", "it ends")
    received = call(running.inside.address, "/readyz")
    assert (received.status, list(received.json["checks"])) == (503, ["process"])
    go.set()
    ending.join()
    assert store.waiting() == 0


def test_a_channel_that_cannot_begin_ends_what_had_begun(app, service, store):
    first, second = ScriptedChannel(), ScriptedChannel(name="other", fails=BotError("the token is refused"))
    running = service(app, first, second)
    with pytest.raises(BotError, match=r"^the token is refused$"):
        running.start()
    assert first.calls == ["start", "stop"]
    with pytest.raises(OSError, match="refused"):
        call(running.inside.address, "/healthz")


def test_a_port_in_use_ends_what_had_begun(app, service, store):
    first = service(app)
    first.start()
    port = int(first.inside.address.rsplit(":", 1)[1])
    with pytest.raises(BotError, match=f"{port} cannot be listened on"):
        service(app, port=port).start()
    assert call(first.inside.address, "/healthz").status == 200
    first.stop()


def test_a_channel_that_cannot_be_ended_keeps_nothing_else_from_it(app, service, store):
    def stop() -> None:
        raise RuntimeError

    channel = ScriptedChannel(on_stop=stop)
    running = service(app, channel)
    running.start()
    assert running.stop() == 0
