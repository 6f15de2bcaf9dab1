"""Commands run in an empty folder, against a house that a test furnishes."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.cli.output import Invocation
from bot.config import settings
from retrieval.passages import EVERYONE, Document, Hit, Passage
from retrieval.ranking.confidence import Signals
from retrieval.search import Results
from tests.fakes import FakeHouse, FakeIndex

Run = Callable[..., Result]

TEXT = "Leave\nFive days may be carried over.\nIllness\nCall before ten."


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working folder and an environment without settings."""
    for variable in list(settings._environment()):
        if variable.upper().startswith("FOOTNOTE_"):
            monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def document(text: str = TEXT, *, version: str = "v2") -> Document:
    return Document(
        "handbook/leave.md",
        "handbook",
        "Leave",
        "https://example.com/leave",
        version,
        text,
        (),
        audience=frozenset({"hr", EVERYONE}),
        owner="People",
        review=date(2026, 1, 2),
    )


def passages(held: Document) -> list[Passage]:
    """Two sections of it, the first with all that a hit shows."""
    spans = [("Carry-over", "carry", 6, 36), ("Illness", "ill", 45, len(TEXT))]
    return [
        Passage(
            held.id,
            number,
            ("Leave", heading),
            anchor,
            "",
            held.text[start:end],
            start,
            end,
            held.version,
            held.title,
            held.url,
            held.audience,
        )
        for number, (heading, anchor, start, end) in enumerate(spans)
    ]


@pytest.fixture
def house() -> FakeHouse:
    held = document()
    made = FakeHouse(index=FakeIndex((held, passages(held)), older=[document("Leave\nFour days.", version="v1")]))
    made.results = Results(
        tuple(Hit(each, 1.5 - number) for number, each in enumerate(passages(held))), 0.75, Signals()
    )
    return made


@pytest.fixture
def run(house) -> Run:
    """Runs `footnote` with these arguments in that house."""

    def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
        builder: Any = lambda _: house  # noqa: E731 - typed as the house that it stands for
        invocation = Invocation(builder=builder)
        return CliRunner().invoke(main, arguments, obj=invocation, input=stdin, prog_name="footnote")

    return run


def told(result: Result, status: int) -> str:
    """The one line on stderr with which a run without a result ended."""
    assert (result.exit_code, result.stdout) == (status, ""), result.output
    lines: Sequence[str] = result.stderr.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("footnote: ")
    return lines[0].removeprefix("footnote: ")
