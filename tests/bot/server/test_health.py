"""Whether questions can be answered: `/readyz` says so with a reason, quickly, and checks not too often."""

import threading

import pytest

from bot.errors import BotError
from bot.server.health import SLOW, Health, HealthCheck, Readiness
from bot.server.http import Listener, inside_app
from bot.server.metrics import Metrics
from tests.bot.server.http_calls import Received, call
from tests.servers.redis_servers import eventually


def down() -> str:
    raise BotError("the index is down:\nstart it")


def surprising() -> str:
    raise KeyError("hunter2")


def listener(readiness: Readiness) -> Listener:
    return Listener(inside_app(readiness, Metrics().page), host="127.0.0.1", port=0, setting="port")


def readyz(*, optional: tuple[str, ...] = (), **checks: HealthCheck) -> Received:
    inside = listener(Readiness(checks, optional=optional))
    inside.start()
    try:
        return call(inside.address, "/readyz")
    finally:
        inside.stop()


def test_where_all_is_well_it_says_so():
    response = readyz(index=lambda: "5 documents")
    assert response.status == 200
    assert response.json == {"ok": True, "checks": {"index": {"ok": True, "needed": True, "detail": "5 documents"}}}


def test_what_is_needed_and_fails_is_503_with_the_reason_in_one_line():
    response = readyz(index=down, store=lambda: "answers")
    assert response.status == 503
    assert response.json["checks"]["index"] == {"ok": False, "needed": True, "detail": "the index is down: start it"}
    assert response.json["checks"]["store"]["ok"]


def test_what_is_not_needed_may_fail():
    response = readyz(index=lambda: "fine", model=down, optional=("model",))
    assert (response.status, response.json["ok"], response.json["checks"]["model"]["ok"]) == (200, True, False)


def test_the_text_of_an_error_that_is_not_ours_is_not_shown():
    response = readyz(index=surprising)
    assert response.status == 503
    assert b"hunter2" not in response.body


def test_a_check_is_made_again_only_after_some_seconds():
    checked, now = [], [0.0]

    def check() -> str:
        checked.append(now[0])
        return "fine"

    readiness = Readiness({"index": check}, fresh=5, clock=lambda: now[0])
    readiness()
    now[0] = 4.9
    readiness()
    assert checked == [0.0]
    now[0] = 5
    readiness()
    assert checked == [0.0, 5]


def test_a_check_that_hangs_is_not_waited_for_nor_started_a_second_time():
    go, started = threading.Event(), []

    def hangs() -> str:
        started.append(1)
        go.wait(20)
        return "fine"

    readiness = Readiness({"index": hangs, "state": lambda: "fine"}, fresh=0, timeout=0.05)
    for _ in range(3):
        found = readiness()
        assert found == {"index": Health(ok=False, detail=SLOW, required=True), "state": Health(True, "fine", True)}
    assert started == [1]
    go.set()
    eventually(lambda: readiness()["index"].ok, "it is well again")


def test_the_end_waits_for_a_check_that_runs_and_not_for_ever():
    go = threading.Event()
    readiness = Readiness({"index": lambda: str(go.wait(20))}, timeout=0.01)
    assert not readiness()["index"].ok
    readiness.wait_for_checks(0.01)
    threading.Timer(0.2, go.set).start()
    readiness.wait_for_checks(20)
    assert go.is_set()


@pytest.mark.parametrize("path", ["/", "/api/ask", "/slack/events", "/healthz/"])
def test_the_inside_listener_has_nothing_else(path):
    inside = listener(Readiness({}))
    inside.start()
    try:
        assert call(inside.address, path).status == 404
        assert (call(inside.address, "/healthz").status, call(inside.address, "/healthz").json) == (200, {"ok": True})
    finally:
        inside.stop()
