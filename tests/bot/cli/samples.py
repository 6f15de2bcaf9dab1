"""A document with two sections, and answers that cite it."""

from datetime import date

from bot.answering.answers import Answer, AnswerWarning, Citation, Sentence
from retrieval.passages import EVERYONE, Document, Passage

TEXT = "Leave\nFive days may be carried over.\nIllness\nCall before ten."
QUOTE = "Five days may be carried over."
CITATION = Citation(
    1, "handbook/leave.md", "Leave", "Leave > Carry-over", "carry", "https://example.com/leave#carry", QUOTE, "v2"
)


def document(text: str = TEXT, *, version: str = "v2") -> Document:
    return Document(
        "handbook/leave.md",
        "handbook",
        "Leave",
        "https://example.com/leave",
        version,
        text,
        (),
        audience=frozenset({"hr", EVERYONE}),
        owner="People",
        review=date(2026, 1, 2),
    )


def passages(document: Document) -> list[Passage]:
    """Return two sections of the document, the first with all that a hit shows."""
    spans = [("Carry-over", "carry", 6, 36), ("Illness", "ill", 45, len(TEXT))]
    return [
        Passage(
            document.id,
            number,
            ("Leave", heading),
            anchor,
            "",
            document.text[start:end],
            start,
            end,
            document.version,
            document.title,
            document.url,
            document.audience,
        )
        for number, (heading, anchor, start, end) in enumerate(spans)
    ]


def cited_answer(name: str = "a1") -> Answer:
    """An answer of one sentence."""
    return Answer(name, f"{QUOTE} [1]", (Sentence(QUOTE, (1,)),), (CITATION,))


def warned_answer(name: str = "a1") -> Answer:
    """An answer of one sentence, with a warning about its document."""
    warning = AnswerWarning("review-date", "This was to be reviewed in 2025.", (1,))
    return Answer(
        name,
        f"{QUOTE} [1]",
        (Sentence(QUOTE, (1,)),),
        (CITATION,),
        confidence=0.75,
        warnings=(warning,),
        timings={"total": 0.5},
    )
