"""`footnote chat` through a pipe: what is shown, asked, recorded and voted, and what a failure leaves standing."""

import getpass
from contextlib import closing
from typing import Any

import pytest
from click.testing import Result

from bot.answering.answers import Answer, Citation, Question, Sentence
from bot.channels.terminal.conversation import HELP, REMEMBERED
from bot.channels.terminal.rendering import STATUS_TEXTS
from feedback.errors import FeedbackUnavailable
from feedback.records import Correction
from feedback.records import Vote as VoteRecord
from feedback.stores.sqlite.store import SqliteFeedback
from retrieval.errors import IndexNotReady
from retrieval.passages import Turn
from tests.bot.cli.command_line import footnote
from tests.bot.cli.conftest import answering_app, recorded, records
from tests.bot.cli.samples import QUOTE, cited_answer
from tests.fakes import UnavailableFeedback
from tests.feedback.samples import exchange

UNRECORDED = "footnote: the answer could not be recorded, so that nobody can vote on it: the disk is full\n"


HERE = ("--conversation", "c")


@pytest.fixture(autouse=True)
def answers(pipeline, monkeypatch) -> None:
    pipeline.answers = [cited_answer(f"a{number}") for number in range(9)]
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")


def votes(feedback) -> list[tuple[str, str, str, str, str]]:
    """Return all votes, also those that count no more: answer, vote, voter, reason, comment."""
    return [(each.answer, each.vote, each.voter, each.reason, each.comment) for each in records(feedback, VoteRecord)]


@pytest.fixture
def chat(app):
    """Runs a conversation in which these lines are typed."""

    def chat(*lines: str, options: tuple[str, ...] = HERE, over: Any = app) -> Result:
        stdin = "".join(f"{line}\n" for line in lines)
        result = footnote("chat", *options, stdin=stdin, bootstrap=lambda _: over)
        assert result.exit_code == 0, result.output
        return result

    return chat


def test_a_question_and_its_answer_can_be_read(chat):
    assert chat("How many?").stdout.splitlines() == [
        "> How many?",
        "",
        f"{QUOTE} [1]",
        "",
        "[1] Leave › Carry-over",
        "    https://example.com/leave#carry",
        f"    “{QUOTE}”",
        "",
    ]


def test_a_follow_up_knows_what_was_said_and_each_answer_is_recorded(chat, pipeline, feedback):
    chat("How many?", " And then? ", options=("--conversation", "c", "--group", "hr", "--user", "b@c.d"))
    first, second = pipeline.questions
    assert first == Question("How many?", (), frozenset({"hr"}), "b@c.d", "c")
    history = (Turn("user", "How many?", "a0"), Turn("bot", f"{QUOTE} [1]", "a0"))
    assert (second.text, second.history) == ("And then?", history)
    assert [(kept.question, kept.conversation, kept.asker) for kept in recorded(feedback)] == [
        ("How many?", "c", "b@c.d"),
        ("And then?", "c", "b@c.d"),
    ]


def test_only_the_newest_turns_are_taken_along(chat, pipeline):
    chat(*(f"Question {number}?" for number in range(9)))
    history = pipeline.questions[-1].history
    assert len(history) == 2 * REMEMBERED
    assert history[-2].text == "Question 7?"


def test_a_conversation_goes_on_and_names_the_command_for_it(chat, pipeline, feedback):
    groups = frozenset({"hr"})
    feedback.record(exchange(question="How many?", answer="Five.", conversation="c", asker="ada", groups=groups))
    result = chat("And then?", options=("--conversation", "c", "--group", "hr"))
    earlier = "answer-00000"
    assert pipeline.questions[0].history == (Turn("user", "How many?", earlier), Turn("bot", "Five.", earlier))
    assert result.stderr == "Going on after: How many?\nTo go on later: footnote chat --conversation c\n"


def test_a_new_conversation_gets_a_name_of_its_own(chat, pipeline):
    name = chat("How many?", options=()).stderr.split()[-1]
    assert len(name) == 32
    assert (pipeline.questions[0].conversation, pipeline.questions[0].history) == (name, ())
    assert chat("How many?", options=()).stderr.split()[-1] != name


@pytest.mark.parametrize("lines", [[], ["", "  "], ["/quit", "How many?"], ["?"]])
def test_without_a_question_nothing_is_asked_or_recorded(chat, pipeline, feedback, lines):
    result = chat(*lines, options=())
    assert (pipeline.questions, recorded(feedback), result.stderr) == ([], [], "")


def test_thumbs_go_to_the_last_answer(chat, feedback):
    result = chat("How many?", "+", "n", "And then?", "+")
    assert votes(feedback) == [
        ("a0", "up", "ada", "", ""),
        ("a0", "none", "ada", "", ""),
        ("a1", "up", "ada", "", ""),
    ]
    assert "> +\nRecorded: up.\n> n\nWithdrawn: no vote of yours on this answer counts.\n" in result.stdout


