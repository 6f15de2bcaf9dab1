"""What a search needs of the store, in memory and immutable, as of one transaction."""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.local.lexicon import FIELDS, TEXT, Lexicon, Scope, blocks, from_flat, scope
from retrieval.local.store import Store
from retrieval.recipe import Recipe

# A word in the title of a document says more of the whole than one in the title of a passage says of it.
DOCUMENT_TITLE_WEIGHT = 5.0


@dataclass(frozen=True, slots=True)
class Readable:
    """The part of a snapshot that some audience may read, with its statistics."""

    mask: NDArray[np.bool_]
    passages: Scope
    blocks: Scope
    crowded: bool


class Snapshot:
    """Passages in reading order, document by document; row i of every array is passage `ids[i]`."""

    def __init__(
        self,
        *,
        ids: NDArray[np.int64],
        document: NDArray[np.int32],
        documents: list[str],
        audiences: list[frozenset[str]],
        text: NDArray[np.float32],
        headings: NDArray[np.float32],
        heading: NDArray[np.int32],
        lexicon: Lexicon,
    ) -> None:
        self.ids, self.document, self.documents, self.audiences = ids, document, documents, audiences
        self.text, self.headings, self.heading, self.lexicon = text, headings, heading, lexicon
        self.readable = lru_cache(maxsize=64)(self._readable)

    @cached_property
    def row_of(self) -> dict[int, int]:
        """Row by passage id."""
        return {int(key): row for row, key in enumerate(self.ids)}

    @cached_property
    def _blocks(self) -> NDArray[np.int32]:
        return blocks(self.document, self.lexicon.lengths[:, TEXT].astype(int))

    @cached_property
    def _opens_block(self) -> NDArray[np.bool_]:
        return np.diff(self._blocks, prepend=-1) > 0

    @cached_property
    def _block_lengths(self) -> NDArray[np.float64]:
        count = int(self._blocks.max(initial=-1)) + 1
        counted = self.lexicon.lengths.copy()
        counted[~self._opens_block, TEXT + 1 :] = 0
        lengths = np.zeros((count, FIELDS))
        np.add.at(lengths, self._blocks, counted)
        return lengths

    def _readable(self, audiences: frozenset[str], recipe: Recipe) -> Readable:
        opened = np.array([bool(words & audiences) for words in self.audiences], bool)
        mask = opened[self.document] if len(self.document) else np.zeros(0, bool)
        rows = np.arange(len(self.ids), dtype=np.int32)
        return Readable(
            mask=mask,
            passages=scope(np.where(mask, rows, -1), self.lexicon.lengths, (1.0, recipe.title, recipe.headings)),
            blocks=scope(
                np.where(mask, self._blocks, -1),
                self._block_lengths,
                (1.0, DOCUMENT_TITLE_WEIGHT, 0.0),
                once=self._opens_block,
            ),
            crowded=bool(mask.sum() > 1.5 * max(1, opened.sum())),
        )

    @property
    def block_of(self) -> NDArray[np.int32]:
        """Block of consecutive passages of one document, by row."""
        return self._blocks


def load(store: Store, dimensions: int) -> Snapshot:
    """Read one consistent snapshot of the store."""
    with store.transaction("DEFERRED") as connection:
        documents = connection.execute("SELECT id, document, audience FROM documents ORDER BY document").fetchall()
        number = {row[0]: index for index, row in enumerate(documents)}
        rows = connection.execute("SELECT id, document, ordinal, text_key, heading_key, lengths, terms FROM passages").fetchall()
        rows.sort(key=lambda row: (number[row[1]], row[2]))
        text = _matrix(connection, [row[3] for row in rows], dimensions)
        unique = list(dict.fromkeys(row[4] for row in rows))
        headings = _matrix(connection, unique, dimensions)
    heading_row = {key: index for index, key in enumerate(unique)}
    lengths = np.frombuffer(b"".join(row[5] for row in rows), np.int32).reshape(-1, FIELDS).astype(np.int64)
    return Snapshot(
        ids=np.array([row[0] for row in rows], np.int64),
        document=np.array([number[row[1]] for row in rows], np.int32),
        documents=[row[1] for row in documents],
        audiences=[frozenset(json.loads(row[2])) for row in documents],
        text=text,
        headings=headings,
        heading=np.array([heading_row[row[4]] for row in rows], np.int32),
        lexicon=from_flat(np.frombuffer(b"".join(row[6] for row in rows), np.int32), lengths),
    )


def _matrix(connection: Any, keys: list[bytes], dimensions: int) -> NDArray[np.float32]:
    row_of: dict[bytes, list[int]] = {}
    for row, key in enumerate(keys):
        row_of.setdefault(key, []).append(row)
    matrix = np.zeros((len(keys), dimensions), np.float32)
    for key, vector in connection.execute("SELECT key, vector FROM vectors"):
        if key in row_of:
            matrix[row_of[key]] = np.frombuffer(vector, np.float32)
    return matrix
