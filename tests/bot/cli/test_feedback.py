"""`footnote feedback dump | load`: everything into a file and back, what is refused and the line that says why."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
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
from tests.processes import start_python
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


def test_a_dump_that_fails_leaves_the_one_before_and_nothing_else(filled):
    Path("dump.jsonl").write_text("before", encoding="utf-8")
    with closing(sqlite3.connect(filled / ".footnote" / "feedback.db")) as connection, connection:
        connection.execute("DROP TABLE decisions")
    result = footnote("feedback", "dump", "--out", "dump.jsonl")
    assert "cannot be used" in error_line(result, 1)
    assert Path("dump.jsonl").read_text(encoding="utf-8") == "before"
    assert [each.name for each in filled.iterdir() if each.name != ".footnote"] == ["dump.jsonl"]


def test_records_that_cannot_be_read_are_left_out_of_a_dump_and_named(filled):
    with closing(sqlite3.connect(filled / ".footnote" / "feedback.db")) as connection, connection:
        connection.execute("UPDATE votes SET record = 'nope' WHERE key = 'click-00001'")
    result = footnote("feedback", "dump", "--out", "dump.jsonl")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0].startswith("left out: the vote 'click-00001' cannot be read: ")
    assert result.stderr.splitlines()[1:] == ["1 records that cannot be read are left out", "7 records in dump.jsonl"]
    *_, end = Path("dump.jsonl").read_text(encoding="utf-8").splitlines()
    assert (json.loads(end)["records"], json.loads(end)["skipped"]) == (7, 1)
    assert footnote("--home", "other", "feedback", "load", "dump.jsonl").exit_code == 0


DUMPER = """
import sys, time
from feedback.stores.sqlite.reader import SqliteReader
from bot.cli import main
slow = SqliteReader.records
def records(self, **given):
    for number, record in enumerate(slow(self, **given)):
        yield record
        if number == 1:
            print("half", flush=True)
            time.sleep(60)
SqliteReader.records = records
from feedback.stores.sqlite.store import SqliteFeedback
sys.argv = ["footnote", "feedback", "dump", "--out", "dump.jsonl"]
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes in another way")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_dump_that_is_ended_leaves_no_half_file_under_its_name(filled, number):
    dumper = start_python(DUMPER)
    assert dumper.stdout is not None
    assert dumper.stdout.readline() == "half\n"
    dumper.send_signal(number)
    dumper.communicate()
    assert dumper.returncode != 0
    left = [each for each in filled.iterdir() if each.name != ".footnote"]
    if number == signal.SIGTERM:
        assert left == []
        return
    (part,) = left
    assert part.name.startswith("dump.jsonl.")
    assert part.name.endswith(".partial")
    assert stat.S_IMODE(part.stat().st_mode) == 0o600
    assert footnote("feedback", "dump", "--out", "dump.jsonl").exit_code == 0
    assert [each.name for each in filled.iterdir() if each.name != ".footnote"] == ["dump.jsonl"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk at hand")
def test_a_full_disk_ends_a_dump_with_one_line(filled):
    script = "from bot.cli import main; import sys; sys.argv = ['footnote', 'feedback', 'dump']; main()"
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run([sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, check=False)
    assert result.returncode == 1
    assert result.stderr.decode().splitlines() == [
        "footnote: the standard output cannot be written (No space left on device); write to another place with --out"
    ]


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
        "whole": False,
    }
    *line_errors, last = result.stderr.splitlines()
    assert [line.split(":")[0] for line in line_errors] == [f"line {number}" for number in (5, 6, 7, 8, 10)]
    assert last == ("footnote: this is not a whole dump: of 8 records there are 13; what was there has been taken")


def test_half_a_dump_is_taken_and_named(filled):
    lines = footnote("feedback", "dump").stdout.splitlines()
    result = footnote("--home", "other", "feedback", "load", "-", stdin="\n".join(lines[:5]))
    assert (result.exit_code, result.stdout) == (1, "4 added, 0 known already, 0 refused\n")
    assert "this is not a whole dump: its end is missing; what was there has been taken" in result.stderr


def test_a_part_of_a_dump_is_told_as_such_and_taken(filled):
    lines = footnote("feedback", "dump").stdout.splitlines()
    without_some = footnote("--home", "a", "feedback", "load", "-", stdin="\n".join([*lines[:3], *lines[5:]]))
    assert (without_some.exit_code, without_some.stdout) == (1, "6 added, 0 known already, 0 refused\n")
    assert without_some.stderr == (
        "footnote: this is not a whole dump: of 8 records there are 6; what was there has been taken\n"
    )
    changed = [line.replace("It is six now.", "It is nine now.") for line in lines]
    other = footnote("--home", "b", "feedback", "load", "-", stdin="\n".join(changed))
    assert (other.exit_code, other.stdout) == (1, "8 added, 0 known already, 0 refused\n")
    assert "its lines are not those that were written" in other.stderr


def test_a_dump_of_an_earlier_footnote_has_a_count_and_no_hash(filled):
    *lines, end = footnote("feedback", "dump").stdout.splitlines()
    old = {key: value for key, value in json.loads(end).items() if key != "sha256"}
    loaded = footnote("--home", "a", "feedback", "load", "-", stdin="\n".join([*lines, json.dumps(old)]))
    assert loaded.exit_code == 0


def test_what_was_said_at_a_time_that_has_not_come_is_refused(filled):
    lines = footnote("feedback", "dump").stdout.splitlines()
    late = [json.dumps({**json.loads(lines[4]), "key": "late", "at": "2900-01-01T00:00:00+00:00"})]
    result = footnote("--home", "a", "feedback", "load", "-", stdin="\n".join([*lines[:-1], *late, lines[-1]]))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "line 10: its time, 2900-01-01T00:00:00+00:00, has not come yet"


@pytest.mark.parametrize("line", ['{"kind": "dump", "schema": "2.0"}', '{"kind": "vote", "schema": "9.1"}'])
def test_a_dump_of_a_newer_footnote_is_refused_in_one_line(folder, line):
    assert "newer Footnote" in error_line(footnote("feedback", "load", "-", stdin=line), 1)


def test_a_store_that_is_down_ends_with_1_and_why(folder):
    def bootstrap(_: Settings) -> App:
        raise FeedbackUnavailable("it is down")

    assert error_line(footnote("feedback", "dump", bootstrap=bootstrap), 1) == "it is down"
