"""Differences between sections in a sentence each (pure)."""

from collections.abc import Sequence

from bot.answering.annotation.claims import Statement
from bot.answering.annotation.conflicts import Difference
from bot.answering.answers import AnswerWarning, Citation
from retrieval.passages import Passage


def told(
    found: Sequence[Difference], passages: Sequence[Passage], citations: Sequence[Citation]
) -> list[AnswerWarning]:
    """One caution for each difference of which both sides are cited, and that the sentences do not tell themselves."""
    made = []
    for each in found:
        one, other = (_number(side, passages, citations) for side in (each.one, each.other))
        if one is None or other is None or one == other or each.kind == "stated":
            continue
        if each.kind == "condition":
            text = f"[{one}] holds for «{each.cases[0]}», [{other}] for «{each.cases[1]}»."
            made.append(AnswerWarning("condition", text, (one, other)))
            continue
        here, there = _names(passages[each.one.place.passage], passages[each.other.place.passage])
        between = (
            f"«{here}» and «{there}» say different things here" if here != there else f"«{here}» contradicts itself"
        )
        made.append(AnswerWarning("conflict", f"{between}: {each.values[0]} and {each.values[1]}.", (one, other)))
    return made


def _number(statement: Statement, passages: Sequence[Passage], citations: Sequence[Citation]) -> int | None:
    """The number under which this sentence is cited."""
    passage = passages[statement.place.passage]
    quote = passage.text[statement.place.start : statement.place.end]
    for cited in citations:
        if (cited.document, cited.anchor) == (passage.document, passage.anchor) and quote in cited.quote:
            return cited.number
    return None


def _names(here: Passage, there: Passage) -> tuple[str, str]:
    """What the two are called: the documents, or their sections where the documents have one title."""
    if here.title != there.title:
        return here.title, there.title
    one, other = (each.embedded_heading for each in (here, there))
    return one, other
