"""Makes an export: rows, lineage, what was left out, recipes, the card, and the manifest that vouches for them."""

import gc
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from feedback.curation.dataset import CuratedDataset, RejectedExchange
from feedback.errors import ExportRefused
from feedback.export.dataset_writer import DatasetWriter, lineage_part
from feedback.export.exchange_usage import ExchangeUsage
from feedback.export.folder import LINEAGE, REJECTED, replace_folder
from feedback.export.line_file import LineFile
from feedback.export.manifest import build_manifest, write_with_manifest
from feedback.export.readiness import find_shortage
from feedback.export.request import ExportRequest, ExportResult
from feedback.export.row_writer import RowWriter, open_writers
from feedback.export.rows import encode_row
from feedback.export.token_lengths import estimate_tokens, load_token_counter
from feedback.progress import Progress, ignore_progress
from feedback.records import Export
from feedback.stores.protocol import ExportRegistry


def write_export(
    curate: Callable[[Path], CuratedDataset],
    request: ExportRequest,
    place: Path,
    *,
    store: ExportRegistry,
    name: str,
    at: datetime,
    force: bool = False,
    progress: Progress = ignore_progress,
) -> ExportResult:
    """Write an export to this folder, whole or not at all, and register it in the store under this name.

    `curate` gets a folder for temporary files. An equal dataset and an equal request give equal bytes in every file.
    `force` replaces an export that stands there. Raises `ExportRefused`, with what is missing, for too few rows or a
    folder that may not be written to.
    """
    count_tokens = load_token_counter(request.tokenizer) if request.tokenizer else estimate_tokens
    usage = ExchangeUsage()
    with _without_cycle_collection(), replace_folder(place, force=force) as (folder, work, publish):
        curated = curate(work)
        with open_writers(request, folder, work=work, usage=usage) as writers:
            RowWriter(request, curated, writers, usage, work, count_tokens, progress).write_all()
            _refuse_too_few_rows(writers.values())
        _write_lineage(folder / LINEAGE, [lineage_part(work, format_name) for format_name in writers])
        rejected = _write_rejected(folder / REJECTED, usage.rejected_exchanges(curated))
        manifest = build_manifest(request, curated, writers.values(), used=len(usage.used), rejected=rejected)
        write_with_manifest(folder, manifest)
        rows = sum(writer.total_rows for writer in writers.values())
        # Registered first: one that is listed and was never put in its place harms nobody, one that is not listed
        # would keep a person's rows when they are to be forgotten.
        store.register_export(Export(name, at, str(place.absolute()), rows), usage.rows_by_person())
        publish()
    return ExportResult(name, place, manifest)


@contextmanager
def _without_cycle_collection() -> Iterator[None]:
    """Switch off the search for cycles: what is read stays, or is gone at once, and the search costs an eighth more."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _refuse_too_few_rows(writers: Iterable[DatasetWriter]) -> None:
    shortages = [shortage for writer in writers if (shortage := find_shortage(writer))]
    if shortages:
        raise ExportRefused("nothing was written: " + "; ".join(shortages))


def _write_lineage(path: Path, parts: Iterable[Path]) -> None:
    """Put the lineage of all formats into one file."""
    with path.open("wb") as whole:
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, whole)


def _write_rejected(path: Path, rejected: Iterable[RejectedExchange]) -> Mapping[str, Mapping[str, int]]:
    """Write the exchanges that give no row, and return how many there are by step and reason."""
    counts: dict[str, dict[str, int]] = {}
    with closing(LineFile(path)) as lines:
        for each in rejected:
            by_reason = counts.setdefault(each.stage, {})
            by_reason[each.reason] = by_reason.get(each.reason, 0) + 1
            lines.add(encode_row({"exchange": each.exchange, "stage": each.stage, "reason": each.reason}))
    return counts
