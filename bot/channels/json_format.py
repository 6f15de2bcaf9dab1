"""The JSON of the contract, from the values that travel (pure)."""

from typing import TYPE_CHECKING, Any

from retrieval.passages import Document, Hit, Passage

if TYPE_CHECKING:  # no command waits for rooms that it does not enter
    from bot.answering.answers import Answer
    from bot.services.votes import CurrentVote
    from retrieval.search import Results
    from retrieval.sync import SyncReport


def hit(found: Hit) -> dict[str, Any]:
    passage = found.passage
    return {
        "document": passage.document,
        "title": passage.title,
        "section": passage.section,
        "anchor": passage.anchor,
        "url": passage.link,
        "text": passage.embedded_text,
        "score": float(found.score),
        "version": passage.version,
    }


def results(found: "Results") -> dict[str, Any]:
    return {"confidence": float(found.confidence), "hits": [hit(each) for each in found.hits]}


def answer(given: "Answer") -> dict[str, Any]:
    return {
        "id": given.id,
        "text": given.text,
        "sentences": [{"text": each.text, "citations": list(each.citations)} for each in given.sentences],
        "citations": [
            {
                "number": each.number,
                "document": each.document,
                "title": each.title,
                "section": each.section,
                "anchor": each.anchor,
                "url": each.url,
                "quote": each.quote,
                "version": each.version,
            }
            for each in given.citations
        ],
        "abstained": given.abstained,
        "confidence": float(given.confidence),
        "warnings": [
            {"kind": each.kind, "text": each.text, "citations": list(each.citations)} for each in given.warnings
        ],
        "nearest": [hit(each) for each in given.nearest],
        "generator": given.generator,
        "fallback": given.fallback,
        "timings": dict(given.timings),
    }


def current_vote(given: "CurrentVote") -> dict[str, Any]:
    return {
        "answer": given.vote.answer,
        "vote": given.vote.vote,
        "reason": given.vote.reason,
        "comment": given.vote.comment,
        "correction": given.correction,
        "at": given.vote.at.isoformat(),
    }


def report(done: "SyncReport") -> dict[str, Any]:
    return {
        "added": list(done.added),
        "changed": list(done.changed),
        "deleted": list(done.deleted),
        "unchanged": done.unchanged,
        "skipped": [
            {"document": document, "reason": skipped.reason, "detail": skipped.detail}
            for document, skipped in done.skipped
        ],
        "passages": done.passages,
        "seconds": done.seconds,
    }


def document(shown: Document, sections: list[Passage]) -> dict[str, Any]:
    return {
        "document": shown.id,
        "title": shown.title,
        "url": shown.url,
        "version": shown.version,
        "audience": sorted(shown.audience),
        "owner": shown.owner,
        "review": shown.review.isoformat() if shown.review else None,
        "text": shown.text,
        "sections": [
            {"section": each.section, "anchor": each.anchor, "start": each.start, "end": each.end} for each in sections
        ],
    }
