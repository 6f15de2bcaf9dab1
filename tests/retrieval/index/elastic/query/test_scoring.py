"""Elasticsearch chooses, we score: what it holds of a text is what our analyzer made of it, to the last count."""

import json
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from retrieval.index.elastic.documents import decode_places, encode_place
from retrieval.index.elastic.query.builder import Hits
from retrieval.index.elastic.query.scoring import PASSAGE_NUMBERS, PassageHits, passage_hits
from retrieval.index.elastic.query.term_stats import COUNT_BITS, PASSAGE_BITS, index_term, packed_counts, term_hash
from retrieval.index.local.index import open_index
from retrieval.ranking.analysis import Analyzer, bigrams
from retrieval.ranking.configuration import RankingConfiguration, switch_off
from tests import ROOT
from tests.fakes import FakeEmbedder
from tests.retrieval.conftest import elastic
from tests.retrieval.samples import ANALYZER, DATA, LEAVE, TRAVEL, document, lookup, put

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

HANDBOOK = sorted((ROOT / "tests" / "handbook_source").glob("*.md"))
QUESTIONS = [
    "How long are visitor records kept, and who may delete them?",
    "What must I do when I have lost my laptop?",
    "gifts from suppliers",
    "fire drill fire alarm fire",
    "what is the",
    "unheardof words altogether",
    # As long as a follow-up with all that was said before: more terms stand in one passage than one field may count.
    " ".join(HANDBOOK[0].read_text(encoding="utf-8").split()[:700]),
]
EDGES = {
    "german": "Größe, Straße und Übermaß der Ärzte im Fußballverein; Vertragsstrafe §12a",
    "french": "l'élève reçoit ses congés payés à l'été, œuvre d'art n°7",
    "english": "The manager's CAFÉ—naïve coöperation, İstanbul's ½ price ﬁling x²; under_score 12.5a",
    "russian": "Сотрудники получают ежегодный отпуск",
}


def sections() -> list[str]:
    """Real sections: the handbook's, and those of the corpora where they are at hand."""
    found = [part for path in HANDBOOK for part in path.read_text(encoding="utf-8").split("\n\n")]
    for corpus in sorted(Path(DATA).glob("*/corpus.jsonl")) if DATA else ():
        with corpus.open(encoding="utf-8") as lines:
            found += [json.loads(line)["text"] for line in islice(lines, 0, 5000, 5)]
    return found


@pytest.mark.parametrize("language", EDGES)
def test_the_index_holds_exactly_the_terms_that_questions_are_analysed_into(elasticsearch_url, alias, language):
    analyzer = Analyzer(language)
    with (
        closing(elastic(elasticsearch_url, alias, analyzer=analyzer)) as index,
        Elasticsearch(elasticsearch_url) as client,
    ):
        index.writer.register("docs", "/folders/docs")
        for text in [EDGES[language], *(sections() if language == "english" else ())]:
            terms = analyzer.terms(text)
            said = [index_term(term) for term in (*terms, *bigrams(terms))]
            for start in range(0, len(said), 5000):  # no more are analysed at once
                some = said[start : start + 5000]
                answer = client.indices.analyze(index=alias, field="terms", text=" ".join(some))
                assert [token["token"] for token in answer["tokens"]] == some


def test_counts_tell_every_term_of_every_field():
    fields = [["leave", "leave", "day"], ["leave"], ["day"] * 99]
    found = {number >> COUNT_BITS: number & 0xFFFF for number in packed_counts(fields, PASSAGE_BITS)}
    assert found == {term_hash("leave"): (2 << 8) | (1 << 4), term_hash("day"): (1 << 8) | 15}


def test_a_document_that_was_replaced_between_two_searches_is_noticed():
    old, new, other = (0, "aaa docs/leave"), (1, "bbb docs/leave"), (0, "ccc docs/with blanks")
    assert not found(old, other).is_torn
    assert found(old, other, new).is_torn
    both = found(other, old)
    assert [both.documents[row] for row in both.order] == ["docs/leave", "docs/with blanks"]


def found(*placed: tuple[int, str]) -> PassageHits:
    """Passages of these ordinals, each with its edition and document."""
    numbers, labels = decode_places(
        [encode_place([5, 1, 1, ordinal, 0], text) for ordinal, text in placed], PASSAGE_NUMBERS
    )
    return passage_hits(Hits(numbers, labels, [()] * len(placed)))


@pytest.mark.parametrize(
    "configuration", [RankingConfiguration(), switch_off(RankingConfiguration(), "bigrams", "heading-vector")]
)
@pytest.mark.parametrize("groups", [(), ("hr",)])
def test_scores_and_statistics_are_those_of_the_embedded_index(
    elasticsearch_url, alias, tmp_path, configuration, groups
):
    documents = [document(f"docs/{path.name}", path.read_text(encoding="utf-8")) for path in HANDBOOK]
    documents += [
        document("docs/leave", LEAVE, audience=("hr",)),
        document("docs/travel", TRAVEL, audience=("finance",)),
    ]
    with (
        closing(elastic(elasticsearch_url, alias)) as index,
        closing(open_index(tmp_path, FakeEmbedder(), ANALYZER)) as local,
    ):
        with index.writer.lock():
            put(index, *documents)
        put(local, *documents)
        for question in QUESTIONS:
            asked = lookup(question, *groups, configuration=configuration, depth=40)
            ours, theirs = index.reader.lookup(asked), local.reader.lookup(asked)
            assert ours.crowded == theirs.crowded
            assert ours.idf == pytest.approx(theirs.idf)
            passages = index.reader.passages([each.key for each in ours.found])
            embedded = local.reader.passages([each.key for each in theirs.found])
            expected = {embedded[each.key].id: each for each in theirs.found}
            # The nearest of many equally near ones may be others, for vectors are compared in eight bits first.
            both = [each for each in ours.found if passages[each.key].id in expected]
            assert len(both) >= 0.8 * len(expected)
            for each in both:
                other = expected[passages[each.key].id]
                assert each.matched == other.matched
                assert [each.lexical, each.phrase, each.context, each.cosine, each.dense] == pytest.approx(
                    [other.lexical, other.phrase, other.context, other.cosine, other.dense], abs=1e-4
                )
