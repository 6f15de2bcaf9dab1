"""Threat: a document says of itself that more people may read it than the settings of its source allow.

What both say is compared with a slow, obvious model: an audience is the set of the words that it opens to, and both
must name a word.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.passages import EVERYONE, PUBLIC, combine_audiences, readable_audiences
from retrieval.sources.documents import document_audience
from retrieval.sources.files import Source
from tests.security.sources import SALARY, configure, docs, doctor, run, seen, sync

__all__ = ["docs"]  # a fixture

WORDS = [PUBLIC, EVERYONE, "hr", "it", "board"]
NAMED = WORDS[2:]
audiences = st.frozensets(st.sampled_from(WORDS), max_size=3)
readers = st.frozensets(st.sampled_from([*NAMED, EVERYONE, PUBLIC, "unknown"]), max_size=3)


def opened(audience: frozenset[str]) -> frozenset[str]:
    """The words that an audience opens a document to: `public` all of them, `everyone` all but that."""
    if PUBLIC in audience:
        return frozenset(WORDS)
    return frozenset(WORDS) - {PUBLIC} if EVERYONE in audience else audience


def may_read(words: frozenset[str], reader: frozenset[str]) -> bool:
    return bool(words & readable_audiences(reader))


@given(audiences, audiences, readers)
def test_both_narrow_and_neither_widens(first: frozenset[str], second: frozenset[str], reader: frozenset[str]) -> None:
    combined = combine_audiences(first, second)
    assert may_read(combined, reader) == may_read(opened(first) & opened(second), reader)
    assert not may_read(combined, reader) or (may_read(first, reader) and may_read(second, reader))


@given(st.none() | audiences.filter(bool), st.none() | audiences, st.booleans(), readers)
def test_a_source_without_an_audience_leaves_it_to_the_document(
    source: frozenset[str] | None, own: frozenset[str] | None, trusts: bool, reader: frozenset[str]
) -> None:
    allowed = may_read(document_audience(Source("s", Path(), None, source, "", trusts), own), reader)
    default = frozenset({EVERYONE})
    if source is None or (trusts and own is not None):
        assert allowed == may_read(default if own is None else own, reader)
    else:
        words = opened(source) & opened(own) if own is not None else opened(source)
        assert allowed == may_read(words, reader)


def put(folder: Path, audience: str) -> None:
    (folder / "hr/salaries.md").write_text(f"---\naudience: {audience}\n---\n{SALARY}" if audience else SALARY)


@pytest.mark.parametrize(
    ("source", "own", "readers"),
    [
        pytest.param(None, "", {"guest": False, "staff": True, "hr": True}, id="nobody-says-anything"),
        pytest.param(None, "public", {"guest": True, "staff": True}, id="left-to-the-document"),
        pytest.param("everyone", "public", {"guest": False, "staff": True}, id="not-widened-to-guests"),
        pytest.param("hr", "everyone", {"guest": False, "staff": False, "hr": True}, id="not-widened-to-everyone"),
        pytest.param("hr", "it", {"staff": False, "hr": False, "it": False}, id="nothing-in-common"),
        pytest.param(["hr", "it"], "[it, board]", {"hr": False, "board": False, "it": True}, id="both-lists"),
        pytest.param("public", "hr", {"guest": False, "staff": False, "hr": True}, id="narrowed"),
        pytest.param("public", "", {"guest": True, "staff": True}, id="source-alone"),
    ],
)
def test_what_source_and_document_say_is_combined(docs: Path, source: Any, own: str, readers: dict[str, bool]) -> None:
    put(docs, own)
    configure({"name": "hr", "path": "docs/hr", **({"audience": source} if source else {})})
    sync()
    groups = {"guest": ["public"], "staff": []}
    assert {reader: bool(seen("director", *groups.get(reader, [reader]))) for reader in readers} == readers


def test_a_document_may_widen_its_audience_where_its_source_says_so(docs: Path) -> None:
    put(docs, "everyone")
    configure({"name": "hr", "path": "docs/hr", "audience": "hr", "audience_from": "front-matter"})
    sync()
    assert seen("director") == {"hr/salaries.md"}


def test_who_may_read_changes_with_the_settings_at_the_next_sync(docs: Path) -> None:
    put(docs, "everyone")
    source = {"name": "hr", "path": "docs/hr"}
    restricted = {**source, "audience": "hr"}
    trusting = {**restricted, "audience_from": "front-matter"}
    for settings, readable in ((source, True), (restricted, False), (trusting, True), (restricted, False)):
        configure(settings)
        sync()
        assert bool(seen("director")) is readable


@pytest.mark.parametrize(
    ("own", "why"),
    [
        ("it", "its audience ('it') has nothing in common with that of its source ('hr'), so it is shown to nobody"),
        ("[hr", "'audience' seems to say who may read it, but cannot be understood, so it is shown to nobody"),
    ],
)
def test_a_document_that_nobody_may_read_is_named_at_every_sync_and_by_doctor(docs: Path, own: str, why: str) -> None:
    configure({"name": "hr", "path": "docs/hr", "audience": "hr"})
    sync()
    put(docs, own)
    for deleted in (["hr/salaries.md"], []):
        report = sync()
        assert report["skipped"] == [{"document": "hr/salaries.md", "reason": "malformed", "detail": why}]
        assert report["deleted"] == deleted
    assert f"hr/salaries.md: {why}" in doctor()["audience hr"]["detail"]
    assert json.loads(run("search", "director", "--group", "hr").stdout)["hits"] == []
