"""Analyses a question in its conversation: terms and vectors for the index, token vectors for late interaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.protocol import Embedder, QueryToken
from retrieval.embedding.vectors import Vector, normalise
from retrieval.passages import Query, readable_audiences
from retrieval.ranking.analysis import Analyzer, weighted_terms
from retrieval.ranking.candidates import Lookup
from retrieval.ranking.configuration import RankingConfiguration

# Share of the question itself in a follow-up's vector; the rest is the whole conversation, newest turn first.
OWN_SHARE = 0.5
CACHED_QUERIES = 32


@dataclass(frozen=True, slots=True)
class AnalysedQuery:
    """A question as retrieval works with it; `tokens`, shape (q, t), belong to `words`, the analysed terms.

    A question of stop words only keeps all its tokens, each with an empty word.
    """

    lookup: Lookup
    tokens: NDArray[np.float32]
    words: tuple[str, ...]

    def weights(self, idf: Mapping[str, float]) -> Vector:
        """The weight of each token in late interaction, shape (q,)."""
        return np.array([idf.get(word, 0.0) if word else 1.0 for word in self.words], np.float32)


class QueryAnalyzer:
    """Analyses queries; `expand` writes out a company's own words (synonyms), as they are when it is called.

    The last `CACHED_QUERIES` results are kept. Raises `EmbeddingUnavailable`.
    """

    def __init__(
        self,
        embedder: Embedder,
        analyzer: Analyzer,
        configuration: RankingConfiguration,
        *,
        expand: Callable[[str], str] = str,
    ) -> None:
        self._embedder = embedder
        self._analyzer = analyzer
        self._configuration = configuration
        self._expand = expand
        self._cached = lru_cache(maxsize=CACHED_QUERIES)(self._analyse)

    def __call__(self, query: Query) -> AnalysedQuery:
        """Analyse a query, its standalone form where it has one."""
        return self._cached(query, self._expand(query.standalone or query.text))

    def _analyse(self, query: Query, expanded: str) -> AnalysedQuery:
        # A standalone question needs no history, which could only add an old topic. The text as it was asked stays in
        # the terms, for the numbers and names that the standalone form may lose.
        history = query.history if self._configuration.history and not query.standalone else ()
        other = expanded if expanded != query.text else ""
        terms, bigrams = weighted_terms(self._analyzer, query.text, history, standalone=other)
        vector, tokens = self._embedder.encode_query(expanded)
        if history:
            conversation = "\n".join([expanded, *(turn.text for turn in reversed(history))])
            vector = normalise(OWN_SHARE * vector + (1 - OWN_SHARE) * self._embedder.encode_query(conversation)[0])
        analysed = [(token.vector, self._word(expanded, token)) for token in tokens]
        kept = [(vector, word) for vector, word in analysed if word] or analysed
        return AnalysedQuery(
            Lookup(terms, bigrams, vector, readable_audiences(query.groups), self._configuration),
            np.stack([vector for vector, _ in kept]) if kept else np.zeros((0, 1), np.float32),
            tuple(word for _, word in kept),
        )

    def _word(self, text: str, token: QueryToken) -> str:
        """The analysed term that a word piece belongs to; empty for a stop word."""
        start, end = token.start, token.end
        while start > 0 and text[start - 1].isalnum():
            start -= 1
        while end < len(text) and text[end].isalnum():
            end += 1
        return next(iter(self._analyzer.terms(text[start:end])), "")
