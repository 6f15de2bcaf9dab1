"""What every `FeedbackStore` promises, tried on each implementation."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.errors import FeedbackUnavailable, RecordRefused, UnknownExchange
from feedback.records import (
    AnswerSentence,
    Correction,
    Decision,
    ErasureResult,
    Exchange,
    Export,
    ExportedRows,
    ExportRegistration,
    Record,
    ReviewedExchange,
    Vote,
    without_words,
)
from feedback.stores.journal.store import JournaledFeedback
from feedback.stores.protocol import FeedbackStore
from feedback.stores.redis.store import RedisFeedback
from feedback.stores.sqlite.store import SqliteFeedback
from tests.feedback.conftest import SERVERS, SPECIAL, redis_url
from tests.feedback.samples import NOON, correction, decision, exchange, export, vote
from tests.servers.redis_servers import remove

__all__ = ["redis_url"]

ADA, BOB = "ad" * 32, "b0" * 32

Opener = Callable[[], FeedbackStore]


@pytest.fixture(params=["sqlite", "journaled", *SERVERS, *SPECIAL])
def reopen(request, tmp_path, redis_url) -> Iterator[Opener]:
    """Opens the same store once more, as another process would."""
    if request.param == "sqlite":
        yield lambda: SqliteFeedback(tmp_path / "feedback.sqlite")
        return
    if request.param == "journaled":
        yield lambda: JournaledFeedback(
            SqliteFeedback(tmp_path / "feedback.sqlite"), tmp_path / "journal.sqlite", limit=1000, first_wait=0.01
        )
        return
    url, workspace = redis_url(request.param), uuid4().hex
    yield lambda: RedisFeedback(url, workspace=workspace)
    if request.param == "own":
        remove(url, workspace)


@pytest.fixture
def store(reopen) -> Iterator[FeedbackStore]:
    opened = reopen()
    yield opened
    opened.close()


@pytest.fixture
def answered(store) -> FeedbackStore:
    """A store with two answers that can be voted on."""
    store.record(exchange(0))
    store.record(exchange(1))
    opened: FeedbackStore = store
    return opened


def exports(store: FeedbackStore) -> list[Export]:
    """The exports that are registered, each once."""
    registered = [each.export for each in store.records() if isinstance(each, ExportRegistration)]
    return list(dict.fromkeys(registered))


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
@given(
    question=st.text(st.characters()),
    when=st.integers(0, 30_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
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
        except BaseException as error:  # noqa: BLE001 - raised below
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


def test_of_votes_of_the_same_moment_the_one_that_came_last_counts(answered, reopen):
    for key in ("b", "c", "a"):
        answered.vote(vote(0, key=key))
        answered.vote(vote(0, key=f"{key}2", voter="other"))
    assert [each.key for each in answered.votes("answer-00000")] == ["a", "a2"]
    answered.vote(vote(0, key="c"))
    again = reopen()
    assert [each.key for each in again.votes("answer-00000")] == ["a", "a2"]
    assert [each.key for each in next(again.reviewed_exchanges()).votes] == ["a", "a2"]
    again.close()


def test_corrections_and_decisions_of_the_same_moment_stay_in_the_order_in_which_they_came(answered):
    for key in ("b", "c", "a"):
        answered.correct(correction(0, key=key))
        answered.decide(decision(0, "accept" if key == "a" else "reject", key=key, correction="b"))
    assert [each.key for each in answered.corrections("answer-00000")] == ["b", "c", "a"]
    assert [each.key for each in answered.decisions("answer-00000")] == ["b", "c", "a"]
    assert answered.corrections("answer-00000")[0].accepted


def test_a_vote_of_a_time_that_has_not_come_gives_way_to_the_next(answered):
    """A clock was wrong: otherwise it would count for ever."""
    answered.vote(vote(0, "up", key="wrong clock", at=datetime(2900, 1, 1, tzinfo=UTC)))
    assert [each.key for each in answered.votes("answer-00000")] == ["wrong clock"]
    answered.vote(vote(1, key="b"))
    assert [each.key for each in answered.votes("answer-00000")] == ["b"]
    answered.vote(vote(0, "up", key="older"))
    assert [each.key for each in answered.votes("answer-00000")] == ["b"]
    answered.vote(vote(2, "none", key="c"))
    assert answered.votes("answer-00000") == []


@pytest.mark.parametrize(
    "record",
    [
        exchange(5, question="w" * 100_001),
        exchange(5, confidence=float("nan")),
        exchange(5, timings={"total": float("inf")}),
        exchange(5, sentences=(AnswerSentence("a", (10**30,)),)),
        exchange(5, at=datetime(1, 1, 1, tzinfo=UTC)),
        exchange(5, at=datetime.max.replace(tzinfo=UTC)),
        vote(5, key="half \ud800"),
        vote(5, comment="w" * 100_001),
        correction(5, text="w" * 100_001),
        decision(5, key="\udfff"),
    ],
)
def test_what_no_record_may_hold_is_refused_with_the_place(answered, record):
    before = list(answered.records())
    for write in (lambda: answered.write_many([record]), lambda: _write(answered, record)):
        with pytest.raises(RecordRefused, match=r"cannot be recorded: `\w+\."):
            write()
    assert list(answered.records()) == before


def _write(store: FeedbackStore, record: Record) -> None:
    if isinstance(record, Exchange):
        store.record(record)
    elif isinstance(record, Vote):
        store.vote(record)
    elif isinstance(record, Correction):
        store.correct(record)
    elif isinstance(record, Decision):
        store.decide(record)


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
    came = data.draw(st.permutations(clicks + again))
    news = [store.vote(click) for click in came]
    assert sum(news) == len(clicks)
    assert store.votes(answer.id) == counting([click for click, is_new in zip(came, news, strict=True) if is_new])


def counting(clicks: list[Vote]) -> list[Vote]:
    """The contract once more, in the plainest form, of votes in the order in which they came."""
    ordered = sorted(clicks, key=lambda click: click.at)
    last = {click.voter: click for click in ordered}
    return [click for click in ordered if last[click.voter] is click and click.vote != "none"]


def test_a_closed_store_is_unavailable_and_may_be_closed_again(store):
    store.close()
    store.close()
    with pytest.raises(FeedbackUnavailable):
        store.record(exchange())
    with pytest.raises(FeedbackUnavailable):
        store.vote(vote())


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
    (judged, _) = answered.reviewed_exchanges()
    assert [each.accepted for each in judged.corrections] == [False, True, None]


def test_all_that_counts_of_an_exchange_comes_with_it(answered):
    given = [vote(1), vote(2, "up"), vote(3, key="other", voter="other"), vote(4, "none", key="gone", voter="third")]
    for each in given:
        answered.vote(each)
    answered.correct(correction())
    answered.decide(decision(1, "accept", correction="click-00000"))
    answered.decide(decision(0))
    assert list(answered.reviewed_exchanges()) == [
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
    found = list(store.reviewed_exchanges(since=NOON + timedelta(seconds=1), until=NOON + timedelta(seconds=3)))
    assert [each.exchange.id for each in found] == ["answer-00001", "answer-00002"]
    assert [len(each.votes) for each in found] == [1, 1]
    assert list(store.reviewed_exchanges(since=NOON + timedelta(seconds=9))) == []
    assert len(list(store.reviewed_exchanges(until=NOON))) == 0


def test_many_are_judged_each_with_its_own_votes(store):
    store.write_many([exchange(number) for number in range(1100)])
    store.write_many([vote(number, answer=f"answer-{number:05}") for number in range(0, 1100, 3)])
    found = list(store.reviewed_exchanges())
    assert [each.exchange for each in found] == [exchange(number) for number in range(1100)]
    assert [len(each.votes) for each in found] == [int(number % 3 == 0) for number in range(1100)]


def test_several_records_are_written_at_once_with_a_result_for_each(store):
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
        ExportRegistration(export(), "ada", ("r1",)),
        export(1),
    ]
    results = ["known", "added", "unknown-answer", "unknown-answer"]
    results += ["added", "added", "known", "added", "added", "known", "added", "added"]
    assert store.write_many(given) == results
    assert [each.id for each in store.exchanges()] == ["answer-00000", "answer-00005"]
    assert store.votes("answer-00005") == [vote(3, answer="answer-00005")]
    assert exports(store) == [export(), export(1)]
    assert store.write_many([]) == []


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
    store.register_export(export(1), {"ada": ["r2", "r1", "r2"], "bob": ["r3"]})
    store.register_export(export(0), {})


def test_all_records_of_a_store_make_another_equal(store, tmp_path):
    fill(store)
    before = list(store.records())
    other = SqliteFeedback(tmp_path / "other.sqlite")
    assert set(other.write_many(before)) == {"added"}
    assert list(other.records()) == before
    assert list(other.reviewed_exchanges()) == list(store.reviewed_exchanges())
    assert set(other.write_many([each for each in before if not isinstance(each, Export | ExportRegistration)])) == {
        "known"
    }
    assert store.write_many(before) == ["known"] * (len(before) - 3) + ["added"] * 3
    assert list(store.records()) == before
    other.close()


def test_all_records_come_in_order_votes_that_no_longer_count_too(store):
    fill(store)
    kinds = [type(each).__name__ for each in store.records()]
    assert (
        kinds
        == ["Exchange"] * 4
        + ["Vote"] * 4
        + ["Correction", "Decision", "Vote", "Correction"]
        + ["ExportRegistration"] * 3
    )
    assert list(store.records())[-3:] == [
        ExportRegistration(export(0)),
        ExportRegistration(export(1), "ada", ("r1", "r2")),
        ExportRegistration(export(1), "bob", ("r3",)),
    ]


def test_exports_are_listed_oldest_first_however_often_they_are_registered(store):
    for number in (1, 0, 1):
        store.register_export(export(number), {"ada": [f"r{number}"]})
    assert exports(store) == [export(0), export(1)]


@pytest.fixture
def with_feedback(store):
    """Ada asked the first, Bob the second; each gave feedback on both."""
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


def test_a_forgotten_person_leaves_nothing_behind(with_feedback, reopen):
    erased = with_feedback.forget(ADA)
    assert erased == ErasureResult(exchanges=1, votes=6, corrections=3, decisions=2)
    again = reopen()
    assert ADA not in repr(list(again.records()))
    assert "answer-00000" not in repr(list(again.records()))
    assert list(again.exchanges()) == again.conversation("c", limit=9) == [exchange(1, asker=BOB, conversation="c")]
    assert [each.voter for each in again.votes("answer-00001")] == [BOB]
    assert again.votes("answer-00000") == []
    assert [each.author for each in again.corrections("answer-00001")] == [BOB]
    assert again.decisions("answer-00001") == [decision(2, "approve", reviewer=BOB, answer="answer-00001")]
    again.close()


def test_what_a_forgotten_person_said_is_gone_from_the_histories_of_others(store):
    store.record(exchange(0, asker=ADA, conversation="c", question="Am I pregnant?", answer="See leave. [1]"))
    turns = (("user", "Am I pregnant?"), ("bot", "See leave. [1]"))
    own = (("user", "And I?"), ("bot", "You too."))
    origins = ("answer-00000", "answer-00000", "answer-00007", "answer-00007")
    store.record(
        exchange(1, asker=BOB, conversation="c", history=turns + own, history_exchanges=origins, question="And you?")
    )
    store.record(exchange(2, asker=BOB, conversation="c", history=turns + own))  # of an earlier version
    store.record(exchange(3, asker=BOB, conversation="d", history=own))
    assert store.forget(ADA).histories == 2
    assert "pregnant" not in repr(list(store.records()))
    assert [each.history for each in store.exchanges()] == [own, own, own]
    assert store.exchange("answer-00001").history_exchanges == ("answer-00007", "answer-00007")
    assert store.forget(ADA).histories == 0


def test_the_turns_of_an_exchange_that_is_too_old_go_from_the_younger_ones(store):
    store.record(exchange(0, asker=ADA, conversation="c", question="Am I pregnant?", answer="See leave. [1]"))
    turns = (("user", "Am I pregnant?"), ("bot", "See leave. [1]"), ("user", "And I?"), ("bot", "You too."))
    store.record(
        exchange(9, asker=BOB, conversation="c", history=turns, history_exchanges=("answer-00000",) * 2 + ("",) * 2)
    )
    assert store.prune(exchanges_before=NOON + timedelta(seconds=5)) == (0, 1)
    assert [each.history for each in store.exchanges()] == [turns[2:]]


def test_what_is_kept_of_a_person_is_found_and_nothing_of_others(with_feedback):
    with_feedback.register_export(export(1), {ADA: ["r1"]})
    before = list(with_feedback.records())
    found = list(with_feedback.of_person(ADA))
    assert [type(each).__name__ for each in found] == ["Exchange"] + ["Vote"] * 4 + ["Correction"] * 2 + ["Decision"]
    assert all(ADA in repr(each) for each in found)
    assert with_feedback.exported(ADA) == (ExportedRows(export(1), ("r1",)),)
    assert list(with_feedback.of_person("")) == list(with_feedback.of_person("nobody")) == []
    assert (with_feedback.exported(""), with_feedback.exported("nobody")) == ((), ())
    assert list(with_feedback.records()) == before


def test_forgetting_again_finds_nothing_more(with_feedback):
    with_feedback.forget(ADA)
    before = list(with_feedback.records())
    assert with_feedback.forget(ADA) == ErasureResult(0, 0, 0, 0)
    assert list(with_feedback.records()) == before


@pytest.mark.parametrize("person", ["", "nobody", ADA[:8]])
def test_of_an_unknown_person_there_is_nothing_to_forget(with_feedback, person):
    with_feedback.record(exchange(5, asker=""))
    with_feedback.vote(vote(7, key="nobody's", voter=""))
    before = list(with_feedback.records())
    assert with_feedback.forget(person) == ErasureResult(0, 0, 0, 0)
    assert list(with_feedback.records()) == before


def test_exports_that_hold_rows_of_a_person_stay_listed(with_feedback):
    for number in (1, 0, 2):
        with_feedback.register_export(
            export(number), {ADA: [f"r{number}", "a"], BOB: ["b"]} if number else {BOB: ["b"]}
        )
    for _ in range(2):
        held = with_feedback.forget(ADA).exports
        assert held == (ExportedRows(export(1), ("a", "r1")), ExportedRows(export(2), ("a", "r2")))
    assert [each.export.id for each in with_feedback.forget(BOB).exports] == ["export-0", "export-1", "export-2"]


def test_a_forgotten_person_may_come_back(with_feedback):
    with_feedback.forget(ADA)
    back = vote(20, key="new", voter=ADA, answer="answer-00001")
    assert with_feedback.vote(back)
    assert [each.voter for each in with_feedback.votes("answer-00001")] == [BOB, ADA]
    assert with_feedback.forget(ADA).votes == 1


def test_much_of_a_person_is_forgotten(store):
    store.write_many([exchange(number, asker=ADA) for number in range(250)])
    store.write_many(
        [vote(number, key=f"k{number}", answer="answer-00000", voter=f"v{number}") for number in range(250)]
    )
    store.record(exchange(999, asker=BOB))
    store.write_many([vote(number, key=f"mine{number}", answer="answer-00999", voter=ADA) for number in range(250)])
    assert store.forget(ADA) == ErasureResult(250, 500, 0, 0)
    assert list(store.records()) == [exchange(999, asker=BOB)]


def test_what_is_old_loses_its_words_and_keeps_what_is_counted(with_feedback):
    assert with_feedback.prune(words_before=NOON + timedelta(seconds=1)) == (1, 0)
    (old, young) = with_feedback.reviewed_exchanges()
    assert old.exchange == without_words(exchange(0, asker=ADA, conversation="c"))
    assert [(each.vote, each.reason, each.comment) for each in old.votes] == [("down", "outdated", "")] * 2
    assert [each.text for each in old.corrections] == ["", ""]
    assert old.exchange.shown[0].section == "Leave > Carry-over"
    assert "days" not in repr([each for each in with_feedback.records() if "answer-00000" in repr(each)])
    assert young.exchange == exchange(1, asker=BOB, conversation="c")
    assert all(each.comment for each in young.votes)
    assert all(each.comment for each in young.decisions)
    assert with_feedback.prune(words_before=NOON + timedelta(seconds=1)) == (0, 0)


@pytest.mark.parametrize("named", [True, False], ids=["named", "of-an-older-version"])
def test_words_that_are_pruned_go_from_younger_histories_too(store, named):
    turns = (("user", "How many days does Ada get?"), ("bot", "Five days."))
    old = replace(exchange(0), question=turns[0][1], answer=turns[1][1], asker="ada", conversation="c")
    own = ("user", "What Bob has said in another way."), ("bot", "Six.")
    names = ("other", "other", old.id, old.id) if named else ()
    young = replace(exchange(9), asker="bob", conversation="c", history=(*own, *turns), history_exchanges=names)
    for each in (old, young):
        store.record(each)
    assert store.prune(words_before=NOON + timedelta(seconds=5)) == (1, 0)
    (left,) = [each for each in store.exchanges() if each.id == young.id]
    assert (left.history, left.history_exchanges) == (own, names[:2])
    assert not left.pruned


def test_feedback_about_a_pruned_exchange_is_stored_without_words(with_feedback):
    with_feedback.prune(words_before=NOON + timedelta(days=1))
    assert with_feedback.vote(vote(20, key="late", voter="late"))
    assert with_feedback.correct(correction(20, key="late"))
    assert with_feedback.decide(decision(20, key="late"))
    assert with_feedback.votes("answer-00000")[-1] == vote(20, key="late", voter="late", comment="")
    assert with_feedback.corrections("answer-00000")[-1].text == ""
    assert with_feedback.decisions("answer-00000")[-1].comment == ""


def test_what_is_very_old_goes_with_all_feedback_about_it(with_feedback):
    assert with_feedback.prune(words_before=NOON + timedelta(days=1), exchanges_before=NOON + timedelta(seconds=1)) == (
        1,
        1,
    )
    (left,) = with_feedback.reviewed_exchanges()
    assert left.exchange.id == "answer-00001"
    assert "answer-00000" not in repr(list(with_feedback.records()))
    assert with_feedback.conversation("c", limit=9) == [left.exchange]


def test_without_a_moment_everything_stays(with_feedback):
    before = list(with_feedback.records())
    assert with_feedback.prune() == (0, 0)
    assert list(with_feedback.records()) == before


def test_many_lose_their_words(store):
    store.write_many([exchange(number) for number in range(1100)])
    store.write_many([vote(number, answer=f"answer-{number:05}") for number in range(1100)])
    assert store.prune(words_before=NOON + timedelta(seconds=1050)) == (1050, 0)
    assert [each.exchange.pruned for each in store.reviewed_exchanges()] == [True] * 1050 + [False] * 50
    assert store.prune(exchanges_before=NOON + timedelta(seconds=1050)) == (0, 1050)
    assert list(store.exchanges()) == [exchange(number) for number in range(1050, 1100)]


def test_a_pruned_exchange_that_is_recorded_stays_pruned(store):
    bare = without_words(exchange())
    store.record(bare)
    store.vote(vote())
    assert store.exchange("answer-00000") == bare
    assert store.votes("answer-00000") == [replace(vote(), comment="")]
    assert store.prune(words_before=NOON + timedelta(days=1)) == (0, 0)
