"""Measures on a ranking the signals that confidence is computed from (pure)."""

from collections import Counter
from collections.abc import Mapping, Sequence

from retrieval.ranking.candidates import Candidate, Candidates, Lookup
from retrieval.ranking.confidence import Signals
from retrieval.ranking.excerpts import ScoredExcerpts
from retrieval.ranking.fusion import Parts

CONCENTRATION_DEPTH = 10


def measure_signals(
    ranked: Sequence[tuple[Candidate, Parts]], lookup: Lookup, candidates: Candidates, excerpts: ScoredExcerpts
) -> Signals:
    """The signals of a ranking, best first, and of what could be shown; each 0 to 1, all 0 for an empty one."""
    if not ranked:
        return Signals()
    first = ranked[0][0]
    mass = highest_contributions(lookup.terms, candidates.idf)
    possible = sum(mass.values())
    documents = Counter(candidate.document for candidate, _ in ranked[:CONCENTRATION_DEPTH])
    return Signals(
        lexical=lexical_match(lookup, candidates),
        phrase=share(
            max(candidate.phrase or 0.0 for candidate, _ in ranked),
            sum(highest_contributions(lookup.bigrams, candidates.idf).values()),
        ),
        cosine=max(0.0, first.cosine or 0.0),
        covered=share(sum(mass[term] for term in first.matched), possible),
        concentration=documents[first.document] / min(CONCENTRATION_DEPTH, len(ranked)),
        best_cosine=max(0.0, *(candidate.cosine or 0.0 for candidate, _ in ranked)),
        block=max(0.0, excerpts.cosine),
        least_met=excerpts.least_met,
    )


def lexical_match(lookup: Lookup, candidates: Candidates) -> float:
    """The best BM25F score over the greatest possible, 0 to 1; 0 without candidates."""
    best = max((candidate.lexical or 0.0 for candidate in candidates.found), default=0.0)
    return share(best, sum(highest_contributions(lookup.terms, candidates.idf).values()))


def highest_contributions(weights: Mapping[str, float], idf: Mapping[str, float]) -> dict[str, float]:
    """What each term can add to a BM25F score at most; 0 for a term without an idf."""
    return {term: weight * idf.get(term, 0.0) for term, weight in weights.items()}


def share(part: float, whole: float) -> float:
    """A part of a whole, 0 to 1; 0 of nothing."""
    return min(1.0, part / whole) if whole > 0 else 0.0
