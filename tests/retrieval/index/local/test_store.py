"""The store of record: rows that read back as they were, transactions that are whole, errors that are ours."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import SearchUnavailable
from retrieval.index.generations import IndexFingerprint
from retrieval.index.local import records
from retrieval.index.local.connection import mapped, select
from retrieval.index.local.schema import SCHEMA_VERSION
from retrieval.index.local.store import VERSIONS_KEPT, Store
from retrieval.passages import Block, Document, Passage
from tests.retrieval.samples import LEAVE, TRAVEL, cut, document, indexables, version

MADE = IndexFingerprint(SCHEMA_VERSION, "fake/64", "english-1")
ERRORS = sorted(
    (each for each in vars(sqlite3).values() if isinstance(each, type) and issubclass(each, Exception)),
    key=lambda each: each.__name__,
)


class Broken:
    """A connection that raises whatever is asked of it."""

    in_transaction = False

    def __init__(self, error: Exception) -> None:
        self._error = error

    def execute(self, *_: object) -> None:
        raise self._error

    executemany = execute

    def close(self) -> None:
        raise self._error


@pytest.fixture
def store(tmp_path):
    with closing(Store.create(tmp_path / "index-1.db", MADE)) as store:
        yield store


def replace(store: Store, made: Document) -> None:
    passages = cut(made)
    terms = [[each.text.split(), [], []] for each in passages]
    store.replace(made, indexables(passages), terms, "f")


CALLS = [
    ("close", lambda store: store.close()),
    ("settle", lambda store: store.settle()),
    ("edition", lambda store: store.edition()),
    ("sources", lambda store: store.sources()),
    ("register", lambda store: store.register("docs", "/docs")),
    ("forget", lambda store: store.forget("docs")),
    ("stored", lambda store: store.stored("docs")),
    ("skips", lambda store: store.skips("docs")),
    ("set_fingerprint", lambda store: store.set_fingerprint("docs/a", "f")),
    ("delete", lambda store: store.delete(["docs/a"])),
    ("prune", lambda store: store.prune()),
    ("known_ids", lambda store: store.known_ids(["term"])),
    ("vectors", lambda store: store.vectors([b"key"])),
    ("tokens", lambda store: store.tokens([1])),
    ("passages", lambda store: store.passages([1])),
    ("sections", lambda store: store.sections("docs/a")),
    ("document", lambda store: store.document("docs/a")),
    ("counts", lambda store: store.counts()),
]


def test_sqlite_has_the_errors_that_we_know_of():
    names = {each.__name__ for each in ERRORS}
    assert names >= {"Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError"}
    assert names >= {"IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError"}


@pytest.mark.parametrize("call", [call for _, call in CALLS], ids=[name for name, _ in CALLS])
def test_every_error_of_sqlite_becomes_ours(store, monkeypatch, call):
    for error in ERRORS:
        with monkeypatch.context() as patch:
            patch.setattr(store, "_connection", Broken(error("it broke")))
            with pytest.raises(SearchUnavailable, match=r"index-1\.db' cannot be used just now: it broke") as raised:
                call(store)
            assert isinstance(raised.value.__cause__, error)


def test_no_other_error_is_taken_for_one_of_sqlite(tmp_path):
    with pytest.raises(ZeroDivisionError), mapped(tmp_path):
        raise ZeroDivisionError


def fails(store: Store) -> None:
    with store.changing():
        store.register("docs", "/docs")
        raise ZeroDivisionError


def test_a_transaction_that_fails_leaves_nothing_of_those_inside_it(store):
    with pytest.raises(ZeroDivisionError):
        fails(store)
    assert store.sources() == {}
    assert store.edition() == 0


class RefusesToCommit:
    """A connection whose disk is full when the transaction ends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str):
        return getattr(self._connection, name)

    def execute(self, statement: str, *values):
        if statement == "COMMIT":
            raise sqlite3.OperationalError("database or disk is full")
        return self._connection.execute(statement, *values)


def test_a_commit_that_fails_does_not_leave_the_transaction_open(store, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(store, "_connection", RefusesToCommit(store._connection))
        with pytest.raises(SearchUnavailable, match="disk is full"):
            store.register("docs", "/docs")
    store.register("other", "/other")
    assert store.sources() == {"other": "/other"}


def test_a_document_that_cannot_be_stored_leaves_its_old_self(store):
    leave = document("docs/leave", LEAVE)
    replace(store, leave)
    changed = version(leave, TRAVEL)
    with pytest.raises(ValueError, match="zip"):
        store.replace(changed, indexables(cut(changed)), [], "f")
    assert store.document("docs/leave") == leave
    assert [each.text for each in store.sections("docs/leave")] == [each.text for each in cut(leave)]


def test_so_many_past_versions_are_kept_newest_first(store):
    made = [document("docs/leave", f"# Leave\n\nVersion {number}.") for number in range(VERSIONS_KEPT + 3)]
    for each in made:
        replace(store, each)
    kept = [store.document("docs/leave", each.version) is not None for each in made]
    assert kept == [False, False] + [True] * (VERSIONS_KEPT + 1)


def test_a_version_that_comes_back_is_the_newest_again(store):
    first, second = document("docs/leave", LEAVE), document("docs/leave", TRAVEL)
    for each in (first, second, first):
        replace(store, each)
    assert store.document("docs/leave") == first
    assert store.document("docs/leave", second.version) is not None


def test_many_values_are_asked_for_in_several_statements(store):
    terms = [f"term{number}" for number in range(1201)]
    with store.transaction() as connection:
        connection.executemany("INSERT INTO vocabulary (term) VALUES (?)", [(term,) for term in terms])
    assert set(store.known_ids([*terms, "unknown"])) == set(terms)
    with store.reading() as connection:
        assert list(select(connection, "SELECT term FROM vocabulary WHERE term IN (*)", [])) == []


def test_the_edition_grows_with_documents_and_with_nothing_else(store):
    replace(store, document("docs/leave", LEAVE))
    edition = store.edition()
    store.set_fingerprint("docs/leave", "other")
    store.register("docs", "/docs")
    store.prune()
    assert store.edition() == edition
    store.delete(["docs/leave"])
    assert store.edition() > edition


def test_a_file_that_must_exist_is_not_made(tmp_path: Path):
    with pytest.raises(SearchUnavailable):
        Store(tmp_path / "index-9.db")
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
)


@given(DOCUMENTS)
def test_any_document_reads_back_from_its_record(made):
    record, audience = records.document_record(made), records.audience_record(made.audience)
    assert records.document_from(record, made.id, made.source, made.version, audience) == made


def test_a_record_of_before_successors_were_known_still_opens():
    record = (
        '{"title": "Leave", "url": "", "owner": "", "review": null, "modified": null, "text": "Body.", "blocks": []}'
    )
    read = records.document_from(record, "hr/leave.md", "hr", "v1", '["everyone"]')
    assert (read.title, read.superseded_by) == ("Leave", "")


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
    )
)
def test_any_passage_reads_back_from_its_record(made):
    said = made.version, made.title, made.url, records.audience_record(made.audience)
    assert records.passage_from(records.passage_record(made), made.ordinal, made.document, *said) == made
