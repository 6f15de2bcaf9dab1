"""What every `FeedbackStore` promises, tried on each implementation."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.errors import FeedbackUnavailable, UnknownExchange
from feedback.sqlite_store import SqliteFeedback
from feedback.store import FeedbackStore
from tests.feedback.samples import NOON, exchange

Opener = Callable[[], FeedbackStore]


def sqlite_opener(folder: Path) -> Opener:
    return lambda: SqliteFeedback(folder / "feedback.sqlite")


@pytest.fixture(params=[pytest.param(sqlite_opener, id="sqlite")])
def reopen(request, tmp_path) -> Opener:
    """Opens the same store once more, as another process would."""
    opener: Opener = request.param(tmp_path)
    return opener


@pytest.fixture
def store(reopen) -> Iterator[FeedbackStore]:
    opened = reopen()
    yield opened
    opened.close()


def test_an_exchange_comes_back_as_it_was_recorded(store):
    store.record(exchange())
    assert store.exchange("answer-00000") == exchange()


def test_it_is_there_when_the_store_is_opened_again(store, reopen):
    store.record(exchange())
    store.close()
    again = reopen()
    assert again.exchange("answer-00000") == exchange()
    again.close()


def test_another_opener_sees_it_at_once(store, reopen):
    other = reopen()
    store.record(exchange())
    assert other.exchange("answer-00000") == exchange()
    other.close()


@pytest.mark.parametrize("answer", ["", "nobody", "ANSWER-00000", "answer-0000%"])
def test_an_unknown_id_is_refused_by_name(store, answer):
    store.record(exchange())
    with pytest.raises(UnknownExchange, match=repr(answer)):
        store.exchange(answer)


def test_the_same_id_again_changes_nothing(store):
    store.record(exchange())
    store.record(replace(exchange(), answer="Another.", conversation="c", at=exchange(9).at))
    assert store.exchange("answer-00000") == exchange()
    assert store.conversation("c", limit=5) == []
    assert list(store.exchanges()) == [exchange()]


def test_a_conversation_gives_its_newest_exchanges_oldest_first(store):
    for number in (2, 0, 1):
        store.record(exchange(number, conversation="c"))
    store.record(exchange(3, conversation="d"))
    assert store.conversation("c", limit=2) == [exchange(1, conversation="c"), exchange(2, conversation="c")]
    assert store.conversation("c", limit=9) == [exchange(number, conversation="c") for number in range(3)]
    assert store.conversation("c", limit=0) == []


@pytest.mark.parametrize("name", ["", "unknown", "C"])
def test_an_unknown_or_empty_conversation_holds_nothing(store, name):
    store.record(exchange(0))
    store.record(exchange(1, conversation="c"))
    assert store.conversation(name, limit=5) == []


def test_exchanges_of_the_same_moment_are_ordered_by_id(store):
    both = [replace(exchange(conversation="c"), id=name, at=NOON) for name in ("b", "a")]
    for each in both:
        store.record(each)
    assert [each.id for each in store.exchanges()] == ["a", "b"]
    assert [each.id for each in store.conversation("c", limit=5)] == ["a", "b"]
    assert [each.id for each in store.conversation("c", limit=1)] == ["b"]


def test_all_exchanges_come_oldest_first_however_many_and_while_others_are_recorded(store):
    recorded = [exchange(number) for number in range(1100)]
    for each in reversed(recorded[:1099]):
        store.record(each)
    found = store.exchanges()
    first = next(found)
    store.record(recorded[1099])
    assert [first, *found] == recorded


def test_an_empty_store_holds_no_exchange(store):
    assert list(store.exchanges()) == []


def test_names_may_hold_anything(store):
    odd = replace(exchange(), id="a'; -- \x00 \udcff%", conversation="\udcff\n' \U0001f600", question="\ud800 \x00")
    store.record(odd)
    assert store.exchange(odd.id) == odd
    assert store.conversation(odd.conversation, limit=1) == [odd]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(question=st.text(st.characters()), when=st.datetimes().map(lambda at: at.replace(tzinfo=NOON.tzinfo)))
def test_any_text_and_time_comes_back(store, question, when):
    asked = replace(exchange(), id=repr((question, when)), question=question, at=when)
    store.record(asked)
    assert store.exchange(asked.id) == asked


def test_threads_may_share_a_store(store):
    failures: list[BaseException] = []

    def work(begin: int) -> None:
        try:
            for number in range(begin, begin + 25):
                store.record(exchange(number, conversation="c"))
                assert store.exchange(f"answer-{number:05}") == exchange(number, conversation="c")
                assert len(list(store.exchanges())) > 0
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(begin,)) for begin in (0, 10, 25, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert list(store.exchanges()) == [exchange(number, conversation="c") for number in range(75)]


def test_a_closed_store_is_unavailable_and_may_be_closed_again(store):
    store.close()
    store.close()
    with pytest.raises(FeedbackUnavailable):
        store.record(exchange())
