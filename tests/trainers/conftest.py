"""One export of every format, and a tiny model, for all tests of trainers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from feedback.export.exporter import write_export
from feedback.export.formats import FORMATS
from feedback.export.request import ExportRequest, ExportResult
from tests.feedback.export.samples import Registry, many
from tests.trainers.environments import python, run

HERE = Path(__file__).parent
AT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> ExportResult:
    """120 exchanges in every format."""
    place = tmp_path_factory.mktemp("exports") / "export"
    store: Any = Registry()
    return write_export(
        lambda _: many(120), ExportRequest(FORMATS, language="english"), place, store=store, name="export", at=AT
    )


@pytest.fixture(scope="session")
def trl() -> Path:
    """TRL, `datasets` and PEFT, beside the torch, transformers and sentence-transformers of this environment."""
    return python("trl", ("trl>=1.16,<2", "datasets", "accelerate", "peft"), beside=True)


@pytest.fixture(scope="session")
def tiny(trl, made, tmp_path_factory) -> Path:
    """A folder with a model of one layer and a tokenizer that was trained on the export."""
    folder: Path = tmp_path_factory.mktemp("tiny")
    run(trl, str(HERE / "tiny.py"), str(folder), str(made.place / "trl-kto" / "train.jsonl"), cwd=folder)
    return folder
