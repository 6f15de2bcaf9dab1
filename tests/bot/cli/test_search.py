"""`footnote search`: hits as JSON, one question or many, and how a failure ends."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from retrieval.errors import EmbeddingUnavailable, IndexNotReady, SearchUnavailable
from retrieval.passages import Hit, Query, Turn
from retrieval.ranking.confidence import Signals
from retrieval.search import Results
from tests.bot.cli.command_line import error_line, json_lines
from tests.bot.cli.samples import document, passages

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


@dataclass
class SearchingApp:
    """An app whose search gives these results to whatever it is asked."""

    results: Results
    asked: list[tuple[Query, int]] = field(default_factory=list)
    failure: Exception | None = None

    def search(self, query: Query, *, top: int) -> Results:
        self.asked.append((query, top))
        if self.failure:
            raise self.failure
        return replace(self.results, hits=self.results.hits[:top])


@pytest.fixture
def app() -> SearchingApp:
    hits = tuple(Hit(each, 1.5 - number) for number, each in enumerate(passages(document())))
    return SearchingApp(Results(hits, 0.75, Signals()))


def test_one_question_gives_one_object(run, app):
    result = run("search", "carry", "over?")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert (found["query"], found["confidence"], found["hits"][0]) == ("carry over?", 0.75, FIRST)
    assert list(found) == ["query", "confidence", "hits"]
    assert [list(hit) for hit in found["hits"]] == [list(FIRST)] * 2
    assert app.asked == [(Query("carry over?"), 10)]


def test_the_url_of_a_hit_opens_at_the_spot(run, app):
    first = app.results.hits[0]
    spot = replace(first, passage=replace(first.passage, fragment=":~:text=Five%20days"))
    app.results = replace(app.results, hits=(spot,))
    found = json.loads(run("search", "a").stdout)
    assert found["hits"][0]["url"] == "https://example.com/leave#:~:text=Five%20days"


def test_json_may_be_asked_for_and_changes_nothing(run):
    assert run("search", "a", "--json").stdout == run("search", "a").stdout


def test_groups_and_top_are_passed_on(run, app):
    result = run("search", "a", "--group", "hr", "--group", "it", "--top", "1")
    assert len(json.loads(result.stdout)["hits"]) == 1
    assert app.asked == [(Query("a", groups=frozenset({"hr", "it"})), 1)]


def test_nothing_found_is_no_failure(run, app):
    app.results = replace(app.results, hits=(), confidence=0.0)
    result = run("search", "a")
    assert (result.exit_code, json.loads(result.stdout)["hits"]) == (0, [])


def test_many_questions_give_a_line_each_in_order_under_their_ids(run, app):
    rows = [
        {"id": "b", "text": "And in Utrecht?", "history": [{"role": "agent", "text": "Five."}], "groups": ["it"]},
        {"_id": 7, "text": "Why?"},
    ]
    Path("q.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    result = run("search", "--from", "q.jsonl", "--top", "1", "--group", "hr")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json_lines(result.stdout) == [{"id": name, "confidence": 0.75, "hits": [FIRST]} for name in ("b", 7)]
    assert [query for query, _ in app.asked] == [
        Query("And in Utrecht?", (Turn("agent", "Five."),), frozenset({"it"})),
        Query("Why?", groups=frozenset({"hr"})),
    ]


def test_a_line_that_cannot_be_read_gives_its_error_in_its_place(run):
    stdin = b'{"id": 1, "text": "a"}\n{"id": 2}\nnope\n\xff\n\n{"id": 3, "text": "b"}\n'
    result = run("search", "--from", "-", stdin=stdin)
    first, second, third, fourth, last = json_lines(result.stdout)
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
def test_bad_usage_ends_with_2_and_says_nothing_on_stdout(run, app, arguments):
    result = run("search", *arguments)
    assert (result.exit_code, result.stdout, app.asked) == (2, "", [])
    assert result.stderr


@pytest.mark.parametrize("error", [IndexNotReady, SearchUnavailable, EmbeddingUnavailable])
def test_our_own_errors_end_with_1_and_their_text(run, app, error):
    app.failure = error("nothing is indexed yet: run `footnote sync FOLDER`")
    assert error_line(run("search", "a"), 1) == "nothing is indexed yet: run `footnote sync FOLDER`"


def test_an_unexpected_error_ends_with_1_and_leaves_its_traceback_in_a_private_log(run, app, folder):
    app.failure = ZeroDivisionError("the secret question")
    line = error_line(run("search", "a"), 1)
    log = folder / ".footnote" / "errors.log"
    assert str(log) in line
    assert "secret" not in line
    told = log.read_text(encoding="utf-8")
    assert "ZeroDivisionError" in told
    assert "in command" in told, "the way that led to it"
    assert "secret" not in told
    assert log.stat().st_mode & 0o077 == 0


def test_debug_shows_the_traceback(run, app):
    app.failure = ZeroDivisionError("no")
    assert isinstance(run("--debug", "search", "a").exception, ZeroDivisionError)


def test_wrong_settings_end_the_command_before_anything_is_searched(run, app, folder):
    (folder / "footnote.toml").write_text("confidence_threshold = 7", encoding="utf-8")
    assert "confidence_threshold must be a number from 0 to 1" in error_line(run("search", "a"), 2)
    assert app.asked == []


def test_json_holds_no_character_that_takes_over_a_terminal(run):
    result = run("search", "\x1b[31m \x9b \u202e é")
    assert json.loads(result.stdout)["query"] == "\x1b[31m \x9b \u202e é"
    assert "é" in result.stdout
    assert not {"\x1b", "\x9b", "\u202e"} & set(result.stdout)
