"""How long feedback is kept: once a day, in the state folder's own time, and never at the cost of a question."""

import logging
import os
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.access.pseudonyms import pseudonym, user_key
from bot.app import App, bootstrap
from bot.config.settings import Settings
from bot.services.retention import DAY_SECONDS, Retention
from bot.services.reviews import ReviewDecision
from bot.services.votes import BatchVote, VoteRequest
from feedback.errors import FeedbackUnavailable
from feedback.stores.protocol import FeedbackEraser
from feedback.stores.sqlite.store import SqliteFeedback
from tests.feedback.samples import NOON, exchange, vote
from tests.servers.redis_servers import eventually

LONG_AGO = timedelta(days=3000)


@pytest.fixture
def app(tmp_path) -> App:
    made = bootstrap(Settings.model_validate({"home": tmp_path, "keep_words": 30, "keep_exchanges": 4000}))
    made.feedback.record(exchange(0, at=NOON - LONG_AGO))
    made.feedback.record(exchange(1, at=NOON + LONG_AGO))
    return made


def retention(store: FeedbackEraser, marker: Path) -> Retention:
    return Retention(feedback=store, marker=marker, word_days=1, exchange_days=1, clock=lambda: NOON)


def pruned(app: App) -> list[bool]:
    return [each.pruned for each in app.feedback.exchanges()]


def a_day_ago(marker: Path) -> None:
    then = time.time() - DAY_SECONDS - 60
    os.utime(marker, (then, then))


def test_the_settings_say_what_goes(app):
    assert app.privacy.prune() == (1, 0)
    assert pruned(app) == [True, False]
    shorter = app.settings.model_copy(update={"keep_exchanges": 31})
    assert bootstrap(shorter).privacy.prune() == (0, 1)
    assert [each.id for each in app.feedback.exchanges()] == ["answer-00001"]


def test_nothing_goes_where_all_is_kept_for_ever(app):
    for_ever = app.settings.model_copy(update={"keep_words": 0, "keep_exchanges": 0})
    assert bootstrap(for_ever).privacy.prune() == (0, 0)


def test_once_a_day_a_vote_lets_go_of_what_is_old(app):
    app.votes.vote(VoteRequest("answer-00001", "up", "ada"))
    assert pruned(app) == [False, False]  # nothing can be old on the first day
    again = bootstrap(app.settings)
    a_day_ago(app.settings.home / "pruned")
    again.votes.vote(VoteRequest("answer-00001", "up", "ada"))
    eventually(lambda: pruned(app) == [True, False], "what is old loses its words")
    assert time.time() - (app.settings.home / "pruned").stat().st_mtime < 60


def test_a_store_that_is_down_is_tried_again_tomorrow(tmp_path, caplog):
    class Down(SqliteFeedback):
        def prune(
            self, *, words_before: datetime | None = None, exchanges_before: datetime | None = None
        ) -> tuple[int, int]:
            raise FeedbackUnavailable("it is down")

    (tmp_path / "pruned").touch()
    a_day_ago(tmp_path / "pruned")
    with caplog.at_level(logging.WARNING):
        retention(Down(tmp_path / "feedback.db"), tmp_path / "pruned").prune_if_due()
        eventually(lambda: "it is down" in caplog.text, "it is logged")


def test_a_folder_that_cannot_be_written_costs_nobody_a_vote(tmp_path, caplog):
    (tmp_path / "file").touch()
    store = SqliteFeedback(tmp_path / "feedback.db")
    retention(store, tmp_path / "file" / "pruned").prune_if_due()
    assert "cannot be written" in caplog.text
    store.close()


def test_a_click_that_is_delivered_again_is_one_vote(app):
    request = VoteRequest("answer-00001", "down", "ada", correction="Six.")
    assert [app.votes.vote(request, key="k").vote.vote for _ in range(2)] == ["down", "down"]
    assert len(app.feedback.votes("answer-00001")) == len(app.feedback.corrections("answer-00001")) == 1


def test_an_owner_accepts_a_correction(app):
    app.votes.vote(VoteRequest("answer-00001", "down", "ada", correction="Six."), key="k")
    app.reviews.decide(ReviewDecision("answer-00001", "accept", "owner@example.com", "k"))
    (correction,) = app.feedback.corrections("answer-00001")
    (decision,) = app.feedback.decisions("answer-00001")
    assert correction.accepted
    assert decision.reviewer == pseudonym("owner@example.com", key=user_key(app.settings.home))


def test_of_many_votes_at_once_each_has_its_result(app):
    votes = [
        BatchVote("1", VoteRequest("answer-00001", "down", "ada", correction="Six."), NOON),
        BatchVote("2", VoteRequest("nobody", "up", "ada")),
        BatchVote("1", VoteRequest("answer-00001", "down", "ada", correction="Six."), NOON),
    ]
    assert app.votes.vote_many(votes) == ["added", "unknown-answer", "known"]
    assert app.feedback.votes("answer-00001")[0].at == NOON


def test_a_person_is_forgotten_by_the_name_they_used(app):
    app.feedback.vote(vote(voter=pseudonym("ada@example.com", key=user_key(app.settings.home))))
    assert app.privacy.forget("ADA@example.com").votes == 1
