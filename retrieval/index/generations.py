"""What a generation of an index is built with, and messages about one that cannot be used (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass

from retrieval.passages import combine_audiences

NOTHING_YET = "nothing is indexed yet: `footnote sync FOLDER` reads your documents"
NONE_KEPT = "no other generation of the index is kept; `footnote index rebuild` makes one"


@dataclass(frozen=True, slots=True)
class IndexFingerprint:
    """The layout, embedding model and analyzer of a generation; generations that differ in any are never mixed."""

    schema: int
    embedding: str
    analyzer: str


def refusal(built: IndexFingerprint, wanted: IndexFingerprint) -> str:
    """Why a generation built so cannot be searched by this process, and the remedy; empty when it can."""
    if built.schema > wanted.schema:
        return "the index was made by a newer version of Footnote: install that version"
    differences = [
        f"with the {what} {then!r} instead of {now!r}"
        for what, then, now in (
            ("embedding model", built.embedding, wanted.embedding),
            ("text analysis", built.analyzer, wanted.analyzer),
        )
        if then != now
    ]
    if built.schema < wanted.schema:
        differences.append("by an earlier version of Footnote")
    how = " and ".join(differences)
    remedy = "`footnote sync` rebuilds it; what still runs with older settings needs a restart"
    return how and f"the index was made {how}: {remedy}"


def rollback_refusal(built: IndexFingerprint, wanted: IndexFingerprint) -> str:
    """Why the kept generation, built so, cannot become the current one, and the remedy; empty when it can."""
    if built == wanted:
        return ""
    return (
        f"the generation that is kept was made with the embedding model {built.embedding!r} and the "
        f"text analysis {built.analyzer!r}: set these again, then roll back"
    )


def restrictions(
    kept: Mapping[str, frozenset[str]], current: Mapping[str, frozenset[str]]
) -> dict[str, frozenset[str] | None]:
    """What a rollback must change in the kept generation, from the audiences of both by document.

    None for what the current one does not hold: it was deleted since, or came later, and a sync brings it back. Of the
    others the audience that both leave, where it is another than it was: an older text is not opened by what was said
    of the newer one.
    """
    found = {
        document: combine_audiences(audience, current[document]) if document in current else None
        for document, audience in kept.items()
    }
    return {document: audience for document, audience in found.items() if audience != kept[document]}
