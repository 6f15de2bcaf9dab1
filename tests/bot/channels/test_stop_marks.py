"""What was asked in a thread before somebody stopped the work there is stopped, and nothing else."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from bot.channels.events import Place
from bot.channels.stop_marks import KEPT, StopMarks
from bot.state.sqlite.store import SqliteState

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
QUESTION = Place("slack", "T1", "C1", "17.5", "18.0")


@pytest.fixture
def store(tmp_path):
    with closing(SqliteState(tmp_path / "state.db")) as opened:
        yield opened


def test_what_was_accepted_in_a_thread_before_it_was_stopped_is_stopped(store):
    marks = StopMarks(store, "slack", now=lambda: NOW)
    assert not marks.covers(QUESTION, NOW)
    marks.add(QUESTION, NOW)
    marks.add(QUESTION, NOW - SECOND)  # told later, and older
    assert marks.covers(QUESTION, NOW - SECOND)
    assert marks.covers(Place("slack", "T1", "C1", "17.5"), NOW)
    assert not marks.covers(QUESTION, NOW + SECOND)
    assert not marks.covers(Place("slack", "T1", "C1", "20.0"), NOW)
    assert not StopMarks(store, "teams", now=lambda: NOW).covers(QUESTION, NOW)


def test_what_is_written_stays_as_it_was_and_expires(store):
    StopMarks(store, "slack", now=lambda: NOW).add(QUESTION, NOW)
    key = "slack:stop:T1:C1:17.5"
    assert store.get(key, now=NOW) == "2026-03-02T12:30:00+00:00"
    assert store.get(key, now=NOW + KEPT) is None
