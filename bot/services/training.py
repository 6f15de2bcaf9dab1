"""What an export is asked for, from what the command line was told (pure)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from feedback.curation.options import Options
from feedback.curation.personal_data import KINDS
from feedback.export.values import FORMATS, ExportRequest

# A model finds them, and only where one is set.
NAME = "NAME"


def wanted(
    formats: Sequence[str], options: Options, *, until: datetime | None, language: str, tokenizer: Path | None
) -> ExportRequest:
    """The formats, and for the manifest all that the rows are chosen by."""
    return ExportRequest(
        tuple(name for name in FORMATS if name in formats),
        settings={**_told(options), "until": _json(until), "tokenizer": tokenizer.name if tokenizer else None},
        tool=f"footnote {version('footnote-bot')}",
        language=language,
        tokenizer=tokenizer,
        recognisers=tuple(kind for kind in KINDS if kind != NAME or options.names),
        seed=options.seed,
    )


def _told(options: Options) -> dict[str, Any]:
    values = {each.name: getattr(options, each.name) for each in fields(options)}
    return {name: _json(value) for name, value in values.items() if name not in {"names", "evaluation", "seed"}} | {
        "names": options.names is not None,
        "evaluation": _questions(options.evaluation),
    }


def _questions(questions: Sequence[str]) -> dict[str, Any] | None:
    """How many and which, without their words."""
    if not questions:
        return None
    digest = hashlib.sha256(json.dumps(list(questions)).encode()).hexdigest()
    return {"questions": len(questions), "sha256": digest}


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return sorted(value) if isinstance(value, frozenset) else list(value) if isinstance(value, tuple) else value
