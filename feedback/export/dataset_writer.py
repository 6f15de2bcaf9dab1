"""Files of an export while they are written: one for each split, and for every row where it comes from."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from feedback.curation.values import SPLITS, Source, Split
from feedback.export.rows import Row, encoded
from feedback.export.token_lengths import Lengths
from feedback.export.values import Format

DIGEST = 32


class Lines:
    """A file of lines; knows how many there are."""

    def __init__(self, path: Path, *, head: bytes = b"") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("wb")
        self.rows = 0
        if head:
            self._file.write(head + b"\n")

    def add(self, line: bytes) -> int:
        """Write a line and tell its number, from 0."""
        self._file.write(line + b"\n")
        self.rows += 1
        return self.rows - 1

    def close(self) -> None:
        self._file.close()


class Held:
    """By person (keyed hash) the sha256 of the rows that hold something of theirs, in few bytes."""

    def __init__(self) -> None:
        self._digests: dict[str, bytearray] = defaultdict(bytearray)

    def add(self, digest: bytes, sources: Iterable[Source]) -> None:
        for person in sorted({person for source in sources for person in source.people if person}):
            self._digests[person] += digest

    def rows(self) -> Mapping[str, Iterable[str]]:
        """As `ExportRegistry.register_export` takes it."""
        return {person: _hexes(digests) for person, digests in sorted(self._digests.items())}


def _hexes(digests: bytearray) -> Iterator[str]:
    for start in range(0, len(digests), DIGEST):
        yield digests[start : start + DIGEST].hex()


class Shelf:
    """One format while it is written; `used` gets every exchange that a row comes from."""

    def __init__(self, name: Format, folder: Path, lineage: Path, *, used: set[str], held: Held) -> None:
        self.name = name
        self.came = 0
        self.left_out: Counter[str] = Counter()
        self.labels: dict[Split, Counter[bool]] = {split: Counter() for split in SPLITS}
        self.refusals = 0
        self.ratios: list[float] = []
        self.lengths = Lengths()
        self._used = used
        self._held = held
        self._open = ExitStack()
        self._lineage = self._opened(lineage)
        self._splits = self._files(folder / name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def leave(self, reason: str) -> None:
        """Count a row that the format cannot use."""
        self.left_out[reason] += 1

    def note(self, split: Split, length: tuple[int, int], *, label: bool = True, refusal: bool = False) -> None:
        """Count what a row that is written is like; `length` is that of its prompt and of all of it."""
        self.labels[split][label] += 1
        self.refusals += label and refusal
        self.lengths.add(prompt=length[0], whole=length[1])

    @property
    def rows(self) -> Mapping[str, int]:
        """How many there are in each split."""
        return {split: lines.rows for split, lines in self._splits.items()}

    def write(self, split: Split, line: bytes, sources: Iterable[Source]) -> None:
        """Add a row, and where it comes from."""
        sources = tuple(sources)
        digest = sha256(line).digest()
        number = self._splits[split].add(line)
        self._held.add(digest, sources)
        for source in sources:
            self._used.add(source.exchange)
            self._lineage.add(
                encoded(
                    {
                        "format": self.name,
                        "split": self.file_of(split),
                        "row": number,
                        "sha256": digest.hex(),
                        "exchange": source.exchange,
                        "why": source.why,
                    }
                )
            )

    def file_of(self, split: Split) -> str:
        """The name of the split's file, without its ending."""
        return split

    def add(self, split: Split, row: Row, sources: Iterable[Source]) -> None:
        self.write(split, encoded(row), sources)

    def _opened(self, path: Path, *, head: bytes = b"") -> Lines:
        lines = Lines(path, head=head)
        self._open.callback(lines.close)
        return lines

    def _files(self, folder: Path) -> dict[Split, Lines]:
        return {split: self._opened(folder / f"{split}.jsonl") for split in SPLITS}


class BeirShelf(Shelf):
    """BEIR's layout: sections and questions once, and tables of which answers which, called train, dev and test."""

    def _files(self, folder: Path) -> dict[Split, Lines]:
        self._corpus = self._opened(folder / "corpus.jsonl")
        self._queries = self._opened(folder / "queries.jsonl")
        head = b"query-id\tcorpus-id\tscore"
        return {split: self._opened(folder / "qrels" / f"{self.file_of(split)}.tsv", head=head) for split in SPLITS}

    def file_of(self, split: Split) -> str:
        return "dev" if split == "validation" else split

    def section(self, row: Row) -> None:
        self._corpus.add(encoded(row))

    def query(self, row: Row) -> None:
        self._queries.add(encoded(row))


class Spool:
    """Blobs in a file that is gone afterwards, read back by where they begin."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._end = 0

    def add(self, *parts: bytes) -> int:
        """Keep the parts; tells where they begin."""
        begin = self._end
        for part in parts:
            self._end += self._file.write(len(part).to_bytes(8) + part)
        return begin

    def read(self, begin: int, parts: int) -> list[bytes]:
        """The first parts of what begins there."""
        self._file.seek(begin)
        return self.more(parts)

    def more(self, parts: int) -> list[bytes]:
        """The parts that follow."""
        return [self._file.read(int.from_bytes(self._file.read(8))) for _ in range(parts)]

    def close(self) -> None:
        self._file.close()
