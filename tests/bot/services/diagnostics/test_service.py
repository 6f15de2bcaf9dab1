"""All checks together: which run, in which order, and that a failed one keeps no other from running."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.app import bootstrap
from bot.config.settings import Settings
from bot.errors import BotError
from bot.services.diagnostics import stores
from bot.services.diagnostics.check import Check
from bot.services.diagnostics.service import DiagnosticsService, examine
from bot.state.protocol import Event
from bot.state.sqlite.store import SqliteState
from feedback.errors import FeedbackUnavailable
from feedback.stores.sqlite.store import SqliteFeedback
from retrieval.errors import RetrievalError, SearchUnavailable
from tests.bot.services.diagnostics.samples import ENGLISH, GERMAN, index_of
from tests.fakes import FakeReader

pytestmark = pytest.mark.usefixtures("folder")


def raising(error: Exception) -> Callable[[], Any]:
    """Return a way to open something that cannot be opened."""

    def fail() -> Any:
        raise error

    return fail


@pytest.fixture
def checks(tmp_path) -> Iterator[Callable[..., dict[str, Check]]]:
    """Runs the checks of an app in which all is well but for what a test hands over; gives them by name."""
    with closing(SqliteFeedback(tmp_path / "feedback.db")) as store:

        def run(**parts: Any) -> dict[str, Check]:
            given: dict[str, Any] = {
                "index": index_of,
                "writer": index_of,
                "feedback": lambda: store,
                "state": raising(AssertionError("no state store is opened without a channel")),
                "reranker": lambda: None,
                "chat_model": raising(AssertionError("no model is opened without the setting")),
                "index_checks": lambda: (),
                "channel_checks": (),
            }
            service = DiagnosticsService(
                settings=Settings(home=tmp_path / "home"), verify=lambda _: "verified", **given | parts
            )
            return {each.check: each for each in service.checks()}

        yield run


def test_all_is_well_with_an_index_of_documents(checks):
    found = checks()
    assert list(found) == [
        "state folder",
        "embedding model",
        "everyday synonyms",
        "index",
        "language",
        "feedback store",
    ]
    assert [each for each in found.values() if not each.ok or each.mend] == []


def test_the_machine_and_the_settings_are_checked_first(tmp_path):
    index: Any = index_of()
    found = [
        each.check for each in examine(None, service=lambda settings: bootstrap(settings, index=index).diagnostics)
    ]
    assert found == [
        *["python", "sqlite", "installation", "settings", "state folder", "embedding model"],
        *["everyday synonyms", "index", "language", "feedback store"],
    ]


def test_every_check_that_is_wrong_says_what_mends_it():
    Path("footnote.toml").write_text('[[sources]]\nname = "a"\npath = "gone"', encoding="utf-8")
    Path("file").touch()

    def with_locked_index(settings: Settings) -> DiagnosticsService:
        return bootstrap(settings.model_copy(update={"home": Path("file")})).diagnostics

    wrong = [each for each in examine(None, service=with_locked_index) if not each.ok]
    assert {"source a", "state folder"} <= {each.check for each in wrong}
    assert [each for each in wrong if not each.mend or not each.detail] == []


def test_wrong_settings_are_named_one_by_one_and_end_the_checks():
    Path("footnote.toml").write_text('confidence_threshold = 7\nlanguage = "klingon"', encoding="utf-8")
    found = list(examine(None, service=lambda _: pytest.fail("nothing is made from wrong settings")))
    wrong = [each.detail for each in found if each.check == "settings"]
    assert {detail.split()[1] for detail in wrong} == {"confidence_threshold", "language"}
    assert found[-1].check == "settings"


def test_an_index_that_lacks_its_client_is_reported_and_no_store_is_checked(checks):
    found = checks(index=raising(BotError("no")))
    assert list(found)[-1] == "wiring"
    assert (found["wiring"].ok, found["wiring"].detail, bool(found["wiring"].mend)) == (False, "no", True)


def test_an_empty_index_is_a_note(checks):
    found = checks(index=FakeReader)
    assert found["index"] == Check(
        "index", ok=True, detail="0 documents, 0 passages", mend="run `footnote sync FOLDER`"
    )
    assert "language" not in found


@pytest.mark.parametrize("error", [SearchUnavailable("the index is damaged"), RetrievalError("the index is damaged")])
def test_an_index_that_cannot_be_read_is_wrong(checks, error):
    index = index_of()
    index.failure = error
    found = checks(index=lambda: index)["index"]
    assert (found.ok, found.detail) == (False, "the index is damaged")


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        pytest.param(ENGLISH * 20, False, id="english"),
        pytest.param(GERMAN * 30, True, id="german"),
        pytest.param(GERMAN, False, id="too-little-to-tell"),
    ],
)
def test_documents_in_another_language_are_a_note(checks, text, noted):
    found = checks(index=lambda: index_of(text))["language"]
    assert (found.ok, bool(found.mend)) == (True, noted)


def test_a_feedback_store_that_cannot_be_opened_is_wrong(checks):
    found = checks(feedback=raising(FeedbackUnavailable("the feedback file cannot be used")))["feedback store"]
    assert (found.ok, found.detail) == (False, "the feedback file cannot be used")


def test_the_state_store_is_checked_where_a_platform_is_configured(checks, tmp_path):
    state = SqliteState(tmp_path / "state.db")
    with closing(state):
        state.accept(Event("slack", "Ev1", datetime.now(UTC), "{}"))
        found = checks(state=lambda: state, channel_checks=[lambda: ()])["state store"]
        assert found == Check("state store", ok=True, detail="opens, questions that wait: 1")
    found = checks(state=lambda: state, channel_checks=[lambda: ()])["state store"]  # it is closed by now
    assert (found.ok, found.mend) == (False, stores.FOLDER)


def test_an_index_that_cannot_be_opened_is_wrong_and_the_stores_are_checked_all_the_same(checks):
    damaged = SearchUnavailable("the index '/state/index-1.db' is damaged: remove '/state/index' and run it")
    found = checks(index=raising(damaged))
    assert (found["index"].ok, found["index"].detail) == (False, "the index '/state/index-1.db' is damaged")
    assert found["index"].mend == "remove '/state/index' and run it"
    assert found["feedback store"].ok
