"""`footnote ask`: an answer as the contract has it, what is recorded, and what a failure leaves standing."""

import json
from pathlib import Path

import pytest

from bot.answering.answers import Answer, Question
from retrieval.errors import IndexNotReady
from retrieval.passages import Hit, Turn
from tests.bot.cli.command_line import error_line, footnote, json_lines
from tests.bot.cli.conftest import AnsweringApp, answering_app, recorded
from tests.bot.cli.samples import QUOTE, document, passages, warned_answer
from tests.fakes import UnavailableFeedback
from tests.feedback.samples import exchange

KEYS = "id text blocks sentences citations abstained confidence warnings nearest generator fallback timings".split()


ABSTENTION = Answer(
    "a2",
    "I could not find this in the documents.",
    abstained=True,
    confidence=0.1,
    nearest=(Hit(passages(document())[0], 1.5),),
)


@pytest.fixture(autouse=True)
def answers(pipeline) -> None:
    pipeline.answers = [warned_answer(), ABSTENTION]


@pytest.fixture
def unavailable(pipeline, folder) -> AnsweringApp:
    """The same answers, and a store that cannot be reached."""
    return answering_app(pipeline, UnavailableFeedback("the disk is full"), home=folder)


def test_the_json_of_an_answer(run):
    result = run("ask", "How", "many?", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "id": "a1",
        "text": f"{QUOTE} [1]",
        "blocks": [{"kind": "paragraph", "heading": None, "sentences": [0], "rows": None, "more": 0}],
        "sentences": [{"text": QUOTE, "citations": [1], "links": []}],
        "citations": [
            {
                "number": 1,
                "document": "handbook/leave.md",
                "title": "Leave",
                "section": "Leave > Carry-over",
                "anchor": "carry",
                "url": "https://example.com/leave#carry",
                "quote": QUOTE,
                "version": "v2",
            }
        ],
        "abstained": False,
        "confidence": 0.75,
        "warnings": [{"kind": "review-date", "text": "This was to be reviewed in 2025.", "citations": [1]}],
        "nearest": [],
        "generator": "extractive",
        "fallback": None,
        "timings": {"total": 0.5},
    }
    assert list(json.loads(result.stdout)) == KEYS


def test_an_abstention_names_the_nearest_sections_and_ends_with_0(run, pipeline):
    pipeline.answers.pop(0)
    result = run("ask", "Why?", "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (found["abstained"], found["sentences"], found["citations"]) == (True, [], [])
    assert [(hit["document"], hit["anchor"]) for hit in found["nearest"]] == [("handbook/leave.md", "carry")]
    assert list(found["nearest"][0]) == "document title section anchor url text score version".split()


def test_people_see_marks_and_footnotes(run):
    result = run("ask", "How many?")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"{QUOTE} [1]",
        "",
        "Note: This was to be reviewed in 2025. [1]",
        "",
        "[1] Leave › Carry-over",
        "    https://example.com/leave#carry",
        f"    “{QUOTE}”",
    ]


def test_people_see_that_nothing_was_found_and_what_is_near(run, pipeline):
    pipeline.answers.pop(0)
    shown = run("ask", "Why?").stdout
    assert shown.startswith(
        "I could not find this in the documents.\n\nThe closest sections:\n  - Leave › Carry-over\n"
    )


def test_a_single_question_is_recorded(run, pipeline, feedback):
    run("ask", "How many?", "--group", "hr", "--user", "ada@example.com", "--json")
    assert pipeline.questions == [Question("How many?", groups=frozenset({"hr"}), user="ada@example.com")]
    (kept,) = recorded(feedback)
    assert (kept.id, kept.question, kept.answer) == ("a1", "How many?", f"{QUOTE} [1]")
    assert (kept.groups, kept.asker) == (frozenset({"hr"}), "ada@example.com")


def test_a_conversation_goes_on(run, pipeline, feedback):
    feedback.record(exchange(question="a", answer="b", conversation="c", asker="", groups=frozenset()))
    run("ask", "And then?", "--conversation", "c")
    history = (Turn("user", "a", "answer-00000"), Turn("bot", "b", "answer-00000"))
    assert pipeline.questions == [Question("And then?", history=history, conversation="c")]


def test_an_answer_that_cannot_be_recorded_still_goes_out(unavailable):
    result = footnote("ask", "How many?", "--json", bootstrap=lambda _: unavailable)
    assert (result.exit_code, json.loads(result.stdout)["id"]) == (0, "a1")
    assert result.stderr == (
        "footnote: the answer could not be recorded, so that nobody can vote on it: the disk is full\n"
    )


def test_many_questions_give_a_line_each_and_bad_ones_their_error(run, pipeline, feedback):
    rows = [
        '{"_id": 4, "text": "a", "history": [{"role": "user", "text": "h"}]}',
        "nope",
        '{"id": "x"}',
        '{"id": 5, "text": "b"}',
    ]
    stdin = "\n".join(rows)
    result = run("ask", "--from", "-", "--group", "hr", stdin=stdin)
    first, second, third, last = json_lines(result.stdout)
    assert result.exit_code == 0
    assert list(first) == ["id", "query_id", *KEYS[1:]]
    assert (first["id"], first["query_id"], last["id"], last["query_id"]) == ("a1", 4, "a2", 5)
    assert second == {"query_id": None, "error": "expected a JSON object"}
    assert third == {"query_id": "x", "error": "`text` must be a text that is not empty"}
    assert result.stderr == "lines that could not be read: 2\n"
    assert pipeline.questions[0] == Question("a", (Turn("user", "h"),), frozenset({"hr"}))
    assert recorded(feedback) == []


def test_many_questions_are_recorded_when_asked_for(run, feedback):
    Path("q.jsonl").write_text('{"id": 1, "text": "a"}\n{"id": 2, "text": "b"}\n', encoding="utf-8")
    assert run("ask", "--from", "q.jsonl", "--record").exit_code == 0
    assert [(kept.question, kept.id) for kept in recorded(feedback)] == [("a", "a1"), ("b", "a2")]


def test_many_questions_that_cannot_be_recorded_are_still_answered(unavailable):
    lines = '{"id": 1, "text": "a"}\n{"id": 2, "text": "b"}\n'
    result = footnote("ask", "--from", "-", "--record", stdin=lines, bootstrap=lambda _: unavailable)
    assert (result.exit_code, len(json_lines(result.stdout))) == (0, 2)
    assert "the disk is full" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="nothing"),
        pytest.param(["a", "--from", "-"], id="both"),
        pytest.param(["--from", "-", "--conversation", "c"], id="conversation-of-many"),
        pytest.param(["--from", "-", "--user", "u"], id="user-of-many"),
        pytest.param(["--from", "gone"], id="missing-file"),
    ],
)
def test_bad_usage_ends_with_2(run, pipeline, arguments):
    result = run("ask", *arguments, stdin="")
    assert (result.exit_code, result.stdout, pipeline.questions) == (2, "", [])


def test_a_search_that_fails_ends_with_1_and_records_nothing(run, pipeline, feedback):
    pipeline.failure = IndexNotReady("nothing is indexed yet: run `footnote sync FOLDER`")
    assert error_line(run("ask", "a", "--json"), 1) == "nothing is indexed yet: run `footnote sync FOLDER`"
    assert recorded(feedback) == []
