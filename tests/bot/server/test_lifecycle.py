"""The whole process, with a platform that does as it is told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.app import App
from bot.errors import BotError
from bot.server.checks import checks
from bot.server.health import SLOW
from bot.server.lifecycle import Addresses, Server
from bot.server.metrics import Metrics
from bot.state.sqlite.store import SqliteState
from tests.bot.server.http_calls import Said, call
from tests.bot.server.play import Playing, event, until
from tests.scripted_app import LEAVE, Place
from tests.servers import openai_server
from tests.servers.redis_servers import eventually

Made = Callable[..., Server]


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
def store(tmp_path) -> Iterator[SqliteState]:
    with closing(SqliteState(tmp_path / "state.db")) as opened:
        yield opened


@pytest.fixture
def service(store) -> Iterator[Made]:
    """Makes processes over the store, which end with the test."""
    with ExitStack() as ending:

        def made(app: App, *platforms: Playing, port: int = 0) -> Server:
            serving = Server(
                store,
                platforms,
                places=Addresses("127.0.0.1", port, "127.0.0.1", 0),
                checks=checks(app, store),
                figures=Metrics(waiting=store.waiting),
                stop_timeout=5,
                workers=2,
            )
            ending.callback(serving.stop)
            return serving

        yield made


def checked(serving: Server, name: str, ok: bool) -> Said:
    """What `/readyz` says once this check says so; what has to be loaded first may take a while."""
    said = [call(serving.inside.address, "/readyz")]

    def is_so() -> bool:
        said.append(call(serving.inside.address, "/readyz"))
        row = said[-1].json["checks"][name]
        return row["ok"] is ok and row["detail"] != SLOW

    eventually(is_so, f"{name} is looked at")
    return said[-1]


def hook(_: Request) -> Response:
    return PlainTextResponse("heard")


def test_a_platform_is_served_from_its_start_to_its_end(app, service, store):
    platform = Playing(addresses=[Route("/slack/events", hook, methods=["POST"])])
    serving = service(app, platform)
    serving.start()
    assert serving.public is not None
    assert platform.accept is not None
    assert call(serving.public.address, "/slack/events", method="POST").body == b"heard"
    assert call(serving.public.address, "/metrics").status == 404
    assert platform.accept(event()) == "new"
    eventually(lambda: len(platform.handled) == 1, "it is handled")
    eventually(lambda: b"footnote_queue 0.0" in call(serving.inside.address, "/metrics").body, "it is finished")
    assert serving.stop() == 0
    assert platform.calls == ["start", "stop"]


def test_all_that_is_needed_is_told_of_the_whole_house(app, service, store):
    serving = service(app)
    serving.start()
    for name in ("index", "embedding", "state", "store", "model"):
        said = checked(serving, name, ok=True)
    rows = said.json["checks"]
    assert (said.status, len(rows)) == (200, 5)
    assert rows["index"]["detail"].startswith("1 documents")
    assert rows["model"]["detail"] == "openai:scripted"
    assert serving.public is None
    serving.stop()


def test_without_documents_it_is_not_ready_and_says_what_to_do(place, service):
    (place.folder / "docs").mkdir()
    app = place.app(model="")
    serving = service(app)
    serving.start()
    said = checked(serving, "index", ok=False)
    assert said.status == 503
    assert "footnote sync" in said.json["checks"]["index"]["detail"]
    said = checked(serving, "model", ok=True)
    assert said.json["checks"]["model"] == {"ok": True, "needed": False, "detail": "none: sections are quoted"}
    assert call(serving.inside.address, "/healthz").status == 200
    serving.stop()


def test_a_model_s_server_that_is_down_is_told_and_keeps_nobody_from_asking(app, service, place):
    place.server.shutdown()
    place.server.server_close()
    serving = service(app)
    serving.start()
    checked(serving, "embedding", ok=True)
    said = checked(serving, "model", ok=False)
    assert said.status == 200
    assert "takes no connection" in said.json["checks"]["model"]["detail"]
    serving.stop()


def test_a_state_store_that_fails_is_not_ready(app, service, store):
    serving = service(app)
    store.close()
    serving.start()
    said = checked(serving, "state", ok=False)
    assert said.status == 503
    assert "cannot be used" in said.json["checks"]["state"]["detail"]
    serving.stop()


def test_while_it_ends_it_is_not_ready(app, service, store):
    go = threading.Event()
    platform = Playing(play=until(go))
    serving = service(app, platform)
    serving.start()
    assert platform.accept is not None
    platform.accept(event())
    eventually(lambda: serving.workshop.at_work == 1, "it is begun")
    ending = threading.Thread(target=serving.stop)
    ending.start()
    eventually(lambda: platform.calls[-1] == "stop", "it ends")
    said = call(serving.inside.address, "/readyz")
    assert (said.status, list(said.json["checks"])) == (503, ["process"])
    go.set()
    ending.join()
    assert store.waiting() == 0


def test_a_platform_that_cannot_begin_ends_what_had_begun(app, service, store):
    first, second = Playing(), Playing(name="other", fails=BotError("the token is refused"))
    serving = service(app, first, second)
    with pytest.raises(BotError, match=r"^the token is refused$"):
        serving.start()
    assert first.calls == ["start", "stop"]
    with pytest.raises(OSError, match="refused"):
        call(serving.inside.address, "/healthz")


def test_a_port_in_use_ends_what_had_begun(app, service, store):
    first = service(app)
    first.start()
    port = int(first.inside.address.rsplit(":", 1)[1])
    with pytest.raises(BotError, match=f"{port} cannot be listened on"):
        service(app, port=port).start()
    assert call(first.inside.address, "/healthz").status == 200
    first.stop()


def test_a_platform_that_cannot_be_ended_keeps_nothing_else_from_it(app, service, store):
    def stop() -> None:
        raise RuntimeError

    platform = Playing()
    platform.stop = stop  # type: ignore[method-assign]
    serving = service(app, platform)
    serving.start()
    assert serving.stop() == 0
