"""Requests that fail in passing are tried again: a read for some seconds, a write for longer and behind its fence."""

import elasticsearch
import pytest

from retrieval.errors import SearchUnavailable
from retrieval.index.elastic.client import PartialResponse
from retrieval.index.elastic.retries import RETRIES, Retries
from tests.retrieval.index.elastic.test_client import made


class Failing:
    """Fails so many times in this way, then gives an answer; its clock goes on with each pause."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.left, self.asked, self.now = error, times, 0, 0.0

    def __call__(self) -> str:
        self.asked += 1
        if self.asked <= self.left:
            raise self.error
        return "whole"

    def pause(self, seconds: float) -> None:
        self.now += seconds


def retries(failing: Failing) -> Retries:
    """The usual retries, over the clock of a request that fails."""
    return Retries(clock=lambda: failing.now, sleep=failing.pause, jitter=lambda: 0.5)


def asked(failing: Failing) -> str:
    return retries(failing).read(failing)


@pytest.mark.parametrize(
    "error",
    [
        PartialResponse(500, "node_disconnected_exception"),
        # as a search of an index says that is made or deleted at this moment
        made(elasticsearch.ApiError, "search_phase_execution_exception", status=503),
    ],
)
def test_a_search_that_broke_off_with_its_node_is_asked_again(error):
    assert asked(Failing(error, 3)) == "whole"


def test_a_search_is_asked_again_only_while_somebody_waits():
    lasting = Failing(PartialResponse(503, "no_shard_available"), 10_000)
    with pytest.raises(PartialResponse):
        asked(lasting)
    assert RETRIES.patience < lasting.now < RETRIES.patience + 1


@pytest.mark.parametrize("status", [400, 404, 408])
def test_what_does_not_pass_by_itself_is_not_asked_again(status):
    for error in (PartialResponse(status, "no"), made(elasticsearch.ApiError, "no", status=status)):
        failing = Failing(error, 1)
        with pytest.raises(type(error)):
            asked(failing)
        assert failing.asked == 1


def test_a_write_that_is_turned_away_for_now_is_tried_again_unless_another_may_be_writing():
    busy = made(elasticsearch.ApiError, "es_rejected_execution_exception", status=429)
    failing = Failing(busy, RETRIES.tries - 1)
    assert retries(failing).write(failing) == "whole"
    lasting = Failing(busy, 10_000)
    with pytest.raises(elasticsearch.ApiError):
        retries(lasting).write(lasting)
    assert lasting.asked == RETRIES.tries

    def fence() -> None:
        if fenced.asked:
            raise SearchUnavailable("the right is lost")

    fenced = Failing(busy, 10_000)
    with pytest.raises(SearchUnavailable, match="the right is lost"):
        retries(fenced).write(fenced, fence=fence)
    assert fenced.asked == 1


def test_the_pauses_between_the_tries_of_a_write_double_up_to_the_longest():
    pauses: list[float] = []
    lasting = Failing(made(elasticsearch.ApiError, "es_rejected_execution_exception", status=429), 10_000)
    with pytest.raises(elasticsearch.ApiError):
        Retries(sleep=pauses.append, jitter=lambda: 0.5).write(lasting)
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8]
    pauses.clear()
    with pytest.raises(elasticsearch.ApiError):
        Retries(longest_pause=1.0, sleep=pauses.append, jitter=lambda: 0.0).write(lasting)
    assert pauses == [0.1, 0.2, 0.4, 0.5, 0.5, 0.5, 0.5]


def test_the_pauses_between_the_tries_of_a_read_are_short():
    pauses: list[float] = []
    failing = Failing(PartialResponse(503, "no_shard_available"), 3)
    Retries(sleep=pauses.append, jitter=iter([0.0, 0.5, 1.0]).__next__).read(failing)
    assert pauses == pytest.approx([0.05, 0.175, 0.3])
