"""One generation's file: rows read back as they were written, transactions are whole, errors are ours."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import SearchUnavailable
from retrieval.index.generations import IndexFingerprint
from retrieval.index.local import records
from retrieval.index.local.database import Database, connect, map_errors, select
from retrieval.index.local.schema import SCHEMA_VERSION
from retrieval.index.local.store_reader import StoreReader
from retrieval.index.local.store_writer import VERSIONS_KEPT, StoreWriter
from retrieval.passages import Block, Document, Link, Passage
from tests.retrieval.samples import CHECKLIST, LEAVE, TRAVEL, cut, document, indexables, version

BUILT = IndexFingerprint(SCHEMA_VERSION, "fake/64", "english-1")
ERRORS = sorted(
    (each for each in vars(sqlite3).values() if isinstance(each, type) and issubclass(each, Exception)),
    key=lambda each: each.__name__,
)


class Breakable:
    """A connection that raises `error`, once one is given, whatever is asked of it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.error: Exception | None = None

    @property
    def in_transaction(self) -> bool:
        return self.error is None and self._connection.in_transaction

    def execute(self, *statement: Any) -> Any:
        if self.error:
            raise self.error
        return self._connection.execute(*statement)

    executemany = execute

    def close(self) -> None:
        self._connection.close()
        if self.error:
            raise self.error


class Opened:
    """A new file with its reader and its writer; `connection` is what they use."""

    def __init__(self, path: Path, wrap: Callable[[sqlite3.Connection], Any]) -> None:
        Database.create(path, BUILT).close()
        self.connection: Any = None

        def wrapped(path: Path, mode: str) -> Any:
            self.connection = wrap(connect(path, mode))
            return self.connection

        self.database = Database(path, connect=wrapped)
        self.reader, self.writer = StoreReader(self.database), StoreWriter(self.database)


@pytest.fixture
def store(tmp_path):
    opened = Opened(tmp_path / "index-1.db", lambda connection: connection)
    with closing(opened.database):
        yield opened


def replace(store: Opened, made: Document) -> None:
    passages = cut(made)
    terms = [[each.text.split(), [], []] for each in passages]
    store.writer.replace(made, indexables(passages), terms=terms, fingerprint="f")


CALLS = [
    ("checkpoint", lambda store: store.database.checkpoint()),
    ("edition", lambda store: store.database.edition()),
    ("sources", lambda store: store.reader.sources()),
    ("stored", lambda store: store.reader.stored("docs")),
    ("skips", lambda store: store.reader.skips("docs")),
    ("term_ids", lambda store: store.reader.term_ids(["term"])),
    ("vectors", lambda store: store.reader.vectors([b"key"])),
    ("tokens", lambda store: store.reader.tokens([1])),
    ("passages", lambda store: store.reader.passages([1])),
    ("sections", lambda store: store.reader.sections("docs/a")),
    ("document", lambda store: store.reader.document("docs/a")),
    ("counts", lambda store: store.reader.counts()),
    ("register", lambda store: store.writer.register("docs", "/docs")),
    ("forget", lambda store: store.writer.forget("docs")),
    ("touch", lambda store: store.writer.touch("docs/a", "f")),
    ("delete", lambda store: store.writer.delete(["docs/a"])),
    ("prune", lambda store: store.writer.prune()),
    ("close", lambda store: store.database.close()),
]


def test_sqlite_has_the_errors_that_we_know_of():
    names = {each.__name__ for each in ERRORS}
    assert names >= {"Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError"}
    assert names >= {"IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError"}


@pytest.mark.parametrize("call", [call for _, call in CALLS], ids=[name for name, _ in CALLS])
def test_every_error_of_sqlite_becomes_ours(tmp_path, call):
    store = Opened(tmp_path / "index-1.db", Breakable)
    for error in ERRORS:
        store.connection.error = error("it broke")
        with pytest.raises(SearchUnavailable, match=r"index-1\.db' cannot be used just now: it broke") as raised:
            call(store)
        assert isinstance(raised.value.__cause__, error)
    store.connection.error = None
    store.database.close()


def test_no_other_error_is_taken_for_one_of_sqlite(tmp_path):
    with pytest.raises(ZeroDivisionError), map_errors(tmp_path):
        raise ZeroDivisionError


def fails(store: Opened) -> None:
    with store.database.change():
        store.writer.register("docs", "/docs")
        raise ZeroDivisionError


def test_a_transaction_that_fails_leaves_nothing_of_those_inside_it(store):
    with pytest.raises(ZeroDivisionError):
        fails(store)
    assert store.reader.sources() == {}
    assert store.database.edition() == 0


