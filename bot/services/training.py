"""Exports curated feedback as training data, checked against the documents and prompts of today."""

import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bot.access.disclosure import DisclosureGate
from feedback.curation.options import CurationOptions
from feedback.curation.personal_data import KINDS
from feedback.curation.pipeline import curate
from feedback.export.exporter import write_export
from feedback.export.formats import FORMATS
from feedback.export.request import ExportRequest, ExportResult
from feedback.ports import KnowledgePort
from feedback.stores.protocol import FeedbackStore
from retrieval.evaluation.judgements import read_questions
from retrieval.passages import readable_audiences
from retrieval.progress import Progress, ignore_progress

# How long who may read a document is taken for granted within one export.
REMEMBERED_SECONDS = 5.0

# Names of people are redacted by a model, and only where one is set.
NAME = "NAME"


class TrainingService:
    """Exports curated feedback."""

    def __init__(
        self,
        *,
        feedback: FeedbackStore,
        knowledge: KnowledgePort,
        gate: DisclosureGate,
        language: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._feedback = feedback
        self._knowledge = knowledge
        self._gate = gate
        self._language = language
        self._clock = clock

    def export(
        self,
        formats: Sequence[str],
        out: Path,
        *,
        force: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
        min_agreement: float = 0.75,
        groups: frozenset[str] = frozenset(),
        evaluation: Path | None = None,
        tokenizer: Path | None = None,
        progress: Progress = ignore_progress,
    ) -> ExportResult:
        """Write curated training data into the folder `out`; raises `FeedbackError` that names what is missing.

        Rows rest on what `groups` and everyone may read; questions near those of `evaluation` are left out.
        """
        questions = tuple(each.query.text for each in read_questions(evaluation)) if evaluation else ()
        options = CurationOptions(
            since=since, min_agreement=min_agreement, groups=readable_audiences(groups), evaluation=questions
        )
        now = self._clock()
        return write_export(
            lambda work: curate(
                self._feedback.reviewed_exchanges(until=until or now),
                self._knowledge,
                self._gate.remembering(REMEMBERED_SECONDS),
                options,
                work=work,
                progress=progress,
            ),
            export_request(formats, options, until=until, language=self._language, tokenizer=tokenizer),
            out,
            store=self._feedback,
            name=uuid.uuid4().hex,
            at=now,
            force=force,
            progress=progress,
        )


def export_request(
    formats: Sequence[str], options: CurationOptions, *, until: datetime | None, language: str, tokenizer: Path | None
) -> ExportRequest:
    """Return the request for these formats, with the options as the manifest records them (pure)."""
    return ExportRequest(
        tuple(name for name in FORMATS if name in formats),
        settings={**_settings(options), "until": _json(until), "tokenizer": tokenizer.name if tokenizer else None},
        tool=f"footnote {version('footnote-bot')}",
        language=language,
        tokenizer=tokenizer,
        recognisers=tuple(kind for kind in KINDS if kind != NAME or options.names),
        seed=options.seed,
    )


def _settings(options: CurationOptions) -> dict[str, Any]:
    values = {each.name: getattr(options, each.name) for each in fields(options)}
    return {name: _json(value) for name, value in values.items() if name not in {"names", "evaluation", "seed"}} | {
        "names": options.names is not None,
        "evaluation": _question_digest(options.evaluation),
    }


def _question_digest(questions: Sequence[str]) -> dict[str, Any] | None:
    """Return the number of questions and their digest, without their words; None of no questions."""
    if not questions:
        return None
    digest = hashlib.sha256(json.dumps(list(questions)).encode()).hexdigest()
    return {"questions": len(questions), "sha256": digest}


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return sorted(value) if isinstance(value, frozenset) else list(value) if isinstance(value, tuple) else value
