"""What an export is asked for, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feedback.export.formats import FORMATS, ROW_KINDS, Format, RowKind


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is to be written. `settings` are those that the rows were chosen by, for the manifest alone.

    `tool` names the version that writes. `tokenizer` is the folder of the one that lengths are counted with; without
    it they are estimates. `recognisers` are the kinds of personal data that were looked for. What is drawn is drawn
    from `seed`.
    """

    formats: tuple[Format, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    tool: str = ""
    language: str = ""
    tokenizer: Path | None = None
    recognisers: tuple[str, ...] = ()
    seed: str = "footnote"

    @property
    def ordered_formats(self) -> tuple[Format, ...]:
        """Each format once, in the order of FORMATS, so that the order in which they are named changes nothing."""
        return tuple(name for name in FORMATS if name in self.formats)

    def formats_of(self, kind: RowKind) -> tuple[Format, ...]:
        """Return the formats that are made of this kind of row."""
        return tuple(name for name in self.ordered_formats if ROW_KINDS[name] == kind)


@dataclass(frozen=True, slots=True)
class ExportResult:
    """An export that was written: its id in the registry, its folder, and what its manifest says."""

    id: str
    place: Path
    manifest: Mapping[str, Any]
