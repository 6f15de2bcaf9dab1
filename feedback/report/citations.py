"""Whether what was cited still stands there (pure)."""

from typing import Literal

from feedback.ports import CurrentSection
from feedback.records import StoredCitation

State = Literal["same", "changed", "gone"]


def state(cited: StoredCitation, current: CurrentSection | None) -> State:
    """What became of a cited section: gone, or in a newer version that no longer says what was quoted, or the same.

    Without a quote, which age takes, every newer version of its document is a change.
    """
    if current is None:
        return "gone"
    quote = " ".join(cited.quote.split())
    stands = current.version == cited.version or (quote and quote in " ".join(current.text.split()))
    return "same" if stands else "changed"
