"""Makes an export: rows, lineage, what was left out, recipes, the card, and the manifest that vouches for them."""

import gc
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any

from feedback.curation.values import Curated
from feedback.errors import ExportRefused
from feedback.export.card import card
from feedback.export.dataset_writer import Shelf
from feedback.export.folder import KIND, replacing
from feedback.export.readiness import described, missing
from feedback.export.recipes import recipes
from feedback.export.row_writer import Desk, opened, write_lineage, write_rejected, write_rows
from feedback.export.token_lengths import counted, estimated
from feedback.export.values import CARD, FORMATS, MANIFEST, SCHEMA, ExportRequest, ExportResult, Format, Progress
from feedback.records import Export
from feedback.stores.protocol import ExportRegistry


def make(
    curate: Callable[[Path], Curated],
    wanted: ExportRequest,
    place: Path,
    *,
    store: ExportRegistry,
    name: str,
    at: datetime,
    force: bool = False,
    progress: Progress = lambda stage, done, total: None,
) -> ExportResult:
    """Write an export to this folder, whole or not at all, and register it in the store under this name.

    `curate` gets a folder for what is only needed meanwhile. Equal rows and wishes give equal bytes in every file.
    Raises `ExportRefused`, with what is missing, for too few rows or a folder that may not be written to.
    """
    wanted = _in_order(wanted)
    count = counted(wanted.tokenizer) if wanted.tokenizer else estimated
    with _uncollected(), replacing(place, force=force) as (folder, work, publish):
        curated = curate(work)
        desk = Desk(curated, wanted, folder, work, count, progress)
        with opened(desk) as shelves:
            write_rows(desk, shelves)
            _refuse_too_few(shelves)
        write_lineage(desk)
        manifest = _facts(desk, shelves, write_rejected(desk))
        _finish(folder, manifest)
        rows = sum(sum(shelf.rows.values()) for shelf in shelves.values())
        # Registered first: one that is listed and was never put in its place harms nobody, one that is not listed
        # would keep a person's rows when they are to be forgotten.
        store.register_export(Export(name, at, str(place.absolute()), rows), desk.held.rows())
        publish()
    return ExportResult(name, place, manifest)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the search for cycles: what is read stays, or is gone at once, and the search costs an eighth more."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _in_order(wanted: ExportRequest) -> ExportRequest:
    """Each format once, in the order of the list of all: what is asked for twice or turned round is the same."""
    return replace(wanted, formats=tuple(name for name in FORMATS if name in wanted.formats))


def _refuse_too_few(shelves: Mapping[Format, Shelf]) -> None:
    problems = [problem for shelf in shelves.values() if (problem := missing(shelf))]
    if problems:
        raise ExportRefused("nothing was written: " + "; ".join(problems))


def _facts(desk: Desk, shelves: Mapping[Format, Shelf], rejected: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """The manifest, without what the files are like."""
    counted_by = "tokenizer" if desk.wanted.tokenizer else "estimate"
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "tool": desk.wanted.tool,
        "formats": {name: described(shelf, counted_by=counted_by) for name, shelf in shelves.items()},
        "settings": dict(desk.wanted.settings),
        "seed": desk.wanted.seed,
        "language": desk.wanted.language,
        "recognisers": list(desk.wanted.recognisers),
        "snapshot": desk.curated.snapshot,
        "exchanges": {
            "in": desk.curated.exchanges,
            "used": len(desk.used),
            "rejected": {stage: dict(sorted(reasons.items())) for stage, reasons in rejected.items()},
        },
        "steps": {step: dict(counts) for step, counts in desk.curated.counts.items()},
    }


def _finish(folder: Path, manifest: dict[str, Any]) -> None:
    """Write what is made from the manifest, and the manifest last."""
    for path, text in recipes(manifest).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8", newline="\n")
    (folder / CARD).write_text(card(manifest), encoding="utf-8", newline="\n")
    manifest["files"] = {
        path.relative_to(folder).as_posix(): _described(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8", newline="\n")


def _described(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    told: dict[str, Any] = {"sha256": digest, "bytes": path.stat().st_size}
    if path.suffix in {".jsonl", ".tsv"}:
        told["rows"] = _lines(path) - (path.suffix == ".tsv")
    return told


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
