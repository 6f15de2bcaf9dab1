"""The app with `redis_url`: exchanges and votes of several replicas lie on one real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answering.answers import Question
from bot.app import App, bootstrap
from bot.config.settings import Settings
from bot.errors import BotError
from bot.services.diagnostics.check import Check
from bot.services.diagnostics.stores import check_feedback_store
from bot.services.votes import VoteRequest
from tests.fakes import FakeEmbedder
from tests.servers.redis_servers import serving

KEY = "a long random text"


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> Iterator[str]:
    with serving("redis-6.2", tmp_path_factory.mktemp("redis")) as server:
        yield server.url


def replica(folder: Path, url: str, **given: str) -> App:
    """Return an app with a state folder of its own."""
    docs = folder / "docs"
    docs.mkdir(parents=True, exist_ok=True)
    (docs / "leave.md").write_text("# Leave\n\nFive days of leave may be carried over.\n", encoding="utf-8")
    settings = Settings.model_validate(
        {"home": folder / "state", "redis_url": url, "confidence_threshold": 0.0, "workspace": folder.name, **given}
    )
    app = bootstrap(settings, embedder=FakeEmbedder())
    app.ingestion.sync([docs])
    return app


def test_what_one_replica_answers_another_knows_and_takes_a_vote_on(url, tmp_path):
    one = replica(tmp_path / "shared", url, user_key=KEY)
    other = bootstrap(one.settings.model_copy(update={"home": tmp_path / "elsewhere"}), index=one.index)
    question = Question("How many days of leave may be carried over?", user="ada@example.com", conversation="c")
    answer = one.questions.answer(question)
    one.questions.record(question, answer)
    assert [turn.text for turn in other.questions.history("c", user="ada@example.com", groups=frozenset())] == [
        question.text,
        answer.text,
    ]
    other.votes.vote(VoteRequest(answer.id, "up", user="bo@example.com"))
    (vote,) = one.feedback.votes(answer.id)
    assert vote.vote == "up"
    assert not (tmp_path / "elsewhere" / "feedback.db").exists()


def test_people_need_one_name_everywhere(url, tmp_path):
    app = replica(tmp_path / "nameless", url)
    with pytest.raises(BotError, match="give `user_key`, the same long random text for every replica"):
        app.votes.vote(VoteRequest("a1", "up", user="ada@example.com"))


def test_doctor_says_how_the_server_keeps_votes(url, tmp_path):
    app = replica(tmp_path / "checked", url, user_key=KEY)
    (found,) = check_feedback_store(lambda: app.feedback, shared=True)
    assert found.ok
    assert "answers" in found.detail


def test_doctor_says_what_waits_for_the_server(tmp_path):
    app = replica(tmp_path / "waiting", "redis://:hunter2@127.0.0.1:1", user_key=KEY)
    question = Question("How many days of leave may be carried over?", user="ada@example.com")
    answer = app.questions.answer(question)
    app.questions.record(question, answer)
    assert app.votes.vote(VoteRequest(answer.id, "up", user="ada@example.com")).vote.vote == "up"
    (waiting, store) = check_feedback_store(lambda: app.feedback, shared=True)
    assert (waiting.ok, waiting.detail) == (True, "2 records wait for the store")
    assert not store.ok
    app.feedback.close()


def test_doctor_says_that_the_server_is_not_there(tmp_path):
    app = replica(tmp_path / "gone", "redis://:hunter2@127.0.0.1:1", user_key=KEY)
    (found,) = check_feedback_store(lambda: app.feedback, shared=True)
    assert isinstance(found, Check)
    assert (found.ok, found.mend) == (False, "see that the server runs and that `redis_url` is right")
    assert "hunter2" not in found.detail
