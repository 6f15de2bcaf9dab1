"""Files of questions, sections and judgements are read whole, and a bad line is told by file and number."""

import json
from pathlib import Path
from typing import Any

import pytest

from retrieval.errors import UnreadableJudgements
from retrieval.evaluation.judgements import Question, Section, read_corpus, read_qrels, read_questions
from retrieval.passages import Query, Turn


def write(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_questions_are_read_with_their_history_and_groups(tmp_path):
    turns = [{"role": "user", "text": "a"}, {"role": "agent", "text": ""}]
    path = write(
        tmp_path / "q.jsonl",
        {"_id": 1, "text": "b", "history": turns, "groups": ["hr"], "answerable": False, "more": 1},
        "",
        {"id": "2", "text": "c"},
    )
    first = Question("1", Query("b", (Turn("user", "a"),), frozenset({"hr"})), answerable=False)
    assert read_questions(path) == [first, Question("2", Query("c"))]


@pytest.mark.parametrize(
    ("given", "references"),
    [
        pytest.param({"answer": "Yes."}, ("Yes.",), id="one"),
        pytest.param({"answers": ["Yes.", "It is."], "answer": "No."}, ("Yes.", "It is."), id="several"),
        pytest.param({"answer": None, "answers": []}, (), id="none"),
        pytest.param({"answer": " "}, (), id="blank"),
    ],
)
def test_right_answers_are_read_with_their_question(tmp_path, given, references):
    (read,) = read_questions(write(tmp_path / "q.jsonl", {"id": 1, "text": "a"} | given))
    assert read.references == references


def test_what_must_be_shown_and_the_kind_are_read_with_their_question(tmp_path):
    line = {"id": 1, "text": "a", "phrases": [["five days", "5 days"], ["by March"]], "kind": " follow\n up "}
    (read,) = read_questions(write(tmp_path / "q.jsonl", line))
    assert (read.phrases, read.kind) == ((("five days", "5 days"), ("by March",)), "follow up")
    (read,) = read_questions(write(tmp_path / "q.jsonl", {"id": 1, "text": "a", "phrases": [], "kind": None}))
    assert (read.phrases, read.kind) == ((), "")


def test_a_corpus_is_read_by_id(tmp_path):
    path = write(tmp_path / "c.jsonl", {"_id": "a", "doc_id": "d", "title": "t", "text": ""})
    assert read_corpus(path) == {"a": Section("d", "")}


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["query-id\tcorpus-id\tscore", "1\ta b\t1", "1\tc\t2", "2\td\t0", "1\tc\t1"], id="beir"),
        pytest.param(["\ufeff1\ta b\t1", "", "1\tc\t1.0"], id="beir-without-header"),
        pytest.param(["1\t0\ta b\t1", "1\t0\tc\t3", "2\t0\td\t-1"], id="trec-tabs"),
    ],
)
def test_judgements_are_read(tmp_path, lines):
    assert read_qrels(write(tmp_path / "qrels.tsv", *lines)) == {"1": ("a b", "c")}


def test_judgements_parted_by_spaces_are_read(tmp_path):
    assert read_qrels(write(tmp_path / "qrels", "1 0 a 1", "1 0 b 0", "2 c 1")) == {"1": ("a",), "2": ("c",)}


GOOD = {"_id": "1", "text": "a", "doc_id": "d"}


@pytest.mark.parametrize("read", [read_questions, read_corpus])
@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param("nope", "JSON object", id="no-json"),
        pytest.param("[1]", "JSON object", id="no-object"),
        pytest.param("[" * 100_000, "JSON object", id="deep"),
        pytest.param("{}", "`_id`", id="no-id"),
        pytest.param(json.dumps(GOOD | {"_id": True}), "`_id`", id="odd-id"),
        pytest.param(json.dumps(GOOD | {"text": 1}), "`text`", id="odd-text"),
    ],
)
def test_a_bad_line_is_told_by_file_and_line(tmp_path, read, line, why):
    with pytest.raises(UnreadableJudgements, match=rf"file\.jsonl', line 3: .*{why}"):
        read(write(tmp_path / "file.jsonl", GOOD, "", line))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"text": " "}, "`text`", id="blank-text"),
        pytest.param({"answerable": 1}, "`answerable`", id="answerable"),
        pytest.param({"groups": "hr"}, "`groups`", id="groups"),
        pytest.param({"answer": 5}, "`answer`", id="answer"),
        pytest.param({"answers": ["a", 5]}, "`answer`", id="answers"),
        pytest.param({"phrases": "five days"}, "`phrases` must be a list", id="phrases"),
        pytest.param({"phrases": ["five days"]}, "`phrases` must be a list", id="phrases-without-alternatives"),
        pytest.param({"phrases": [[]]}, "`phrases` must be a list", id="no-alternative"),
        pytest.param({"phrases": [["a", 5]]}, "each alternative in `phrases` must be a text of 1 to", id="phrase"),
        pytest.param({"phrases": [["..."]]}, "each alternative in `phrases` must be a text of 1 to", id="no-words"),
        pytest.param(
            {"phrases": [["a " * 201]]}, "each alternative in `phrases` must be a text of 1", id="long-phrase"
        ),
        pytest.param({"kind": 5}, "`kind` must be a text", id="kind"),
        pytest.param({"history": {"a": 1}}, "`history`", id="history"),
        pytest.param({"history": [{"role": "user"}]}, "`history.text`", id="turn-without-text"),
    ],
)
def test_a_bad_question_is_told_by_file_and_line(tmp_path, change, why):
    with pytest.raises(UnreadableJudgements, match=f"line 1: {why}"):
        read_questions(write(tmp_path / "q.jsonl", GOOD | change))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param("1\ta", "columns", id="two-columns"),
        pytest.param("1 0 a b 1", "columns", id="five-columns"),
        pytest.param("1\ta\tyes", "score must be a number, not 'yes'", id="no-score"),
    ],
)
def test_a_bad_judgement_is_told_by_file_and_line(tmp_path, line, why):
    with pytest.raises(UnreadableJudgements, match=f"line 2: .*{why}"):
        read_qrels(write(tmp_path / "qrels.tsv", "1\ta\t1", line))


def test_bytes_that_are_no_text_are_told_by_line(tmp_path):
    (tmp_path / "q.jsonl").write_bytes(b'{"id": 1, "text": "a"}\n\xff')
    with pytest.raises(UnreadableJudgements, match="line 2: expected UTF-8"):
        read_questions(tmp_path / "q.jsonl")


def test_a_missing_file_is_told_by_name(tmp_path):
    with pytest.raises(UnreadableJudgements, match="gone"):
        read_qrels(tmp_path / "gone")
