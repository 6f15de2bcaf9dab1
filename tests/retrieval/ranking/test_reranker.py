"""A cross-encoder orders the best hits anew, and may say that none of them answers."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import EmbeddingUnavailable
from retrieval.passages import Query, Turn
from retrieval.ranking.reranker import SCORED, UNANSWERED_BELOW, Reranker, adjust_confidence, asked
from retrieval.search import Search
from tests.fakes import FakeEmbedder
from tests.retrieval.embedding.tiny_models import cross_encoder, embedding_model
from tests.retrieval.samples import ANALYZER, document, put

QUESTION = "leave carried over"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder that likes the word `five`."""
    return cross_encoder(tmp_path_factory.mktemp("reranker"))


@pytest.fixture
def filled(index):
    """Documents that the search finds in one order, and the cross-encoder likes in another."""
    put(
        index,
        document("docs/most", "Leave\n\nLeave carried over: leave is carried over, and carried over leave is leave."),
        document("docs/some", "Rest\n\nLeave is five, five, five, not all carried over."),
        document("docs/five", "Days\n\nFive, five days of leave."),
        document("docs/none", "Pay\n\nPaid each month."),
    )
    return index


def found(index, *, reranker: Reranker | None, query: Query | None = None, top: int = 10):
    return Search(index.reader, FakeEmbedder(), ANALYZER, reranker=reranker)(query or Query(QUESTION), top=top)


def test_scores_are_between_nothing_and_one_in_the_order_of_the_texts(folder):
    reranker = Reranker(str(folder))
    none, one, all_of_it = reranker.score(QUESTION, ["days of leave", "five days of leave", "five five five"])
    assert 0 < none < 0.1 < one < all_of_it < 1
    assert reranker.score(QUESTION, ["leave " * 1000]) == pytest.approx([none], abs=1e-3)
    assert reranker.score(QUESTION, []) == []
    assert reranker.score("", [""]) == pytest.approx([none], abs=1e-3)


def test_it_may_be_used_from_several_threads_at_once(folder):
    reranker = Reranker(str(folder))
    texts = [f"{'five ' * count} days" for count in range(8)]
    with ThreadPoolExecutor(4) as pool:
        scored = list(pool.map(lambda _: reranker.score(QUESTION, texts), range(12)))
    assert all(scores == scored[0] for scores in scored)
    assert scored[0] == sorted(scored[0])


def test_the_best_hits_stand_in_the_order_of_the_cross_encoder(filled, folder):
    before = [hit.passage.document for hit in found(filled, reranker=None).hits]
    results = found(filled, reranker=Reranker(str(folder)))
    assert before[0] == "docs/most"
    assert {hit.passage.document for hit in results.hits[:2]} == {"docs/five", "docs/some"}
    assert {hit.passage.document for hit in results.hits} == set(before)
    assert [hit.score for hit in results.hits] == sorted((hit.score for hit in results.hits), reverse=True)
    for hit in results.hits:
        assert hit.score == pytest.approx(sum(hit.parts.values()))
    assert found(filled, reranker=Reranker(str(folder)), top=1).hits == results.hits[:1]


def test_it_says_that_none_answers(index, folder):
    put(index, document("docs/leave", "Leave\n\nLeave is carried over."))
    assert found(index, reranker=None).confidence > UNANSWERED_BELOW
    assert found(index, reranker=Reranker(str(folder))).confidence < UNANSWERED_BELOW
    put(index, document("docs/five", "Leave\n\nFive days of leave are carried over, five."))
    assert found(index, reranker=Reranker(str(folder))).confidence > UNANSWERED_BELOW


def test_only_the_best_are_read_and_what_the_search_does_not_find_stays_unfound(index, folder):
    put(index, *(document(f"docs/{number}", f"Leave {number}\n\nLeave carried over.") for number in range(SCORED + 5)))
    hits = found(index, reranker=Reranker(str(folder)), top=100).hits
    assert ["reranker" in hit.parts for hit in hits] == [True] * SCORED + [False] * 5
    assert found(index, reranker=Reranker(str(folder)), query=Query("…")).hits == ()
    assert found(index, reranker=Reranker(str(folder)), query=Query("leave", groups=frozenset({"public"}))).hits == ()


def test_a_question_that_leans_on_its_conversation_is_read_with_the_question_before_it():
    history = (Turn("user", "How much leave?"), Turn("assistant", "26 days."), Turn("user", "And to carry over?"))
    assert asked(Query("for part timers", history[:2])) == "How much leave?\nfor part timers"
    assert asked(Query("for part timers", history)) == "And to carry over?\nfor part timers"
    assert asked(Query("for part timers", history, standalone="leave of part timers")) == "leave of part timers"
    assert asked(Query("leave")) == "leave"


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_better_score_never_lowers_the_confidence(confidence, one, other):
    lower, higher = sorted([one, other])
    assert 0 <= adjust_confidence(confidence, lower) <= adjust_confidence(confidence, higher) + 1e-12 <= 1 + 1e-12


def test_a_wrong_name_an_empty_folder_and_another_kind_of_model_are_one_clear_line(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    embedding_model(tmp_path / "embedding")
    cross_encoder(tmp_path / "classes", classes=3)
    for name in ("empty", "embedding", "classes"):
        with pytest.raises(EmbeddingUnavailable) as caught:
            Reranker(str(tmp_path / name)).score(QUESTION, ["five"])
        assert str(caught.value).endswith("give `reranker` the folder or the known name of a cross-encoder, or `none`")
        assert "\n" not in str(caught.value)
