"""Writes one format of an export: a file for each split, and for every row where it comes from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Self

from feedback.curation.dataset import SPLITS, RowOrigin, Split
from feedback.export.exchange_usage import ExchangeUsage
from feedback.export.formats import Format
from feedback.export.line_file import LineFile
from feedback.export.rows import Row, encode_row
from feedback.export.token_lengths import RowLength, TokenLengths


class DatasetWriter:
    """The files of one format below `folder`, its lineage below `work`, and what the manifest says of its rows.

    `offered` counts the curated rows that came, `left_out` by reason those that the format cannot use. `usage` learns
    which exchanges are in rows. Closed as a context manager; the counts stay.
    """

    def __init__(self, name: Format, folder: Path, *, work: Path, usage: ExchangeUsage) -> None:
        self.name = name
        self.offered = 0
        self.left_out: Counter[str] = Counter()
        self.labels: dict[Split, Counter[bool]] = {split: Counter() for split in SPLITS}
        self.refusals = 0
        self.length_ratios: list[float] = []
        self.lengths = TokenLengths()
        self._usage = usage
        self._open = ExitStack()
        self._lineage = self._open_file(lineage_part(work, name))
        self._splits = self._open_splits(folder / name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def rows(self) -> Mapping[str, int]:
        """How many rows there are in each split."""
        return {split: file.count for split, file in self._splits.items()}

    @property
    def total_rows(self) -> int:
        """How many rows there are in all splits."""
        return sum(self.rows.values())

    def leave_out(self, origins: Sequence[RowOrigin], reason: str) -> None:
        """Count a row that the format cannot use, and remember why its exchanges are not in it."""
        self.left_out[reason] += 1
        for origin in origins:
            self._usage.record_flaw(origin.exchange, reason)

    def add(
        self,
        split: Split,
        row: Row | bytes,
        origins: Sequence[RowOrigin],
        length: RowLength,
        *,
        label: bool = True,
        refusal: bool = False,
    ) -> None:
        """Write a row (or a line that is encoded already) with its lineage, and count what it is like."""
        line = row if isinstance(row, bytes) else encode_row(row)
        digest = sha256(line).digest()
        number = self._splits[split].add(line)
        self._usage.record_row(origins, digest=digest)
        for origin in origins:
            self._lineage.add(
                encode_row(
                    {
                        "format": self.name,
                        "split": self.split_name(split),
                        "row": number,
                        "sha256": digest.hex(),
                        "exchange": origin.exchange,
                        "why": origin.why,
                    }
                )
            )
        self.labels[split][label] += 1
        self.refusals += label and refusal
        self.lengths.add(length)

    def split_name(self, split: Split) -> str:
        """Return the name of the split's file, without its ending."""
        return split

    def _open_file(self, path: Path, *, head: bytes = b"") -> LineFile:
        file = LineFile(path, head=head)
        self._open.callback(file.close)
        return file

    def _open_splits(self, folder: Path) -> dict[Split, LineFile]:
        return {split: self._open_file(folder / f"{split}.jsonl") for split in SPLITS}


def lineage_part(work: Path, name: Format) -> Path:
    """Return the file that holds the lineage of one format while rows are written."""
    return work / f"lineage-{name}.jsonl"
