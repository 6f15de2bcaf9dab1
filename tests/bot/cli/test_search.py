"""`footnote search`: hits as JSON, one question or many, and how a failure ends."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retrieval.errors import EmbeddingUnavailable, IndexNotReady, SearchUnavailable
from retrieval.passages import Query, Turn
from tests.bot.cli.conftest import told

FIRST = {
    "document": "handbook/leave.md",
    "title": "Leave",
    "section": "Leave > Carry-over",
    "anchor": "carry",
    "url": "https://example.com/leave",
    "text": "Five days may be carried over.",
    "score": 1.5,
    "version": "v2",
}


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_one_question_gives_one_object(run, house):
    result = run("search", "carry", "over?")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert (found["query"], found["confidence"], found["hits"][0]) == ("carry over?", 0.75, FIRST)
    assert list(found) == ["query", "confidence", "hits"]
    assert [list(hit) for hit in found["hits"]] == [list(FIRST)] * 2
    assert house.asked == [{"query": Query("carry over?"), "top": 10}]


def test_the_url_of_a_hit_opens_at_the_spot(run, house):
    first = house.results.hits[0]
    spot = replace(first, passage=replace(first.passage, fragment=":~:text=Five%20days"))
    house.results = replace(house.results, hits=(spot,))
    found = json.loads(run("search", "a").stdout)
    assert found["hits"][0]["url"] == "https://example.com/leave#:~:text=Five%20days"


def test_json_may_be_asked_for_and_changes_nothing(run):
    assert run("search", "a", "--json").stdout == run("search", "a").stdout


def test_groups_and_top_are_passed_on(run, house):
    result = run("search", "a", "--group", "hr", "--group", "it", "--top", "1")
    assert len(json.loads(result.stdout)["hits"]) == 1
    assert house.asked == [{"query": Query("a", groups=frozenset({"hr", "it"})), "top": 1}]


def test_nothing_found_is_no_failure(run, house):
    house.results = replace(house.results, hits=(), confidence=0.0)
    result = run("search", "a")
    assert (result.exit_code, json.loads(result.stdout)["hits"]) == (0, [])


def test_many_questions_give_a_line_each_in_order_under_their_ids(run, house):
    rows = [
        {"id": "b", "text": "And in Utrecht?", "history": [{"role": "agent", "text": "Five."}], "groups": ["it"]},
        {"_id": 7, "text": "Why?"},
    ]
    Path("q.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    result = run("search", "--from", "q.jsonl", "--top", "1", "--group", "hr")
    assert (result.exit_code, result.stderr) == (0, "")
    assert lines(result.stdout) == [{"id": name, "confidence": 0.75, "hits": [FIRST]} for name in ("b", 7)]
    assert [each["query"] for each in house.asked] == [
        Query("And in Utrecht?", (Turn("agent", "Five."),), frozenset({"it"})),
        Query("Why?", groups=frozenset({"hr"})),
    ]


def test_a_line_that_cannot_be_read_gives_its_error_in_its_place(run):
    stdin = b'{"id": 1, "text": "a"}\n{"id": 2}\nnope\n\xff\n\n{"id": 3, "text": "b"}\n'
    result = run("search", "--from", "-", stdin=stdin)
    first, second, third, fourth, last = lines(result.stdout)
    assert (result.exit_code, first["id"], last["id"]) == (0, 1, 3)
    assert second == {"id": 2, "error": "`text` must be a text that is not empty"}
    assert third == {"id": None, "error": "expected a JSON object"}
    assert fourth == {"id": None, "error": "expected UTF-8"}
    assert result.stderr == "lines that could not be read: 3\n"


def test_an_empty_file_of_questions_gives_nothing(run):
    result = run("search", "--from", "-", stdin="")
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="nothing"),
        pytest.param(["  "], id="blank"),
        pytest.param(["a", "--from", "-"], id="both"),
        pytest.param(["--from", "gone.jsonl"], id="missing-file"),
        pytest.param(["a", "--top", "0"], id="top-0"),
        pytest.param(["a", "--top", "1001"], id="top-1001"),
        pytest.param(["a", "--top", "x"], id="top-text"),
        pytest.param(["a", "--nonsense"], id="unknown-option"),
    ],
)
def test_bad_usage_ends_with_2_and_says_nothing_on_stdout(run, house, arguments):
    result = run("search", *arguments)
    assert (result.exit_code, result.stdout, house.asked) == (2, "", [])
    assert result.stderr


@pytest.mark.parametrize("error", [IndexNotReady, SearchUnavailable, EmbeddingUnavailable])
def test_our_own_errors_end_with_1_and_their_text(run, house, error):
    house.failure = error("nothing is indexed yet: run `footnote sync FOLDER`")
    assert told(run("search", "a"), 1) == "nothing is indexed yet: run `footnote sync FOLDER`"


def test_an_unexpected_error_ends_with_1_and_leaves_its_traceback_in_a_private_log(run, house, folder):
    house.failure = ZeroDivisionError("the secret question")
    line = told(run("search", "a"), 1)
    log = folder / ".footnote" / "errors.log"
    assert str(log) in line
    assert "secret" not in line
    assert "ZeroDivisionError: the secret question" in log.read_text(encoding="utf-8")
    assert log.stat().st_mode & 0o077 == 0


def test_debug_shows_the_traceback(run, house):
    house.failure = ZeroDivisionError("no")
    assert isinstance(run("--debug", "search", "a").exception, ZeroDivisionError)


def test_wrong_settings_are_told_before_anything_is_asked(run, house, folder):
    (folder / "footnote.toml").write_text("confidence_threshold = 7", encoding="utf-8")
    assert "confidence_threshold must be a number from 0 to 1" in told(run("search", "a"), 2)
    assert house.asked == []


def test_json_holds_no_character_that_takes_over_a_terminal(run):
    result = run("search", "\x1b[31m \x9b \u202e é")
    assert json.loads(result.stdout)["query"] == "\x1b[31m \x9b \u202e é"
    assert "é" in result.stdout
    assert not {"\x1b", "\x9b", "\u202e"} & set(result.stdout)
