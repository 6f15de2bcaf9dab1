"""What every `SearchIndex` promises, whatever it is made of."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.embedding.sentence_transformers import text_key
from retrieval.errors import IndexNotReady
from retrieval.index.local.index import LocalIndex
from retrieval.index.protocols import Encoded, Indexable, SearchIndex, Skip
from retrieval.parsing.protocol import Skipped
from retrieval.passages import EVERYONE, PUBLIC, Document
from retrieval.ranking.configuration import RankingConfiguration
from tests.fakes import FakeEmbedder
from tests.retrieval.conftest import Opening
from tests.retrieval.samples import LEAVE, TRAVEL, cut, document, indexables, lookup, put, shown, version

QUESTION = "How many days of leave may be carried over?"


def found(index: SearchIndex, text: str, *groups: str) -> set[str]:
    return {candidate.document for candidate in index.lookup(lookup(text, *groups)).found}


def best(index: SearchIndex, text: str, *groups: str, recipe: RankingConfiguration | None = None) -> str:
    candidates = index.lookup(lookup(text, *groups, recipe=recipe)).found
    return max(candidates, key=lambda each: each.lexical or 0.0).document


def remade(embedder: FakeEmbedder, index: SearchIndex):
    def remade(documents: Iterable[Document]) -> Iterator[tuple[Document, list[Indexable]]]:
        for each in documents:
            yield each, indexables(cut(each, embedder), index, embedder)

    return remade


def test_an_index_that_never_held_anything_says_so(index):
    with pytest.raises(IndexNotReady, match="nothing is indexed yet: `footnote sync FOLDER`"):
        index.lookup(lookup(QUESTION))
    assert index.counts() == (0, 0)


def test_an_index_whose_documents_are_gone_finds_nothing(index):
    put(index, document("docs/leave", LEAVE))
    index.delete(["docs/leave"])
    assert list(index.lookup(lookup(QUESTION)).found) == []
    assert index.counts() == (0, 0)


def test_a_replaced_document_is_found_by_its_new_text_and_no_longer_by_its_old(index):
    old = document("docs/leave", LEAVE)
    put(index, old, document("docs/travel", TRAVEL))
    put(index, version(old, LEAVE.replace("Five days", "Eleven weeks")))
    texts = [text for _, text, *_ in shown(index, index.lookup(lookup("eleven weeks")))]
    assert any("Eleven weeks" in text for text in texts)
    assert not any("Five days" in text for text in texts)
    assert index.counts()[0] == 2


def test_the_same_document_again_changes_nothing(index):
    leave = document("docs/leave", LEAVE)
    put(index, leave)
    before, counts = shown(index, index.lookup(lookup(QUESTION))), index.counts()
    put(index, leave)
    assert shown(index, index.lookup(lookup(QUESTION))) == before
    assert index.counts() == counts


def test_a_document_without_passages_is_kept_and_never_found(index):
    empty = replace(document("docs/empty", "Words"), text="", blocks=())
    put(index, document("docs/leave", LEAVE), empty)
    assert set(index.stored("docs")) == {"docs/leave", "docs/empty"}
    assert index.sections("docs/empty") == []
    assert found(index, QUESTION) == {"docs/leave"}


def test_deleting_passes_over_unknown_documents(index):
    put(index, document("docs/leave", LEAVE))
    index.delete(["docs/leave", "docs/never-was"])
    index.delete([])
    assert index.stored("docs") == {}


def test_words_and_vectors_both_find(index):
    put(index, document("docs/leave", LEAVE), document("docs/travel", TRAVEL))
    by_words = index.lookup(lookup(QUESTION, vector=False)).found
    assert {each.document for each in by_words} == {"docs/leave"}
    assert all(each.dense is None and each.cosine is None for each in by_words)
    by_both = index.lookup(lookup(QUESTION)).found
    assert {each.document for each in by_both} == {"docs/leave", "docs/travel"}
    assert max(by_both, key=lambda each: each.cosine or 0.0).document == "docs/leave"


def test_inflected_words_meet_and_stop_words_do_not(index):
    put(
        index, document("docs/leave", "# Leave\n\nManagers certify absences."), document("docs/x", "# What\n\nWhat is.")
    )
    candidates = index.lookup(lookup("what does a manager certifying an absence do", vector=False)).found
    assert [(each.document, each.matched) for each in candidates] == [
        ("docs/leave", frozenset({"manag", "certifi", "absenc"}))
    ]


def test_a_word_in_the_title_or_heading_counts_for_more(index):
    said = "Some plain words about parking stand here among others."
    put(index, document("docs/a", f"# Parking\n\n{said}"), document("docs/b", f"# Others\n\n{said}"))
    assert best(index, "parking", recipe=RankingConfiguration()) == "docs/a"


def test_terms_that_stand_together_count_for_more_than_the_same_terms_apart(index):
    put(
        index,
        document("docs/apart", "# One\n\nLeave the garden and be parental about the seedlings."),
        document("docs/together", "# One\n\nParental leave and the garden be about the seedlings."),
    )
    scores = {each.document: each.lexical or 0.0 for each in index.lookup(lookup("parental leave")).found}
    assert scores["docs/together"] > scores["docs/apart"]
    plain = index.lookup(lookup("parental leave", recipe=RankingConfiguration(bigrams=0))).found
    assert len({each.lexical for each in plain}) == 1


def test_no_pair_spans_two_fields_or_two_passages(index):
    put(index, document("docs/a", "# Cold\n\nStorage.\n\n## Storage\n\nCold"))
    pairs = [each.lexical for each in index.lookup(lookup("cold storage")).found]
    alone = [
        each.lexical for each in index.lookup(lookup("cold storage", recipe=RankingConfiguration(bigrams=0))).found
    ]
    assert pairs[0] == alone[0]


def test_idf_names_every_term_and_unknown_ones_weigh_most(index):
    put(index, document("docs/leave", LEAVE), document("docs/travel", TRAVEL))
    idf = index.lookup(lookup("manager unheardof")).idf
    assert {"manag", "unheardof"} <= set(idf)
    assert idf["unheardof"] > idf["manag"] > 0


def test_crowded_tells_whether_documents_hold_several_passages(index):
    put(index, document("docs/a", "# One\n\nAlone."), document("docs/b", "# Two\n\nAlone too."))
    assert not index.lookup(lookup("alone")).crowded
    put(index, document("docs/leave", LEAVE), document("docs/travel", TRAVEL))
    index.delete(["docs/a"])
    assert index.lookup(lookup("alone")).crowded


def test_candidates_stand_in_the_order_of_documents_and_positions(index):
    said = "# Same\n\n## One\n\nThe same words.\n\n## One\n\nThe same words."
    put(index, *(document(f"docs/{name}", said) for name in ("c", "a", "b")))
    for depth in (200, 3):
        ids = [each[0] for each in shown(index, index.lookup(lookup("same words", depth=depth)))]
        assert ids == sorted(ids)
        assert ids[:3] == ["docs/a#0", "docs/a#1", "docs/b#0"]


def test_depth_limits_each_list(index):
    put(index, *(document(f"docs/{number:02}", f"# Number {number}\n\nA word here.") for number in range(30)))
    assert len(index.lookup(lookup("word", depth=4, vector=False)).found) == 4
    assert 4 <= len(index.lookup(lookup("word", depth=4)).found) <= 8


def test_passages_and_tokens_of_candidates_are_those_of_the_document(index):
    leave = document("docs/leave", LEAVE, audience=("hr",), url="https://example.com/leave")
    put(index, leave)
    candidates = index.lookup(lookup(QUESTION, "hr")).found
    passages = index.passages([each.key for each in candidates])
    assert [passages[each.key] for each in candidates] == cut(leave)
    tokens = index.tokens([each.key for each in candidates])
    for each in candidates:
        expected = FakeEmbedder().passages([passages[each.key].embedded_text, passages[each.key].embedded_heading])
        assert np.array_equal(tokens[each.key].text, expected[0].tokens)
        assert np.array_equal(tokens[each.key].heading, expected[1].tokens)


def test_what_is_gone_by_now_is_left_out(index):
    put(index, document("docs/leave", LEAVE), document("docs/travel", TRAVEL))
    candidates = index.lookup(lookup("manager director")).found
    keys = [each.key for each in candidates]
    index.delete(["docs/leave"])
    left = {each.key for each in candidates if each.document == "docs/travel"}
    assert set(index.passages(keys)) == left
    assert set(index.tokens(keys)) == left
    assert index.passages([]) == {}
    assert index.tokens([]) == {}


def test_a_document_reads_back_as_it_was_parsed(index):
    leave = document("docs/leave", LEAVE, audience=("hr", PUBLIC), url="https://example.com/leave")
    put(index, leave)
    assert index.document("docs/leave") == leave
    assert index.document("docs/leave", version=leave.version) == leave
    assert index.sections("docs/leave") == cut(leave)
    assert index.document("docs/never-was") is None
    assert index.sections("docs/never-was") == []


def test_past_versions_stay_readable_without_an_audience(index):
    old = document("docs/leave", LEAVE, audience=("hr",))
    put(index, old)
    put(index, version(old, TRAVEL))
    past = index.document("docs/leave", version=old.version)
    assert past is not None
    assert (past.text, past.blocks, past.audience) == (old.text, old.blocks, frozenset())
    index.delete(["docs/leave"])
    assert index.document("docs/leave") is None
    gone = index.document("docs/leave", version=version(old, TRAVEL).version)
    assert gone is not None
    assert index.document("docs/leave", version="0" * 64) is None


def test_a_source_is_forgotten_with_everything_that_came_from_it(index):
    old = document("docs/leave", LEAVE)
    put(index, old, document("other/leave", LEAVE))
    put(index, version(old, TRAVEL))
    index.skip(Skip("docs/broken.pdf", "docs", "f", Skipped("malformed", "it is broken")))
    index.forget("docs")
    index.forget("never-was")
    assert (index.stored("docs"), index.skips("docs")) == ({}, {})
    assert index.document("docs/leave", version=old.version) is None
    assert index.sources() == {"other": "/folders/other"}
    assert found(index, QUESTION) == {"other/leave"}


def test_sources_are_remembered_with_their_folders(index):
    assert index.sources() == {}
    index.register("docs", "/one")
    index.register("docs", "/two")
    index.register("a", "/three")
    assert index.sources() == {"a": "/three", "docs": "/two"}


def test_stored_tells_versions_and_fingerprints_by_source(index):
    leave = document("docs/leave", LEAVE)
    put(index, leave, document("other/leave", LEAVE), fingerprint="first")
    index.touch("docs/leave", fingerprint="second")
    index.touch("docs/never-was", fingerprint="second")
    (stored,) = index.stored("docs").values()
    assert (stored.document, stored.version, stored.fingerprint) == ("docs/leave", leave.version, "second")
    assert index.stored("never-was") == {}


def test_a_skipped_file_takes_the_place_of_its_document_and_gives_it_back(index):
    leave = document("docs/leave", LEAVE)
    put(index, leave)
    skip = Skip("docs/leave", "docs", "f", Skipped("encrypted", "it needs a password"))
    index.skip(skip)
    index.skip(skip)
    assert index.skips("docs") == {"docs/leave": skip}
    assert index.stored("docs") == {}
    assert index.document("docs/leave", version=leave.version) is not None
    put(index, leave)
    assert index.skips("docs") == {}
    index.skip(skip)
    index.delete(["docs/leave"])
    assert index.skips("docs") == {}


def test_vectors_are_known_by_text_until_nothing_uses_them(index):
    leave = document("docs/leave", LEAVE)
    put(index, leave)
    passage = cut(leave)[0]
    keys = [text_key(passage.embedded_text), text_key(passage.embedded_heading), text_key("never said")]
    known = index.vectors(keys)
    assert set(known) == set(keys[:2])
    assert same(known[keys[0]], FakeEmbedder().passages([passage.embedded_text])[0])
    assert index.vectors([]) == {}
    index.delete(["docs/leave"])
    index.tidy()
    assert index.vectors(keys) == {}


def same(left: Encoded, right: Encoded) -> bool:
    return np.array_equal(left.vector, right.vector) and np.array_equal(left.tokens, right.tokens)


def test_a_text_that_is_also_a_heading_keeps_its_token_vectors(index):
    put(index, document("docs/a", "# Only a heading"))
    (candidate,) = index.lookup(lookup("heading")).found
    assert len(index.tokens([candidate.key])[candidate.key].text) == 3


def test_what_was_written_together_is_there_when_its_writer_looks_and_afterwards(index):
    leave, travel = document("docs/leave", LEAVE), document("docs/travel", TRAVEL)
    key = text_key(cut(leave)[0].embedded_text)
    with index.writing():
        put(index, leave)
        assert set(index.vectors([key])) == {key}
        assert found(index, QUESTION) == {"docs/leave"}
        put(index, travel, version(leave, TRAVEL))
        index.skip(Skip("docs/x.pdf", "docs", "f", Skipped("no-text", "there is no text")))
        index.touch("docs/travel", fingerprint="touched")
        index.delete(["docs/travel"])
        put(index, travel, fingerprint="again")
    assert {each.document: each.fingerprint for each in index.stored("docs").values()} == {
        "docs/leave": "f",
        "docs/travel": "again",
    }
    assert set(index.skips("docs")) == {"docs/x.pdf"}
    assert index.counts() == (2, len(cut(leave)) + len(cut(travel)))
    assert index.document("docs/leave", version=leave.version) is not None


def test_what_was_written_before_an_error_stays(index):
    def interrupted() -> None:
        with index.writing():
            put(index, document("docs/leave", LEAVE))
            raise KeyError("the next document")

    with pytest.raises(KeyError):
        interrupted()
    assert set(index.stored("docs")) == {"docs/leave"}


def test_a_document_of_any_length_and_any_words_is_kept_and_found(index):
    endless = "x" * 40_000
    text = f"# Long\n\nAn unbroken {endless} here.\n\n" + "\n\n".join(f"Filler number {n}." for n in range(20_000))
    long = document(f"docs/{'deep/' * 60}größe \u2028 ü.md", text)
    put(index, long)
    assert found(index, endless) == {long.id}
    assert index.document(long.id) == long


def test_a_version_that_returns_is_found_again(index):
    old = document("docs/leave", LEAVE)
    for text in (LEAVE, TRAVEL, LEAVE, TRAVEL, LEAVE):
        put(index, version(old, text))
    assert found(index, QUESTION) == {"docs/leave"}
    assert index.counts() == (1, len(cut(old)))
    past = index.document("docs/leave", version=version(old, TRAVEL).version)
    assert past is not None
    assert past.text == version(old, TRAVEL).text


def test_only_the_newest_past_versions_are_kept(index):
    old = document("docs/leave", LEAVE)
    versions = [version(old, f"# Leave\n\nNumber {number}.") for number in range(13)]
    put(index, *versions)
    index.tidy()
    kept = [each for each in versions[:-1] if index.document("docs/leave", version=each.version)]
    assert kept == versions[2:-1]
    assert index.document("docs/leave") == versions[-1]


def test_tidying_an_untouched_index_changes_nothing(index):
    put(index, document("docs/leave", LEAVE))
    before = shown(index, index.lookup(lookup(QUESTION)))
    index.tidy()
    assert shown(index, index.lookup(lookup(QUESTION))) == before


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
SHELF = st.lists(st.tuples(st.lists(SECTION, min_size=1, max_size=3), READERS), min_size=1, max_size=6)


def written(sections: list[tuple[list[str], list[str]]]) -> str:
    return "\n\n".join(f"## {' '.join(heading)}\n\n{' '.join(said)}." for heading, said in sections)


# What a server is asked over the network takes longer than what is asked in this process.
EXAMPLES, EXAMPLES_OVER_THE_NETWORK = 150, 15


def test_what_may_not_be_read_has_no_influence_at_all(index):
    examples = EXAMPLES if isinstance(index, LocalIndex) else EXAMPLES_OVER_THE_NETWORK

    @settings(max_examples=examples, deadline=None)
    @given(shelf=SHELF, asked=st.lists(WORDS, min_size=1, max_size=5), groups=READERS, depth=st.sampled_from([2, 200]))
    def holds(shelf, asked, groups, depth):
        documents = [
            document(f"docs/{number}", written(sections), audience=audience)
            for number, (sections, audience) in enumerate(shelf)
        ]
        question = lookup(" ".join(asked), *groups, depth=depth)
        with index.writing():
            index.delete(list(index.stored("docs")))
            put(index, *documents)
        withheld = [each.id for each in documents if not each.audience & question.audiences]
        everything = index.lookup(question)
        before = shown(index, everything)
        index.delete(withheld)
        alone = index.lookup(question)
        assert shown(index, alone) == before
        assert (alone.idf, alone.crowded) == (everything.idf, everything.crowded)

    holds()


def test_an_index_of_another_model_or_language_refuses_until_it_is_renewed(opening: Opening):
    leave = document("docs/leave", LEAVE)
    put(opening(), leave)
    for other, what in (
        (opening("other/64"), r"with the embedding model 'fake/64' instead of 'other/64'"),
        (opening(language="german"), r"with the text analysis '.+' instead of '.+'"),
    ):
        with pytest.raises(IndexNotReady, match=rf"^the index was made {what}: `footnote sync` rebuilds it"):
            other.lookup(lookup(QUESTION))
        with pytest.raises(IndexNotReady):
            other.replace(leave, [], fingerprint="f")
        assert other.document("docs/leave") == leave
        assert other.counts()[0] == 1


def test_vectors_of_another_model_are_not_known(opening: Opening):
    leave = document("docs/leave", LEAVE)
    put(opening(), leave)
    key = text_key(cut(leave)[0].embedded_text)
    assert opening("other/64").vectors([key]) == {}
    assert set(opening(language="german").vectors([key])) == {key}


def test_a_renewed_index_keeps_everything_but_the_vectors(opening: Opening):
    old, skip = document("docs/leave", LEAVE), Skip("docs/x.pdf", "docs", "f", Skipped("no-text", "there is no text"))
    first = opening()
    put(first, old, document("docs/travel", TRAVEL), fingerprint="kept")
    put(first, version(old, LEAVE.replace("Five", "Six")), fingerprint="newer")
    first.skip(skip)
    embedder = FakeEmbedder("other/64")
    other = opening("other/64")
    with other.writing():
        other.renew(remade(embedder, other))
    assert found(other, "leave train") == {"docs/leave", "docs/travel"}
    assert {each.fingerprint for each in other.stored("docs").values()} == {"kept", "newer"}
    assert other.skips("docs") == {"docs/x.pdf": skip}
    assert other.sources() == {"docs": "/folders/docs"}
    assert other.document("docs/leave", version=old.version) is not None
    assert embedder.passage_texts


def test_a_running_process_sees_the_renewal_and_never_mixes_models(opening: Opening):
    first, other = opening(), opening("other/64")
    put(first, document("docs/leave", LEAVE))
    keys = [each.key for each in first.lookup(lookup(QUESTION)).found]
    with other.writing():
        other.renew(remade(FakeEmbedder("other/64"), other))
    assert len(first.passages(keys)) == len(keys), "a search that was under way goes on"
    with pytest.raises(IndexNotReady, match="with the embedding model 'other/64' instead of 'fake/64'"):
        first.lookup(lookup(QUESTION))
    assert found(other, QUESTION) == {"docs/leave"}
    assert opening("other/64").passages(keys) == {}, "a key of the old generation names nothing in the new one"


def test_renewing_a_fitting_index_does_nothing(opening: Opening):
    index = opening()
    put(index, document("docs/leave", LEAVE))
    embedder = FakeEmbedder()
    with index.writing():
        index.renew(remade(embedder, index))
    assert embedder.passage_texts == []
    assert found(index, QUESTION) == {"docs/leave"}


def test_whoever_writes_already_need_not_wait(index):
    waited: list[str] = []
    with index.writing(lambda: waited.append("first")), index.writing(lambda: waited.append("again")):
        put(index, document("docs/leave", LEAVE))
    assert waited == []


def test_another_writer_waits_and_is_told_so(opening: Opening):
    order: list[str] = []
    waiting = threading.Event()

    def write() -> None:
        with opening().writing(waiting.set):
            order.append("second")

    with opening().writing():
        second = threading.Thread(target=write)
        second.start()
        assert waiting.wait(timeout=10)
        order.append("first")
    second.join(timeout=10)
    assert order == ["first", "second"]


def listed(index: SearchIndex) -> list[tuple[int, int, bool]]:
    return [(each.documents, each.passages, each.current) for each in index.generations()]


def test_a_rebuilt_index_holds_the_same_and_the_one_before_it_is_kept(opening: Opening):
    index, watching = opening(), opening()
    old, skip = document("docs/leave", LEAVE), Skip("docs/x.pdf", "docs", "f", Skipped("no-text", "there is no text"))
    put(index, old, document("docs/travel", TRAVEL), version(old, LEAVE.replace("Five", "Six")))
    index.skip(skip)
    before, stored = shown(index, index.lookup(lookup(QUESTION))), index.stored("docs")
    (first,) = index.generations()
    with index.writing():
        index.rebuild(remade(FakeEmbedder(), index))
    kept, current = index.generations()
    assert (kept.name, kept.current, current.current) == (first.name, False, True)
    assert (current.embedding, current.analyzer) == (first.embedding, first.analyzer)
    assert (current.documents, current.passages) == (first.documents, first.passages) == index.counts()
    for each in (index, watching):
        assert shown(each, each.lookup(lookup(QUESTION))) == before
        assert each.stored("docs") == stored
        assert (each.skips("docs"), each.sources()) == ({skip.document: skip}, {"docs": "/folders/docs"})
        assert each.document("docs/leave", version=old.version) is not None


def test_searches_go_on_while_the_index_is_made_anew(opening: Opening):
    index, reader = opening(), opening()
    put(index, document("docs/leave", LEAVE), document("docs/travel", TRAVEL))
    seen: list[set[str]] = []

    def watched(documents: Iterable[Document]) -> Iterator[tuple[Document, list[Indexable]]]:
        for pair in remade(FakeEmbedder(), index)(documents):
            yield pair
            seen.append(found(reader, "leave train"))

    with index.writing():
        index.rebuild(watched)
    assert seen == [{"docs/leave", "docs/travel"}] * 2


def test_a_rollback_brings_back_what_was_there_and_another_one_what_is_there_now(opening: Opening):
    index, watching = opening(), opening()
    old, travel = document("docs/leave", LEAVE), document("docs/travel", TRAVEL)
    put(index, old)
    with index.writing():
        index.rebuild(remade(FakeEmbedder(), index))
        put(index, version(old, LEAVE.replace("Five", "Six")), travel)
    names = [each.name for each in index.generations()]
    with index.writing():
        assert index.rollback() == names[0]
    for each in (index, watching):
        assert each.document("docs/leave") == old
        assert found(each, "leave train") == {"docs/leave"}
    assert listed(index) == [(1, len(cut(old)), True), (2, len(cut(old)) + len(cut(travel)), False)]
    with watching.writing():
        assert watching.rollback() == names[1]
    assert found(index, "leave train") == {"docs/leave", "docs/travel"}
    assert [each.name for each in index.generations() if each.current] == names[1:]


def test_only_one_other_generation_is_kept(index):
    put(index, document("docs/leave", LEAVE))
    for _ in range(3):
        with index.writing():
            index.rebuild(remade(FakeEmbedder(), index))
    assert [each.current for each in index.generations()] == [False, True]


def test_there_is_no_going_back_to_what_is_not_kept(index):
    for _ in range(2):
        with pytest.raises(
            IndexNotReady, match="no other generation of the index is kept; `footnote index rebuild` makes one"
        ):
            index.rollback()
        put(index, document("docs/leave", LEAVE))
    assert found(index, QUESTION) == {"docs/leave"}


def test_there_is_no_going_back_to_another_model(opening: Opening):
    leave = document("docs/leave", LEAVE)
    put(opening(), leave)
    other = opening("other/64")
    with other.writing():
        other.renew(remade(FakeEmbedder("other/64"), other))
        with pytest.raises(IndexNotReady, match=r"was made with the embedding model 'fake/64' .*: set these again"):
            other.rollback()
    assert found(other, QUESTION) == {"docs/leave"}
    first = opening()
    with first.writing():
        first.rollback()
    assert found(first, QUESTION) == {"docs/leave"}
    assert {each.embedding: each.current for each in first.generations()} == {"fake/64": True, "other/64": False}


def test_what_arrives_during_a_rebuild_waits_and_is_not_lost(opening: Opening):
    index, late = opening(), opening()
    put(index, document("docs/leave", LEAVE))
    waiting = threading.Event()

    def write() -> None:
        with late.writing(waiting.set):
            put(late, document("docs/travel", TRAVEL))

    writer = threading.Thread(target=write)

    def interrupted(documents: Iterable[Document]) -> Iterator[tuple[Document, list[Indexable]]]:
        writer.start()
        assert waiting.wait(timeout=30)
        yield from remade(FakeEmbedder(), index)(documents)

    with index.writing():
        index.rebuild(interrupted)
        assert set(index.stored("docs")) == {"docs/leave"}
    writer.join(timeout=30)
    assert set(index.stored("docs")) == {"docs/leave", "docs/travel"}
    assert found(index, "leave train") == {"docs/leave", "docs/travel"}
    assert [each.current for each in index.generations()] == [False, True]
