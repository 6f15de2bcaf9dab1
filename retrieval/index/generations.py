"""What a generation of an index is made with, and what is said of one that cannot be used (pure)."""

from dataclasses import dataclass

NOTHING_YET = "nothing is indexed yet: `footnote sync FOLDER` reads your documents"
NONE_KEPT = "no other generation of the index is kept; `footnote index rebuild` makes one"


@dataclass(frozen=True, slots=True)
class IndexFingerprint:
    """What a generation is made with; what differs in any of it is never mixed."""

    schema: int
    embedding: str
    analyzer: str


def refusal(made: IndexFingerprint, wanted: IndexFingerprint) -> str:
    """Why a generation made so cannot be searched here, and what mends it; empty when it can."""
    if made.schema > wanted.schema:
        return "the index was made by a newer version of Footnote: install that version"
    differs = [
        f"with the {what} {then!r} instead of {now!r}"
        for what, then, now in (
            ("embedding model", made.embedding, wanted.embedding),
            ("text analysis", made.analyzer, wanted.analyzer),
        )
        if then != now
    ]
    if made.schema < wanted.schema:
        differs.append("by an earlier version of Footnote")
    how = " and ".join(differs)
    mend = "`footnote sync` rebuilds it; what still runs with older settings needs a restart"
    return how and f"the index was made {how}: {mend}"


def rollback_refusal(made: IndexFingerprint, wanted: IndexFingerprint) -> str:
    """Why the kept generation, made so, cannot be gone back to, and what mends it; empty when it can."""
    if made == wanted:
        return ""
    return (
        f"the generation that is kept was made with the embedding model {made.embedding!r} and the "
        f"text analysis {made.analyzer!r}: set these again, then roll back"
    )
