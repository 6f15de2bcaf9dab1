"""Builds the manifest of an export, and the files that are made from it."""

import json
from collections.abc import Iterable, Mapping
from hashlib import file_digest
from pathlib import Path
from typing import Any

from feedback.curation.dataset import CuratedDataset
from feedback.export.card import build_card
from feedback.export.dataset_writer import DatasetWriter
from feedback.export.folder import CARD, KIND, MANIFEST
from feedback.export.formats import ROW_KINDS
from feedback.export.readiness import describe_readiness, kto_weights
from feedback.export.recipes import render_recipes
from feedback.export.request import ExportRequest

# Of the manifest, and with it of all that stands beside the rows: MAJOR.MINOR.
SCHEMA = "1.0"


def build_manifest(
    request: ExportRequest,
    curated: CuratedDataset,
    writers: Iterable[DatasetWriter],
    *,
    used: int,
    rejected: Mapping[str, Mapping[str, int]],
) -> dict[str, Any]:
    """Return the manifest without its files.

    `used` is how many exchanges are in rows; `rejected` counts the others by step and reason.
    """
    counted_by = "tokenizer" if request.tokenizer else "estimate"
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "tool": request.tool,
        "formats": {writer.name: _describe_format(writer, counted_by=counted_by) for writer in writers},
        "settings": dict(request.settings),
        "seed": request.seed,
        "language": request.language,
        "recognisers": list(request.recognisers),
        "snapshot": curated.snapshot,
        "exchanges": {
            "in": curated.exchanges,
            "used": used,
            "rejected": {stage: dict(sorted(reasons.items())) for stage, reasons in rejected.items()},
        },
        "steps": {step: dict(counts) for step, counts in curated.counts.items()},
    }


def write_with_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write recipes and card, then the manifest, which gets `files`: all others with their sha256, size and rows."""
    for path, text in render_recipes(manifest).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8", newline="\n")
    (folder / CARD).write_text(build_card(manifest), encoding="utf-8", newline="\n")
    manifest["files"] = {
        path.relative_to(folder).as_posix(): _describe_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8", newline="\n")


def _describe_format(writer: DatasetWriter, *, counted_by: str) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "of": ROW_KINDS[writer.name],
        "in": writer.offered,
        "rows": writer.total_rows,
        "splits": dict(writer.rows),
        "left_out": dict(sorted(writer.left_out.items())),
        "readiness": describe_readiness(writer),
        "tokens": {"counted_by": counted_by, **writer.lengths.summary()},
    }
    if ROW_KINDS[writer.name] == "examples":
        to_write = sum(counts[True] for counts in writer.labels.values())
        share = round(writer.refusals / to_write, 4) if to_write else 0.0
        summary["refusals"] = {"rows": writer.refusals, "share": share}
    if writer.name == "trl-kto":
        summary["labels"] = {
            split: {"desirable": counts[True], "undesirable": counts[False]} for split, counts in writer.labels.items()
        }
        summary["kto_weights"] = kto_weights(writer.labels["train"][True], writer.labels["train"][False])
    if writer.length_ratios:
        summary["length_ratio"] = round(sum(writer.length_ratios) / len(writer.length_ratios), 3)
    return summary


def _describe_file(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    summary: dict[str, Any] = {"sha256": digest, "bytes": path.stat().st_size}
    if path.suffix in {".jsonl", ".tsv"}:
        summary["rows"] = _count_lines(path) - (path.suffix == ".tsv")
    return summary


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
