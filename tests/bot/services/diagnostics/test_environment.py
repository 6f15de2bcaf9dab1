"""Checks of the machine, the installation and the places that settings name."""

import os
import re
import shutil
from importlib import metadata
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.config.settings import Source
from bot.services.diagnostics import environment
from retrieval.embedding.prompts import CONFIGURATION
from retrieval.errors import EmbeddingUnavailable
from retrieval.ranking.reranker import Reranker
from tests.retrieval.embedding.tiny_models import write


def test_an_old_python_or_sqlite_is_wrong_and_says_what_mends_it():
    for check in (environment.check_python(oldest=(99,)), environment.check_sqlite(oldest=(99,))):
        assert (check.ok, bool(check.detail), bool(check.mend)) == (False, True, True)


def test_another_bot_package_is_noticed(monkeypatch):
    class Stranger:
        version = "1"
        files = ()

        def locate_file(self, name: str) -> str:
            return f"/elsewhere/{name}"

    monkeypatch.setattr(metadata, "distribution", lambda _: Stranger())
    check = environment.check_installation()
    assert (check.ok, "is not from footnote-bot" in check.detail) == (False, True)


def test_a_bot_that_is_not_installed_is_noticed(monkeypatch):
    def distribution(name: str):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", distribution)
    check = environment.check_installation()
    assert (check.ok, "is not installed" in check.detail) == (False, True)


def test_a_state_folder_that_cannot_be_written_is_wrong(tmp_path):
    (tmp_path / "file").touch()
    check = environment.check_state_folder(tmp_path / "file" / "home")
    assert (check.ok, "cannot be written" in check.detail) == (False, True)


def test_a_state_folder_that_is_not_there_yet_is_not_made(tmp_path):
    assert environment.check_state_folder(tmp_path / "a" / "b").ok
    assert list(tmp_path.iterdir()) == []


def test_a_nearly_full_disk_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    check = environment.check_state_folder(tmp_path)
    assert (check.ok, "0.0 GB free" in check.detail) == (False, True)


@pytest.mark.parametrize(
    ("make", "ok", "mended"),
    [
        pytest.param(lambda path: None, False, True, id="missing"),
        pytest.param(lambda path: path.mkdir(), True, True, id="empty"),
        pytest.param(lambda path: path.write_text("a", encoding="utf-8"), True, False, id="file"),
        pytest.param(lambda path: (path.mkdir(), (path / "a.md").touch()), True, False, id="folder"),
    ],
)
def test_each_source_is_checked(tmp_path, make, ok, mended):
    make(tmp_path / "docs")
    check = environment.check_source(Source(name="hr", path=tmp_path / "docs"))
    assert (check.check, check.ok, bool(check.mend)) == ("source hr", ok, mended)


def test_a_source_that_may_not_be_read_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    check = environment.check_source(Source(name="hr", path=tmp_path))
    assert (check.ok, "cannot be read" in check.detail) == (False, True)


def test_wrong_weights_are_reported_with_their_own_words():
    def verify(name: str) -> str:
        raise EmbeddingUnavailable(f"the weights of {name} are not the official ones")

    check = environment.check_embedding("all-MiniLM-L6-v2", verify=verify)
    assert (check.ok, check.detail) == (False, "the weights of all-MiniLM-L6-v2 are not the official ones")


def test_a_model_without_the_prompts_of_its_family_is_a_note_that_says_where_they_go(tmp_path):
    folder = tmp_path / "e5-small-v2"
    write(folder / CONFIGURATION, {"similarity_fn_name": "dot"})
    check = environment.check_embedding(str(folder), verify=lambda _: "verified")
    assert check.ok
    assert "; made for the dot product, compared by the cosine; " in check.detail
    assert check.detail.endswith("its family wants prompts, and its folder declares none")
    assert check.mend.startswith(
        'compare its card, and give `"prompts": {"query": "query: ", "document": "passage: "}`'
    )
    write(folder / CONFIGURATION, {"prompts": {"query": "query: ", "passage": "passage: "}})
    assert environment.check_embedding(str(folder), verify=lambda _: "verified").mend == ""
    (folder / CONFIGURATION).write_text("{", encoding="utf-8")
    assert not environment.check_embedding(str(folder), verify=lambda _: "verified").ok


@pytest.mark.parametrize(
    ("brought", "ok", "words"),
    [
        ('{"dense": 0.6, "dense_follow_up": 0.7}', True, "its vectors count 60%, 70% for a follow-up"),
        ('{"dense": 6}', False, "each from 0 to 1, and nothing else: mend or delete it"),
    ],
)
def test_what_a_model_brings_along_for_ranking_is_reported(brought, ok, words, tmp_path):
    (tmp_path / "ranking.json").write_text(brought, "utf-8")
    check = environment.check_embedding(str(tmp_path), verify=lambda _: "verified")
    assert check.ok == ok
    assert check.detail.endswith(words)


def test_a_reranker_is_tried_on_a_passage_that_answers_and_one_that_does_not(tmp_path):
    class Liking:
        name = "ours"

        def __init__(self, *scores: float) -> None:
            self.scores = list(scores)

        def score(self, question, texts):
            return self.scores

    right: Any = Liking(0.9, 0.1)
    check = environment.check_reranker(right)
    assert (check.ok, check.detail[:26], check.mend) == (True, "ours loads and scores in 0", "")
    wrong: Any = Liking(0.1, 0.9)
    check = environment.check_reranker(wrong)
    assert (check.ok, check.detail[-52:]) == (True, "; a passage that answers gets 0.10, another one 0.90")
    assert check.mend
    check = environment.check_reranker(Reranker(str(tmp_path)))
    assert (check.ok, check.detail) == (False, f"the reranker {str(tmp_path)!r} cannot be loaded")
    assert check.mend == "give `reranker` the folder or the known name of a cross-encoder, or `none`"


def test_everyday_synonyms_are_named_by_their_file_where_there_are_any():
    check = environment.check_everyday_synonyms("english")
    file, _, counted = check.detail.partition(", ")
    assert Path(file).is_file()
    assert re.fullmatch(r"\d{3} words and phrases", counted)
    assert environment.check_everyday_synonyms("german").detail == "none come along for german"
