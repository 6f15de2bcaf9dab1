"""Whether what was cited still stands there (pure)."""

from typing import Literal

from feedback.ports import CurrentSection
from feedback.records import StoredCitation
from feedback.texts.words import collapse_whitespace

CitationState = Literal["same", "changed", "gone"]


def citation_state(citation: StoredCitation, current: CurrentSection | None) -> CitationState:
    """Return what became of a cited section: gone, changed (a newer version without the quote), or the same.

    Without a quote, which age takes, every newer version of the document is a change.
    """
    if current is None:
        return "gone"
    quote = collapse_whitespace(citation.quote)
    stands = current.version == citation.version or (quote and quote in collapse_whitespace(current.text))
    return "same" if stands else "changed"
