"""Commands run in an empty folder; those about answers run over the real services, with the answers scripted."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from bot.services.questions import QuestionService
from bot.services.retention import Retention
from bot.services.votes import VoteService
from feedback.records import Exchange, Record
from feedback.stores.sqlite.store import SqliteFeedback
from tests.bot.cli.command_line import footnote
from tests.fakes import NOON, ScriptedPipeline, gate

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def in_empty_folder(folder) -> None:
    """Every command runs in an empty working folder, in an environment without settings."""


@dataclass
class AnsweringApp:
    """The services that `ask`, `chat`, `vote` and `demo` call, over one pipeline and one store.

    People keep their names: there is no key to look after.
    """

    questions: QuestionService
    votes: VoteService


def answering_app(pipeline: ScriptedPipeline, feedback: Any, *, home: Path) -> AnsweringApp:
    """Make the services; every record is a second later than the one before, from noon on."""
    times = iter(range(10_000))

    def clock() -> datetime:
        return NOON + timedelta(seconds=next(times))

    retention = Retention(feedback=feedback, marker=home / "pruned", word_days=0, exchange_days=0, clock=clock)
    shared: dict[str, Any] = {"feedback": feedback, "retention": retention, "pseudonym": str, "clock": clock}
    scripted: Any = pipeline
    return AnsweringApp(
        QuestionService(pipeline=scripted, gate=gate(), embedding="fake/64", **shared),
        VoteService(**shared),
    )


@pytest.fixture
def pipeline() -> ScriptedPipeline:
    return ScriptedPipeline()


@pytest.fixture
def feedback(folder) -> Iterator[SqliteFeedback]:
    """The feedback file in the usual place."""
    with closing(SqliteFeedback(folder / ".footnote" / "feedback.db")) as store:
        yield store


@pytest.fixture
def app(pipeline, feedback, folder) -> Any:
    """The app that `run` runs over; tests of other services put theirs in its place."""
    return answering_app(pipeline, feedback, home=folder / ".footnote")


@pytest.fixture
def run(app) -> Run:
    """Runs `footnote` with these arguments over that app."""
    return partial(footnote, bootstrap=lambda _: app)


def recorded(feedback: SqliteFeedback) -> list[Exchange]:
    """Return the recorded exchanges, oldest first."""
    return list(feedback.exchanges())


def records(feedback: SqliteFeedback, kind: type[Record]) -> list[Any]:
    """Return all records of this kind, oldest first, also those that count no more."""
    return sorted((each for each in feedback.records() if isinstance(each, kind)), key=lambda each: each.at)
