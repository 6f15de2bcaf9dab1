"""What is added to an answer and what it warns of, through the whole app on small documents."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bot.answering.answers import Answer, Question
from bot.app import bootstrap
from bot.channels.terminal import rendering
from bot.config.settings import Settings, Source
from retrieval.passages import Turn
from tests.fakes import FakeEmbedder
from tests.scripted_app import Place, passages_of
from tests.servers.openai_server import Body, Reply, serving


class Documents:
    """A folder of documents and what the app answers from them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self._folder / "hr" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def ask(self, question: Question, *, threshold: float = 0.0) -> Answer:
        found = (Source(name="hr", path=self._folder / "hr"),)
        app = bootstrap(
            Settings(home=self._folder / "state", confidence_threshold=threshold, sources=found),
            embedder=FakeEmbedder(),
        )
        app.ingestion.sync()
        return app.questions.answer(question)


@pytest.fixture
def documents(tmp_path: Path) -> Documents:
    return Documents(tmp_path)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with serving() as server:
        yield Place(tmp_path, server)


CLAIMS = "# Expenses\n\n## Claims\n\nExpense claims must be submitted within 30 days.\n"
HANDBOOK = "# Handbook\n\n## Money\n\nSubmit your expense claims within 60 days of the journey.\n"
ASKED = Question("Within how many days must I submit expense claims?")


def warning_texts(answer: Answer, kind: str) -> list[str]:
    return [each.text for each in answer.warnings if each.kind == kind]


def test_two_documents_that_disagree_are_shown_side_by_side(documents: Documents) -> None:
    documents.write({"expenses.md": CLAIMS, "handbook.md": HANDBOOK})
    answer = documents.ask(ASKED)
    assert "within 30 days" in answer.text
    assert "within 60 days" in answer.text
    (warning,) = [each for each in answer.warnings if each.kind == "conflict"]
    assert warning.text.endswith("say different things here: 30 days and 60 days.") or warning.text.endswith(
        "say different things here: 60 days and 30 days."
    )
    by_number = {each.number: each for each in answer.citations}
    assert {by_number[number].document for number in warning.citations} == {"hr/expenses.md", "hr/handbook.md"}
    assert "Note: «" in rendering.answer_text(answer)


def test_a_withheld_document_never_makes_a_conflict(documents: Documents) -> None:
    documents.write({"expenses.md": CLAIMS, "handbook.md": f"---\naudience: board\n---\n{HANDBOOK}"})
    answer = documents.ask(ASKED)
    assert answer.warnings == ()
    assert "60" not in answer.text
    assert warning_texts(documents.ask(Question(ASKED.text, groups=frozenset({"board"}))), "conflict")


def test_an_abstention_has_no_warnings(documents: Documents) -> None:
    documents.write({"expenses.md": f"---\nreview: 2020-01-01\n---\n{CLAIMS}"})
    answer = documents.ask(ASKED, threshold=1.0)
    assert answer.abstained
    assert answer.warnings == ()


def test_a_document_past_its_review_says_so(documents: Documents) -> None:
    documents.write({"expenses.md": f"---\nreview: 2020-03-31\n---\n{CLAIMS}"})
    answer = documents.ask(ASKED)
    assert warning_texts(answer, "review-date") == ["«Expenses» was due for review on 31 March 2020."]


@pytest.mark.parametrize("named", ["new/claims.md", "hr/new/claims.md", "Claims from now on"])
def test_a_successor_is_named_to_whoever_may_read_it(documents: Documents, named: str) -> None:
    after = "# Claims from now on\n\nExpense claims go to the portal. They must be submitted there.\n"
    documents.write({"expenses.md": f"---\nsuperseded_by: {named}\n---\n{CLAIMS}", "new/claims.md": after})
    answer = documents.ask(ASKED)
    assert warning_texts(answer, "superseded") == ["«Expenses» has been superseded by «Claims from now on»."]


