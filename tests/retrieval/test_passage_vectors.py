"""Passages get the vectors of their texts, blocks and headings, and no text is embedded twice."""

from contextlib import closing

import numpy as np

from retrieval.embedding.vectors import Encoded, quantise, text_key
from retrieval.index.local.index import open_index
from retrieval.passage_vectors import embed_documents, encode_unknown
from retrieval.ranking.analysis import Analyzer
from tests.fakes import DIMENSIONS, FakeEmbedder
from tests.retrieval.samples import CHECKLIST, cut, document, put

LIST = "Prepare for the time without you:\n\n- Write a handover.\n- Set a notice for absence."


def test_blocks_are_embedded_with_what_opens_them_and_together_with_the_texts():
    embedder = FakeEmbedder()
    (passage,) = cut(document("docs/leave", CHECKLIST))
    vectors = encode_unknown([passage], {}, embedder)
    assert embedder.passage_texts[:2] == [passage.text, "Before leave"]
    assert embedder.passage_texts[3] == LIST
    alone = FakeEmbedder().encode_passages(embedder.passage_texts[2:])
    assert np.array_equal(vectors[text_key(passage.text)].blocks, quantise(np.stack([each.vector for each in alone])))
    assert vectors[text_key("Before leave")].blocks.shape == (0, 0)


def test_block_vectors_are_of_unit_length_and_one_byte_a_number():
    (passage,) = cut(document("docs/leave", CHECKLIST))
    blocks = encode_unknown([passage], {}, FakeEmbedder())[text_key(passage.text)].blocks
    assert blocks.shape == (3, DIMENSIONS)
    assert blocks.dtype == np.int8
    assert np.allclose(np.linalg.norm(blocks.astype(np.float32) / 127, axis=1), 1, atol=0.02)


def test_a_block_of_several_passages_is_embedded_once():
    embedder = FakeEmbedder()
    notice = "Ask the team in any case."
    passages = cut(document("docs/a", f"# One\n\nFirst words.\n\n{notice}\n\n## Two\n\nOther words.\n\n{notice}"))
    assert len(passages) == 2
    encode_unknown(passages, {}, embedder)
    assert embedder.passage_texts.count(notice) == 1


def test_a_known_text_whose_blocks_are_now_others_has_them_embedded_again():
    (passage,) = cut(document("docs/leave", CHECKLIST))
    known = encode_unknown([passage], {}, FakeEmbedder())
    key, embedder = text_key(passage.text), FakeEmbedder()
    assert encode_unknown([passage], known, embedder)[key] is known[key]
    assert embedder.passage_texts == []
    older = Encoded(known[key].vector, known[key].tokens, known[key].blocks[:2])
    again = encode_unknown([passage], {key: older}, embedder)
    assert len(embedder.passage_texts) == 4, "three blocks, and the heading that is not known"
    assert np.array_equal(again[key].blocks, known[key].blocks)
    assert again[key].vector is known[key].vector


def test_documents_of_texts_that_the_index_knows_are_embedded_no_more(tmp_path):
    index, embedder = open_index(tmp_path, FakeEmbedder(), Analyzer()), FakeEmbedder()
    with closing(index):
        leave = document("docs/leave", CHECKLIST)
        put(index, leave)
        ((_, (indexed,)),) = embed_documents([leave], index.writer, embedder)
    assert embedder.passage_texts == []
    assert len(indexed.text.blocks) == 3
