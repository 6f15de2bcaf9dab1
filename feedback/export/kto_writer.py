"""Writes answers with their labels in the order in which TRL's KTO must read them."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from feedback.curation.dataset import SPLITS, Example, RowOrigin, Split
from feedback.export.blob_file import BlobFile
from feedback.export.dataset_writer import DatasetWriter
from feedback.export.exchange_usage import ExchangeUsage
from feedback.export.formats import Format
from feedback.export.row_order import OrderKey, interleave_rows
from feedback.export.rows import encode_row, example_row
from feedback.export.token_lengths import RowLength
from feedback.texts.hashing import hash_to_number

# The reason of a row that would have to stand beside another one of its prompt.
BESIDE_OWN_PROMPT = "beside-its-own-prompt"


@dataclass(frozen=True, slots=True)
class _BufferedRow:
    """A row that is not written yet; its line and its origin lie at `start` in the file of blobs."""

    key: OrderKey
    start: int
    length: RowLength
    refusal: bool


class KtoWriter(DatasetWriter):
    """Keeps rows aside until all are known, then writes them interleaved."""

    def __init__(self, name: Format, folder: Path, *, work: Path, usage: ExchangeUsage, seed: str) -> None:
        super().__init__(name, folder, work=work, usage=usage)
        self._blobs = BlobFile(work / "kto")
        self._open.callback(self._blobs.close)
        self._seed = seed
        self._buffered: dict[Split, list[_BufferedRow]] = defaultdict(list)

    def buffer(self, example: Example, length: RowLength) -> None:
        """Take an answer, to be written by `write_buffered`."""
        line = encode_row(example_row(self.name, example))
        origin = example.origin
        names = [name.encode("utf-8", "surrogatepass") for name in (origin.exchange, origin.why, *origin.people)]
        key = OrderKey(
            example.label,
            self._draw(example.cluster),
            self._draw("\0".join(content for _, content in example.prompt)),
            self._draw(line.decode()),
        )
        start = self._blobs.add(line, len(names).to_bytes(4), *names)
        self._buffered[example.split].append(_BufferedRow(key, start, length, example.refusal))

    def write_buffered(self) -> None:
        """Write all rows that were taken; those for which there is no place are left out."""
        for split in SPLITS:
            rows = self._buffered.pop(split, [])
            order, homeless = interleave_rows([row.key for row in rows])
            for number in order:
                row = rows[number]
                line, origin = self._read(row.start)
                self.add(split, line, [origin], row.length, label=row.key.label, refusal=row.refusal)
            for number in homeless:
                _, origin = self._read(rows[number].start)
                self.leave_out([origin], BESIDE_OWN_PROMPT)

    def _draw(self, text: str) -> int:
        return hash_to_number(f"{self._seed}|{text}")

    def _read(self, start: int) -> tuple[bytes, RowOrigin]:
        line, count = self._blobs.read(start, 2)
        names = [name.decode("utf-8", "surrogatepass") for name in self._blobs.read_next(int.from_bytes(count))]
        return line, RowOrigin(names[0], names[1], tuple(names[2:]))
