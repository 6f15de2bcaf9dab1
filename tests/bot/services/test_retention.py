"""How long feedback is kept: once a day, in the state folder's own time, and never at the cost of a question."""

import logging
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from bot.access.pseudonyms import hashed
from bot.app import App, turns
from bot.config.settings import Settings
from bot.services.retention import DAY_SECONDS, Retention
from bot.services.votes import BatchVote, VoteRequest
from feedback.errors import FeedbackUnavailable
from feedback.records import without_words
from feedback.stores.protocol import FeedbackStore
from feedback.stores.sqlite.store import SqliteFeedback
from tests.feedback.samples import NOON, exchange, vote
from tests.servers.redis_servers import eventually

LONG_AGO = timedelta(days=3000)


@pytest.fixture
def house(tmp_path) -> App:
    made = App(Settings.model_validate({"home": tmp_path, "keep_words": 30, "keep_exchanges": 4000}))
    made.feedback.record(exchange(0, at=NOON - LONG_AGO))
    made.feedback.record(exchange(1, at=NOON + LONG_AGO))
    return made


def pruned(house: App) -> list[bool]:
    return [each.pruned for each in house.feedback.exchanges()]


def a_day_ago(marker: Path) -> None:
    then = time.time() - DAY_SECONDS - 60
    os.utime(marker, (then, then))


def test_the_settings_say_what_goes(house):
    assert house.prune() == (1, 0)
    assert pruned(house) == [True, False]
    shorter = house.settings.model_copy(update={"keep_exchanges": 31})
    assert App(shorter).prune() == (0, 1)
    assert [each.id for each in house.feedback.exchanges()] == ["answer-00001"]


def test_nothing_goes_where_all_is_kept_for_ever(house):
    for_ever = house.settings.model_copy(update={"keep_words": 0, "keep_exchanges": 0})
    assert App(for_ever).prune() == (0, 0)


def test_once_a_day_a_vote_lets_go_of_what_is_old(house):
    house.vote(VoteRequest("answer-00001", "up", "ada"))
    assert pruned(house) == [False, False]  # nothing can be old on the first day
    again = App(house.settings)
    a_day_ago(house.settings.home / "pruned")
    again.vote(VoteRequest("answer-00001", "up", "ada"))
    eventually(lambda: pruned(house) == [True, False], "what is old loses its words")
    assert time.time() - (house.settings.home / "pruned").stat().st_mtime < 60


def test_a_store_that_is_down_is_tried_again_tomorrow(tmp_path, caplog):
    def store() -> FeedbackStore:
        raise FeedbackUnavailable("it is down")

    (tmp_path / "pruned").touch()
    a_day_ago(tmp_path / "pruned")
    with caplog.at_level(logging.WARNING):
        Retention(store, tmp_path / "pruned", words=1, exchanges=1).look()
        eventually(lambda: "it is down" in caplog.text, "it is told")


def test_a_folder_that_cannot_be_written_costs_nobody_a_vote(tmp_path, caplog):
    (tmp_path / "file").touch()
    store = SqliteFeedback(tmp_path / "feedback.db")
    Retention(lambda: store, tmp_path / "file" / "pruned", words=1, exchanges=1).look()
    assert "cannot be written" in caplog.text
    store.close()


def test_what_has_lost_its_words_is_no_part_of_a_conversation():
    assert turns([without_words(exchange(asker=""))], asker="", groups=frozenset({"hr", "leeds"})) == ()


def test_a_click_that_is_delivered_again_is_one_vote(house):
    opinion = VoteRequest("answer-00001", "down", "ada", correction="Six.")
    assert [house.vote(opinion, key="k").vote.vote for _ in range(2)] == ["down", "down"]
    assert len(house.feedback.votes("answer-00001")) == len(house.feedback.corrections("answer-00001")) == 1


def test_an_owner_accepts_a_correction(house):
    house.vote(VoteRequest("answer-00001", "down", "ada", correction="Six."), key="k")
    assert house.decide("answer-00001", "accept", user="owner@example.com", correction="k", key="d")
    assert not house.decide("answer-00001", "reject", user="owner@example.com", correction="k", key="d")
    (correction,) = house.feedback.corrections("answer-00001")
    (decision,) = house.feedback.decisions("answer-00001")
    assert correction.accepted
    assert decision.reviewer == hashed("owner@example.com", key=house._user_key)


def test_many_votes_at_once_are_told_one_by_one(house):
    ballots = [
        BatchVote("1", VoteRequest("answer-00001", "down", "ada", correction="Six."), NOON),
        BatchVote("2", VoteRequest("nobody", "up", "ada")),
        BatchVote("1", VoteRequest("answer-00001", "down", "ada", correction="Six."), NOON),
    ]
    assert house.vote_all(ballots) == ["added", "unknown-answer", "known"]
    assert house.feedback.votes("answer-00001")[0].at == NOON


def test_a_person_is_forgotten_by_the_name_they_used(house):
    house.feedback.vote(vote(voter=hashed("ada@example.com", key=house._user_key)))
    assert house.forget("ADA@example.com").votes == 1
