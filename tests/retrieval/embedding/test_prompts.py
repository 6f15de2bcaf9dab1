"""What a model's folder says of its prompts, and what is known of those that say nothing."""

from pathlib import Path

import pytest

from retrieval.embedding.model_files import cached_folder
from retrieval.embedding.prompts import (
    CONFIGURATION,
    Prompts,
    choose_prompts,
    load_prompts,
    missing_prompts,
    other_similarity,
)
from retrieval.errors import EmbeddingUnavailable
from tests.retrieval.embedding.tiny_models import write


@pytest.mark.parametrize(
    ("named", "default", "chosen"),
    [
        ({"query": "q: ", "document": "d: ", "passage": "p: "}, None, Prompts("q: ", "d: ")),
        ({"query": "q: ", "passage": "p: ", "document": ""}, None, Prompts("q: ", "p: ")),
        ({"query": "q: ", "corpus": "c: ", "passage": None}, "query", Prompts("q: ", "c: ")),
        ({"query": "q: "}, "query", Prompts("q: ", "")),
        ({"sts": "s: ", "search": "r: "}, "search", Prompts("r: ", "r: ")),
        ({"sts": "s: "}, None, Prompts()),
        ({}, "gone", Prompts()),
    ],
)
def test_each_kind_of_text_has_its_own_prompt_and_else_the_default_one(named, default, chosen):
    assert choose_prompts(named, default) == chosen


@pytest.mark.parametrize(
    ("name", "query", "document"),
    [
        ("e5-small-v2", "query: ", "passage: "),
        ("multilingual-e5-base", "query: ", "passage: "),
        ("bge-small-en-v1.5", "Represent this sentence for searching relevant passages: ", ""),
        ("nomic-embed-text-v1.5", "search_query: ", "search_document: "),
        ("snowflake-arctic-embed-m-v2.0", "query: ", ""),
        ("snowflake-arctic-embed-s", "Represent this sentence for searching relevant passages: ", ""),
    ],
)
def test_a_model_of_a_known_family_that_declares_no_prompts_lacks_these(tmp_path, name, query, document):
    folder = tmp_path / name
    write(folder / CONFIGURATION, {"prompts": {"query": "", "document": ""}})
    assert missing_prompts(str(folder), folder) == Prompts(query, document)
    write(folder / "config.json", {"_name_or_path": f"organisation/{name}"})
    assert missing_prompts("our-model", folder.rename(tmp_path / "ours")) == Prompts(query, document)
    write(tmp_path / "ours" / CONFIGURATION, {"prompts": {"query": "anything: "}})
    assert missing_prompts(name, tmp_path / "ours") is None


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "bge-m3", "gte-small", "all-mpnet-base-v2", "e5"])
def test_a_model_that_wants_none_lacks_none(tmp_path, name):
    assert missing_prompts(name, tmp_path) is None


def test_vectors_of_no_fixed_length_that_are_made_for_another_measure_are_named(tmp_path):
    assert other_similarity(tmp_path) == ""
    write(tmp_path / CONFIGURATION, {"similarity_fn_name": "dot"})
    assert other_similarity(tmp_path) == "dot product"
    write(tmp_path / "modules.json", [{"type": "sentence_transformers.models.Normalize", "path": "2_Normalize"}])
    assert other_similarity(tmp_path) == ""


@pytest.mark.parametrize("text", ["{", "[]", "\udcff"])
def test_a_broken_file_is_named(tmp_path, text):
    (tmp_path / CONFIGURATION).write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(EmbeddingUnavailable, match=f"{CONFIGURATION} .*: fetch the model anew"):
        load_prompts(tmp_path)


@pytest.mark.parametrize(
    ("name", "kept"), [("small", "models--sentence-transformers--small"), ("org/m", "models--org--m")]
)
def test_a_model_that_was_fetched_from_the_hub_is_found_without_asking_it(tmp_path: Path, name, kept):
    assert cached_folder(name, cache=tmp_path) is None
    write(tmp_path / kept / "snapshots" / "1a" / "config.json", {})
    (tmp_path / kept / "refs").mkdir()
    (tmp_path / kept / "refs" / "main").write_text("1a", encoding="utf-8")
    assert cached_folder(name, cache=tmp_path) == tmp_path / kept / "snapshots" / "1a"
