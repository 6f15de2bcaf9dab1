"""What every `FeedbackStore` erases: a person with all their traces, and what is old."""

from dataclasses import replace
from datetime import timedelta

import pytest

from feedback.records import Forgotten, Held, without_words
from tests.feedback.samples import NOON, correction, decision, exchange, export, vote

ADA, BOB = "ad" * 32, "b0" * 32


@pytest.fixture
def talked(store):
    """Ada asked the first, Bob the second; each said something of both."""
    store.record(exchange(0, asker=ADA, conversation="c"))
    store.record(exchange(1, asker=BOB, conversation="c"))
    for number, (voter, answer) in enumerate((who, f"answer-0000{n}") for who in (ADA, BOB) for n in (0, 1)):
        store.vote(vote(number, "up", key=f"{voter} {answer} 0", voter=voter, answer=answer))
        store.vote(vote(number + 9, key=f"{voter} {answer} 1", voter=voter, answer=answer))
        store.correct(correction(number, key=f"{voter} {answer}", author=voter, answer=answer))
    store.decide(decision(0, "accept", reviewer=BOB, answer="answer-00001", correction=f"{ADA} answer-00001"))
    store.decide(decision(1, "approve", reviewer=ADA, answer="answer-00001"))
    store.decide(decision(2, "approve", reviewer=BOB, answer="answer-00001"))
    return store


def test_a_forgotten_person_leaves_nothing_behind(talked, reopen):
    told = talked.forget(ADA)
    assert told == Forgotten(exchanges=1, votes=6, corrections=3, decisions=2)
    again = reopen()
    assert ADA not in repr(list(again.records()))
    assert "answer-00000" not in repr(list(again.records()))
    assert list(again.exchanges()) == again.conversation("c", limit=9) == [exchange(1, asker=BOB, conversation="c")]
    assert [each.voter for each in again.votes("answer-00001")] == [BOB]
    assert again.votes("answer-00000") == []
    assert [each.author for each in again.corrections("answer-00001")] == [BOB]
    assert again.decisions("answer-00001") == [decision(2, "approve", reviewer=BOB, answer="answer-00001")]
    again.close()


def test_forgetting_again_finds_nothing_more(talked):
    talked.forget(ADA)
    kept = list(talked.records())
    assert talked.forget(ADA) == Forgotten(0, 0, 0, 0)
    assert list(talked.records()) == kept


@pytest.mark.parametrize("person", ["", "nobody", ADA[:8]])
def test_of_an_unknown_person_there_is_nothing_to_forget(talked, person):
    talked.record(exchange(5, asker=""))
    talked.vote(vote(7, key="nobody's", voter=""))
    kept = list(talked.records())
    assert talked.forget(person) == Forgotten(0, 0, 0, 0)
    assert list(talked.records()) == kept


def test_exports_that_hold_rows_of_a_person_stay_listed(talked):
    for number in (1, 0, 2):
        talked.register(export(number), {ADA: [f"r{number}", "a"], BOB: ["b"]} if number else {BOB: ["b"]})
    for _ in range(2):
        held = talked.forget(ADA).exports
        assert held == (Held(export(1), ("a", "r1")), Held(export(2), ("a", "r2")))
    assert [each.export.id for each in talked.forget(BOB).exports] == ["export-0", "export-1", "export-2"]


def test_a_forgotten_person_may_come_back(talked):
    talked.forget(ADA)
    back = vote(20, key="new", voter=ADA, answer="answer-00001")
    assert talked.vote(back)
    assert [each.voter for each in talked.votes("answer-00001")] == [BOB, ADA]
    assert talked.forget(ADA).votes == 1


def test_much_of_a_person_is_forgotten(store):
    store.take([exchange(number, asker=ADA) for number in range(250)])
    store.take([vote(number, key=f"k{number}", answer="answer-00000", voter=f"v{number}") for number in range(250)])
    store.record(exchange(999, asker=BOB))
    store.take([vote(number, key=f"mine{number}", answer="answer-00999", voter=ADA) for number in range(250)])
    assert store.forget(ADA) == Forgotten(250, 500, 0, 0)
    assert list(store.records()) == [exchange(999, asker=BOB)]


def test_what_is_old_loses_its_words_and_keeps_what_is_counted(talked):
    assert talked.prune(words=NOON + timedelta(seconds=1)) == (1, 0)
    (old, young) = talked.judged()
    assert old.exchange == without_words(exchange(0, asker=ADA, conversation="c"))
    assert [(each.vote, each.reason, each.comment) for each in old.votes] == [("down", "outdated", "")] * 2
    assert [each.text for each in old.corrections] == ["", ""]
    assert old.exchange.shown[0].section == "Leave > Carry-over"
    assert "days" not in repr([each for each in talked.records() if "answer-00000" in repr(each)])
    assert young.exchange == exchange(1, asker=BOB, conversation="c")
    assert all(each.comment for each in young.votes)
    assert all(each.comment for each in young.decisions)
    assert talked.prune(words=NOON + timedelta(seconds=1)) == (0, 0)


def test_what_is_said_later_of_what_has_lost_its_words_is_kept_without_words(talked):
    talked.prune(words=NOON + timedelta(days=1))
    assert talked.vote(vote(20, key="late", voter="late"))
    assert talked.correct(correction(20, key="late"))
    assert talked.decide(decision(20, key="late"))
    assert talked.votes("answer-00000")[-1] == vote(20, key="late", voter="late", comment="")
    assert talked.corrections("answer-00000")[-1].text == ""
    assert talked.decisions("answer-00000")[-1].comment == ""


def test_what_is_very_old_goes_with_all_that_was_said_of_it(talked):
    assert talked.prune(words=NOON + timedelta(days=1), all_of_it=NOON + timedelta(seconds=1)) == (1, 1)
    (left,) = talked.judged()
    assert left.exchange.id == "answer-00001"
    assert "answer-00000" not in repr(list(talked.records()))
    assert talked.conversation("c", limit=9) == [left.exchange]


def test_without_a_moment_everything_stays(talked):
    kept = list(talked.records())
    assert talked.prune() == (0, 0)
    assert list(talked.records()) == kept


def test_many_lose_their_words(store):
    store.take([exchange(number) for number in range(1100)])
    store.take([vote(number, answer=f"answer-{number:05}") for number in range(1100)])
    assert store.prune(words=NOON + timedelta(seconds=1050)) == (1050, 0)
    assert [each.exchange.pruned for each in store.judged()] == [True] * 1050 + [False] * 50
    assert store.prune(all_of_it=NOON + timedelta(seconds=1050)) == (0, 1050)
    assert list(store.exchanges()) == [exchange(number) for number in range(1050, 1100)]


def test_a_pruned_exchange_that_is_recorded_stays_pruned(store):
    bare = without_words(exchange())
    store.record(bare)
    store.vote(vote())
    assert store.exchange("answer-00000") == bare
    assert store.votes("answer-00000") == [replace(vote(), comment="")]
    assert store.prune(words=NOON + timedelta(days=1)) == (0, 0)
