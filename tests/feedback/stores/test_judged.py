"""What every `FeedbackStore` tells of what was said: decisions, all that counts of an exchange, all that is kept."""

from dataclasses import replace
from datetime import timedelta

import pytest

from feedback.errors import UnknownExchange
from feedback.records import Export, Registered, ReviewedExchange
from feedback.stores.sqlite.store import SqliteFeedback
from tests.feedback.samples import NOON, correction, decision, exchange, export, vote


def test_decisions_are_kept_oldest_first_and_once_each(answered):
    assert [answered.decide(decision(number)) for number in (2, 0, 1, 0)] == [True, True, True, False]
    assert answered.decide(decision(9, answer="answer-00001"))
    assert answered.decisions("answer-00000") == [decision(number) for number in range(3)]
    assert answered.decisions("nobody") == []


def test_an_unknown_answer_takes_no_decision(answered):
    with pytest.raises(UnknownExchange, match="'nobody'"):
        answered.decide(decision(answer="nobody"))
    assert answered.decide(decision())  # the key is not used up


def test_a_correction_is_accepted_as_the_latest_decision_about_it_says(answered):
    for number in range(3):
        answered.correct(correction(number))
    for each in (
        decision(3, "reject", correction="click-00000"),
        decision(2, "accept", correction="click-00000"),
        decision(1, "accept", correction="click-00001"),
        decision(9, "approve", correction="click-00002"),
    ):
        answered.decide(each)
    assert [each.accepted for each in answered.corrections("answer-00000")] == [False, True, None]
    (judged, _) = answered.judged()
    assert [each.accepted for each in judged.corrections] == [False, True, None]


def test_all_that_counts_of_an_exchange_comes_with_it(answered):
    given = [vote(1), vote(2, "up"), vote(3, key="other", voter="other"), vote(4, "none", key="gone", voter="third")]
    for each in given:
        answered.vote(each)
    answered.correct(correction())
    answered.decide(decision(1, "accept", correction="click-00000"))
    answered.decide(decision(0))
    assert list(answered.judged()) == [
        ReviewedExchange(
            exchange(0),
            (given[1], given[2]),
            (replace(correction(), accepted=True),),
            (decision(0), decision(1, "accept", correction="click-00000")),
        ),
        ReviewedExchange(exchange(1)),
    ]


def test_only_the_exchanges_of_a_time_are_judged_its_end_not_in_it(store):
    for number in range(5):
        store.record(exchange(number))
        store.vote(vote(number, answer=f"answer-{number:05}"))
    found = list(store.judged(since=NOON + timedelta(seconds=1), until=NOON + timedelta(seconds=3)))
    assert [each.exchange.id for each in found] == ["answer-00001", "answer-00002"]
    assert [len(each.votes) for each in found] == [1, 1]
    assert list(store.judged(since=NOON + timedelta(seconds=9))) == []
    assert len(list(store.judged(until=NOON))) == 0


def test_many_are_judged_each_with_its_own_votes(store):
    store.take([exchange(number) for number in range(1100)])
    store.take([vote(number, answer=f"answer-{number:05}") for number in range(0, 1100, 3)])
    found = list(store.judged())
    assert [each.exchange for each in found] == [exchange(number) for number in range(1100)]
    assert [len(each.votes) for each in found] == [int(number % 3 == 0) for number in range(1100)]


def test_several_records_are_taken_at_once_and_told_of_each(store):
    store.record(exchange(0))
    given = [
        exchange(0),
        vote(1),
        vote(2, answer="answer-00007"),
        vote(3, answer="answer-00005"),
        exchange(5),
        vote(3, answer="answer-00005"),
        vote(1),
        correction(),
        decision(),
        decision(),
        Registered(export(), "ada", ("r1",)),
        export(1),
    ]
    told = ["known", "added", "unknown-answer", "unknown-answer"]
    told += ["added", "added", "known", "added", "added", "known", "added", "added"]
    assert store.take(given) == told
    assert [each.id for each in store.exchanges()] == ["answer-00000", "answer-00005"]
    assert store.votes("answer-00005") == [vote(3, answer="answer-00005")]
    assert store.exports() == [export(), export(1)]
    assert store.take([]) == []


def fill(store) -> None:
    """Something of everything that a store can hold."""
    for number in range(3):
        store.record(exchange(number, conversation="c"))
    store.record(replace(exchange(9), id="odd '\x00 \udcff\n"))
    for each in (vote(0, "up"), vote(1, "down"), vote(2, "none"), vote(3, "up")):
        store.vote(each)
    store.vote(vote(0, key="early", answer="answer-00001", voter=""))
    store.correct(correction())
    store.correct(correction(1, answer="answer-00001"))
    store.decide(decision(1, "accept", correction="click-00000"))
    store.register(export(1), {"ada": ["r2", "r1", "r2"], "bob": ["r3"]})
    store.register(export(0), {})


def test_all_that_is_kept_makes_another_store_equal(store, tmp_path):
    fill(store)
    kept = list(store.records())
    other = SqliteFeedback(tmp_path / "other.sqlite")
    assert set(other.take(kept)) == {"added"}
    assert list(other.records()) == kept
    assert list(other.judged()) == list(store.judged())
    assert set(other.take([each for each in kept if not isinstance(each, Export | Registered)])) == {"known"}
    assert store.take(kept) == ["known"] * (len(kept) - 3) + ["added"] * 3
    assert list(store.records()) == kept
    other.close()


def test_all_that_is_kept_comes_in_order_votes_that_no_longer_count_too(store):
    fill(store)
    kinds = [type(each).__name__ for each in store.records()]
    assert (
        kinds == ["Exchange"] * 4 + ["Vote"] * 4 + ["Correction", "Decision", "Vote", "Correction"] + ["Registered"] * 3
    )
    assert list(store.records())[-3:] == [
        Registered(export(0)),
        Registered(export(1), "ada", ("r1", "r2")),
        Registered(export(1), "bob", ("r3",)),
    ]


def test_exports_are_listed_oldest_first_however_often_they_are_registered(store):
    for number in (1, 0, 1):
        store.register(export(number), {"ada": [f"r{number}"]})
    assert store.exports() == [export(0), export(1)]
