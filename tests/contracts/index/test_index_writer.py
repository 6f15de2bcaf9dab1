"""What every `IndexWriter` promises: what a change leaves, and who may change at the same time."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from retrieval.embedding.vectors import Encoded, TokenVectors, text_key
from retrieval.index.protocols import SearchIndex, SkippedFile
from retrieval.parsing.protocol import Skipped
from retrieval.sectioning.blocks import text_blocks
from tests.fakes import FakeEmbedder
from tests.retrieval.conftest import Opener
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


def test_a_replaced_document_is_found_by_its_new_text_and_no_longer_by_its_old(index):
    old = document("docs/leave", LEAVE)
    put(index, old, document("docs/travel", TRAVEL))
    put(index, version(old, LEAVE.replace("Five days", "Eleven weeks")))
    texts = [text for _, text, *_ in shown(index, index.reader.lookup(lookup("eleven weeks")))]
    assert any("Eleven weeks" in text for text in texts)
    assert not any("Five days" in text for text in texts)
    assert index.reader.counts()[0] == 2


def test_the_same_document_again_changes_nothing(index):
    leave = document("docs/leave", LEAVE)
    put(index, leave)
    before, counts = shown(index, index.reader.lookup(lookup(QUESTION))), index.reader.counts()
    put(index, leave)
    assert shown(index, index.reader.lookup(lookup(QUESTION))) == before
    assert index.reader.counts() == counts


def test_a_document_without_passages_is_kept_and_never_found(index):
    empty = replace(document("docs/empty", "Words"), text="", blocks=())
    put(index, document("docs/leave", LEAVE), empty)
    assert set(index.reader.stored("docs")) == {"docs/leave", "docs/empty"}
    assert index.reader.sections("docs/empty") == []
    assert found(index, QUESTION) == {"docs/leave"}


def test_deleting_passes_over_unknown_documents(index):
    put(index, document("docs/leave", LEAVE))
    index.writer.delete(["docs/leave", "docs/never-was"])
    index.writer.delete([])
    assert index.reader.stored("docs") == {}


def test_a_source_is_forgotten_with_everything_that_came_from_it(index):
    old = document("docs/leave", LEAVE)
    put(index, old, document("other/leave", LEAVE))
    put(index, version(old, TRAVEL))
    index.writer.skip(SkippedFile("docs/broken.pdf", "docs", "f", Skipped("malformed", "it is broken")))
    index.writer.forget("docs")
    index.writer.forget("never-was")
    assert (index.reader.stored("docs"), index.writer.skips("docs")) == ({}, {})
    assert index.reader.document("docs/leave", version=old.version) is None
    assert index.reader.sources() == {"other": "/folders/other"}
    assert found(index, QUESTION) == {"other/leave"}


def test_a_skipped_file_takes_the_place_of_its_document_and_gives_it_back(index):
    leave = document("docs/leave", LEAVE)
    put(index, leave)
    skip = SkippedFile("docs/leave", "docs", "f", Skipped("encrypted", "it needs a password"))
    index.writer.skip(skip)
    index.writer.skip(skip)
    assert index.writer.skips("docs") == {"docs/leave": skip}
    assert index.reader.stored("docs") == {}
    assert index.reader.document("docs/leave", version=leave.version) is not None
    put(index, leave)
    assert index.writer.skips("docs") == {}
    index.writer.skip(skip)
    index.writer.delete(["docs/leave"])
    assert index.writer.skips("docs") == {}


def test_vectors_are_known_by_text_until_nothing_uses_them(index):
    leave = document("docs/leave", LEAVE)
    put(index, leave)
    passage = cut(leave)[0]
    keys = [text_key(passage.embedded_text), text_key(passage.embedded_heading), text_key("never said")]
    known = index.writer.vectors(keys)
    assert set(known) == set(keys[:2])
    assert same(known[keys[0]], FakeEmbedder().encode_passages([passage.embedded_text])[0])
    assert index.writer.vectors([]) == {}
    index.writer.delete(["docs/leave"])
    index.writer.prune()
    assert index.writer.vectors(keys) == {}


def test_a_text_that_stays_keeps_the_vectors_of_its_blocks(index):
    old = document("docs/leave", CHECKLIST)
    put(index, old)
    (before,) = blocks_of(index, "handover")
    embedder = FakeEmbedder()
    put(index, version(old, f"{CHECKLIST}\n## New\n\nSomething else.\n"), embedder=embedder)
    assert embedder.passage_texts == ["Something else.", "Before leave › New"]
    assert np.array_equal(blocks_of(index, "handover")[0], before)
    put(index, version(old, TRAVEL))
    index.writer.prune()
    put(index, old, embedder=(embedder := FakeEmbedder()))
    assert len(embedder.passage_texts) == 5, "the text, its three blocks and the heading"


def test_blocks_of_a_text_without_their_vectors_get_them_with_its_next_version(index):
    old = document("docs/leave", CHECKLIST)
    index.writer.replace(old, without_blocks(indexables(cut(old))), fingerprint="of before")
    assert [len(each) for each in blocks_of(index, "handover")] == [0]
    embedder = FakeEmbedder()
    put(index, old, embedder=embedder)
    (passage,) = cut(old)
    assert embedder.passage_texts == [
        passage.text[each.start : each.end] for each in text_blocks(passage.embedded_text)
    ]
    assert [len(each) for each in blocks_of(index, "handover")] == [3]


def blocks_of(index: SearchIndex, text: str) -> list[TokenVectors]:
    """The vectors of the blocks of each passage that words find."""
    keys = [each.key for each in index.reader.lookup(lookup(text, vector=False)).found]
    return [each.blocks for each in index.reader.tokens(keys).values()]


def same(left: Encoded, right: Encoded) -> bool:
    return np.array_equal(left.vector, right.vector) and np.array_equal(left.tokens, right.tokens)


def test_a_text_that_is_also_a_heading_keeps_its_token_vectors(index):
    put(index, document("docs/a", "# Only a heading"))
    (candidate,) = index.reader.lookup(lookup("heading")).found
    assert len(index.reader.tokens([candidate.key])[candidate.key].text) == 3


def test_what_was_written_together_is_there_when_its_writer_looks_and_afterwards(index):
    leave, travel = document("docs/leave", LEAVE), document("docs/travel", TRAVEL)
    key = text_key(cut(leave)[0].embedded_text)
    with index.writer.lock():
        put(index, leave)
        assert set(index.writer.vectors([key])) == {key}
        assert found(index, QUESTION) == {"docs/leave"}
        put(index, travel, version(leave, TRAVEL))
        index.writer.skip(SkippedFile("docs/x.pdf", "docs", "f", Skipped("no-text", "there is no text")))
        index.writer.touch("docs/travel", fingerprint="touched")
        index.writer.delete(["docs/travel"])
        put(index, travel, fingerprint="again")
    assert {each.document: each.fingerprint for each in index.reader.stored("docs").values()} == {
        "docs/leave": "f",
        "docs/travel": "again",
    }
    assert set(index.writer.skips("docs")) == {"docs/x.pdf"}
    assert index.reader.counts() == (2, len(cut(leave)) + len(cut(travel)))
    assert index.reader.document("docs/leave", version=leave.version) is not None


def test_what_was_written_before_an_error_stays(index):
    def interrupted() -> None:
        with index.writer.lock():
            put(index, document("docs/leave", LEAVE))
            raise KeyError("the next document")

    with pytest.raises(KeyError):
        interrupted()
    assert set(index.reader.stored("docs")) == {"docs/leave"}


def test_a_version_that_returns_is_found_again(index):
    old = document("docs/leave", LEAVE)
    for text in (LEAVE, TRAVEL, LEAVE, TRAVEL, LEAVE):
        put(index, version(old, text))
    assert found(index, QUESTION) == {"docs/leave"}
    assert index.reader.counts() == (1, len(cut(old)))
    past = index.reader.document("docs/leave", version=version(old, TRAVEL).version)
    assert past is not None
    assert past.text == version(old, TRAVEL).text


def test_only_the_newest_past_versions_are_kept(index):
    old = document("docs/leave", LEAVE)
    versions = [version(old, f"# Leave\n\nNumber {number}.") for number in range(13)]
    put(index, *versions)
    index.writer.prune()
    kept = [each for each in versions[:-1] if index.reader.document("docs/leave", version=each.version)]
    assert kept == versions[2:-1]
    assert index.reader.document("docs/leave") == versions[-1]


def test_tidying_an_untouched_index_changes_nothing(index):
    put(index, document("docs/leave", LEAVE))
    before = shown(index, index.reader.lookup(lookup(QUESTION)))
    index.writer.prune()
    assert shown(index, index.reader.lookup(lookup(QUESTION))) == before


def test_vectors_of_another_model_are_not_known(opener: Opener):
    leave = document("docs/leave", LEAVE)
    put(opener(), leave)
    key = text_key(cut(leave)[0].embedded_text)
    assert opener("other/64").writer.vectors([key]) == {}
    assert set(opener(language="german").writer.vectors([key])) == {key}


def test_whoever_writes_already_need_not_wait(index):
    waited: list[str] = []
    with index.writer.lock(lambda: waited.append("first")), index.writer.lock(lambda: waited.append("again")):
        put(index, document("docs/leave", LEAVE))
    assert waited == []


def test_another_writer_waits_and_is_told_so(opener: Opener):
    order: list[str] = []
    waiting = threading.Event()

    def write() -> None:
        with opener().writer.lock(waiting.set):
            order.append("second")

    with opener().writer.lock():
        second = threading.Thread(target=write)
        second.start()
        assert waiting.wait(timeout=10)
        order.append("first")
    second.join(timeout=10)
    assert order == ["first", "second"]
