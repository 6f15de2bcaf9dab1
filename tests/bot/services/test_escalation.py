"""A question goes to the people who own the documents, with what is theirs alone, and their reply comes back."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import App, bootstrap
from bot.config.settings import Settings, Source
from bot.errors import UsageProblem
from bot.services.escalation import (
    REPLY_WITHIN,
    CitedSection,
    Escalation,
    EscalationService,
    OpenEscalation,
    after_working_day,
    compose_escalation,
    owner_channel,
)
from bot.state.sqlite.store import SqliteState
from feedback.records import AnswerSentence, Exchange, StoredCitation
from tests.fakes import NOON
from tests.feedback.samples import exchange

PLACE = "slack:T1:C1:17.5"
PEOPLE = Source(name="handbook", path=Path("handbook"), owner_channel="slack:C-PEOPLE")
IT = Source(name="it", path=Path("it"), owner_channel="slack:C-IT")
DESK = Source(name="desk", path=Path("desk"), owner_channel="slack:C-IT")
NOBODYS = Source(name="wiki", path=Path("wiki"))


def cited(number: int, document: str) -> StoredCitation:
    return StoredCitation(number, document, "Title", "Section", "a", f"https://docs.example/{number}", "Quoted.", "v1")


def cited_exchange(*documents: str, sentences: tuple[AnswerSentence, ...] = (), **changes: Any) -> Exchange:
    citations = tuple(cited(number, document) for number, document in enumerate(documents, 1))
    return exchange(citations=citations, sentences=sentences, **changes)


def compose(
    exchange: Exchange, *sources: Source, platform: str = "slack", closed: tuple[str, ...] = ()
) -> Escalation | None:
    """Compose what is passed on to people who may read all but the `closed` documents."""
    return compose_escalation(
        exchange,
        sources,
        platform=platform,
        place=PLACE,
        readable=lambda _, documents: frozenset(documents) - frozenset(closed),
    )


def test_it_goes_to_the_owners_of_the_section_that_is_cited_first():
    made = compose(cited_exchange("it/vpn.md", "handbook/leave.md"), PEOPLE, IT)
    assert made is not None
    assert (made.channel, made.place, made.answer) == ("slack:C-IT", PLACE, "answer-00000")
    assert made.question == "How many days can I carry over?"


def test_an_abstention_goes_to_the_owners_of_the_nearest_section():
    made = compose(exchange(citations=(), sentences=(), abstained=True), PEOPLE)
    assert made is not None
    assert made.channel == "slack:C-PEOPLE"
    assert made.sections == (CitedSection("handbook/leave.md", "Leave", "Leave > Carry-over"),)


def test_documents_without_an_owner_s_channel_are_passed_over():
    made = compose(cited_exchange("wiki/x.md", "it/vpn.md"), NOBODYS, IT)
    assert made is not None
    assert made.channel == "slack:C-IT"


@pytest.mark.parametrize(
    ("sources", "platform", "changes"),
    [
        pytest.param([NOBODYS], "slack", {}, id="no-channel"),
        pytest.param([], "slack", {}, id="source-no-longer-configured"),
        pytest.param([IT], "teams", {}, id="another-platform"),
        pytest.param([IT], "slack", {"pruned": True}, id="words-no-longer-kept"),
    ],
)
def test_where_nobody_can_be_asked_there_is_nothing_to_pass_on(sources, platform, changes):
    assert compose(cited_exchange("it/vpn.md", **changes), *sources, platform=platform) is None


def test_owners_see_only_what_comes_from_their_own_documents():
    sentences = (
        AnswerSentence("Ask the desk.", (1, 3)),
        AnswerSentence("Pay rises in May.", (2,)),
        AnswerSentence("Both.", (1, 2)),
        AnswerSentence("Bare.", ()),
    )
    given = cited_exchange("it/vpn.md", "handbook/pay.md", "desk/hours.md", sentences=sentences)
    made = compose(given, PEOPLE, IT, DESK)
    assert made is not None
    assert made.sentences == ("Ask the desk.",)
    assert [each.document for each in made.sections] == ["it/vpn.md", "desk/hours.md"]


def test_owners_see_nothing_of_their_own_documents_that_they_may_not_read():
    sentences = (AnswerSentence("Ask the desk.", (1,)), AnswerSentence("The falcon moves.", (2,)))
    given = cited_exchange("it/vpn.md", "it/falcon.md", sentences=sentences)
    made = compose(given, IT, closed=("it/falcon.md",))
    assert made is not None
    assert made.sentences == ("Ask the desk.",)
    assert [each.document for each in made.sections] == ["it/vpn.md"]
    assert made.withheld == {"it/falcon.md"}


def test_documents_that_nobody_owns_go_to_the_default_channel_of_the_platform():
    given = cited_exchange("wiki/x.md", "it/vpn.md")
    assert owner_channel(["wiki/x.md"], [NOBODYS, IT], "slack:C-ALL", platform="slack") == "slack:C-ALL"
    assert owner_channel(["wiki/x.md", "it/vpn.md"], [NOBODYS, IT], "slack:C-ALL", platform="slack") == "slack:C-IT"
    assert owner_channel(["wiki/x.md"], [NOBODYS, IT], "slack:C-ALL", platform="teams") == ""
    assert owner_channel([], [IT], "slack:C-ALL", platform="slack") == "slack:C-ALL"
    assert owner_channel([], [IT], "", platform="slack") == ""
    whole = compose_escalation(
        replace(given, citations=given.citations[:1]),
        [NOBODYS, IT],
        default_channel="slack:C-ALL",
        platform="slack",
        place=PLACE,
        readable=lambda _, documents: frozenset(documents),
    )
    assert whole
    assert (whole.channel, [each.document for each in whole.sections]) == ("slack:C-ALL", ["wiki/x.md"])


@pytest.mark.parametrize(
    ("asked", "reminded"),
    [
        ("2026-11-30T15:20", "2026-12-01T15:20"),  # a Monday
        ("2026-12-04T15:20", "2026-12-07T15:20"),  # a Friday
        ("2026-12-05T15:20", "2026-12-08T00:00"),
        ("2026-12-06T23:59", "2026-12-08T00:00"),
    ],
)
def test_a_working_day_leaves_out_saturday_and_sunday(asked, reminded):
    at = datetime.fromisoformat(asked).replace(tzinfo=UTC)
    assert after_working_day(at) == datetime.fromisoformat(reminded).replace(tzinfo=UTC)


@pytest.fixture
def store(tmp_path) -> Iterator[SqliteState]:
    with closing(SqliteState(tmp_path / "state.db")) as opened:
        yield opened


def service(store: SqliteState, *, clock: Callable[[], datetime] = lambda: NOON) -> EscalationService:
    """The service over this state alone: nothing is read from feedback."""
    unread: Any = None
    return EscalationService(feedback=unread, state=store, gate=unread, sources=[IT], pseudonym=str, clock=clock)


def passed_on() -> Escalation:
    made = compose(cited_exchange("it/vpn.md"), IT)
    assert made is not None
    return made


def test_a_question_is_passed_on_once_whatever_replica_is_asked(store):
    first, second = service(store), service(store)
    assert first.claim(passed_on(), by="one")
    assert not second.claim(passed_on(), by="two")
    assert second.claim(passed_on(), by="one"), "whoever takes over goes on"
    second.release("answer-00000", by="two")
    assert not second.claim(passed_on(), by="two"), "the claim is another's"
    first.release("answer-00000", by="one")
    assert second.claim(passed_on(), by="two")
    second.record_thread(passed_on(), "slack:T1:C-IT:99.1", by="two")
    second.release("answer-00000", by="two")
    assert not first.claim(passed_on(), by="one"), "it was passed on"
    assert second.claim(passed_on(), by="two")


def test_a_reply_finds_its_way_back_for_a_month(store):
    now = [NOON]
    kept = service(store, clock=lambda: now[0])
    kept.record_thread(passed_on(), "slack:T1:C-IT:99.1")
    now[0] = NOON + REPLY_WITHIN - timedelta(seconds=1)
    assert kept.find_by_thread("slack:T1:C-IT:99.1") == OpenEscalation("answer-00000", "slack:C-IT", PLACE)
    assert kept.find_by_thread("slack:T1:C-IT:99.2") is None
    now[0] = NOON + REPLY_WITHIN
    assert kept.find_by_thread("slack:T1:C-IT:99.1") is None


def test_no_words_are_kept_in_the_state(store, tmp_path):
    kept = service(store)
    kept.claim(passed_on(), by="one")
    kept.record_thread(passed_on(), "slack:T1:C-IT:99.1")
    store.close()
    assert b"carry over" not in b"".join(file.read_bytes() for file in tmp_path.glob("state.db*"))


@pytest.fixture
def app(tmp_path) -> Iterator[App]:
    made = bootstrap(Settings(home=tmp_path / "home"))
    made.feedback.record(exchange())
    yield made
    made.close()


PASSED = OpenEscalation("answer-00000", "slack:C-IT", PLACE)


def test_an_accepted_reply_is_the_correction_once(app):
    for _ in range(2):
        app.escalation.accept(PASSED, " Six days since May. ", author="slack:U1", user="slack:U2", key="C-IT:99.2")
    (made,) = app.feedback.corrections("answer-00000")
    assert (made.text, made.accepted) == ("Six days since May.", True)
    (decision,) = app.feedback.decisions("answer-00000")
    assert (decision.verdict, decision.correction) == ("accept", made.key)
    assert made.author != decision.reviewer


@pytest.mark.parametrize("reply", ["", "  \n", "x" * 10_001])
def test_a_reply_that_cannot_be_a_correction_is_refused(app, reply):
    with pytest.raises(UsageProblem):
        app.escalation.accept(PASSED, reply, author="slack:U1", user="slack:U1", key="1")
    assert app.feedback.corrections("answer-00000") == []
