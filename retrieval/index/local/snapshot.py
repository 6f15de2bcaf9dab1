"""Everything a search reads of one generation, in memory and immutable, as of one transaction."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from retrieval.index.local.database import Database, select
from retrieval.index.local.records import audience_from
from retrieval.index.local.term_index import NOWHERE, Scope, TermIndex, scope, term_index, with_gaps
from retrieval.ranking.bm25 import CROWDED, DOCUMENT_TITLE_WEIGHT, FIELDS, TEXT, Ints, blocks
from retrieval.ranking.configuration import RankingConfiguration

# Audiences whose statistics are kept ready; at 100,000 passages each takes some 8 MB.
AUDIENCES_KEPT = 16

# From so many vectors on, one scan of the table is quicker than a look-up of each.
SCANNED_FROM = 5000

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ReadablePart:
    """The part of a snapshot that an audience may read, with its statistics; `mask` has shape (rows,)."""

    mask: NDArray[np.bool_]
    passages: Scope
    blocks: Scope
    crowded: bool


class Snapshot:
    """Passages in reading order, document by document; row i of every array is passage `ids[i]`.

    `document[i]` is a place in `documents` and `audiences`, `text[i]` the text's vector, `headings[heading[i]]` that of
    the heading; `heading_keys` are the keys of the headings' texts.
    """

    def __init__(
        self,
        *,
        edition: int,
        ids: NDArray[np.int64],
        document: Ints,
        documents: Sequence[str],
        audiences: Sequence[frozenset[str]],
        text: Matrix,
        headings: Matrix,
        heading: Ints,
        heading_keys: Sequence[bytes],
        terms: TermIndex,
    ) -> None:
        self.edition, self.ids, self.document, self.documents = edition, ids, document, documents
        self.audiences, self.text, self.terms = audiences, text, terms
        self.headings, self.heading, self.heading_keys = headings, heading, heading_keys
        self._words = frozenset[str]().union(*audiences)
        self._parts: dict[tuple[frozenset[str], float, float], ReadablePart] = {}

    @cached_property
    def block_of(self) -> Ints:
        """The block of consecutive passages of one document that each row belongs to."""
        return blocks(self.document.tolist(), self.terms.lengths[:, TEXT].tolist())

    @cached_property
    def _opens_block(self) -> NDArray[np.bool_]:
        return np.diff(self.block_of, prepend=-1) > 0

    @cached_property
    def _block_lengths(self) -> NDArray[np.int64]:
        counted = self.terms.lengths.copy()
        counted[~self._opens_block, TEXT + 1 :] = 0
        lengths = np.zeros((int(self.block_of.max(initial=-1)) + 1, FIELDS), np.int64)
        np.add.at(lengths, self.block_of, counted)
        return lengths

    def readable(self, audiences: frozenset[str], configuration: RankingConfiguration) -> ReadablePart:
        """The part that these audience words open, with statistics for the field weights of this configuration."""
        key = audiences & self._words, configuration.title, configuration.headings
        found = self._parts.get(key)
        if found is None:
            found = self._part(*key)
            if len(self._parts) >= AUDIENCES_KEPT:
                self._parts.pop(next(iter(self._parts)), None)
            self._parts[key] = found
        return found

    def _part(self, audiences: frozenset[str], title: float, headings: float) -> ReadablePart:
        opened = np.array([bool(words & audiences) for words in self.audiences], bool)
        mask = opened[self.document]
        rows = np.arange(len(self.ids), dtype=np.int32)
        return ReadablePart(
            mask=mask,
            passages=scope(rows, self.terms.lengths, (1.0, title, headings), readable=mask),
            blocks=scope(
                self.block_of,
                self._block_lengths,
                (1.0, DOCUMENT_TITLE_WEIGHT, 0.0),
                readable=mask,
                once=self._opens_block,
            ),
            crowded=bool(mask.sum() > CROWDED * max(1, opened.sum())),
        )


def empty() -> Snapshot:
    """A snapshot without passages, from which `load` can start."""
    return Snapshot(
        edition=-1,
        ids=np.zeros(0, np.int64),
        document=NOWHERE,
        documents=(),
        audiences=(),
        text=np.zeros((0, 0), np.float32),
        headings=np.zeros((0, 0), np.float32),
        heading=NOWHERE,
        heading_keys=(),
        terms=term_index(NOWHERE, np.zeros((0, FIELDS), np.int64)),
    )


@dataclass(frozen=True, slots=True)
class NewPassages:
    """Columns of the passages that an earlier snapshot does not hold, by id."""

    text_keys: Mapping[int, bytes]
    heading_keys: Mapping[int, bytes]
    lengths: Mapping[int, bytes]
    terms: Mapping[int, bytes]


def load(database: Database, earlier: Snapshot, *, scanned_from: int = SCANNED_FROM) -> Snapshot:
    """One consistent snapshot of a file; what `earlier` holds of the same file already is not read again."""
    with database.read() as connection:
        edition = database.edition()
        documents = connection.execute("SELECT id, document, audience FROM documents ORDER BY document").fetchall()
        ids, document = _reading_order(connection, [row[0] for row in documents])
        before = _rows_in(earlier.ids, ids)
        added = _added(connection, int(earlier.ids.max(initial=0)))
        text = _text(connection, earlier, ids, before, added, scanned_from=scanned_from)
        heading, headings, heading_keys = _headings(connection, earlier, ids, before, added, scanned_from=scanned_from)
        return Snapshot(
            edition=edition,
            ids=ids,
            document=document,
            documents=[row[1] for row in documents],
            audiences=[audience_from(row[2]) for row in documents],
            text=text,
            headings=headings,
            heading=heading,
            heading_keys=heading_keys,
            terms=_terms(earlier.terms, ids, before, added),
        )


def _reading_order(connection: sqlite3.Connection, documents: Sequence[int]) -> tuple[NDArray[np.int64], Ints]:
    """Passage ids in reading order, and the place of each one's document in `documents`."""
    rows = connection.execute("SELECT id, document, ordinal FROM passages").fetchall()
    ids, document, ordinal = np.array(rows, np.int64).reshape(-1, 3).T
    by_id = np.argsort(documents)
    place = by_id[np.searchsorted(np.array(documents, np.int64), document, sorter=by_id)]
    order = np.lexsort((ordinal, place))
    return ids[order], place[order].astype(np.int32)


