"""`footnote chat` through a pipe: what is shown, asked, recorded and voted, and what a failure leaves standing."""

import getpass

import pytest
from click.testing import Result

from bot.answering.answers import Answer, Citation, Question, Sentence
from bot.cli.chat import DOING, HELP, REMEMBERED
from bot.services.votes import VoteRequest
from feedback.errors import FeedbackUnavailable
from retrieval.errors import IndexNotReady
from retrieval.passages import Turn

QUOTE = "Five days may be carried over."
CITED = Citation(
    1, "handbook/leave.md", "Leave", "Leave > Carry-over", "carry", "https://example.com/leave", QUOTE, "v"
)
UNRECORDED = "footnote: the answer could not be recorded, so that nobody can vote on it: the disk is full\n"


def answered(number: int) -> Answer:
    return Answer(f"a{number}", f"{QUOTE} [1]", (Sentence(QUOTE, (1,)),), (CITED,))


@pytest.fixture(autouse=True)
def answers(house, monkeypatch) -> None:
    house.answers = [answered(number) for number in range(9)]
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")


@pytest.fixture
def chat(run):
    """The run of a conversation in which these lines are typed."""

    def chat(*lines: str, options: tuple[str, ...] = ("--conversation", "c")) -> Result:
        result: Result = run("chat", *options, stdin="".join(f"{line}\n" for line in lines))
        assert result.exit_code == 0, result.output
        return result

    return chat


def questions(house) -> list[Question]:
    return [each["question"] for each in house.asked]


def test_a_question_and_its_answer_can_be_read(chat):
    assert chat("How many?").stdout.splitlines() == [
        "> How many?",
        "",
        f"{QUOTE} [1]",
        "",
        "[1] Leave › Carry-over",
        "    https://example.com/leave",
        f"    “{QUOTE}”",
        "",
    ]


def test_a_follow_up_knows_what_was_said_and_each_answer_is_recorded(chat, house):
    chat("How many?", " And then? ", options=("--conversation", "c", "--group", "hr", "--user", "b@c.d"))
    first, second = questions(house)
    assert first == Question("How many?", (), frozenset({"hr"}), "b@c.d", "c")
    assert (second.text, second.history) == ("And then?", (Turn("user", "How many?"), Turn("bot", f"{QUOTE} [1]")))
    assert [question for question, _ in house.recorded] == [first, second]


def test_only_the_newest_turns_are_taken_along(chat, house):
    chat(*(f"Question {number}?" for number in range(9)))
    history = questions(house)[-1].history
    assert len(history) == REMEMBERED
    assert history[-2].text == "Question 7?"


def test_a_conversation_goes_on_and_tells_how_to(chat, house):
    house.histories["c"] = (Turn("user", "How many?"), Turn("bot", "Five."))
    result = chat("And then?", options=("--conversation", "c", "--group", "hr"))
    assert house.recalled == [("c", "ada", frozenset({"hr"}))]
    assert questions(house)[0].history == house.histories["c"]
    assert result.stderr == "Going on after: How many?\nTo go on later: footnote chat --conversation c\n"


def test_a_new_conversation_gets_a_name_of_its_own(chat, house):
    name = chat("How many?", options=()).stderr.split()[-1]
    assert len(name) == 32
    assert (questions(house)[0].conversation, house.recalled) == (name, [])
    assert chat("How many?", options=()).stderr.split()[-1] != name


@pytest.mark.parametrize("lines", [[], ["", "  "], ["/quit", "How many?"], ["?"]])
def test_without_a_question_nothing_is_asked_or_recorded(chat, house, lines):
    result = chat(*lines, options=())
    assert (house.asked, house.recorded, result.stderr) == ([], [], "")


def test_thumbs_go_to_the_last_answer(chat, house):
    result = chat("How many?", "+", "n", "And then?", "+")
    assert house.votes == [
        VoteRequest("a0", "up", "ada"),
        VoteRequest("a0", "none", "ada"),
        VoteRequest("a1", "up", "ada"),
    ]
    assert "> +\nRecorded: up.\n> n\nWithdrawn: no vote of yours on this answer counts.\n" in result.stdout


