"""The JSON of the contract (pure)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from retrieval.passages import Document, Hit, Passage

if TYPE_CHECKING:  # no command waits for what it does not use
    from bot.answering.answers import Answer, AnswerBlock, Sentence
    from bot.services.diagnostics.check import Check
    from bot.services.votes import CurrentVote
    from feedback.records import Correction, Decision, ErasureResult, ReviewedExchange
    from retrieval.index.protocols import Generation
    from retrieval.parsing.protocol import Skipped
    from retrieval.search import Results
    from retrieval.sync import SyncReport


class CitationFields(Protocol):
    """A citation of an answer, as it is given out or as it was recorded."""

    @property
    def number(self) -> int: ...
    @property
    def document(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def section(self) -> str: ...
    @property
    def anchor(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def quote(self) -> str: ...
    @property
    def version(self) -> str: ...


def hit_json(hit: Hit) -> dict[str, Any]:
    passage = hit.passage
    return {
        "document": passage.document,
        "title": passage.title,
        "section": passage.section,
        "anchor": passage.anchor,
        "url": passage.link,
        "text": passage.embedded_text,
        "score": float(hit.score),
        "version": passage.version,
    }


def results_json(results: "Results") -> dict[str, Any]:
    return {"confidence": float(results.confidence), "hits": [hit_json(each) for each in results.hits]}


def citation_json(citation: CitationFields) -> dict[str, Any]:
    return {
        "number": citation.number,
        "document": citation.document,
        "title": citation.title,
        "section": citation.section,
        "anchor": citation.anchor,
        "url": citation.url,
        "quote": citation.quote,
        "version": citation.version,
    }


def sentence_json(sentence: "Sentence") -> dict[str, Any]:
    links = [{"text": each.text, "url": each.url} for each in sentence.links]
    return {"text": sentence.text, "citations": list(sentence.citations), "links": links}


def block_json(block: "AnswerBlock") -> dict[str, Any]:
    return {
        "kind": block.kind,
        "heading": block.heading or None,
        "sentences": list(block.sentences),
        "rows": [list(row) for row in block.rows] or None,
        "more": block.more,
    }


def answer_json(answer: "Answer") -> dict[str, Any]:
    return {
        "id": answer.id,
        "text": answer.text,
        "blocks": [block_json(each) for each in answer.blocks],
        "sentences": [sentence_json(each) for each in answer.sentences],
        "citations": [citation_json(each) for each in answer.citations],
        "abstained": answer.abstained,
        "confidence": float(answer.confidence),
        "warnings": [
            {"kind": each.kind, "text": each.text, "citations": list(each.citations)} for each in answer.warnings
        ],
        "nearest": [hit_json(each) for each in answer.nearest],
        "generator": answer.generator,
        "fallback": answer.fallback,
        "timings": dict(answer.timings),
    }


def vote_json(current: "CurrentVote") -> dict[str, Any]:
    return {
        "answer": current.vote.answer,
        "vote": current.vote.vote,
        "reason": current.vote.reason,
        "comment": current.vote.comment,
        "correction": current.correction,
        "at": current.vote.at.isoformat(),
    }


def sync_json(report: "SyncReport") -> dict[str, Any]:
    return {
        "added": list(report.added),
        "changed": list(report.changed),
        "deleted": list(report.deleted),
        "unchanged": report.unchanged,
        "skipped": _reasons(report.skipped),
        "notes": _reasons(report.notes),
        "passages": report.passages,
        "seconds": report.seconds,
    }


def _reasons(named: "Sequence[tuple[str, Skipped]]") -> list[dict[str, str]]:
    return [{"document": document, "reason": why.reason, "detail": why.detail} for document, why in named]


def document_json(document: Document, sections: Sequence[Passage]) -> dict[str, Any]:
    return {
        "document": document.id,
        "title": document.title,
        "url": document.url,
        "version": document.version,
        "audience": sorted(document.audience),
        "owner": document.owner,
        "review": document.review.isoformat() if document.review else None,
        "text": document.text,
        "sections": [
            {"section": each.section, "anchor": each.anchor, "start": each.start, "end": each.end} for each in sections
        ],
    }


def review_json(reviewed: "ReviewedExchange", *, why: str, corrections: "Sequence[Correction]") -> dict[str, Any]:
    """Return an answer that waits for a decision, and its corrections that wait; never who said what."""
    exchange = reviewed.exchange
    return {
        "answer": exchange.id,
        "why": why,
        "at": exchange.at.isoformat(),
        "question": exchange.question,
        "history": [{"role": role, "text": text} for role, text in exchange.history],
        "text": exchange.answer,
        "abstained": exchange.abstained,
        "citations": [citation_json(each) for each in exchange.citations],
        "votes": [{"vote": each.vote, "reason": each.reason, "comment": each.comment} for each in reviewed.votes],
        "corrections": [{"key": each.key, "text": each.text, "at": each.at.isoformat()} for each in corrections],
    }


def decision_json(decision: "Decision") -> dict[str, Any]:
    return {"answer": decision.answer, "verdict": decision.verdict, "correction": decision.correction or None}


def erasure_json(erased: "ErasureResult", *, files: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Return what was erased of a person; `files` are by export those that hold rows of theirs, and how many."""
    return {
        "exchanges": erased.exchanges,
        "votes": erased.votes,
        "corrections": erased.corrections,
        "decisions": erased.decisions,
        "exports": [
            {
                "id": each.export.id,
                "at": each.export.at.isoformat(),
                "place": each.export.place,
                "rows": list(each.rows),
                "files": dict(files[each.export.id]),
            }
            for each in erased.exports
        ],
    }


def generation_json(generation: "Generation") -> dict[str, Any]:
    return {
        "name": generation.name,
        "current": generation.current,
        "documents": generation.documents,
        "passages": generation.passages,
        "embedding_model": generation.embedding,
        "analyzer": generation.analyzer,
    }


def check_json(check: "Check") -> dict[str, Any]:
    return {"check": check.check, "ok": check.ok, "detail": check.detail, "mend": check.mend}
