"""The sample handbook is complete, its questions point at real places, its PDF and DOCX files match their sources."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import docx
import pypdfium2
import pytest
from docx.table import Table
from lxml import html

from tests import ROOT, make_handbook

HANDBOOK = make_handbook.HANDBOOK
JUDGEMENTS = ROOT / "tests" / "handbook_source"
FORMATS = {".md": 6, ".html": 3, ".txt": 2, ".pdf": 2, ".docx": 2}
DOCUMENTS = sorted(path for path in HANDBOOK.rglob("*") if path.suffix in FORMATS)
MADE = [f"{name}.pdf" for name in make_handbook.PDFS] + [f"{name}.docx" for name in make_handbook.DOCXS]


def name_of(path: Path) -> str:
    return path.relative_to(HANDBOOK).as_posix()


def pdf_pages(path: Path) -> list[str]:
    with pypdfium2.PdfDocument(path) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def docx_text(path: Path) -> str:
    """Every paragraph with its style, and every table cell, in reading order."""
    lines = []
    for block in docx.Document(str(path)).iter_inner_content():
        if isinstance(block, Table):
            lines += [" | ".join(cell.text for cell in row.cells) for row in block.rows]
        else:
            lines.append(f"{block.style.name if block.style else ''}: {block.text}")
    return "\n".join(lines)


def text_of(path: Path) -> str:
    if path.suffix == ".pdf":
        return "\f".join(pdf_pages(path))
    if path.suffix == ".docx":
        return docx_text(path)
    text = path.read_text(encoding="utf-8")
    return html.fromstring(text).text_content() if path.suffix == ".html" else text


def anchors(path: Path) -> set[str]:
    """The places in a document that a judgement may name."""
    if path.suffix == ".md":
        headings = re.findall(r"^#+ (.+)$", text_of(path), flags=re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    if path.suffix == ".html":
        return {
            str(element.get("id")) for element in html.fromstring(path.read_text(encoding="utf-8")).xpath("//*[@id]")
        }
    if path.suffix == ".pdf":
        pages = pdf_pages(path)
        clauses = re.findall(r"^(\d+(?:\.\d+)+) ", "\n".join(pages).replace("\r", ""), flags=re.MULTILINE)
        return {f"page={number}" for number in range(1, len(pages) + 1)} | set(clauses)
    return set()


def questions() -> dict[str, dict[str, Any]]:
    rows = [json.loads(line) for line in (JUDGEMENTS / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row for row in rows}


def qrels() -> list[tuple[str, str, int]]:
    header, *lines = (JUDGEMENTS / "qrels.tsv").read_text(encoding="utf-8").splitlines()
    assert header == "query-id\tcorpus-id\tscore"
    return [(query, corpus, int(score)) for query, corpus, score in (line.split("\t") for line in lines)]


def test_the_handbook_has_every_format_in_the_promised_number():
    assert Counter(path.suffix for path in DOCUMENTS) == FORMATS


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_a_document_has_the_length_of_a_policy(path):
    assert 400 <= len(text_of(path).split()) <= 1600


def test_every_judgement_names_a_question_and_a_place_that_exist():
    asked = questions()
    places = {f"handbook/{name_of(path)}": anchors(path) for path in DOCUMENTS}
    for query, corpus, score in qrels():
        document, _, anchor = corpus.partition("#")
        assert query in asked
        assert document in places
        assert not anchor or anchor in places[document], corpus
        assert score in {1, 2}


def test_a_question_has_judgements_exactly_when_it_can_be_answered():
    judged = {query for query, _, score in qrels() if score == 2}
    assert judged == {name for name, row in questions().items() if row.get("answerable", True)}


def test_the_questions_are_many_and_of_every_kind():
    rows = questions().values()
    assert sum(row.get("answerable", True) for row in rows) >= 60
    assert sum(not row.get("answerable", True) for row in rows) >= 20
    assert sum("history" in row for row in rows) >= 12
    for row in rows:
        assert row.keys() <= {"id", "text", "history", "groups", "answerable"}
        assert all(turn.keys() == {"role", "text"} for turn in row.get("history", []))


def test_every_document_answers_a_question():
    used = {corpus.partition("#")[0] for _, corpus, score in qrels() if score == 2}
    assert used == {f"handbook/{name_of(path)}" for path in DOCUMENTS}


@pytest.fixture(scope="module")
def remade(tmp_path_factory):
    folder = tmp_path_factory.mktemp("handbook")
    assert sorted(path.name for path in make_handbook.make(folder)) == sorted(MADE)
    return folder


@pytest.mark.parametrize("name", MADE)
def test_a_made_document_says_what_its_source_says(remade, name):
    assert text_of(HANDBOOK / name) == text_of(remade / name), "run `python -m tests.make_handbook`"


@pytest.mark.parametrize("name", MADE)
def test_making_a_document_twice_gives_the_same_bytes(remade, tmp_path, name):
    make_handbook.make(tmp_path)
    assert (remade / name).read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("name", make_handbook.PDFS)
def test_a_pdf_has_an_outline_and_three_to_five_pages(name):
    with pypdfium2.PdfDocument(HANDBOOK / f"{name}.pdf") as document:
        titles = [bookmark.get_title() for bookmark in document.get_toc()]
        assert 3 <= len(document) <= 5
    source = make_handbook.read_source(make_handbook.SOURCE / f"{name}.md")
    assert titles == [source.title] + [block.items[0] for block in source.blocks if block.kind == "heading"]