def _rows_in(earlier: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row of each passage in an earlier snapshot, -1 for a new one; a passage with an id never changes."""
    if not len(earlier):
        return np.full(len(ids), -1)
    by_id = np.argsort(earlier)
    found = by_id[np.minimum(np.searchsorted(earlier, ids, sorter=by_id), len(earlier) - 1)]
    return np.where(earlier[found] == ids, found, -1)


def _added(connection: sqlite3.Connection, newest: int) -> NewPassages:
    """Passages above the newest known id: ids are never used twice."""
    query = "SELECT id, text_key, heading_key, lengths, terms FROM passages WHERE id > ?"
    rows = connection.execute(query, (newest,)).fetchall()
    columns = [{row[0]: row[column] for row in rows} for column in range(1, 5)]
    return NewPassages(*columns)


def _runs(before: NDArray[np.int64]) -> Iterator[tuple[slice, slice | None]]:
    """Runs of rows with the rows that they were in the earlier snapshot; runs of new rows, with None."""
    step = np.where((before[:-1] < 0) | (before[1:] < 0), 0, 1)
    cuts = np.flatnonzero(np.diff(before) != step) + 1
    for start, stop in zip([0, *cuts.tolist()], [*cuts.tolist(), len(before)], strict=True):
        first = int(before[start]) if start < stop else -1
        yield slice(start, stop), slice(first, first + stop - start) if first >= 0 else None


def _text(
    connection: sqlite3.Connection,
    earlier: Snapshot,
    ids: NDArray[np.int64],
    before: NDArray[np.int64],
    added: NewPassages,
    *,
    scanned_from: int,
) -> Matrix:
    """The text vector of each row."""
    wanted: dict[bytes, list[int]] = {}
    for row in np.flatnonzero(before < 0).tolist():
        wanted.setdefault(added.text_keys[int(ids[row])], []).append(row)
    text = np.zeros((len(ids), _width(connection)), np.float32)
    for rows, old in _runs(before):
        if old:
            text[rows] = earlier.text[old]
    for key, vector in _vectors(connection, list(wanted), scanned_from=scanned_from):
        text[wanted[key]] = vector
    return text


def _headings(
    connection: sqlite3.Connection,
    earlier: Snapshot,
    ids: NDArray[np.int64],
    before: NDArray[np.int64],
    added: NewPassages,
    *,
    scanned_from: int,
) -> tuple[Ints, Matrix, list[bytes]]:
    """The place of each row's heading, the vectors of all headings, and their keys."""
    kept = np.unique(earlier.heading[before[before >= 0]])
    old = [earlier.heading_keys[row] for row in kept.tolist()]
    keys = list(dict.fromkeys([*old, *added.heading_keys.values()]))
    place = {key: row for row, key in enumerate(keys)}
    headings = np.zeros((len(keys), _width(connection)), np.float32)
    if old:
        headings[: len(old)] = earlier.headings[kept]
    for key, vector in _vectors(connection, keys[len(old) :], scanned_from=scanned_from):
        headings[place[key]] = vector
    moved = np.array([place.get(key, -1) for key in earlier.heading_keys], np.int32)
    heading = np.empty(len(ids), np.int32)
    new = before < 0
    heading[~new] = moved[earlier.heading[before[~new]]]
    heading[new] = [place[added.heading_keys[key]] for key in ids[new].tolist()]
    return heading, headings, keys


def _width(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT length(vector) FROM vectors LIMIT 1").fetchone()
    return row[0] // 4 if row else 0


def _vectors(
    connection: sqlite3.Connection, keys: Sequence[bytes], *, scanned_from: int
) -> Iterator[tuple[bytes, Matrix]]:
    """The vectors of these texts by key, in no order."""
    if len(keys) > scanned_from:
        wanted = set(keys)
        rows = (row for row in connection.execute("SELECT key, vector FROM vectors") if row[0] in wanted)
        yield from ((key, np.frombuffer(vector, np.float32)) for key, vector in rows)
        return
    for key, vector in select(connection, "SELECT key, vector FROM vectors WHERE key IN (*)", keys):
        yield key, np.frombuffer(vector, np.float32)


def _terms(earlier: TermIndex, ids: NDArray[np.int64], before: NDArray[np.int64], added: NewPassages) -> TermIndex:
    starts = np.concatenate([[0], np.cumsum((earlier.lengths + 1).sum(axis=1))])
    lengths: list[NDArray[np.int64]] = []
    flat: list[Ints] = []
    for rows, old in _runs(before):
        if old:
            lengths.append(earlier.lengths[old])
            flat.append(earlier.flat[starts[old.start] : starts[old.stop]])
        else:
            keys = ids[rows].tolist()
            lengths.append(_numbers(added.lengths, keys).reshape(-1, FIELDS).astype(np.int64))
            flat.append(with_gaps(_numbers(added.terms, keys), lengths[-1]))
    return term_index(np.concatenate(flat), np.concatenate(lengths))


def _numbers(blobs: Mapping[int, bytes], keys: Sequence[int]) -> Ints:
    return np.frombuffer(b"".join(blobs[key] for key in keys), np.int32)
