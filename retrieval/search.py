"""Query in, hits out: analyse, embed, ask the index once, fuse, compare token by token, say how sure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.sentence_transformers import Embedder, QueryToken, unit
from retrieval.index.protocols import Candidate, Candidates, IndexReader, Lookup, PassageTokens, Vector
from retrieval.passages import Hit, Query, readable_audiences
from retrieval.ranking.analysis import Analyzer, weighted_terms, words
from retrieval.ranking.confidence import Calibration, Signals
from retrieval.ranking.configuration import RankingConfiguration
from retrieval.ranking.fusion import Parts, fused, max_sim, total
from retrieval.ranking.highlight import Highlight, Read, highlights

# Late interaction costs a read of token vectors each, and beyond these few it changes nothing (30 gave the same).
RERANKED = 20
CONCENTRATION_DEPTH = 10
# Share of the question itself in a follow-up's vector; the rest is the whole conversation, newest turn first.
OWN_SHARE = 0.5
UNDERSTOOD_KEPT = 32
# A follow-up with so many terms of its own says what it is about. What holds no more than this share of their weight,
# and meets its tokens no closer than this, was found for what had been talked of before.
OWN_TERMS, OWN_HELD, OWN_NEAR = 3, 0.25, 0.4


@dataclass(frozen=True, slots=True)
class Results:
    """Hits, best first, and how likely it is that they hold the answer, 0 to 1; 0 for none.

    `idf` is the weight of each of the question's terms among what the asker may read.
    """

    hits: tuple[Hit, ...]
    confidence: float
    signals: Signals = field(default_factory=Signals)
    idf: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Understood:
    """A question as retrieval sees it; `tokens`, shape (q, t), belong to `words`, the analysed terms.

    A question of stop words only keeps all its tokens, each with an empty word.
    """

    lookup: Lookup
    tokens: NDArray[np.float32]
    words: tuple[str, ...]

    def weights(self, idf: Mapping[str, float]) -> Vector:
        """How much each token counts, shape (q,)."""
        return np.array([idf.get(word, 0.0) if word else 1.0 for word in self.words], np.float32)


class Search:
    """Hybrid retrieval over any `IndexReader`; `spell_out` puts a question into words that documents use."""

    def __init__(
        self,
        index: IndexReader,
        embedder: Embedder,
        analyzer: Analyzer,
        *,
        recipe: RankingConfiguration | None = None,
        calibration: Calibration | None = None,
        spell_out: Callable[[str], str] = str,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._analyzer = analyzer
        self.recipe = recipe or RankingConfiguration()
        self.calibration = calibration or Calibration()
        self._spell_out = spell_out
        self._remembered = lru_cache(maxsize=UNDERSTOOD_KEPT)(self._understood)

    def __call__(self, query: Query, *, top: int = 10) -> Results:
        """The best `top` passages that the asker may read; none for an empty question.

        Raises `SearchUnavailable`, `IndexNotReady`, `EmbeddingUnavailable`.
        """
        return self.ranked(query, top=top) if words(query.text) else Results((), 0.0)

    def ranked(self, query: Query, *, top: int, masked: str | None = None) -> Results:
        """Like a call; `masked` leaves one document out, to see what the question gets without it."""
        understood = self._understand(query)
        candidates = self._index.lookup(understood.lookup)
        if masked is not None:
            candidates = replace(candidates, found=[each for each in candidates.found if each.document != masked])
        follow_up = bool(query.history) and not query.standalone
        ranked = fused(candidates, self.recipe, follow_up=follow_up)
        ranked = self._reranked(ranked, understood, candidates.idf)
        hits = self._hits(ranked[:top])
        signals = signals_of(ranked, understood.lookup, candidates)
        if follow_up and ranked and self._strays(*ranked[0], understood, candidates.idf):
            signals = Signals(cosine=signals.cosine)
        return Results(hits, self.calibration(signals) if hits else 0.0, signals, candidates.idf)

    def highlights(self, query: Query, results: Results, *, top: int) -> list[list[Highlight]]:
        """For each of the first hits its sentences in order, scored by how well they meet the question."""
        hits = results.hits[:top]
        understood = self._understand(query)
        weights = understood.weights(results.idf)
        tokens = self._index.tokens([hit.key for hit in hits])
        nothing = np.zeros((0, understood.tokens.shape[1]), np.int8)
        spans = self._embedder.spans([hit.passage.embedded_text for hit in hits])
        read = [
            Read(hit.passage, tokens.get(hit.key, PassageTokens(nothing, nothing)), places)
            for hit, places in zip(hits, spans, strict=True)
        ]
        return highlights(read, understood.tokens, weights)

    def _understand(self, query: Query) -> Understood:
        """The question with the company's own words spelled out, as the file of synonyms stands now."""
        return self._remembered(query, self._spell_out(query.standalone or query.text))

    def _understood(self, query: Query, meant: str) -> Understood:
        """What stands alone needs no history, which could only drag an old topic along; as it was put, it stays in the
        terms, for the numbers and names that putting it otherwise may lose.
        """
        history = query.history if self.recipe.history and not query.standalone else ()
        other = meant if meant != query.text else ""
        terms, bigrams = weighted_terms(self._analyzer, query.text, history, standalone=other)
        vector, tokens = self._embedder.query(meant)
        if history:
            whole = "\n".join([meant, *(turn.text for turn in reversed(history))])
            vector = unit(OWN_SHARE * vector + (1 - OWN_SHARE) * self._embedder.query(whole)[0])
        analysed = [(token.vector, self._word(meant, token)) for token in tokens]
        kept = [(vector, word) for vector, word in analysed if word] or analysed
        return Understood(
            Lookup(terms, bigrams, vector, readable_audiences(query.groups), self.recipe),
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

    def _reranked(
        self, ranked: list[tuple[Candidate, Parts]], understood: Understood, idf: Mapping[str, float]
    ) -> list[tuple[Candidate, Parts]]:
        """Late interaction added to the first few; the others stay below in their order."""
        if not self.recipe.late_interaction or not any(understood.words):
            return ranked
        weights = understood.weights(idf)
        first, rest = ranked[:RERANKED], ranked[RERANKED:]
        tokens = self._index.tokens([candidate.key for candidate, _ in first])

        def late(candidate: Candidate) -> float:
            found = tokens.get(candidate.key)
            return self.recipe.late_interaction * max_sim(understood.tokens, weights, both(found)) if found else 0.0

        scored = [(candidate, parts | {"late": late(candidate)}) for candidate, parts in first]
        return sorted(scored, key=lambda pair: -total(pair[1])) + rest

    def _strays(self, first: Candidate, parts: Parts, understood: Understood, idf: Mapping[str, float]) -> bool:
        """Whether a follow-up's first hit has to do with the conversation alone: then the words that it meets were
        said before, and tell nothing of what is asked now.
        """
        own = set(understood.words) - {""}
        mass = weighed(dict.fromkeys(own, 1.0), idf)
        held = share(sum(mass[term] for term in own & first.matched), sum(mass.values()))
        is_near = parts.get("late", 0.0) >= OWN_NEAR * self.recipe.late_interaction
        return len(own) >= OWN_TERMS and held <= OWN_HELD and not is_near

    def _hits(self, ranked: Sequence[tuple[Candidate, Parts]]) -> tuple[Hit, ...]:
        """Hits for candidates whose passages still stand."""
        passages = self._index.passages([candidate.key for candidate, _ in ranked])
        return tuple(
            Hit(passages[candidate.key], total(parts), parts, candidate.key)
            for candidate, parts in ranked
            if candidate.key in passages
        )


def both(tokens: PassageTokens) -> NDArray[np.int8]:
    """Heading and text together: a section's heading answers for all that stands below it."""
    return np.concatenate([tokens.heading, tokens.text])


def signals_of(ranked: Sequence[tuple[Candidate, Parts]], lookup: Lookup, candidates: Candidates) -> Signals:
    """What the ranking itself says of whether the answer is there, each 0 to 1."""
    if not ranked:
        return Signals()
    first = ranked[0][0]
    mass = weighed(lookup.terms, candidates.idf)
    possible = sum(mass.values())
    documents = Counter(candidate.document for candidate, _ in ranked[:CONCENTRATION_DEPTH])
    return Signals(
        lexical=share(max(candidate.lexical or 0.0 for candidate, _ in ranked), possible),
        phrase=share(
            max(candidate.phrase or 0.0 for candidate, _ in ranked),
            sum(weighed(lookup.bigrams, candidates.idf).values()),
        ),
        cosine=max(0.0, first.cosine or 0.0),
        covered=share(sum(mass[term] for term in first.matched), possible),
        concentration=documents[first.document] / min(CONCENTRATION_DEPTH, len(ranked)),
    )


def weighed(weights: Mapping[str, float], idf: Mapping[str, float]) -> dict[str, float]:
    """What each term could add to a score at most."""
    return {term: weight * idf.get(term, 0.0) for term, weight in weights.items()}


def share(part: float, whole: float) -> float:
    """A part of a whole, 0 to 1; 0 of nothing."""
    return min(1.0, part / whole) if whole > 0 else 0.0
