"""`footnote demo`: the sample handbook in a house of its own, and one conversation about it."""

import json

import pytest
from click.testing import CliRunner

from bot.answering.answers import Answer, Citation, Question, Sentence
from bot.app import App
from bot.cli import main
from bot.cli.demo import CONVERSATION
from bot.cli.demo_app import HANDBOOK
from bot.cli.output import Invocation
from retrieval.passages import Turn
from tests.bot.cli.conftest import told


@pytest.fixture(autouse=True)
def answers(house) -> None:
    cited = Citation(1, "handbook/leave.md", "Leave", "Leave", "carry", "", "Five days.", "v")
    house.answers = [
        Answer(f"a{number}", f"Answer {number}. [1]", (Sentence(f"Answer {number}.", (1,)),), (cited,))
        for number in range(len(CONVERSATION))
    ]


def test_it_indexes_the_handbook_and_asks_its_own_questions_in_one_conversation(run, house):
    result = run("demo")
    assert result.exit_code == 0
    (source,) = house.asked[0]["sources"]
    assert (source.name, source.root) == ("handbook", HANDBOOK)
    questions = [each["question"] for each in house.asked[1:]]
    assert [question.text for question in questions] == list(CONVERSATION)
    assert questions[1].history == (Turn("user", CONVERSATION[0]), Turn("bot", "Answer 0. [1]"))
    assert f"> {CONVERSATION[1]}\n\nAnswer 1. [1]\n" in result.stdout
    assert house.recorded == []


def test_with_the_real_model_all_but_the_last_are_answered_from_the_right_section(folder):
    result = CliRunner().invoke(main, ["demo", "--json"], obj=Invocation(builder=App))
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["query"] for each in told] == list(CONVERSATION)
    cited = [[citation["anchor"] for citation in each["citations"]] for each in told]
    assert cited == [["carrying-days-over"], ["carrying-days-over"], ["approval"], []]
    assert [each["abstained"] for each in told] == [False, False, False, True]


def test_a_question_of_ones_own_is_asked_alone(run, house):
    result = run("demo", "What", "now?", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout)["query"] == "What now?"
    assert json.loads(result.stdout)["id"] == "a0"
    assert house.asked[1:] == [{"question": Question("What now?")}]


def test_a_handbook_that_cannot_be_indexed_ends_with_1(run, house):
    house.report.problems = ["the source 'handbook' is missing"]
    assert told(run("demo"), 1) == "the sample handbook could not be indexed: the source 'handbook' is missing"
