"""An export in a few words, and its files read back."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from feedback.curation.dataset import CuratedDataset
from feedback.export.exporter import write_export
from feedback.export.formats import FORMATS, Format
from feedback.export.request import ExportRequest, ExportResult
from feedback.stores.protocol import FeedbackStore
from tests.feedback.export.samples import Registry, many

AT = datetime(2026, 3, 2, tzinfo=UTC)
Write = Callable[..., ExportResult]


def rows(path: Path) -> list[Any]:
    """The lines of a file, which must each be one JSON value in UTF-8 and end with a newline."""
    raw = path.read_bytes()
    assert not raw or raw.endswith(b"\n")
    return [json.loads(line) for line in raw.decode().split("\n")[:-1]]


@pytest.fixture
def store() -> Registry:
    return Registry()


@pytest.fixture
def write(tmp_path, store) -> Write:
    """Makes an export of these rows in `tmp_path/out`, or elsewhere."""

    def write(
        of: CuratedDataset | None = None,
        *formats: Format,
        place: Path = tmp_path / "out",
        force: bool = False,
        tokenizer: Path | None = None,
        **settings: Any,
    ) -> ExportResult:
        wanted = ExportRequest(
            formats or FORMATS, settings=settings, tool="footnote 1", language="english", tokenizer=tokenizer
        )
        given, registry = of or many(), cast(FeedbackStore, store)
        return write_export(lambda _: given, wanted, place, store=registry, name="export-1", at=AT, force=force)

    return write
