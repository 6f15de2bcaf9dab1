"""Formats differences between sections as warnings (pure)."""

from collections.abc import Sequence

from bot.answering.annotation.claims import Statement
from bot.answering.annotation.comparison import Difference
from bot.answering.answers import AnswerWarning, Citation
from retrieval.passages import Passage


def difference_warnings(
    differences: Sequence[Difference], passages: Sequence[Passage], citations: Sequence[Citation]
) -> list[AnswerWarning]:
    """Return one warning for each difference of which both sides are cited, unless the sentences name the cases."""
    warnings = []
    for each in differences:
        one, other = (_number(side, passages, citations) for side in (each.one, each.other))
        if one is None or other is None or one == other or each.kind == "stated":
            continue
        if each.kind == "condition":
            text = f"[{one}] holds for «{each.cases[0]}», [{other}] for «{each.cases[1]}»."
            warnings.append(AnswerWarning("condition", text, (one, other)))
            continue
        here, there = _names(passages[each.one.place.passage], passages[each.other.place.passage])
        between = (
            f"«{here}» and «{there}» say different things here" if here != there else f"«{here}» contradicts itself"
        )
        warnings.append(AnswerWarning("conflict", f"{between}: {each.values[0]} and {each.values[1]}.", (one, other)))
    return warnings


def _number(statement: Statement, passages: Sequence[Passage], citations: Sequence[Citation]) -> int | None:
    """Return the number under which this sentence is cited; None for one that is not."""
    passage = passages[statement.place.passage]
    quote = passage.text[statement.place.start : statement.place.end]
    for cited in citations:
        if (cited.document, cited.anchor) == (passage.document, passage.anchor) and quote in cited.quote:
            return cited.number
    return None


def _names(here: Passage, there: Passage) -> tuple[str, str]:
    """Return what the two are called: the documents, or their sections where the documents have one title."""
    if here.title != there.title:
        return here.title, there.title
    one, other = (each.embedded_heading for each in (here, there))
    return one, other
