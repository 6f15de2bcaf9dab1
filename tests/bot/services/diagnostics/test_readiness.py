"""What each readiness check says, and that an error of a part is reported in its own words."""

from contextlib import closing

import pytest

from bot.errors import BotError
from bot.services.diagnostics.readiness import (
    NotReady,
    check_embedder,
    check_feedback,
    check_index,
    check_model,
    check_reranker,
    check_state,
)
from bot.state.protocol import Event
from bot.state.sqlite.store import SqliteState
from feedback.stores.sqlite.store import SqliteFeedback
from retrieval.errors import EmbeddingUnavailable, SearchUnavailable
from retrieval.ranking.reranker import Reranker
from tests.bot.cli.samples import document, passages
from tests.fakes import NOON, FakeEmbedder, FakeReader
from tests.retrieval.embedding.tiny_models import cross_encoder
from tests.servers.redis_servers import free_port


class MissingModel(FakeEmbedder):
    def encode_query(self, text: str):
        raise EmbeddingUnavailable("the weights are not here: run `footnote demo`")


def test_the_index_says_how_much_it_holds():
    held = document()
    assert check_index(FakeReader((held, passages(held))).counts) == "1 documents, 2 passages"


def test_an_empty_index_is_not_ready():
    with pytest.raises(NotReady, match="nothing is indexed: run `footnote sync`"):
        check_index(FakeReader().counts)


def test_an_index_that_cannot_be_reached_is_reported_in_its_own_words():
    index = FakeReader()
    index.failure = SearchUnavailable("the index at 127.0.0.1:9200 cannot be reached")
    with pytest.raises(NotReady, match=r"^the index at 127\.0\.0\.1:9200 cannot be reached$"):
        check_index(index.counts)


def test_the_embedder_says_which_model_it_is_or_what_it_lacks():
    assert check_embedder(FakeEmbedder()) == "fake/64"
    with pytest.raises(NotReady, match=r"^the weights are not here: run `footnote demo`$"):
        check_embedder(MissingModel())


def test_a_reranker_is_loaded_before_the_first_question_or_says_what_is_wrong(tmp_path):
    folder = cross_encoder(tmp_path / "model")
    reranker = Reranker(str(folder))
    assert check_reranker(reranker) == str(folder)
    assert "_model" in vars(reranker)
    with pytest.raises(NotReady, match="give `reranker` the folder or the known name of a cross-encoder"):
        check_reranker(Reranker(str(tmp_path)))


def test_the_state_says_how_many_events_wait(tmp_path):
    with closing(SqliteState(tmp_path / "state.db")) as state:
        state.accept(Event("slack", "Ev1", NOON, "{}"))
        assert check_state(state) == "1 events wait"
    with pytest.raises(BotError, match="cannot be used"):
        check_state(state)


def test_the_feedback_store_answers_or_is_reported_in_its_own_words(tmp_path):
    with closing(SqliteFeedback(tmp_path / "feedback.db")) as feedback:
        assert check_feedback(feedback) == "answers"
    with pytest.raises(NotReady, match=r"the feedback file '.*' cannot be used"):
        check_feedback(feedback)


def test_a_model_is_looked_up_only_at_an_address_of_its_own():
    assert check_model("", base_url="http://unused") == "none: sections are quoted"
    assert check_model("openai:gpt", base_url="") == "openai:gpt"
    for base_url in (f"http://127.0.0.1:{free_port()}", "http://["):
        with pytest.raises(NotReady, match="takes no connection"):
            check_model("openai:gpt", base_url=base_url)
