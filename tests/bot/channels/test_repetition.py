"""What happens twice is told from what happens once, by all replicas together."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import App, bootstrap
from bot.channels.repetition import DOUBLE_CLICK, Deduplicator
from bot.config.settings import Settings
from bot.errors import StateUnavailable
from bot.services.personal_data import Person, SharedData
from tests.fakes import FakeEmbedder

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
def app(tmp_path):
    with closing(bootstrap(Settings(home=tmp_path), embedder=FakeEmbedder())) as opened:
        yield opened


def deduplicator(app: App, at: datetime = NOON) -> Deduplicator:
    return Deduplicator(app.state, "chat", pseudonym=app.pseudonym, now=lambda: at)


def test_of_two_replicas_one_is_first(app):
    assert [deduplicator(app).is_first_press("U1", "down:a1", "17.0") for _ in range(2)] == [True, False]
    assert deduplicator(app).is_first_press("U2", "down:a1", "17.0"), "somebody else"


def test_a_double_click_is_one_press_and_a_later_one_another(app):
    assert deduplicator(app).is_first_press("U1", "down:a1", "17.0")
    assert not deduplicator(app).is_first_press("U1", "down:a1", "17.2")
    assert deduplicator(app).is_first_press("U1", "up:a1", "17.3")
    assert deduplicator(app, NOON + DOUBLE_CLICK + timedelta(seconds=1)).is_first_press("U1", "down:a1", "21.0")


def test_the_same_press_later_is_still_the_same(app):
    assert deduplicator(app).is_first_press("U1", "down:a1", "17.0")
    assert not deduplicator(app, NOON + timedelta(minutes=5)).is_first_press("U1", "down:a1", "17.0")


def test_nothing_of_a_person_stays_once_they_are_forgotten(app):
    assert deduplicator(app).is_first("U1", "welcome", within=timedelta(days=365))
    person = Person("chat:U1", app.pseudonym("chat:U1"))
    data = SharedData(app.state, clock=lambda: NOON)
    assert sum(data.erase(person).values()) == 1
    assert "U1" not in "".join(app.state.keys("", now=NOON))
    assert deduplicator(app).is_first("U1", "welcome", within=timedelta(days=365))


def test_without_the_store_everything_is_a_first_time(app):
    class Down:
        def add(self, *_: object, **__: object) -> bool:
            raise StateUnavailable("it cannot be reached")

    broken = Deduplicator(Down(), "chat", pseudonym=app.pseudonym)  # type: ignore[arg-type] # what is called of it
    assert broken.is_first_in("C1", "welcome", within=timedelta(days=1))