@pytest.mark.parametrize("reason", ["4", "wrong-source", " wrong-source "])
def test_a_thumb_down_counts_at_once_and_takes_what_is_said_of_it(chat, house, reason):
    chat("How many?", "-", reason, "The old one.", "Six.", "Next?")
    bare, full = house.votes
    assert bare == VoteRequest("a0", "down", "ada")
    assert (full.reason, full.comment, full.correction) == ("wrong-source", "The old one.", "Six.")
    assert questions(house)[-1].text == "Next?"


def test_a_thumb_down_needs_no_word(chat, house):
    chat("How many?", "-", "", "", "", "Next?")
    assert house.votes == [VoteRequest("a0", "down", "ada")]
    assert questions(house)[-1].text == "Next?"


def test_a_reason_that_is_none_is_asked_for_again(chat, house):
    result = chat("How many?", "-", "9", "tone", "", "")
    assert "One of: 1 wrong  2 outdated  3 incomplete  4 wrong-source  5 unclear  6 tone\n" in result.stdout
    assert house.votes[-1].reason == "tone"


def test_the_end_of_the_input_keeps_a_thumb_down(chat, house):
    chat("How many?", "-")
    assert house.votes == [VoteRequest("a0", "down", "ada")]


@pytest.mark.parametrize("lines", [["+"], ["-"], ["n"]])
def test_there_is_nothing_to_vote_on_before_the_first_answer(chat, house, lines):
    assert "There is no answer to vote on.\n" in chat(*lines).stdout
    assert house.votes == []


def test_help_and_unknown_commands(chat):
    shown = chat("?", "/foo").stdout
    assert HELP in shown
    assert "/foo is no command; ? tells which there are\n" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        pytest.param(IndexNotReady("nothing is indexed yet"), "footnote: nothing is indexed yet\n", id="ours"),
        pytest.param(RuntimeError("secret"), "something unexpected went wrong (incident", id="unexpected"),
    ],
)
def test_a_search_that_fails_costs_one_line_and_its_question(chat, house, failure, told):
    house.failure = failure
    result = chat("How many?", "+", "And then?")
    assert told in result.stderr
    assert "secret" not in result.output
    assert len(result.stderr.splitlines()) == 3  # where the conversation begins, and a line for each question
    assert len(house.asked) == 2
    assert "There is no answer to vote on.\n" in result.stdout


def test_after_a_failure_no_vote_goes_to_an_older_answer(chat, house):
    house.answers = [answered(0)]
    chat("How many?", "And then?", "+")
    assert house.votes == []


def test_a_store_that_is_down_costs_the_record_and_not_the_answer(chat, house):
    house.feedback_failure = FeedbackUnavailable("the disk is full")
    result = chat("How many?", "And then?", "+")
    assert result.stdout.count(f"“{QUOTE}”") == 2
    assert result.stderr == f"footnote: the disk is full\n{UNRECORDED * 2}"
    assert questions(house)[1].history
    assert "There is no answer to vote on.\n" in result.stdout


def test_a_vote_that_cannot_be_kept_is_refused_visibly(chat, house, monkeypatch):
    def vote(_: VoteRequest) -> None:
        raise FeedbackUnavailable("the disk is full")

    monkeypatch.setattr(house, "vote", vote)
    result = chat("How many?", "-", "And then?")
    assert "footnote: the disk is full\n" in result.stderr
    assert "Recorded" not in result.stdout
    assert questions(house)[-1].text == "And then?"


def test_somebody_whom_nobody_knows_can_ask_but_not_vote(chat, house):
    result = chat("How many?", "+", options=("--user", ""))
    assert questions(house)[0].user == ""
    assert "footnote: a vote needs a person: say who votes\n" in result.stderr


def test_nothing_from_a_document_takes_over_the_screen(chat, house):
    evil = "Five\x1b[2J days\x07 \u202emay\x9b31m\r be."
    citation = Citation(1, "d", evil, evil, "a", f"https://example.com/{evil}", evil, "v")
    house.answers = [Answer("a", evil, (Sentence(evil, (1,)),), (citation,))]
    shown = chat("Ho\x1bw?").output
    assert "Five[2J days may31m be." in shown
    assert not set(shown) & set("\x1b\x07\u202e\x9b\r")


def test_what_is_no_utf_8_is_asked_as_far_as_it_is(run, house):
    assert run("chat", stdin=b"caf\xe9?\nHow many?").exit_code == 0
    assert [question.text for question in questions(house)] == ["caf\ufffd?", "How many?"]


def test_no_status_line_reaches_a_pipe(chat):
    assert DOING["searching"] not in chat("How many?").output
