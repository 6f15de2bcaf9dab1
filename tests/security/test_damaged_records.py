"""Threat: one record that is damaged, forged or of another version ends report, review, export and backup for good.

Every field of every type of record is given every hostile value, through `load` and directly in the rows of a store;
every column of every table is damaged. Each costs its own row at most: all commands go on, and all good rows are there.
"""

import itertools
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from bot.answering.answers import Question
from bot.app import App, bootstrap
from bot.config.settings import load as load_settings
from bot.server.job_queue import JobQueue
from bot.server.metrics import Metrics
from bot.server.workers import WorkerPool
from bot.services.votes import VoteRequest
from bot.state.protocol import Claim, Event
from bot.state.sqlite.store import SqliteState
from feedback.backup import dump_lines, load_lines
from feedback.codec import to_json, to_line
from feedback.records import (
    RECORD_TYPES,
    Correction,
    Decision,
    Exchange,
    ExportRegistration,
    Record,
    Vote,
    kind_of,
    name_of,
)
from feedback.stores.journal.file import JournalFile
from feedback.stores.journal.store import JournaledFeedback
from feedback.stores.protocol import FeedbackStore
from feedback.stores.redis.store import RedisFeedback
from feedback.stores.sqlite.store import SqliteFeedback
from retrieval.errors import IndexNotReady, RetrievalError, SearchUnavailable
from retrieval.index.local.index import LocalIndex, open_index
from retrieval.parsing.registry import parse
from retrieval.ranking.analysis import Analyzer
from retrieval.sources.files import Source
from retrieval.sync import sync
from tests.bot.cli.command_line import footnote
from tests.bot.server.scripted_channel import ScriptedChannel
from tests.fakes import FakeEmbedder
from tests.feedback.conftest import SERVERS, redis_url
from tests.feedback.samples import NOON, correction, decision, exchange, export, vote
from tests.retrieval.samples import lookup
from tests.servers.redis_servers import eventually

__all__ = ["redis_url"]

