"""Query in, hits out: analyse, embed, ask the index once, fuse, compare token by token, say how sure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from retrieval.analysis import Analyzer, decayed, weighted_terms, words
from retrieval.confidence import Calibration, Signals
from retrieval.embedding import Embedder, QueryToken, unit
from retrieval.fusion import Parts, fused, max_sim, total
from retrieval.index import Candidate, Candidates, Key, Lookup, SearchIndex, Vector
from retrieval.passages import Hit, Query, readable_audiences
from retrieval.recipe import Recipe

# Late interaction costs a read of token vectors each, and beyond these few it changes nothing.
RERANKED = 30
CONCENTRATION_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Results:
    """Hits, best first, and how likely it is that they hold the answer, 0 to 1; 0 for none."""

    hits: tuple[Hit, ...]
    confidence: float
    signals: Signals


@dataclass(frozen=True, slots=True)
class Understood:
    """A question as the index and late interaction need it."""

    lookup: Lookup
    tokens: NDArray[np.float32]
    token_weights: Vector
    follow_up: bool


class Search:
    """Hybrid retrieval over any `SearchIndex`."""

    def __init__(
        self,
        index: SearchIndex,
        embedder: Embedder,
        analyzer: Analyzer,
        *,
        recipe: Recipe | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._analyzer = analyzer
        self.recipe = recipe or Recipe()
        self.calibration = calibration or Calibration()

    def __call__(self, query: Query, *, top: int = 10) -> Results:
        """The best `top` passages that the asker may read; none for an empty question.

        Raises `SearchUnavailable`, `IndexNotReady`, `EmbeddingUnavailable`.
        """
        if not words(query.text):
            return Results((), 0.0, Signals())
        return self.ranked(query, top=top)

    def ranked(self, query: Query, *, top: int, masked: str | None = None) -> Results:
        """Like a call; `masked` leaves one document out, to see what the question gets without it."""
        lookup, tokens = self._understand(query)
        candidates = self._index.lookup(lookup)
        if masked is not None:
            candidates = replace(candidates, found=[c for c in candidates.found if c.document != masked])
        ranked = fused(candidates, self.recipe, follow_up=bool(query.history))
        ranked = self._reranked(ranked, tokens, candidates.idf)
        signals = signals_of(ranked, lookup, candidates)
        passages = self._index.passages([candidate.key for candidate, _ in ranked[:top]])
        by_id = {candidate.key: parts for candidate, parts in ranked[:top]}
        hits = tuple(
            Hit(passage, total(parts), parts) for passage, parts in zip(passages, by_id.values(), strict=False)
        )
        return Results(hits, self.calibration(signals) if hits else 0.0, signals)

    def _understand(self, query: Query) -> tuple[Lookup, list[tuple[QueryToken, str]]]:
        history = query.history if self.recipe.history else ()
        terms, bigrams = weighted_terms(self._analyzer, query.text, history)
        vector, tokens = self._embedder.query(query.text)
        if history:
            whole = "\n".join([query.text, *(turn.text for turn in reversed(history))])
            vector = unit(0.5 * vector + self._embedder.query(whole)[0])
        lookup = Lookup(terms, bigrams, vector, readable_audiences(query.groups), self.recipe)
        return lookup, [(token, self._word(query.text, token)) for token in tokens]

    def _word(self, text: str, token: QueryToken) -> str:
        """The analysed term that a word piece belongs to; empty for a stop word."""
        start, end = token.start, token.end
        while start > 0 and text[start - 1].isalnum():
            start -= 1
        while end < len(text) and text[end].isalnum():
            end += 1
        return next(iter(self._analyzer.terms(text[start:end])), "")

    def _reranked(
        self,
        ranked: list[tuple[Candidate, Parts]],
        tokens: Sequence[tuple[QueryToken, str]],
        idf: Mapping[str, float],
    ) -> list[tuple[Candidate, Parts]]:
        """Add late interaction to the first few; the others stay below in their order."""
        kept = [(token.vector, idf.get(word, 0.0)) for token, word in tokens if word]
        if not self.recipe.late_interaction or not kept:
            return ranked
        question = np.stack([vector for vector, _ in kept])
        weights = np.array([weight for _, weight in kept], np.float32)
        first, rest = ranked[:RERANKED], ranked[RERANKED:]
        vectors = self._index.tokens([candidate.key for candidate, _ in first])
        for candidate, parts in first:
            if candidate.key in vectors:
                parts["late"] = self.recipe.late_interaction * max_sim(question, weights, vectors[candidate.key])
        return sorted(first, key=lambda pair: -total(pair[1])) + rest


def signals_of(ranked: Sequence[tuple[Candidate, Parts]], lookup: Lookup, candidates: Candidates) -> Signals:
    """What the ranking itself says of whether the answer is there, each 0 to 1."""
    if not ranked:
        return Signals()
    first = ranked[0][0]
    mass = {term: weight * candidates.idf.get(term, 0.0) for term, weight in lookup.terms.items()}
    possible = sum(mass.values())
    best = max((candidate.lexical or 0.0 for candidate, _ in ranked), default=0.0)
    documents = Counter(candidate.document for candidate, _ in ranked[:CONCENTRATION_DEPTH])
    return Signals(
        lexical=min(1.0, best / possible) if possible else 0.0,
        cosine=max(0.0, first.cosine or 0.0),
        covered=sum(mass[term] for term in first.matched) / possible if possible else 0.0,
        concentration=documents[first.document] / min(CONCENTRATION_DEPTH, len(ranked)),
    )
