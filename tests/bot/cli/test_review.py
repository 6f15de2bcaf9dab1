"""`footnote review`: what waits is shown once, oldest first, never with who wrote it, and what is decided counts."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from click.testing import Result

from bot.app import bootstrap
from bot.services.votes import Choice
from feedback.records import Decision
from feedback.stores.sqlite.store import SqliteFeedback
from retrieval.passages import Document
from tests.bot.cli.command_line import error_line, footnote, printed_json
from tests.fakes import FakeReader
from tests.feedback.samples import NOON, correction, exchange, vote

CARRY, ILL, SICK = "answer-00000", "answer-00001", "answer-00002"


LEAVE = Document("handbook/leave.md", "handbook", "Leave", "", "v1", "Five days.", ())
GROUPS = ("--group", "hr", "--group", "leeds")


def run(*arguments: str, stdin: str | None = None, groups: tuple[str, ...] = GROUPS) -> Result:
    """Review as somebody of the groups that everything was asked in, who may read the document."""
    index: Any = FakeReader((LEAVE, ()))
    return footnote("review", *arguments, *groups, stdin=stdin, bootstrap=partial(bootstrap, index=index))


def listed() -> dict[str, str]:
    return {each["answer"]: each["why"] for each in printed_json(run("--json"))}


@pytest.fixture
def store(folder) -> Iterator[SqliteFeedback]:
    """A disputed answer, one voted down, one with a correction that waits, one voted up, one without a vote."""
    with closing(SqliteFeedback(folder / ".footnote" / "feedback.db")) as made:
        for number, question in enumerate(["Carry over?", "Who is told?", "How long ill?", "Fine?", "Unjudged?"]):
            made.record(exchange(number, question=question))
        votes: list[tuple[int, Choice, str]] = [
            (0, "up", "a"),
            (0, "down", "b"),
            (1, "down", "a"),
            (2, "down", "a"),
            (3, "up", "a"),
        ]
        for number, (answer, choice, voter) in enumerate(votes):
            made.vote(vote(number, choice, answer=f"answer-{answer:05}", voter=voter * 64))
        made.correct(correction(7, answer=SICK, key="right", text="Until the doctor says so.", author="a" * 64))
        yield made


def decisions(store: SqliteFeedback, answer: str) -> list[tuple[str, str]]:
    return [(each.verdict, each.correction) for each in store.decisions(answer)]


def test_what_waits_is_listed_oldest_first_with_why(store):
    assert listed() == {CARRY: "disputed", ILL: "down", SICK: "correction"}
    waiting = printed_json(run("--json"))
    assert [each["question"] for each in waiting] == ["Carry over?", "Who is told?", "How long ill?"]
    assert waiting[0]["votes"][1] == {"vote": "down", "reason": "outdated", "comment": "It is six now."}
    assert waiting[2]["corrections"][0]["text"] == "Until the doctor says so."
    assert waiting[0]["citations"][0]["quote"] == "Five days."


def test_nobody_sees_who_asked_voted_or_corrected(store):
    for printed in (run("--json").stdout, run(stdin="s\ns\ns\n").stdout):
        assert "Carry over?" in printed
        assert not any(person in printed for person in ("a" * 64, "b" * 64, "0f" * 32))


def test_less_agreement_is_enough_when_it_is_said_so(store):
    for number in range(10, 12):
        store.vote(vote(number, "up", answer=CARRY, voter=f"{number}" * 32))
    assert CARRY not in listed()
    assert {each["answer"] for each in printed_json(run("--json", "--min-agreement", "0.9"))} == {CARRY, ILL, SICK}


def test_a_walk_decides_and_shows_nothing_twice(store):
    walked = run("--user", "ada@example.com", stdin="a\nd\nc\n")
    assert walked.exit_code == 0, walked.output
    assert "3 decided, 0 left." in walked.stderr
    assert "Question: Carry over?" in walked.stdout
    assert "“Five days.”" in walked.stdout
    assert "down outdated: It is six now." in walked.stdout
    assert [decisions(store, each) for each in (CARRY, ILL, SICK)] == [
        [("approve", "")],
        [("drop", "")],
        [("accept", "right")],
    ]
    assert listed() == {}
    assert "Nothing waits" in run().stderr


def test_a_typed_correction_is_kept_and_accepted(store):
    assert run(stdin="t\nTen days, in Leeds.\nq\n").exit_code == 0
    (made,) = store.corrections(CARRY)
    assert (made.text, made.accepted) == ("Ten days, in Leeds.", True)
    assert decisions(store, CARRY) == [("accept", made.key)]


def test_after_a_rejected_correction_the_answer_is_not_shown_again(store):
    assert run(stdin="s\ns\nr\n").exit_code == 0
    assert [each.accepted for each in store.corrections(SICK)] == [False]
    assert listed() == {CARRY: "disputed", ILL: "down"}


def test_a_disputed_answer_is_still_asked_about_when_its_correction_is_rejected(store):
    store.correct(correction(8, answer=CARRY, key="odd", text="Nine."))
    walked = run(stdin="r\na\nq\n")
    assert decisions(store, CARRY) == [("reject", "odd"), ("approve", "")], walked.output


def test_a_correction_that_comes_after_a_decision_is_shown(store):
    store.decide(Decision("d", ILL, "r", NOON + timedelta(hours=1), "approve"))
    assert ILL not in listed()
    store.correct(correction(9000, answer=ILL, key="later", text="The manager."))
    assert listed()[ILL] == "correction"


@pytest.mark.parametrize("typed", ["s\ns\ns\n", "q\n", ""])
def test_skipping_and_quitting_decide_nothing(store, typed):
    assert "0 decided, 3 left." in run(stdin=typed).stderr
    assert len(listed()) == 3


def test_what_is_not_understood_is_explained_and_asked_again(store):
    walked = run(stdin="yes\nc\nc9\na\nq\n")
    assert walked.stdout.count("decide later") == 3
    assert decisions(store, CARRY) == [("approve", "")]


def test_scripts_decide_without_being_asked(store):
    assert printed_json(run("--decide", CARRY, "approve", "--json")) == {
        "answer": CARRY,
        "verdict": "approve",
        "correction": None,
    }
    assert printed_json(run("--decide", SICK, "accept", "--json"))["correction"] == "right"
    assert printed_json(run("--correct", ILL, "The manager.", "--json"))["verdict"] == "accept"
    assert listed() == {}


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        pytest.param(["--decide", "nobody", "approve"], 1, "footnote review --json", id="unknown-answer"),
        pytest.param(["--decide", CARRY, "accept"], 2, "has no correction", id="nothing-to-accept"),
        pytest.param(
            ["--decide", SICK, "accept", "--correction", "x"], 2, "no correction 'x'", id="unknown-correction"
        ),
        pytest.param(
            ["--decide", SICK, "drop", "--correction", "right"], 2, "not with `drop`", id="correction-and-drop"
        ),
        pytest.param(["--correction", "right"], 2, "goes with --decide", id="correction-alone"),
        pytest.param(["--correct", CARRY, " "], 2, "needs the text", id="empty-text"),
        pytest.param(["--decide", CARRY, "drop", "--correct", CARRY, "x"], 2, "not both", id="two-ways"),
        pytest.param(["--decide", CARRY, "drop", "--user", ""], 2, "needs a person", id="nobody"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(store, arguments, status, line):
    assert line in error_line(run(*arguments), status)
    assert not [each for answer in (CARRY, SICK) for each in store.decisions(answer)]


def test_of_several_corrections_one_must_be_named(store):
    store.correct(correction(8, answer=SICK, key="other", text="A week."))
    assert "name one of right, other" in error_line(run("--decide", SICK, "accept"), 2)
    assert printed_json(run("--decide", SICK, "accept", "--correction", "other", "--json"))["correction"] == "other"


def test_who_has_not_the_groups_is_told_how_many_more_wait(store):
    listed = run("--json", groups=())
    assert printed_json(listed) == []
    for result in (listed, run(stdin="", groups=())):
        assert "3 more wait" in result.stderr
        assert "--group" in result.stderr
        assert "Carry over?" not in result.stdout + result.stderr
