"""`footnote demo`: the sample handbook in a state folder of its own, and one conversation about it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.answering.answers import Answer, Citation, Question, Sentence
from bot.cli.demo import CONVERSATION
from bot.cli.demo_app import HANDBOOK
from bot.config.settings import Settings
from bot.services.questions import QuestionService
from retrieval.passages import Turn
from retrieval.sync import SyncReport
from tests.bot.cli.command_line import error_line, footnote, json_lines, printed_json
from tests.bot.cli.conftest import recorded


@dataclass
class ScriptedIngestion:
    """An `IngestionService` whose syncs end with this report."""

    report: SyncReport = field(default_factory=SyncReport)

    def sync(self, *, progress: Any) -> SyncReport:
        return self.report


@dataclass
class DemoApp:
    """What the demo calls of an app; `settings` are those that it was made from."""

    questions: QuestionService
    ingestion: ScriptedIngestion = field(default_factory=ScriptedIngestion)
    settings: Settings | None = None

    def bootstrap(self, settings: Settings) -> "DemoApp":
        self.settings = settings
        return self


@pytest.fixture
def demo(app, pipeline) -> DemoApp:
    cited = Citation(1, "handbook/leave.md", "Leave", "Leave", "carry", "", "Five days.", "v")
    pipeline.answers = [
        Answer(f"a{number}", f"Answer {number}. [1]", (Sentence(f"Answer {number}.", (1,)),), (cited,))
        for number in range(len(CONVERSATION))
    ]
    return DemoApp(app.questions)


def test_it_indexes_the_handbook_and_asks_its_own_questions_in_one_conversation(demo, pipeline, feedback):
    result = footnote("demo", bootstrap=demo.bootstrap)
    assert result.exit_code == 0
    (source,) = demo.settings.sources
    assert (source.name, source.path) == ("handbook", HANDBOOK)
    assert demo.settings.home == Path(".footnote/demo").absolute()
    questions = pipeline.questions
    assert [question.text for question in questions] == list(CONVERSATION)
    assert questions[1].history == (Turn("user", CONVERSATION[0]), Turn("bot", "Answer 0. [1]"))
    assert f"> {CONVERSATION[1]}\n\nAnswer 1. [1]\n" in result.stdout
    assert recorded(feedback) == []


def test_with_the_real_model_all_but_the_last_are_answered_from_the_right_section(folder):
    answers = json_lines(footnote("demo", "--json").stdout)
    assert [each["query"] for each in answers] == list(CONVERSATION)
    first = [[citation["anchor"] for citation in each["citations"][:1]] for each in answers]
    assert first == [["carrying-days-over"], ["carrying-days-over"], ["approval"], []]
    assert [each["abstained"] for each in answers] == [False, False, False, True]


def test_a_question_of_ones_own_is_asked_alone(demo, pipeline):
    result = footnote("demo", "What", "now?", "--json", bootstrap=demo.bootstrap)
    assert result.stderr == ""
    answer = printed_json(result)
    assert (answer["query"], answer["id"]) == ("What now?", "a0")
    assert pipeline.questions == [Question("What now?")]


def test_a_handbook_that_cannot_be_indexed_ends_with_1(demo):
    demo.ingestion.report.problems = ["the source 'handbook' is missing"]
    line = error_line(footnote("demo", bootstrap=demo.bootstrap), 1)
    assert line == "the sample handbook could not be indexed: the source 'handbook' is missing"
