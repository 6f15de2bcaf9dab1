"""Whether questions can be answered: told with a reason, quickly, and not asked too often."""

import threading

import pytest

from bot.errors import BotError
from bot.server import http
from bot.server.health import SLOW, Health, HealthCheck, Readiness
from bot.server.listener import Listener
from bot.server.metrics import Metrics
from tests.bot.server.http_calls import Said, call
from tests.servers.redis_servers import eventually


def down() -> str:
    raise BotError("the index is down:\nstart it")


def surprising() -> str:
    raise KeyError("hunter2")


def told(**checks: HealthCheck) -> Said:
    ready = Readiness(checks)
    made = Listener(http.inside(ready, Metrics().page), host="127.0.0.1", port=0, setting="port")
    made.start()
    try:
        return call(made.address, "/readyz")
    finally:
        made.stop()


def test_where_all_is_well_it_says_so():
    said = told(index=HealthCheck(lambda: "5 documents"))
    assert said.status == 200
    assert said.json == {"ok": True, "checks": {"index": {"ok": True, "needed": True, "detail": "5 documents"}}}


def test_what_is_needed_and_fails_is_503_with_the_reason_in_one_line():
    said = told(index=HealthCheck(down, (BotError,)), store=HealthCheck(lambda: "answers"))
    assert said.status == 503
    assert said.json["checks"]["index"] == {"ok": False, "needed": True, "detail": "the index is down: start it"}
    assert said.json["checks"]["store"]["ok"]


def test_what_is_not_needed_may_fail():
    said = told(index=HealthCheck(lambda: "fine"), model=HealthCheck(down, (BotError,), needed=False))
    assert (said.status, said.json["ok"], said.json["checks"]["model"]["ok"]) == (200, True, False)


def test_the_text_of_an_error_that_is_not_ours_is_not_shown():
    said = told(index=HealthCheck(surprising))
    assert said.status == 503
    assert b"hunter2" not in said.body


def test_it_is_looked_at_again_only_after_some_seconds():
    looks, now = [], [0.0]

    def look() -> str:
        looks.append(1)
        return "fine"

    ready = Readiness({"index": HealthCheck(look)}, fresh=5, clock=lambda: now[0])
    ready()
    now[0] = 4.9
    ready()
    assert len(looks) == 1
    now[0] = 5
    ready()
    assert len(looks) == 2


def test_what_hangs_is_not_waited_for_nor_begun_a_second_time():
    go, begun = threading.Event(), []

    def hangs() -> str:
        begun.append(1)
        go.wait(20)
        return "fine"

    ready = Readiness({"index": HealthCheck(hangs), "state": HealthCheck(lambda: "fine")}, fresh=0, patience=0.05)
    for _ in range(3):
        assert ready() == {"index": Health(ok=False, detail=SLOW, needed=True), "state": Health(True, "fine", True)}
    assert begun == [1]
    go.set()
    eventually(lambda: ready()["index"].ok, "it is well again")


@pytest.mark.parametrize("path", ["/", "/api/ask", "/slack/events", "/healthz/"])
def test_the_inside_listener_has_nothing_else(path):
    made = Listener(http.inside(Readiness({}), Metrics().page), host="127.0.0.1", port=0, setting="port")
    made.start()
    try:
        assert call(made.address, path).status == 404
        assert (call(made.address, "/healthz").status, call(made.address, "/healthz").json) == (200, {"ok": True})
    finally:
        made.stop()
