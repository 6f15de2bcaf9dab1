"""Any model of sentence-transformers gives the vectors that its card promises, and its prompts leave no other trace."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval.embedding import sentence_transformers
from retrieval.embedding.loading import load_transformer
from retrieval.embedding.prompts import missing_prompts
from retrieval.embedding.sentence_transformers import SentenceTransformerEmbedder
from tests.retrieval.embedding.tiny_models import LONGEST, declare, embedding_model, write
from tests.servers.packaged_models import all_mpnet_base_v2

QUESTION = "How many days of leave are carried over?"
TEXTS = ["Five days of leave may be carried over.", "Book second class on trains.", "Café: five."]
LONG = "Five days of leave may be carried over into next year. " * 5
PROMPTS = {"query": "query: ", "document": "passage: "}

KINDS: list[dict[str, Any]] = [
    {"pooling": "cls", "prompts": PROMPTS},
    {"pooling": "mean", "prompts": PROMPTS, "include_prompt": False},
    {"pooling": "lasttoken", "prompts": {"query": "Find what answers this. "}},
    {"pooling": "mean", "normalized": False, "similarity": "dot"},
    {"pooling": "max", "lower_case": True},
]


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind['pooling']}-{'-'.join(kind.get('prompts', ['plain']))}")
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small model of each kind, read in full precision on every processor."""
    monkeypatch.setattr(sentence_transformers, "supports_bfloat16", lambda: False)
    return embedding_model(tmp_path, **request.param)


def test_questions_and_documents_have_the_vectors_of_sentence_transformers(folder):
    embedder, direct = SentenceTransformerEmbedder(str(folder)), load_transformer(folder)
    for text in [QUESTION, LONG]:
        assert embedder.encode_query(text)[0] == pytest.approx(
            direct.encode_query(text, normalize_embeddings=True), abs=1e-5
        )
    vectors = np.stack([each.vector for each in embedder.encode_passages(TEXTS)])
    assert vectors == pytest.approx(direct.encode_document(TEXTS, normalize_embeddings=True), abs=1e-5)


def test_prompts_have_no_token_vectors_and_move_no_span(folder):
    embedder = SentenceTransformerEmbedder(str(folder))
    tokens = embedder.encode_query(QUESTION)[1]
    assert [QUESTION[each.start : each.end] for each in tokens if each.end - each.start > 1][:2] == ["days", "leave"]
    assert (tokens[0].start, tokens[0].end) == (0, 1)
    assert embedder.count_tokens([QUESTION]) == [len(tokens)]
    for text, encoded, spans in zip(TEXTS, embedder.encode_passages(TEXTS), embedder.token_spans(TEXTS), strict=True):
        assert len(encoded.tokens) == len(spans) == embedder.count_tokens([text])[0]
        assert "".join(text[start:end] for start, end in spans) == text.replace(" ", "")


def test_a_long_text_is_read_in_windows_that_leave_room_for_the_prompt(folder):
    embedder = SentenceTransformerEmbedder(str(folder))
    prompt = len(embedder._tokenizer.encode(embedder._prompts.document, add_special_tokens=False).ids)
    assert embedder.window == LONGEST - 2 - prompt
    (encoded,) = embedder.encode_passages([LONG])
    assert len(encoded.tokens) == embedder.count_tokens([LONG])[0] > LONGEST
    assert np.linalg.norm(encoded.vector) == pytest.approx(1, abs=1e-5)
    assert embedder.encode_passages([""])[0].tokens.shape[0] == 0


def test_a_prompt_called_passage_and_a_default_one_are_used_too(tmp_path):
    folder = embedding_model(tmp_path, prompts={"query": "query: ", "passage": "passage: ", "document": ""})
    direct = load_transformer(folder)
    (encoded,) = SentenceTransformerEmbedder(str(folder)).encode_passages(TEXTS[:1])
    expected = direct.encode(TEXTS[0], prompt="passage: ", normalize_embeddings=True)
    assert encoded.vector @ expected > 0.999
    assert encoded.vector @ direct.encode(TEXTS[0], prompt="", normalize_embeddings=True) < 0.999
    declare(folder, prompts={"retrieval": "query: "}, default_prompt_name="retrieval")
    vector, _ = SentenceTransformerEmbedder(str(folder)).encode_query(QUESTION)
    assert vector == pytest.approx(load_transformer(folder).encode(QUESTION, normalize_embeddings=True), abs=1e-5)


def test_the_name_changes_with_prompts_and_pooling_and_with_nothing_else(tmp_path):
    def name() -> str:
        return SentenceTransformerEmbedder(str(folder)).name

    folder = embedding_model(tmp_path)
    names = [name()]
    for prompts in ({"query": "query: "}, {"document": "query: "}, {"query": "query: ", "document": "query: "}):
        declare(folder, prompts=prompts)
        names.append(name())
    pooling = folder / "1_Pooling" / "config.json"
    write(pooling, json.loads(pooling.read_text("utf-8")) | {"pooling_mode_cls_token": True})
    names.append(name())
    assert len(set(names)) == len(names)
    (folder / "README.md").write_text("a card", encoding="utf-8")
    declare(folder, prompts=prompts, similarity_fn_name=None)
    assert name() == names[-1]


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_a_published_model_with_other_weights_window_and_dimensions_gives_the_vectors_of_sentence_transformers(
    monkeypatch,
):
    monkeypatch.setattr(sentence_transformers, "supports_bfloat16", lambda: False)
    folder = all_mpnet_base_v2()
    embedder, direct = SentenceTransformerEmbedder(str(folder)), load_transformer(folder)
    assert (embedder.dimensions, embedder.window) == (768, 382)
    texts = [*TEXTS, LONG * 4, "Naïve Ünïcode: 日本 — 5 % of £1,000"]
    for text in (QUESTION, LONG * 40):
        assert embedder.encode_query(text)[0] == pytest.approx(
            direct.encode_query(text, normalize_embeddings=True), abs=1e-5
        )
    vectors = np.stack([each.vector for each in embedder.encode_passages(texts)])
    assert vectors == pytest.approx(direct.encode_document(texts, normalize_embeddings=True), abs=1e-5)
    assert missing_prompts(str(folder), folder) is None
