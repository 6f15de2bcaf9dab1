"""Query in, hits out, over a real index with an embedder that is quick and predictable."""

from dataclasses import replace

import pytest

from retrieval.errors import IndexNotReady, SearchUnavailable
from retrieval.index.protocols import SearchIndex
from retrieval.passages import PUBLIC, Query, Turn
from retrieval.ranking.configuration import SWITCHES, RankingConfiguration, switch_off
from retrieval.search import Search
from tests.fakes import FakeEmbedder
from tests.retrieval.samples import ANALYZER, LEAVE, TRAVEL, document, put

QUESTION = "How many days of leave may be carried over?"


@pytest.fixture
def filled(index: SearchIndex) -> SearchIndex:
    """Two documents for everyone and one for some."""
    put(
        index,
        document("docs/leave", LEAVE),
        document("docs/travel", TRAVEL),
        document("docs/pay", "# Pay\n\n## Bands\n\nA director earns a hundred pounds.", audience=("hr",)),
    )
    return index


def search(index: SearchIndex, configuration: RankingConfiguration | None = None) -> Search:
    return Search(index.reader, FakeEmbedder(), ANALYZER, configuration=configuration)


def ids(
    index: SearchIndex, query: Query, *, top: int = 10, configuration: RankingConfiguration | None = None
) -> list[str]:
    return [hit.passage.id for hit in search(index, configuration)(query, top=top).hits]


def test_the_passage_that_answers_comes_first(filled):
    results = search(filled)(Query(QUESTION))
    assert results.hits[0].passage.section == "Leave > Carry-over"
    assert 0.5 < results.confidence <= 1.0
    assert [hit.score for hit in results.hits] == sorted((hit.score for hit in results.hits), reverse=True)


@pytest.mark.parametrize("ingredient", SWITCHES)
def test_it_comes_first_without_any_one_ingredient_too(filled, ingredient):
    assert (
        ids(filled, Query(QUESTION), configuration=switch_off(RankingConfiguration(), ingredient))[0] == "docs/leave#0"
    )


def test_a_score_is_the_sum_of_its_parts(filled):
    for hit in search(filled)(Query(QUESTION)).hits:
        assert hit.score == pytest.approx(sum(hit.parts.values()))
        assert {"lexical", "dense", "context"} <= set(hit.parts)


@pytest.mark.parametrize("text", ["", " ", "?!", "…"])
def test_a_question_without_words_finds_nothing(filled, text):
    results = search(filled)(Query(text))
    assert (results.hits, results.confidence) == ((), 0.0)


def test_a_question_of_stop_words_still_finds_by_meaning(filled):
    assert len(search(filled)(Query("what is it")).hits) > 0


def test_only_so_many_hits_as_asked_for(filled):
    everything = ids(filled, Query(QUESTION))
    assert ids(filled, Query(QUESTION), top=2) == everything[:2]
    assert ids(filled, Query(QUESTION), top=0) == []


def test_what_is_not_there_gives_less_confidence(filled):
    asked = search(filled)
    assert asked(Query("the colour of parliament's dinosaurs")).confidence < asked(Query(QUESTION)).confidence


def test_nobody_finds_what_they_may_not_read(filled):
    query = Query("What does a director earn?")
    assert not [each for each in ids(filled, query) if each.startswith("docs/pay")]
    assert ids(filled, replace(query, groups=frozenset({"hr"})))[0] == "docs/pay#0"
    assert ids(filled, replace(query, groups=frozenset({PUBLIC}))) == []


def test_nothing_readable_gives_no_confidence(filled):
    results = search(filled)(Query(QUESTION, groups=frozenset({PUBLIC})))
    assert (results.hits, results.confidence) == ((), 0.0)


def test_what_is_withheld_leaves_no_trace_in_scores_and_confidence(filled):
    query = Query("director approval for first class")
    before = search(filled)(query)
    filled.writer.delete(["docs/pay"])
    after = search(filled)(query)
    assert [(hit.passage, hit.score) for hit in after.hits] == [(hit.passage, hit.score) for hit in before.hits]
    assert after.confidence == before.confidence


