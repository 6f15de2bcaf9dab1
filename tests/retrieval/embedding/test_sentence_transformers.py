"""Texts to vectors with the default model, and how a model is named. Only the last tests load torch."""

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from retrieval.embedding.loading import load_transformer
from retrieval.embedding.model_files import DEFAULT_MODEL, describe_model, model_folder
from retrieval.embedding.sentence_transformers import TOKEN_DIMENSIONS, SentenceTransformerEmbedder
from retrieval.embedding.vectors import normalise
from retrieval.errors import EmbeddingUnavailable

LONG = "Five days of leave may be carried over into the next year. " * 40


def test_a_model_in_a_folder_is_named_after_its_weights(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"one")
    first = SentenceTransformerEmbedder(str(tmp_path)).name
    (tmp_path / "model.safetensors").write_bytes(b"two")
    second = SentenceTransformerEmbedder(str(tmp_path)).name
    assert first != second
    assert first == f"{tmp_path}/{sha256(b'one').hexdigest()[:12]}/{TOKEN_DIMENSIONS}"
    assert describe_model(str(tmp_path)).startswith(f"{tmp_path} (sha256 ")


def test_naming_and_counting_load_no_torch():
    code = """
import sys
from retrieval.embedding.sentence_transformers import SentenceTransformerEmbedder
embedder = SentenceTransformerEmbedder()
print(embedder.name, embedder.window, embedder.count_tokens(["Five days of leave", ""]), "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "all-MiniLM-L6-v2/64 254 [4, 0] False\n"


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformerEmbedder:
    """The default model, loaded once."""
    return SentenceTransformerEmbedder()


def test_the_model_gives_what_sentence_transformers_gives_and_a_vector_for_each_token(embedder):
    texts = ["Five days of leave may be carried over.", "Book second class on trains.", "", LONG]
    counts: list[int] = []
    vectors = embedder.encode_passages(texts, progress=counts.append)
    folder = model_folder(DEFAULT_MODEL)
    assert folder is not None
    direct = load_transformer(folder).encode(texts[:2], normalize_embeddings=True, show_progress_bar=False)
    for text, one in zip(texts, vectors, strict=True):
        assert one.vector.shape == (embedder.dimensions,)
        assert np.linalg.norm(one.vector) == pytest.approx(1.0, abs=1e-3)
        assert one.tokens.shape == (embedder.count_tokens([text])[0], TOKEN_DIMENSIONS)
        assert one.tokens.dtype == np.int8
        assert len(embedder.token_spans([text])[0]) == len(one.tokens)
    assert min(one.vector @ other for one, other in zip(vectors, direct, strict=False)) > 0.999
    assert sum(counts) == len(texts) + 2, "the long text takes three windows"
    assert embedder.encode_passages([]) == []


def test_the_default_models_vectors_are_those_of_the_bare_text_between_its_two_special_tokens(embedder):
    import torch

    folder = model_folder(DEFAULT_MODEL)
    assert folder is not None
    text = "Five days of leave may be carried over."
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    ids = torch.tensor([tokenizer.encode(text).ids])
    with torch.inference_mode():
        out = load_transformer(folder)({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
    assert np.array_equal(embedder.encode_query(text)[0], normalise(out["sentence_embedding"].numpy())[0])


def test_a_question_is_near_to_what_answers_it_and_its_tokens_name_their_places(embedder):
    question = "How many days may I carry over?"
    vector, tokens = embedder.encode_query(question)
    answer, other = embedder.encode_passages(["Five days of leave may be carried over.", "Trains are second class."])
    assert vector @ answer.vector > vector @ other.vector + 0.2
    assert [question[each.start : each.end] for each in tokens][:3] == ["How", "many", "days"]
    assert all(np.linalg.norm(each.vector) == pytest.approx(1.0, abs=1e-3) for each in tokens)
    assert len(embedder.encode_query(LONG)[1]) == embedder.window


def test_a_folder_that_holds_no_model_says_so(tmp_path: Path):
    shutil.copy(__file__, tmp_path / "config.json")
    with pytest.raises(EmbeddingUnavailable, match="cannot be loaded: give `embedding_model` a folder or a known name"):
        SentenceTransformerEmbedder(str(tmp_path)).encode_query("never")
