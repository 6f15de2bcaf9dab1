"""Question lines are read one by one, and a bad one costs itself only."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.question_lines import QuestionLine, UnreadableLine, read_questions
from retrieval.passages import Query, Turn


def one(row) -> QuestionLine | UnreadableLine:
    (line,) = read_questions([json.dumps(row).encode()])
    return line


def test_a_line_becomes_a_query_under_its_id():
    row = {"id": "7", "text": "And then?", "history": [{"role": "agent", "text": "Yes."}], "groups": ["hr"], "x": 1}
    assert one(row) == QuestionLine("7", Query("And then?", (Turn("agent", "Yes."),), frozenset({"hr"})))


def test_beir_names_the_id_with_an_underscore():
    assert one({"_id": 3, "text": "Why?"}) == QuestionLine(3, Query("Why?"))


def test_groups_of_the_command_are_for_lines_that_name_none():
    lines = [b'{"id": 1, "text": "a"}', b'{"id": 2, "text": "a", "groups": []}']
    first, second = read_questions(lines, groups=frozenset({"hr"}))
    assert isinstance(first, QuestionLine)
    assert isinstance(second, QuestionLine)
    assert first.query.groups == frozenset({"hr"})
    assert second.query.groups == frozenset()


def test_blank_lines_and_a_byte_order_mark_are_passed_over():
    assert [
        line.id for line in read_questions([b'\xef\xbb\xbf{"id": 1, "text": "a"}\n', b"\n", b'{"id": 2, "text": "b"}'])
    ] == [
        1,
        2,
    ]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        pytest.param(b"nope", None, id="no-json"),
        pytest.param(b"[1]", None, id="no-object"),
        pytest.param(b"\xff", None, id="no-utf8"),
        pytest.param(b"[" * 100_000, None, id="deep"),
        pytest.param(b'{"text": "a"}', None, id="no-id"),
        pytest.param(b'{"id": true, "text": "a"}', None, id="boolean-id"),
        pytest.param(b'{"id": "1"}', "1", id="no-text"),
        pytest.param(b'{"id": "1", "text": " "}', "1", id="blank-text"),
        pytest.param(b'{"id": "1", "text": "\\ud800"}', "1", id="half-a-character"),
        pytest.param(b'{"id": "1", "text": "a", "history": "b"}', "1", id="history-text"),
        pytest.param(b'{"id": "1", "text": "a", "history": [{"role": "user"}]}', "1", id="turn-without-text"),
        pytest.param(b'{"id": "1", "text": "a", "groups": "hr"}', "1", id="groups-text"),
        pytest.param(b'{"id": "1", "text": "a", "groups": [1]}', "1", id="groups-number"),
    ],
)
def test_a_bad_line_says_why_and_the_next_is_read(line, name):
    bad, good = read_questions([line, b'{"id": "2", "text": "a"}'])
    assert isinstance(bad, UnreadableLine)
    assert bad.id == name
    assert bad.error
    assert good == QuestionLine("2", Query("a"))


@given(st.lists(st.binary()))
def test_any_bytes_give_at_most_one_value_a_line(lines):
    assert len(list(read_questions(lines))) == len([line for line in lines if line.strip()]) or lines[0].startswith(
        b"\xef\xbb\xbf"
    )