def test_a_follow_up_is_understood_from_the_history(filled):
    history = (Turn("user", "How much may a hotel cost?"), Turn("bot", "Ninety pounds a night."))
    assert ids(filled, Query("And in London?", history))[0] == "docs/travel#1"
    configuration = switch_off(RankingConfiguration(), "history")
    alone = search(filled, configuration)(Query("And the manager?", history))
    assert next(hit.passage.id for hit in alone.hits).startswith("docs/leave")


def test_a_new_topic_is_not_answered_from_the_old_one(filled):
    asked = search(filled)
    history = (Turn("user", "How much may a hotel in London cost?"), Turn("bot", "Ninety pounds a night."))
    topics = "Who waters orchids in the winter garden?", "When is a certificate due for illness?", "And in the night?"
    strayed, switched, followed = (asked(Query(text, history)) for text in topics)
    assert strayed.hits[0].passage.document == "docs/travel"
    assert strayed.confidence < 0.4 < min(switched.confidence, followed.confidence)
    alone = asked(replace(Query(topics[0], history), standalone=f"{topics[0]} And hotels?"))
    assert alone.confidence > strayed.confidence


def test_a_masked_document_is_left_out(filled):
    results = search(filled).rank(Query(QUESTION), top=10, masked="docs/leave")
    assert {hit.passage.document for hit in results.hits} == {"docs/travel"}
    assert results.confidence < search(filled)(Query(QUESTION)).confidence


def test_the_same_question_twice_gives_the_same_answer(filled):
    asked = search(filled)
    first, second = asked(Query(QUESTION)), asked(Query(QUESTION))
    assert [(hit.passage, hit.score) for hit in first.hits] == [(hit.passage, hit.score) for hit in second.hits]


def test_an_index_that_was_never_filled_says_so(index):
    with pytest.raises(IndexNotReady, match="nothing is indexed yet"):
        search(index)(Query(QUESTION))


class Vanishing:
    """A reader of an index whose first passage is replaced between the lookup and the reading of it."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index

    def __getattr__(self, name: str):
        return getattr(self._index.reader, name)

    def lookup(self, lookup):
        found = self._index.reader.lookup(lookup)
        put(self._index, document("docs/leave", LEAVE.replace("Five", "Six")))
        return found


def test_a_hit_that_is_gone_by_now_takes_nothing_from_the_others(filled):
    before = {hit.passage.id: hit.parts for hit in search(filled)(Query(QUESTION)).hits}
    results = Search(Vanishing(filled), FakeEmbedder(), ANALYZER)(Query(QUESTION))
    assert {hit.passage.document for hit in results.hits} == {"docs/travel"}
    assert all(hit.parts["lexical"] == before[hit.passage.id]["lexical"] for hit in results.hits)


def test_an_index_that_cannot_be_reached_is_not_an_empty_one(filled, tmp_path):
    asked = search(filled)
    filled.close()
    for file in (tmp_path / "state").glob("index-*"):
        file.unlink()
    with pytest.raises(SearchUnavailable):
        asked(Query(QUESTION))


def test_each_of_the_first_hits_brings_its_excerpts_and_a_smaller_top_fewer(filled):
    asked = search(filled)
    several, one = (asked(Query("When is a certificate due?"), top=top) for top in (5, 1))
    assert len(several.excerpts) == len(several.hits) > len(one.excerpts) == 1
    assert several.excerpts[0] == one.excerpts[0]
    assert several.confidence == one.confidence
    (first, *_), text = one.excerpts[0], one.hits[0].passage.text
    assert "A certificate is due on the third day." in text[first.block.start : first.block.end]


def test_what_was_closed_between_the_lookup_and_the_reading_of_its_text_is_no_hit(filled):
    class ClosedMeanwhile:
        """The reader of an index in which a passage is somebody else's by the time that it is read."""

        def __getattr__(self, name):
            return getattr(filled.reader, name)

        def passages(self, keys):
            found = filled.reader.passages(keys)
            return {
                key: replace(each, audience=frozenset({"hr"})) if each.document == "docs/leave" else each
                for key, each in found.items()
            }

    closing = Search(ClosedMeanwhile(), FakeEmbedder(), ANALYZER)
    assert "docs/leave" not in {hit.passage.document for hit in closing(Query(QUESTION)).hits}
    assert closing(Query(QUESTION, groups=frozenset({"hr"}))).hits[0].passage.document == "docs/leave"
