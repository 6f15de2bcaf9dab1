"""Rows of answers to be written and not to be written, in the order in which KTO must read them."""

from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from feedback.curation.values import SPLITS, Example, Source, Split
from feedback.export.dataset_writer import Held, Shelf, Spool
from feedback.export.row_order import Place, interleaved
from feedback.export.rows import encoded, example_row
from feedback.export.values import Format

# A row that would have to stand beside another one of its prompt.
NO_PLACE = "beside-its-own-prompt"


@dataclass(frozen=True, slots=True)
class _Waiting:
    place: Place
    begin: int
    length: tuple[int, int]
    refusal: bool


class KtoShelf(Shelf):
    """Keeps rows aside until all are known, then writes them interleaved."""

    def __init__(
        self, name: Format, folder: Path, lineage: Path, *, used: set[str], held: Held, spool: Path, seed: str
    ) -> None:
        super().__init__(name, folder, lineage, used=used, held=held)
        self._spool = Spool(spool)
        self._open.callback(self._spool.close)
        self._seed = seed
        self._waiting: dict[Split, list[_Waiting]] = defaultdict(list)

    def keep(self, example: Example, length: tuple[int, int]) -> None:
        """Take a row, to be written by `settle`."""
        line = encoded(example_row(self.name, example))
        source = example.source
        names = [part.encode("utf-8", "surrogatepass") for part in (source.exchange, source.why, *source.people)]
        place = Place(
            example.label,
            _number(self._seed, example.cluster),
            _number(self._seed, "\0".join(content for _, content in example.prompt)),
            _number(self._seed, line.decode()),
        )
        begin = self._spool.add(line, len(names).to_bytes(4), *names)
        self._waiting[example.split].append(_Waiting(place, begin, length, example.refusal))

    def settle(self) -> list[str]:
        """Write all rows; tells the exchanges of those for which there was no place."""
        homeless = []
        for split in SPLITS:
            rows = self._waiting.pop(split, [])
            order, left = interleaved([row.place for row in rows])
            for number in order:
                row = rows[number]
                line, source = self._read(row.begin)
                self.write(split, line, [source])
                self.note(split, row.length, label=row.place.label, refusal=row.refusal)
            for number in left:
                self.leave(NO_PLACE)
                homeless.append(self._read(rows[number].begin)[1].exchange)
        return homeless

    def _read(self, begin: int) -> tuple[bytes, Source]:
        line, count = self._spool.read(begin, 2)
        names = [part.decode("utf-8", "surrogatepass") for part in self._spool.more(int.from_bytes(count))]
        return line, Source(names[0], names[1], tuple(names[2:]))


def _number(seed: str, text: str) -> int:
    return int.from_bytes(sha256(f"{seed}|{text}".encode("utf-8", "surrogatepass")).digest()[:8])
