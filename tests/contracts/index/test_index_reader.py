"""What every `IndexReader` promises: which candidates it finds, in which order, for whom."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.embedding.vectors import quantise
from retrieval.errors import IndexNotReady
from retrieval.index.local.index import LocalIndex
from retrieval.index.protocols import SearchIndex
from retrieval.passages import EVERYONE, PUBLIC
from retrieval.ranking.configuration import RankingConfiguration
from retrieval.sectioning.blocks import text_blocks
from tests.fakes import FakeEmbedder
from tests.retrieval.samples import (
    CHECKLIST,
    LEAVE,
    TRAVEL,
    cut,
    document,
    found,
    indexables,
    lookup,
    put,
    shown,
    version,
    without_blocks,
)

QUESTION = "How many days of leave may be carried over?"


def best(index: SearchIndex, text: str, *groups: str, configuration: RankingConfiguration | None = None) -> str:
    candidates = index.reader.lookup(lookup(text, *groups, configuration=configuration)).found
    return max(candidates, key=lambda each: each.lexical or 0.0).document


def test_an_index_that_never_held_anything_says_so(index):
    with pytest.raises(IndexNotReady, match="nothing is indexed yet: `footnote sync FOLDER`"):
        index.reader.lookup(lookup(QUESTION))
    assert index.reader.counts() == (0, 0)


def test_an_index_whose_documents_are_gone_finds_nothing(index):
    put(index, document("docs/leave", LEAVE))
    index.writer.delete(["docs/leave"])
    assert list(index.reader.lookup(lookup(QUESTION)).found) == []
    assert index.reader.counts() == (0, 0)


def test_words_and_vectors_both_find(index):
    put(index, document("docs/leave", LEAVE), document("docs/travel", TRAVEL))
    by_words = index.reader.lookup(lookup(QUESTION, vector=False)).found
    assert {each.document for each in by_words} == {"docs/leave"}
    assert all(each.dense is None and each.cosine is None for each in by_words)
    by_both = index.reader.lookup(lookup(QUESTION)).found
    assert {each.document for each in by_both} == {"docs/leave", "docs/travel"}
    assert max(by_both, key=lambda each: each.cosine or 0.0).document == "docs/leave"


def test_inflected_words_meet_and_stop_words_do_not(index):
    put(
        index, document("docs/leave", "# Leave\n\nManagers certify absences."), document("docs/x", "# What\n\nWhat is.")
    )
    candidates = index.reader.lookup(lookup("what does a manager certifying an absence do", vector=False)).found
    assert [(each.document, each.matched) for each in candidates] == [
        ("docs/leave", frozenset({"manag", "certifi", "absenc"}))
    ]


def test_a_word_in_the_title_or_heading_counts_for_more(index):
    said = "Some plain words about parking stand here among others."
    put(index, document("docs/a", f"# Parking\n\n{said}"), document("docs/b", f"# Others\n\n{said}"))
    assert best(index, "parking", configuration=RankingConfiguration()) == "docs/a"


def test_terms_that_stand_together_count_for_more_than_the_same_terms_apart(index):
    put(
        index,
        document("docs/apart", "# One\n\nLeave the garden and be parental about the seedlings."),
        document("docs/together", "# One\n\nParental leave and the garden be about the seedlings."),
    )
    scores = {each.document: each.lexical or 0.0 for each in index.reader.lookup(lookup("parental leave")).found}
    assert scores["docs/together"] > scores["docs/apart"]
    plain = index.reader.lookup(lookup("parental leave", configuration=RankingConfiguration(bigrams=0))).found
    assert len({each.lexical for each in plain}) == 1


def test_no_pair_spans_two_fields_or_two_passages(index):
    put(index, document("docs/a", "# Cold\n\nStorage.\n\n## Storage\n\nCold"))
    pairs = [each.lexical for each in index.reader.lookup(lookup("cold storage")).found]
    alone = [
        each.lexical
        for each in index.reader.lookup(lookup("cold storage", configuration=RankingConfiguration(bigrams=0))).found
    ]
    assert pairs[0] == alone[0]


def test_idf_names_every_term_and_unknown_ones_weigh_most(index):
    put(index, document("docs/leave", LEAVE), document("docs/travel", TRAVEL))
    idf = index.reader.lookup(lookup("manager unheardof")).idf
    assert {"manag", "unheardof"} <= set(idf)
    assert idf["unheardof"] > idf["manag"] > 0


def test_crowded_tells_whether_documents_hold_several_passages(index):
    put(index, document("docs/a", "# One\n\nAlone."), document("docs/b", "# Two\n\nAlone too."))
    assert not index.reader.lookup(lookup("alone")).crowded
    put(index, document("docs/leave", LEAVE), document("docs/travel", TRAVEL))
    index.writer.delete(["docs/a"])
    assert index.reader.lookup(lookup("alone")).crowded


def test_candidates_stand_in_the_order_of_documents_and_positions(index):
    said = "# Same\n\n## One\n\nThe same words.\n\n## One\n\nThe same words."
    put(index, *(document(f"docs/{name}", said) for name in ("c", "a", "b")))
    for depth in (200, 3):
        ids = [each[0] for each in shown(index, index.reader.lookup(lookup("same words", depth=depth)))]
        assert ids == sorted(ids)
        assert ids[:3] == ["docs/a#0", "docs/a#1", "docs/b#0"]


def test_depth_limits_each_list(index):
    put(index, *(document(f"docs/{number:02}", f"# Number {number}\n\nA word here.") for number in range(30)))
    assert len(index.reader.lookup(lookup("word", depth=4, vector=False)).found) == 4
    assert 4 <= len(index.reader.lookup(lookup("word", depth=4)).found) <= 8


def test_passages_and_tokens_of_candidates_are_those_of_the_document(index):
    leave = document("docs/leave", LEAVE, audience=("hr",), url="https://example.com/leave")
    put(index, leave)
    candidates = index.reader.lookup(lookup(QUESTION, "hr")).found
    passages = index.reader.passages([each.key for each in candidates])
    assert [passages[each.key] for each in candidates] == cut(leave)
    tokens = index.reader.tokens([each.key for each in candidates])
    for each in candidates:
        expected = FakeEmbedder().encode_passages(
            [passages[each.key].embedded_text, passages[each.key].embedded_heading]
        )
        assert np.array_equal(tokens[each.key].text, expected[0].tokens)
        assert np.array_equal(tokens[each.key].heading, expected[1].tokens)


def test_each_block_of_a_passage_has_a_vector_in_the_order_of_the_text(index):
    put(index, document("docs/leave", CHECKLIST))
    (candidate,) = index.reader.lookup(lookup("handover")).found
    tokens = index.reader.tokens([candidate.key])[candidate.key]
    text = index.reader.passages([candidate.key])[candidate.key].embedded_text
    own = [FakeEmbedder().encode_passages([text[each.start : each.end]])[0] for each in text_blocks(text)]
    assert len(own) == 3
    assert np.array_equal(tokens.blocks, quantise(np.stack([each.vector for each in own])))


def test_a_passage_that_is_one_block_has_its_own_vector_for_it(index):
    put(index, document("docs/leave", "# Leave\n\nFive days are carried over."))
    (candidate,) = index.reader.lookup(lookup("carried")).found
    (vector,) = index.reader.tokens([candidate.key])[candidate.key].blocks
    (encoded,) = FakeEmbedder().encode_passages(["Five days are carried over."])
    assert np.array_equal(vector, quantise(encoded.vector))


def test_a_passage_without_block_vectors_is_found_as_before(index):
    leave = document("docs/leave", CHECKLIST)
    put(index, leave)
    before = shown(index, index.reader.lookup(lookup("handover")))
    index.writer.delete(["docs/leave"])
    index.writer.prune()
    index.writer.replace(leave, without_blocks(indexables(cut(leave))), fingerprint="of before")
    (candidate,) = index.reader.lookup(lookup("handover")).found
    tokens = index.reader.tokens([candidate.key])[candidate.key]
    assert (tokens.blocks.shape, len(tokens.text) > 0) == ((0, 0), True)
    assert shown(index, index.reader.lookup(lookup("handover"))) == before


def test_what_is_gone_by_now_is_left_out(index):
    put(index, document("docs/leave", LEAVE), document("docs/travel", TRAVEL))
    candidates = index.reader.lookup(lookup("manager director")).found
    keys = [each.key for each in candidates]
    index.writer.delete(["docs/leave"])
    left = {each.key for each in candidates if each.document == "docs/travel"}
    assert set(index.reader.passages(keys)) == left
    assert set(index.reader.tokens(keys)) == left
    assert index.reader.passages([]) == {}
    assert index.reader.tokens([]) == {}


def test_a_document_reads_back_as_it_was_parsed(index):
    leave = document("docs/leave", LEAVE, audience=("hr", PUBLIC), url="https://example.com/leave")
    put(index, leave)
    assert index.reader.document("docs/leave") == leave
    assert index.reader.document("docs/leave", version=leave.version) == leave
    assert index.reader.sections("docs/leave") == cut(leave)
    assert index.reader.document("docs/never-was") is None
    assert index.reader.sections("docs/never-was") == []


def test_documents_and_their_passages_know_where_their_words_lead(index):
    url = "https://forms.example/leave?a=1&b=%C3%A9"
    text = LEAVE.replace("in writing", f"[in writing]({url})").replace("Call", "[Call](tel:+1)")
    leave = document("docs/leave", text)
    put(index, leave)
    put(index, version(leave, TRAVEL))
    put(index, leave)
    read = index.reader.document("docs/leave")
    assert read is not None
    assert [(read.text[each.start : each.end], each.url) for each in read.links] == [
        ("in writing", url),
        ("Call", "tel:+1"),
    ]
    sections = index.reader.sections("docs/leave")
    assert [each.text[link.start : link.end] for each in sections for link in each.links] == ["in writing", "Call"]
    candidates = index.reader.lookup(lookup("carried over")).found
    assert set(index.reader.passages([each.key for each in candidates]).values()) <= set(sections)


def test_past_versions_stay_readable_without_an_audience(index):
    old = document("docs/leave", LEAVE, audience=("hr",))
    put(index, old)
    put(index, version(old, TRAVEL))
    past = index.reader.document("docs/leave", version=old.version)
    assert past is not None
    assert (past.text, past.blocks, past.audience) == (old.text, old.blocks, frozenset())
    index.writer.delete(["docs/leave"])
    assert index.reader.document("docs/leave") is None
    gone = index.reader.document("docs/leave", version=version(old, TRAVEL).version)
    assert gone is not None
    assert index.reader.document("docs/leave", version="0" * 64) is None


def test_sources_are_remembered_with_their_folders(index):
    assert index.reader.sources() == {}
    index.writer.register("docs", "/one")
    index.writer.register("docs", "/two")
    index.writer.register("a", "/three")
    assert index.reader.sources() == {"a": "/three", "docs": "/two"}


def test_stored_tells_versions_and_fingerprints_by_source(index):
    leave = document("docs/leave", LEAVE)
    put(index, leave, document("other/leave", LEAVE), fingerprint="first")
    index.writer.touch("docs/leave", fingerprint="second")
    index.writer.touch("docs/never-was", fingerprint="second")
    (stored,) = index.reader.stored("docs").values()
    assert (stored.document, stored.version, stored.fingerprint) == ("docs/leave", leave.version, "second")
    assert index.reader.stored("never-was") == {}


def test_a_document_of_any_length_and_any_words_is_kept_and_found(index):
    endless = "x" * 40_000
    text = f"# Long\n\nAn unbroken {endless} here.\n\n" + "\n\n".join(f"Filler number {n}." for n in range(20_000))
    long = document(f"docs/{'deep/' * 60}größe \u2028 ü.md", text)
    put(index, long)
    assert found(index, endless) == {long.id}
    assert index.reader.document(long.id) == long


AUDIENCES = [
    pytest.param((), {"docs/everyone", "docs/public"}, id="none"),
    pytest.param((EVERYONE,), {"docs/everyone", "docs/public"}, id="everyone"),
    pytest.param((PUBLIC,), {"docs/public"}, id="guest"),
    pytest.param(("hr",), {"docs/everyone", "docs/public", "docs/hr", "docs/both"}, id="hr"),
    pytest.param(("hr", PUBLIC), {"docs/everyone", "docs/public", "docs/hr", "docs/both"}, id="hr-guest"),
    pytest.param(("finance",), {"docs/everyone", "docs/public", "docs/both"}, id="finance"),
    pytest.param(("nobody-knows",), {"docs/everyone", "docs/public"}, id="unknown"),
]


@pytest.mark.parametrize(("groups", "expected"), AUDIENCES)
def test_a_lookup_finds_what_its_audience_may_read_and_nothing_else(index, groups, expected):
    put(
        index,
        document("docs/everyone", LEAVE),
        document("docs/public", LEAVE, audience=(PUBLIC,)),
        document("docs/hr", LEAVE, audience=("hr",)),
        document("docs/both", LEAVE, audience=("hr", "finance")),
        document("docs/nobody", LEAVE, audience=()),
    )
    assert found(index, QUESTION, *groups) == expected


def test_a_new_audience_of_the_same_text_counts_at_once(index):
    leave = document("docs/leave", LEAVE)
    put(index, leave)
    put(index, replace(leave, audience=frozenset({"hr"})))
    assert found(index, QUESTION) == set()
    assert found(index, QUESTION, "hr") == {"docs/leave"}


WORDS = st.sampled_from("leave travel train hotel manager days ill pay book carry".split())
SECTION = st.tuples(st.lists(WORDS, min_size=1, max_size=3), st.lists(WORDS, min_size=1, max_size=12))
READERS = st.sampled_from([(EVERYONE,), (PUBLIC,), ("hr",), ("finance",), ("hr", "finance")])
CORPUS = st.lists(st.tuples(st.lists(SECTION, min_size=1, max_size=3), READERS), min_size=1, max_size=6)


def written(sections: list[tuple[list[str], list[str]]]) -> str:
    return "\n\n".join(f"## {' '.join(heading)}\n\n{' '.join(said)}." for heading, said in sections)


# What a server is asked over the network takes longer than what is asked in this process.
EXAMPLES, EXAMPLES_OVER_THE_NETWORK = 150, 15


def test_what_may_not_be_read_has_no_influence_at_all(index):
    examples = EXAMPLES if isinstance(index, LocalIndex) else EXAMPLES_OVER_THE_NETWORK

    @settings(max_examples=examples, deadline=None)
    @given(
        corpus=CORPUS, asked=st.lists(WORDS, min_size=1, max_size=5), groups=READERS, depth=st.sampled_from([2, 200])
    )
    def holds(corpus, asked, groups, depth):
        documents = [
            document(f"docs/{number}", written(sections), audience=audience)
            for number, (sections, audience) in enumerate(corpus)
        ]
        question = lookup(" ".join(asked), *groups, depth=depth)
        with index.writer.lock():
            index.writer.delete(list(index.reader.stored("docs")))
            put(index, *documents)
        withheld = [each.id for each in documents if not each.audience & question.audiences]
        everything = index.reader.lookup(question)
        before = shown(index, everything)
        index.writer.delete(withheld)
        alone = index.reader.lookup(question)
        assert shown(index, alone) == before
        assert (alone.idf, alone.crowded) == (everything.idf, everything.crowded)

    holds()


def test_who_may_read_a_document_is_told_as_it_is_at_this_moment(opener):
    index, watching = opener(), opener()
    assert index.reader.audiences(["docs/leave"]) == {}, "nothing was ever indexed"
    leave, travel = document("docs/leave", LEAVE), document("docs/travel", TRAVEL, audience=["hr", "it"])
    put(index, leave, travel)
    for each in (index, watching):
        asked = ["docs/leave", "docs/travel", "docs/unknown", "docs/'; --"]
        assert each.reader.audiences(asked) == {"docs/leave": {EVERYONE}, "docs/travel": {"hr", "it"}}
        assert each.reader.audiences([]) == {}
    put(index, replace(leave, audience=frozenset({"hr"})))
    assert watching.reader.audiences({"docs/leave"}) == {"docs/leave": {"hr"}}
    put(index, replace(leave, audience=frozenset()))
    assert watching.reader.audiences({"docs/leave"}) == {"docs/leave": frozenset()}
    index.writer.delete(["docs/leave"])
    assert watching.reader.audiences({"docs/leave"}) == {}