TOPICS = "leave sickness travel expenses parking laptops pensions training parties bicycles visitors keys".split()
DEEP = "[" * 5000 + "]" * 5000
# As they stand in JSON: a number that no parser agrees on, times at the ends of the calendar, half a character, ...
VALUES = [
    "1" + "0" * 30,
    "-" + "9" * 400,
    "1e999",
    "NaN",
    "-Infinity",
    "null",
    "true",
    "[]",
    "{}",
    '[["user", 5]]',
    DEEP,
    '""',
    '"\\ud800"',
    '"n\'t"',
    '"\\u0000"',
    json.dumps("w" * 1_000_001),
    '"0001-01-01T00:00:00+00:00"',
    '"9999-12-31T23:59:59-05:00"',
    '"2026-03-02T12:00:00"',
]
SAMPLES: dict[str, Record] = {
    "exchange": exchange(),
    "vote": vote(),
    "correction": correction(),
    "decision": decision(1, "accept", correction="click-00000"),
    "export": export(),
    "registered": ExportRegistration(export(), "1e" * 32, ("r1",)),
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place within a row of JSON, lists and objects too."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield from places(each, (*path, key))


def damaged(record: Record) -> Iterator[str]:
    """The lines of this record with each value in each place."""
    for path, value in itertools.product(places(to_json(record)), VALUES):
        row = json.loads(json.dumps(to_json(record)))
        *way, last = path
        inner = row
        for key in way:
            inner = inner[key]
        inner[last] = "HERE"
        yield json.dumps(row).replace('"HERE"', value)


def test_every_type_of_record_is_tried():
    assert SAMPLES.keys() == RECORD_TYPES.keys()


@pytest.fixture
def app(folder) -> Iterator[App]:
    """An app in which a dozen questions were answered, and voted up, each from a section of its own."""
    docs = folder / "handbook"
    docs.mkdir()
    for topic in TOPICS:
        text = f"# About {topic}\n\nThe {topic} office on floor {len(topic)} decides about all {topic} by Friday.\n"
        (docs / f"{topic}.md").write_text(text, encoding="utf-8")
    (folder / "footnote.toml").write_text("confidence_threshold = 0.0\n", encoding="utf-8")
    made = bootstrap(load_settings(None), embedder=FakeEmbedder())
    made.ingestion.sync([docs])
    for topic in TOPICS:
        question = Question(f"Who decides about {topic}?", user=f"{topic}@example.com", conversation="c")
        answer = made.questions.answer(question)
        made.questions.record(question, answer)
        for voter in ("ada", "bob"):
            made.votes.vote(VoteRequest(answer.id, "up", voter), key=f"{voter} {topic}")
    yield made
    made.close()


def good_rows(app: App) -> list[dict[str, Any]]:
    return [json.loads(to_line(to_json(each))) for each in app.feedback.records()]


def assert_all_commands_go_on(good: list[dict[str, Any]]) -> None:
    run = partial(footnote, bootstrap=partial(bootstrap, embedder=FakeEmbedder()))
    report = run("report", "--json")
    assert report.exit_code == 0, report.output[-500:]
    assert json.loads(report.stdout)["answers"] >= len(TOPICS)
    for arguments in (["report"], ["review", "--json"], ["feedback", "dump", "--out", "dump.jsonl"]):
        result = run(*arguments)
        assert result.exit_code == 0, (arguments, result.output[-500:])
    dumped = [json.loads(line) for line in Path("dump.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row for row in good if row not in dumped] == []
    loaded = run("--home", "loaded", "feedback", "load", "dump.jsonl")
    assert loaded.exit_code == 0, loaded.output[-500:]
    result = run("export", "--format", "trl-sft", "--out", f"out-{uuid4().hex}")
    assert result.exit_code == 0, result.output[-500:]
    app = bootstrap(load_settings(None), embedder=FakeEmbedder())
    app.privacy.prune()
    assert app.privacy.forget("leave@example.com").exchanges >= 1
    assert app.feedback.prune(words_before=NOON.replace(year=2999))[0] >= len(TOPICS) - 1
    app.close()


def test_hostile_values_in_a_dump_cost_their_own_line(app, folder):
    good = good_rows(app)
    base = next(app.feedback.exchanges())
    answer = base.id
    records: list[Record] = [
        replace(base, id="copy"),
        vote(answer=answer, key="copy"),
        correction(answer=answer, key="copy"),
        decision(1, "accept", answer=answer, key="copy", correction="copy"),
        export(),
        ExportRegistration(export(), "1e" * 32, ("r1",)),
    ]
    lines = []
    for record in records:
        for number, line in enumerate(damaged(record)):
            lines.append(line.replace('"copy"', f'"copy {number}"'))
    (folder / "hostile.jsonl").write_text("\n".join(lines), encoding="utf-8")
    result = footnote("feedback", "load", "hostile.jsonl", "--json")
    assert result.exit_code == 1
    assert result.stdout, result.stderr[-800:]
    counts = json.loads(result.stdout)
    assert counts["refused"]["unreadable"] > len(lines) / 2
    assert counts["added"] > 0
    assert_all_commands_go_on(good)


def test_hostile_values_in_the_rows_of_the_embedded_store_cost_their_own_row(app, folder):
    good = good_rows(app)
    answer = next(app.feedback.exchanges()).id
    path = folder / ".footnote" / "feedback.db"
    base = replace(next(app.feedback.exchanges()), conversation="")
    templates: dict[type[Any], Any] = {
        Exchange: lambda name: replace(base, id=name),
        Vote: lambda name: vote(answer=answer, key=name, voter=name),
        Correction: lambda name: correction(answer=answer, key=name),
        Decision: lambda name: decision(1, "accept", answer=answer, key=name, correction=name),
    }
    tables = {Exchange: "exchanges", Vote: "votes", Correction: "corrections", Decision: "decisions"}
    for kind, make in templates.items():
        lines = list(damaged(make("NAME")))
        made = [make(f"{kind_of(kind)} {number}") for number in range(len(lines))]
        app.feedback.write_many(made)
        with closing(sqlite3.connect(path)) as connection, connection:
            name = "id" if kind is Exchange else "key"
            connection.executemany(
                f"UPDATE {tables[kind]} SET record = ? WHERE {name} = ?",
                [
                    (line.replace('"NAME"', json.dumps(name_of(each))), name_of(each))
                    for line, each in zip(lines, made, strict=True)
                ],
            )
    assert_all_commands_go_on(good)


COLUMNS = [
    "X'ff00'",
    "CAST(X'80ff' AS TEXT)",
    "9e999",
    "-1",
    "9223372036854775807",
    "''",
    "'n''t'",
    "CAST(X'00' AS TEXT)",
]


def test_damaged_columns_of_the_embedded_store_cost_their_own_row(app, folder):
    good = good_rows(app)
    base = next(app.feedback.exchanges())
    path = folder / ".footnote" / "feedback.db"
    of_tables: dict[str, Any] = {
        "exchanges": lambda name: replace(base, id=name, conversation=""),
        "votes": lambda name: vote(answer=base.id, key=name, voter=name),
        "corrections": lambda name: correction(answer=base.id, key=name),
        "decisions": lambda name: decision(1, answer=base.id, key=name),
    }
    with closing(sqlite3.connect(path)) as connection:
        for table, make in of_tables.items():
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            for number, (column, value) in enumerate(itertools.product(columns, COLUMNS)):
                name = f"{table} {number}"
                app.feedback.write_many([make(name)])
                key = "id" if table == "exchanges" else "key"
                with connection:
                    connection.execute(f"UPDATE OR IGNORE {table} SET {column} = {value} WHERE {key} = ?", (name,))
        app.feedback.register_export(export(), {"1e" * 32: ["r1"]})
        with connection:
            connection.execute("INSERT INTO registered VALUES ('export-0', X'ff', X'ff')")
            connection.execute("INSERT INTO exports VALUES (X'ff', 5, 'nope')")
    assert_all_commands_go_on(good)


@pytest.mark.parametrize("kind", SERVERS)
def test_hostile_values_on_a_server_cost_their_own_record(kind, redis_url):
    url, workspace = redis_url(kind), uuid4().hex
    with closing(RedisFeedback(url, workspace=workspace)) as store, Redis.from_url(url) as client:
        good: list[Any] = [
            exchange(1, asker="ada"),
            vote(1, answer="answer-00001"),
            correction(1, answer="answer-00001"),
        ]
        store.write_many(good)
        for kind_name in ("exchange", "vote", "correction", "decision"):
            make = SAMPLES[kind_name]
            lines = list(damaged(make))
            for number, line in enumerate(lines):
                name = f"bad {number}"
                store.write_many([named(make, name)])
                at = f"footnote:{{{workspace}}}:{kind_name}:{name}"
                entry = client.get(at).partition(b"\n")[2]
                client.set(at, line.encode() + (b"\n" + entry if entry else b""))
        skipped: list[Any] = []
        records = list(store.records(skipped=skipped.append))
        assert [each for each in good if each not in records] == []
        assert len(skipped) > 500
        assert good[0] in [each.exchange for each in store.reviewed_exchanges()]
        assert good[1] in store.votes("answer-00001")
        assert store.forget("1e" * 32).votes > 100
        assert good[0] in list(store.exchanges())
        store.prune(words_before=NOON.replace(year=2999))
        assert b"carry over" not in b"".join(_strings(client, workspace))
        store.prune(exchanges_before=NOON.replace(year=2999))
        assert list(store.records()) == []


def named(record: Any, name: str) -> Record:
    """The same record under another name, about the answer that is there."""
    changes = {"id": name} if isinstance(record, Exchange) else {"key": name, "answer": "answer-00001"}
    renamed: Record = replace(record, **changes)
    return renamed


def _strings(client: Any, workspace: str) -> Iterator[bytes]:
    for key in client.scan_iter(f"footnote:{{{workspace}}}:*"):
        if client.type(key) == b"string":
            yield client.get(key)


def test_a_damaged_record_that_waits_is_put_aside_and_the_others_are_sent(tmp_path):
    path = tmp_path / "journal.db"
    with closing(JournalFile(path, limit=10_000)) as waiting:
        lines = list(damaged(vote()))
        for number in range(len(lines)):
            waiting.add(vote(key=f"bad {number}"), since=0.0)
        waiting.add(vote(9, key="good"), since=0.0)
    with closing(sqlite3.connect(path)) as connection, connection:
        rows = [(line, f"bad {number}") for number, line in enumerate(lines)]
        connection.executemany("UPDATE waiting SET record = ? WHERE key = ?", rows)
        connection.execute("UPDATE waiting SET record = X'ff' WHERE key = 'bad 0'")
        connection.execute("UPDATE waiting SET record = CAST(X'80' AS TEXT) WHERE key = 'bad 1'")
    store: FeedbackStore = SqliteFeedback(tmp_path / "feedback.db")
    store.record(exchange())
    with closing(JournaledFeedback(store, path, limit=10_000)) as journaled:
        assert vote(9, key="good") in [each for each in journaled.records() if isinstance(each, Vote)]
        assert journaled.counts().waiting == 0
        assert journaled.counts().refused > len(lines) / 2


WAITING_ROW = ("platform", "id", "at", "payload", "turn", "attempt", "notes", "until", "first", "worker")
IN_A_ROW = ["X'00ff'", "''", "CAST(X'ff80c3' AS TEXT)", "9223372036854775807", "-9223372036854775808", "9e999", "'abc'"]


@pytest.mark.parametrize("column", WAITING_ROW)
def test_a_damaged_event_costs_itself_and_the_workers_go_on(tmp_path, column):
    for number, value in enumerate(IN_A_ROW):
        path = tmp_path / f"{number}.db"
        with closing(SqliteState(path)) as state:
            for each in ("bad", "good", "other"):
                state.accept(Event("scripted", each, NOON, "{}", "a turn" if each != "other" else ""))
            with closing(sqlite3.connect(path)) as other, other:
                other.execute(f"UPDATE events SET {column} = {value} WHERE id = 'bad'")
            channel = ScriptedChannel()
            queue = JobQueue(state, name="one", metrics=Metrics(), lease=timedelta(milliseconds=20))
            pool = WorkerPool(queue, {"scripted": channel}, metrics=Metrics(), workers=1, poll=0.01)
            pool.start()
            wanted = {"other"} if column in {"platform", "until", "first", "turn"} else {"good", "other"}
            eventually(lambda: wanted <= {each.event.id for each in channel.handled}, f"{value} is passed over")  # noqa: B023
            state.accept(Event("scripted", "later", NOON, "{}", ""))
            eventually(lambda: "later" in [each.event.id for each in channel.handled], f"{value} ends no worker")  # noqa: B023
            assert len(channel.given_up) <= 1
            assert all(isinstance(each, Event) for each in state.unfinished())
            pool.stop(5)


def test_an_error_that_nobody_thought_of_ends_no_worker(tmp_path):
    class Odd(SqliteState):
        """A store that fails in its own way, now and then."""

        odd = 0

        def claim(self, worker: str, *, lease: timedelta, now: datetime) -> Claim | None:
            self.odd += 1
            if self.odd % 2:
                raise TypeError("odd")
            return super().claim(worker, lease=lease, now=now)

        def finish(self, claim: Claim, *, now: datetime) -> bool:
            if claim.attempt == 1:
                raise TypeError("odd")
            return super().finish(claim, now=now)

    with closing(Odd(tmp_path / "state.db")) as state:
        channel = ScriptedChannel()
        queue = JobQueue(state, name="one", metrics=Metrics(), lease=timedelta(milliseconds=20))
        pool = WorkerPool(queue, {"scripted": channel}, metrics=Metrics(), workers=1, poll=0.01)
        pool.start()
        for number in range(3):
            state.accept(Event("scripted", f"{number}", NOON, "{}", ""))
        eventually(lambda: state.waiting() == 0, "all is handled")
        pool.stop(5)


def index_columns(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as opened:
        tables = [each for (each,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        filled = [each for each in tables if opened.execute(f"SELECT 1 FROM {each}").fetchone()]
        return [
            (table, row[1])
            for table in filled
            for row in opened.execute(f"PRAGMA table_info({table})")
            if not table.startswith("sqlite_")
        ]


def use_index(index: LocalIndex, docs: Path) -> None:
    """Ask, as a question does, and bring the index up to date."""
    with suppress(RetrievalError):
        sync([Source("docs", docs)], index, FakeEmbedder(), parse=parse)
    found = index.reader.lookup(lookup("leave carried over"))
    keys = [each.key for each in found.found]
    index.reader.passages(keys), index.reader.tokens(keys)
    index.reader.audiences(["docs/a.md"]), index.reader.sections("docs/a.md"), index.reader.document("docs/a.md")


def what_is_told(home: Path, docs: Path) -> str:
    """Return the error with which an index is used; empty where it can be."""
    try:
        with closing(open_index(home, FakeEmbedder(), Analyzer())) as index:
            use_index(index, docs)
            assert index.reader.counts() == (1, 2)
    except (SearchUnavailable, IndexNotReady) as error:
        return str(error)
    return ""


def test_a_damaged_row_of_the_index_is_answered_with_what_to_do(tmp_path):
    """The index holds nothing that the documents do not, so it is made anew; feedback stays where it is."""
    docs, sound = tmp_path / "docs", tmp_path / "sound"
    docs.mkdir()
    (docs / "a.md").write_text("# Leave\n\nFive days of leave may be carried over.\n\n## Sick\n\nCall before nine.\n")
    with closing(open_index(sound, FakeEmbedder(), Analyzer())) as index:
        use_index(index, docs)
    damages = 0
    for number, (table, name) in enumerate(index_columns(sound / "index-1.db")):
        for value in ("X'00ff80'", "'abc'", "CAST(X'ff80' AS TEXT)"):
            home = tmp_path / f"{number}-{damages}-{len(value)}"
            shutil.copytree(sound, home)
            with suppress(sqlite3.Error), closing(sqlite3.connect(home / "index-1.db")) as other, other:
                other.execute(f"UPDATE OR IGNORE {table} SET {name} = {value}")
            told = what_is_told(home, docs)
            if told:
                damages += 1
                assert re.search(r"is damaged: remove '.+/index' and run `footnote sync`", told) or table == "meta", (
                    told
                )
                (home / "index").unlink()
                assert what_is_told(home, docs) == ""
    assert damages > 20


def test_a_part_of_a_dump_is_told_from_a_whole_one_beside_others(tmp_path):
    with closing(SqliteFeedback(tmp_path / "from.db")) as store:
        store.record(exchange())
        store.write_many([vote()])
        whole = [f"{line}\n".encode() for line in dump_lines(store)]
    head, *records, _ = whole
    doubted = {
        "half before": [head, *records[:1], *whole],
        "half behind": [*whole, head, *records[:1]],
        "records before": [*records, *whole],
        "records behind": [*whole, *records],
        "half between": [*whole, head, *whole],
    }
    for name, lines in {"one": whole, "two": whole + whole, **doubted}.items():
        with closing(SqliteFeedback(tmp_path / f"{name}.db")) as store:
            *_, counts = load_lines(store, lines, refuse=lambda *_: None)
        assert counts.added == 2
        assert (counts.whole, bool(counts.doubt)) == (name not in doubted, name in doubted), name
