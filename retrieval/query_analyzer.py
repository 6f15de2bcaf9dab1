"""Analyses a question in its conversation: terms and vectors for the index, token vectors for late interaction."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.protocol import Embedder, QueryToken
from retrieval.embedding.vectors import Vector, normalise
from retrieval.passages import Query, readable_audiences
from retrieval.ranking.analysis import Analyzer, weighted_terms
from retrieval.ranking.candidates import Candidates, Lookup
from retrieval.ranking.configuration import RankingConfiguration
from retrieval.ranking.synonyms import Related

# Share of the question itself in a follow-up's vector; the rest is the whole conversation, newest turn first.
OWN_SHARE = 0.5
CACHED_QUERIES = 32
# What each word of an everyday synonym counts beside one that was asked for. Shared among the words of a phrase, it
# would find too little: `annual leave` for `vacation`.
SYNONYM_WEIGHT = 0.5


def no_synonyms(_: str) -> tuple[Related, ...]:
    """Return none, whatever is asked."""
    return ()


@dataclass(frozen=True, slots=True)
class AnalysedQuery:
    """A question as retrieval works with it; `tokens`, shape (q, t), belong to `words`, the analysed terms.

    A question of stop words only keeps all its tokens, each with an empty word. `lookup` also holds the terms of
    everyday synonyms; `asked` is the same without them, and `stands_for` names the terms that each was added for.
    """

    lookup: Lookup
    tokens: NDArray[np.float32]
    words: tuple[str, ...]
    asked: Lookup
    stands_for: Mapping[str, frozenset[str]]

    def credit(self, candidates: Candidates) -> Candidates:
        """Candidates of `lookup` as if what they hold of a synonym were the terms that it stands for."""
        if not self.stands_for:
            return candidates
        found = [
            replace(each, matched=frozenset().union(*(self.stands_for.get(term, {term}) for term in each.matched)))
            for each in candidates.found
        ]
        return replace(candidates, found=found)

    def weights(self, idf: Mapping[str, float]) -> Vector:
        """The weight of each token in late interaction, shape (q,)."""
        return np.array([idf.get(word, 0.0) if word else 1.0 for word in self.words], np.float32)


class QueryAnalyzer:
    """Analyses queries; `expand` writes out a company's own words (synonyms), `related` finds everyday ones.

    Both are called for each query. The last `CACHED_QUERIES` results are kept. Raises `EmbeddingUnavailable`.
    """

    def __init__(
        self,
        embedder: Embedder,
        analyzer: Analyzer,
        configuration: RankingConfiguration,
        *,
        expand: Callable[[str], str] = str,
        related: Callable[[str], tuple[Related, ...]] = no_synonyms,
    ) -> None:
        self._embedder = embedder
        self._analyzer = analyzer
        self._configuration = configuration
        self._expand = expand
        self._related = related
        self._cached = lru_cache(maxsize=CACHED_QUERIES)(self._analyse)

    def __call__(self, query: Query) -> AnalysedQuery:
        """Analyse a query, its standalone form where it has one."""
        text = query.standalone or query.text
        return self._cached(query, self._expand(text), self._related(text))

    def _analyse(self, query: Query, expanded: str, related: tuple[Related, ...]) -> AnalysedQuery:
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
        asked = Lookup(terms, bigrams, vector, readable_audiences(query.groups), self._configuration)
        stands_for = self._synonyms(related, own=terms)
        return AnalysedQuery(
            replace(asked, terms={**terms, **dict.fromkeys(stands_for, SYNONYM_WEIGHT)}) if stands_for else asked,
            np.stack([vector for vector, _ in kept]) if kept else np.zeros((0, 1), np.float32),
            tuple(word for _, word in kept),
            asked,
            stands_for,
        )

    def _synonyms(self, related: tuple[Related, ...], *, own: Collection[str]) -> dict[str, frozenset[str]]:
        """The terms of synonyms that the question has not itself, each with the terms of it that it stands for."""
        stands_for: dict[str, frozenset[str]] = {}
        for each in related:
            asked = frozenset(self._analyzer.terms(each.asked)) & frozenset(own)
            for term in self._analyzer.terms(" ".join(each.others)):
                if term not in own:
                    stands_for[term] = stands_for.get(term, frozenset()) | asked
        return stands_for

    def _word(self, text: str, token: QueryToken) -> str:
        """The analysed term that a word piece belongs to; empty for a stop word."""
        start, end = token.start, token.end
        while start > 0 and text[start - 1].isalnum():
            start -= 1
        while end < len(text) and text[end].isalnum():
            end += 1
        return next(iter(self._analyzer.terms(text[start:end])), "")