@pytest.mark.parametrize("reason", ["4", "wrong-source", " wrong-source "])
def test_a_thumb_down_counts_at_once_and_takes_what_is_said_of_it(chat, pipeline, feedback, reason):
    chat("How many?", "-", reason, "The old one.", "Six.", "Next?")
    assert votes(feedback) == [
        ("a0", "down", "ada", "", ""),
        ("a0", "down", "ada", "wrong-source", "The old one."),
    ]
    assert [each.text for each in records(feedback, Correction)] == ["Six."]
    assert pipeline.questions[-1].text == "Next?"


def test_a_thumb_down_needs_no_word(chat, pipeline, feedback):
    chat("How many?", "-", "", "", "", "Next?")
    assert votes(feedback) == [("a0", "down", "ada", "", "")]
    assert pipeline.questions[-1].text == "Next?"


def test_a_reason_that_is_none_is_asked_for_again(chat, feedback):
    result = chat("How many?", "-", "9", "tone", "", "")
    assert "One of: 1 wrong  2 outdated  3 incomplete  4 wrong-source  5 unclear  6 tone\n" in result.stdout
    assert votes(feedback)[-1] == ("a0", "down", "ada", "tone", "")


def test_the_end_of_the_input_keeps_a_thumb_down(chat, feedback):
    chat("How many?", "-")
    assert votes(feedback) == [("a0", "down", "ada", "", "")]


@pytest.mark.parametrize("lines", [["+"], ["-"], ["n"]])
def test_there_is_nothing_to_vote_on_before_the_first_answer(chat, feedback, lines):
    assert "There is no answer to vote on.\n" in chat(*lines).stdout
    assert votes(feedback) == []


def test_help_and_unknown_commands(chat):
    shown = chat("?", "/foo").stdout
    assert HELP in shown
    assert "/foo is no command; ? tells which there are\n" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        pytest.param(IndexNotReady("nothing is indexed yet"), "footnote: nothing is indexed yet\n", id="ours"),
        pytest.param(RuntimeError("secret"), "something unexpected went wrong (incident", id="unexpected"),
    ],
)
def test_a_search_that_fails_costs_one_line_and_its_question(chat, pipeline, failure, line):
    pipeline.failure = failure
    result = chat("How many?", "+", "And then?")
    assert line in result.stderr
    assert "secret" not in result.output
    assert len(result.stderr.splitlines()) == 3  # where the conversation begins, and a line for each question
    assert len(pipeline.questions) == 2
    assert "There is no answer to vote on.\n" in result.stdout


def test_after_a_failure_no_vote_goes_to_an_older_answer(chat, pipeline, feedback):
    pipeline.answers = [cited_answer("a0")]
    chat("How many?", "And then?", "+")
    assert votes(feedback) == []


def test_a_store_that_is_down_costs_the_record_and_not_the_answer(chat, pipeline, folder):
    unavailable = answering_app(pipeline, UnavailableFeedback("the disk is full"), home=folder)
    result = chat("How many?", "And then?", "+", over=unavailable)
    assert result.stdout.count(f"“{QUOTE}”") == 2
    assert result.stderr == f"footnote: the disk is full\n{UNRECORDED * 2}"
    assert pipeline.questions[1].history
    assert "There is no answer to vote on.\n" in result.stdout


class FullFeedback(SqliteFeedback):
    """Keeps exchanges, and has no room for votes."""

    def vote(self, vote: VoteRecord) -> bool:
        raise FeedbackUnavailable("the disk is full")


def test_a_vote_that_cannot_be_kept_is_refused_visibly(chat, pipeline, folder):
    with closing(FullFeedback(folder / "full.db")) as store:
        result = chat("How many?", "-", "And then?", over=answering_app(pipeline, store, home=folder))
    assert "footnote: the disk is full\n" in result.stderr
    assert "Recorded" not in result.stdout
    assert pipeline.questions[-1].text == "And then?"


def test_somebody_whom_nobody_knows_can_ask_but_not_vote(chat, pipeline):
    result = chat("How many?", "+", options=("--user", ""))
    assert pipeline.questions[0].user == ""
    assert "footnote: a vote needs a person: say who votes\n" in result.stderr


def test_nothing_from_a_document_takes_over_the_screen(chat, pipeline):
    evil = "Five\x1b[2J days\x07 \u202emay\x9b31m\r be."
    citation = Citation(1, "d", evil, evil, "a", f"https://example.com/{evil}", evil, "v")
    pipeline.answers = [Answer("a", evil, (Sentence(evil, (1,)),), (citation,))]
    shown = chat("Ho\x1bw?").output
    assert "Five[2J days may31m be." in shown
    assert not set(shown) & set("\x1b\x07\u202e\x9b\r")


def test_what_is_no_utf_8_is_asked_as_far_as_it_is(run, pipeline):
    assert run("chat", stdin=b"caf\xe9?\nHow many?").exit_code == 0
    assert [question.text for question in pipeline.questions] == ["caf\ufffd?", "How many?"]


def test_no_status_line_reaches_a_pipe(chat):
    assert STATUS_TEXTS["searching"] not in chat("How many?").output