@pytest.mark.parametrize("named", ["secret/claims.md", "hr/secret/claims.md", "Closing the Leeds site", "nowhere.md"])
def test_a_withheld_successor_is_never_named(documents: Documents, named: str) -> None:
    after = "---\naudience: board\n---\n# Closing the Leeds site\n\nExpense claims must be submitted within 5 days.\n"
    documents.write({"expenses.md": f"---\nsuperseded_by: {named}\n---\n{CLAIMS}", "secret/claims.md": after})
    answer = documents.ask(ASKED)
    assert warning_texts(answer, "superseded") == ["«Expenses» is marked as superseded."]
    assert "Closing" not in repr((answer.warnings, answer.text, answer.citations))


def test_what_is_superseded_is_shown_with_what_took_its_place(documents: Documents) -> None:
    before = "# Travel policy 2024\n\nThe daily meal allowance for business trips is £30.\n"
    after = "# Travel policy 2025\n\nThe daily meal allowance for business trips is £40.\n"
    documents.write({"travel-2024.md": before, "travel-2025.md": after})
    answer = documents.ask(Question("What is the daily meal allowance for business trips?"))
    assert "£40" in answer.text
    assert warning_texts(answer, "conflict") == []
    if "£30" in answer.text:
        assert warning_texts(answer, "superseded") == [
            "There is a newer version of «Travel policy 2024»: «Travel policy 2025»."
        ]


def test_a_question_about_the_older_edition_is_answered_from_it(documents: Documents) -> None:
    before = "# Travel policy 2024\n\nThe daily meal allowance for business trips is £30.\n"
    after = "# Travel policy 2025\n\nThe daily meal allowance for business trips is £40.\n"
    documents.write({"travel-2024.md": before, "travel-2025.md": after})
    answer = documents.ask(Question("What was the daily meal allowance for business trips in 2024?"))
    assert answer.warnings == ()


SECTIONS = """# Leave

## Full-time staff

You get 25 days of annual leave.

## Part-time staff

You get 15 days of annual leave.
"""


def test_an_answer_for_several_groups_names_each(documents: Documents) -> None:
    documents.write({"leave.md": SECTIONS})
    answer = documents.ask(Question("How many days of annual leave do I get?"))
    assert "25 days" in answer.text
    assert "15 days" in answer.text
    (warning,) = answer.warnings
    assert warning.kind == "condition"
    sections = {each.number: each.section for each in answer.citations}
    one, other = warning.citations
    assert warning.text == (
        f"[{one}] holds for «{sections[one].rpartition(' > ')[2]}»,"
        f" [{other}] for «{sections[other].rpartition(' > ')[2]}»."
    )
    note = next(line for line in rendering.answer_text(answer).splitlines() if line.startswith("Note:"))
    assert note == f"Note: {warning.text}"


def test_a_group_that_was_named_before_counts(documents: Documents) -> None:
    documents.write({"leave.md": SECTIONS})
    history = (Turn("user", "I am part-time staff."),)
    answer = documents.ask(Question("How many days of annual leave do I get?", history=history))
    assert warning_texts(answer, "condition") == []


def test_what_a_model_writes_is_looked_at_too(place: Place) -> None:
    place.write("expenses.md", CLAIMS)
    place.write("handbook.md", HANDBOOK)

    def written(body: Body) -> str:
        at = next(n for n, text in enumerate(passages_of(body), start=1) if "within 30 days" in text)
        return f"You must submit expense claims within 30 days [{at}]."

    answer = place.ask(Reply(written), text=ASKED.text)
    assert answer.generator == "openai:scripted"
    assert [each.text for each in answer.sentences] == [
        "You must submit expense claims within 30 days.",
        "Submit your expense claims within 60 days of the journey.",
    ]
    assert warning_texts(answer, "conflict") == [
        "«Expenses» and «Handbook» say different things here: 30 days and 60 days."
    ]
