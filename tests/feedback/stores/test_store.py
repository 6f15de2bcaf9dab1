"""What every `FeedbackStore` promises, tried on each implementation."""

import threading
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.errors import FeedbackUnavailable, UnknownExchange
from feedback.records import Vote
from tests.feedback.samples import NOON, correction, exchange, vote


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


def test_a_vote_comes_back_as_it_was_given(answered, reopen):
    assert answered.vote(vote())
    assert answered.votes("answer-00000") == [vote()]
    again = reopen()
    assert again.votes("answer-00000") == [vote()]
    again.close()


def test_the_same_key_again_is_the_same_vote(answered):
    assert answered.vote(vote())
    assert not answered.vote(vote())
    assert not answered.vote(replace(vote(9, "up"), key=vote().key))
    assert not answered.vote(replace(vote(9, "up"), key=vote().key, answer="answer-00001"))
    assert answered.votes("answer-00000") == [vote()]
    assert answered.votes("answer-00001") == []


def test_the_latest_vote_of_a_person_on_an_answer_counts(answered):
    others = vote(0, "up", key="other", voter="other"), vote(5, "up", key="elsewhere", answer="answer-00001")
    for each in (*others, vote(1), vote(3, "up"), vote(2)):
        assert answered.vote(each)
    assert answered.votes("answer-00000") == [others[0], vote(3, "up")]
    assert answered.votes("answer-00001") == [others[1]]


def test_none_withdraws_what_came_before_it(answered):
    for each in (vote(1), vote(2, "none")):
        answered.vote(each)
    assert answered.votes("answer-00000") == []
    answered.vote(vote(0, "up"))
    assert answered.votes("answer-00000") == []
    answered.vote(vote(3, "up"))
    assert answered.votes("answer-00000") == [vote(3, "up")]


def test_of_votes_of_the_same_moment_the_greater_key_counts(answered):
    for key in ("b", "c", "a"):
        answered.vote(vote(0, key=key))
        answered.vote(vote(0, key=f"{key}2", voter="other"))
    assert [each.key for each in answered.votes("answer-00000")] == ["c", "c2"]


@pytest.mark.parametrize("answer", ["", "nobody", "ANSWER-00000"])
def test_an_unknown_answer_takes_no_vote_and_no_correction(answered, answer):
    with pytest.raises(UnknownExchange, match=repr(answer)):
        answered.vote(vote(answer=answer))
    with pytest.raises(UnknownExchange, match=repr(answer)):
        answered.correct(correction(answer=answer))
    assert (answered.votes(answer), answered.corrections(answer)) == ([], [])
    assert answered.vote(vote())  # the key is not used up


def test_corrections_are_kept_oldest_first_and_once_each(answered):
    assert [answered.correct(correction(number)) for number in (2, 0, 1, 0)] == [True, True, True, False]
    assert answered.correct(correction(9, answer="answer-00001"))
    assert answered.corrections("answer-00000") == [correction(number) for number in range(3)]


CLICKS = st.lists(
    st.builds(
        vote,
        st.integers(0, 9),
        st.sampled_from(["up", "down", "none"]),
        at=st.integers(-2, 2).map(lambda seconds: NOON + timedelta(microseconds=seconds)),
        voter=st.sampled_from(["ada", "bob", "Ada"]),
        key=st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    ),
    max_size=8,
    unique_by=lambda each: each.key,
)
examples = count(10)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(clicks=CLICKS, data=st.data())
def test_the_last_vote_of_each_person_counts_in_whatever_order_they_come_and_however_often(store, clicks, data):
    answer = exchange(next(examples))
    store.record(answer)
    clicks = [replace(click, answer=answer.id, key=f"{answer.id} {click.key}") for click in clicks]
    again = data.draw(st.lists(st.sampled_from(clicks), max_size=4)) if clicks else []
    news = [store.vote(click) for click in data.draw(st.permutations(clicks + again))]
    assert sum(news) == len(clicks)
    assert store.votes(answer.id) == counting(clicks)


def counting(clicks: list[Vote]) -> list[Vote]:
    """The contract once more, in the plainest form."""
    ordered = sorted(clicks, key=lambda click: (click.at, click.key))
    last = {click.voter: click for click in ordered}
    return [click for click in ordered if last[click.voter] is click and click.vote != "none"]


def test_a_closed_store_is_unavailable_and_may_be_closed_again(store):
    store.close()
    store.close()
    with pytest.raises(FeedbackUnavailable):
        store.record(exchange())
    with pytest.raises(FeedbackUnavailable):
        store.vote(vote())