class Full:
    """A connection whose disk is full, while `is_full`, when a transaction ends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.is_full = True

    def __getattr__(self, name: str):
        return getattr(self._connection, name)

    def execute(self, statement: str, *values):
        if statement == "COMMIT" and self.is_full:
            raise sqlite3.OperationalError("database or disk is full")
        return self._connection.execute(statement, *values)


def test_a_commit_that_fails_does_not_leave_the_transaction_open(tmp_path):
    store = Opened(tmp_path / "index-1.db", Full)
    with closing(store.database):
        with pytest.raises(SearchUnavailable, match="disk is full"):
            store.writer.register("docs", "/docs")
        store.connection.is_full = False
        store.writer.register("other", "/other")
        assert store.reader.sources() == {"other": "/other"}


def test_a_document_that_cannot_be_stored_leaves_its_old_self(store):
    leave = document("docs/leave", LEAVE)
    replace(store, leave)
    changed = version(leave, TRAVEL)
    with pytest.raises(ValueError, match="zip"):
        store.writer.replace(changed, indexables(cut(changed)), terms=[], fingerprint="f")
    assert store.reader.document("docs/leave") == leave
    assert [each.text for each in store.reader.sections("docs/leave")] == [each.text for each in cut(leave)]


def test_the_vectors_of_blocks_go_with_the_passages_of_their_text(store):
    replace(store, document("docs/leave", CHECKLIST))
    store.writer.prune()
    (tokens,) = store.reader.tokens([1]).values()
    assert len(tokens.blocks) == 3
    replace(store, document("docs/leave", TRAVEL))
    store.writer.prune()
    with store.database.read() as connection:
        (kept,) = connection.execute("SELECT count(*) FROM tokens").fetchone()
    texts = len(cut(document("docs/leave", TRAVEL)))
    assert kept == texts * 3, "of each text, of its one block and of its heading"


def test_so_many_past_versions_are_kept_newest_first(store):
    made = [document("docs/leave", f"# Leave\n\nVersion {number}.") for number in range(VERSIONS_KEPT + 3)]
    for each in made:
        replace(store, each)
    kept = [store.reader.document("docs/leave", each.version) is not None for each in made]
    assert kept == [False, False] + [True] * (VERSIONS_KEPT + 1)


def test_a_version_that_comes_back_is_the_newest_again(store):
    first, second = document("docs/leave", LEAVE), document("docs/leave", TRAVEL)
    for each in (first, second, first):
        replace(store, each)
    assert store.reader.document("docs/leave") == first
    assert store.reader.document("docs/leave", second.version) is not None


def test_many_values_are_asked_for_in_several_statements(store):
    terms = [f"term{number}" for number in range(1201)]
    with store.database.transaction() as connection:
        connection.executemany("INSERT INTO vocabulary (term) VALUES (?)", [(term,) for term in terms])
    assert set(store.reader.term_ids([*terms, "unknown"])) == set(terms)
    with store.database.read() as connection:
        assert list(select(connection, "SELECT term FROM vocabulary WHERE term IN (*)", [])) == []


def test_the_edition_grows_with_documents_and_with_nothing_else(store):
    replace(store, document("docs/leave", LEAVE))
    edition = store.database.edition()
    store.writer.touch("docs/leave", "other")
    store.writer.register("docs", "/docs")
    store.writer.prune()
    assert store.database.edition() == edition
    store.writer.delete(["docs/leave"])
    assert store.database.edition() > edition


def test_a_file_that_must_exist_is_not_made(tmp_path: Path):
    with pytest.raises(SearchUnavailable):
        Database(tmp_path / "index-9.db")
    assert not (tmp_path / "index-9.db").exists()


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BLOCKS = st.builds(
    Block,
    st.sampled_from(["heading", "paragraph", "item", "row", "table-head", "code"]),
    st.integers(0, 9),
    st.integers(9, 20),
    st.integers(0, 6),
    TEXT,
    st.none() | st.integers(1, 9),
)
LINKS = st.lists(st.builds(Link, st.integers(0, 9), st.integers(9, 20), TEXT), max_size=3).map(tuple)
DOCUMENTS = st.builds(
    Document,
    id=TEXT,
    source=TEXT,
    title=TEXT,
    url=TEXT,
    version=TEXT,
    text=TEXT,
    blocks=st.lists(BLOCKS, max_size=3).map(tuple),
    audience=st.frozensets(TEXT, max_size=3),
    owner=TEXT,
    review=st.none() | st.just(date(2026, 11, 21)),
    modified=st.none() | st.just(datetime(2026, 11, 21, 6, 30, 1, 5, UTC)),
    superseded_by=TEXT,
    links=LINKS,
)


@given(DOCUMENTS)
def test_any_document_reads_back_from_its_record(made):
    record, audience = records.document_record(made), records.audience_record(made.audience)
    assert records.document_from(record, made.id, made.source, made.version, audience) == made


def test_a_record_of_before_successors_and_links_were_known_still_opens():
    record = (
        '{"title": "Leave", "url": "", "owner": "", "review": null, "modified": null, "text": "Body.", "blocks": []}'
    )
    read = records.document_from(record, "hr/leave.md", "hr", "v1", '["everyone"]')
    assert (read.title, read.superseded_by, read.links) == ("Leave", "", ())
    passage = '[["Leave"], "leave", "leave", "Body.", 0, 5, "Days"]'
    again = records.passage_from(passage, 0, "hr/leave.md", "v1", "Leave", "", '["everyone"]')
    assert (again.text, again.lead, again.links) == ("Body.", "Days", ())


def test_what_has_no_links_has_the_record_that_it_had_before():
    made = document("hr/leave.md", "# Leave\n\nBody.")
    assert "links" not in records.document_record(made)
    assert json.loads(records.passage_record(cut(made)[0])) == [["Leave"], "leave", "leave", "Body.", 7, 12, ""]


@given(
    st.builds(
        Passage,
        *[TEXT, st.integers(0, 99), st.lists(TEXT).map(tuple), TEXT, TEXT, TEXT],
        start=st.integers(),
        end=st.integers(),
        version=TEXT,
        title=TEXT,
        url=TEXT,
        audience=st.frozensets(TEXT),
        lead=TEXT,
        links=LINKS,
    )
)
def test_any_passage_reads_back_from_its_record(made):
    said = made.version, made.title, made.url, records.audience_record(made.audience)
    assert records.passage_from(records.passage_record(made), made.ordinal, made.document, *said) == made
