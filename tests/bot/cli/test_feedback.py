"""`footnote feedback dump | load`: everything into a file and back, what is refused and the line that says why."""

import json
import os
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.app import App
from bot.config.settings import Settings
from feedback.errors import FeedbackUnavailable
from feedback.stores.redis.store import RedisFeedback
from feedback.stores.sqlite.store import SqliteFeedback
from tests.bot.cli.command_line import error_line, footnote
from tests.feedback.samples import correction, decision, exchange, export, vote
from tests.servers.redis_servers import serving


@pytest.fixture
def filled(folder) -> Path:
    """A state folder in which something was asked and voted on."""
    with closing(SqliteFeedback(folder / ".footnote" / "feedback.db")) as store:
        store.write_many([exchange(number) for number in range(3)])
        store.write_many([vote(0), vote(1, "up"), correction(), decision(1, "accept", correction="click-00000")])
        store.register_export(export(), {"1e" * 32: ["r1"]})
    made: Path = folder
    return made


def kept(home: Path) -> list[object]:
    with closing(SqliteFeedback(home / "feedback.db")) as store:
        return list(store.records())


def test_a_dump_is_versioned_json_lines_of_everything(filled):
    result = footnote("feedback", "dump")
    assert (result.exit_code, result.stderr) == (0, "")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    kinds = ["dump", *["exchange"] * 3, "vote", "vote", "correction", "decision", "registered", "end"]
    assert [row["kind"] for row in rows] == kinds
    assert {row["schema"] for row in rows} == {"1.1"}
    assert rows[-1]["records"] == 8


def test_a_dump_loads_into_another_store_and_makes_it_equal(filled):
    result = footnote("feedback", "dump", "--out", "dump.jsonl")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "8 records in dump.jsonl\n")
    loaded = footnote("--home", "other", "feedback", "load", "dump.jsonl")
    assert (loaded.exit_code, loaded.stdout) == (0, "8 added, 0 known already, 0 refused\n")
    assert kept(Path("other")) == kept(Path(".footnote"))
    again = footnote("--home", "other", "feedback", "load", "dump.jsonl", "--json")
    assert json.loads(again.stdout) == {"added": 1, "known": 7, "refused": {}, "whole": True}
    assert kept(Path("other")) == kept(Path(".footnote"))


@pytest.mark.server
def test_all_goes_to_redis_and_back(filled, monkeypatch):
    with serving("redis-6.2", filled) as server:
        footnote("feedback", "dump", "--out", "dump.jsonl")
        monkeypatch.setenv("FOOTNOTE_REDIS_URL", server.url)
        assert footnote("feedback", "load", "dump.jsonl").stdout == "8 added, 0 known already, 0 refused\n"
        with closing(RedisFeedback(server.url, workspace="default")) as store:
            assert list(store.records()) == kept(Path(".footnote"))
        back = footnote("feedback", "dump")
        assert back.stdout == Path("dump.jsonl").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_owner_may_read_a_dump(filled):
    old = os.umask(0)
    try:
        footnote("feedback", "dump", "--out", "dump.jsonl")
    finally:
        os.umask(old)
    assert stat.S_IMODE(Path("dump.jsonl").stat().st_mode) == 0o600


def test_a_dump_that_fails_leaves_the_one_before(filled):
    Path("dump.jsonl").write_text("before", encoding="utf-8")
    with closing(sqlite3.connect(filled / ".footnote" / "feedback.db")) as connection, connection:
        connection.execute("UPDATE votes SET record = 'nope'")
    result = footnote("feedback", "dump", "--out", "dump.jsonl")
    assert "cannot be read" in error_line(result, 1)
    assert Path("dump.jsonl").read_text(encoding="utf-8") == "before"


def test_a_place_that_cannot_be_written_ends_with_1_and_why(filled):
    assert "'nowhere/dump.jsonl' cannot be written" in error_line(
        footnote("feedback", "dump", "--out", "nowhere/dump.jsonl"), 1
    )


def test_lines_that_cannot_be_taken_are_named_and_counted_by_reason(filled):
    lines = footnote("feedback", "dump").stdout.splitlines()
    bad = ["{", "[]", '{"kind": "song"}', json.dumps({**json.loads(lines[4]), "vote": "maybe"}), ""]
    missing = json.dumps({**json.loads(lines[4]), "key": "k", "answer": "nobody"})
    text = "\n".join([*lines[:4], *bad, missing, *lines[4:]])
    result = footnote("--home", "other", "feedback", "load", "-", "--json", stdin=text)
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "added": 8,
        "known": 0,
        "refused": {"unknown-answer": 1, "unreadable": 4},
        "whole": True,
    }
    *line_errors, last = result.stderr.splitlines()
    assert [line.split(":")[0] for line in line_errors] == [f"line {number}" for number in (5, 6, 7, 8, 10)]
    assert last == "footnote: lines that were refused: 5; all others have been taken"


def test_half_a_dump_is_taken_and_named(filled):
    lines = footnote("feedback", "dump").stdout.splitlines()
    result = footnote("--home", "other", "feedback", "load", "-", stdin="\n".join(lines[:5]))
    assert (result.exit_code, result.stdout) == (1, "4 added, 0 known already, 0 refused\n")
    assert "the end of the dump is missing" in result.stderr


@pytest.mark.parametrize("line", ['{"kind": "dump", "schema": "2.0"}', '{"kind": "vote", "schema": "9.1"}'])
def test_a_dump_of_a_newer_footnote_is_refused_in_one_line(folder, line):
    assert "newer Footnote" in error_line(footnote("feedback", "load", "-", stdin=line), 1)


def test_a_store_that_is_down_ends_with_1_and_why(folder):
    def bootstrap(_: Settings) -> App:
        raise FeedbackUnavailable("it is down")

    assert error_line(footnote("feedback", "dump", bootstrap=bootstrap), 1) == "it is down"
