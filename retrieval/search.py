"""Finds the passages for a question: analyse it, look it up, fuse the scores, rerank the best, measure confidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from retrieval.embedding.protocol import Embedder
from retrieval.embedding.vectors import Vector
from retrieval.index.protocols import IndexReader
from retrieval.passages import Hit, Query, readable_audiences
from retrieval.query_analyzer import AnalysedQuery, QueryAnalyzer, no_synonyms
from retrieval.ranking.analysis import Analyzer, words
from retrieval.ranking.candidates import Candidate, Key, PassageTokens
from retrieval.ranking.confidence import Calibration, Signals
from retrieval.ranking.configuration import RankingConfiguration
from retrieval.ranking.excerpts import EmbeddedPassage, EmbeddedQuestion, Excerpt, ScoredExcerpts, score_excerpts
from retrieval.ranking.fusion import Parts, fuse, max_sim, total_score
from retrieval.ranking.reranker import Reranker, adjust_confidence
from retrieval.ranking.signals import highest_contributions, lexical_match, measure_signals, share
from retrieval.ranking.synonyms import Related

# Late interaction costs a read of token vectors each, and beyond these few it changes nothing (30 gave the same).
RERANKED = 20
# Hits whose excerpts may answer.
QUOTABLE = 8
# A follow-up with so many terms of its own says what it is about. A hit that holds no more than this share of their
# weight, and comes no closer to its tokens than this, was found for the conversation before it.
OWN_TERMS, OWN_HELD, OWN_NEAR = 3, 0.25, 0.2


@dataclass(frozen=True, slots=True)
class Results:
    """Hits, best first, and how likely it is that they hold the answer, 0 to 1; 0 for none.

    `excerpts` are those of each of the first few hits, in reading order; hits without any have an empty tuple.
    `on_topic` is false where the first hit of a follow-up has nothing of the question itself, and was found for the
    conversation before it alone.
    """

    hits: tuple[Hit, ...]
    confidence: float
    signals: Signals = field(default_factory=Signals)
    excerpts: tuple[tuple[Excerpt, ...], ...] = ()
    on_topic: bool = True

    def with_hits(self, hits: Sequence[Hit]) -> "Results":
        """Return these results with other hits, or the same in another order; each keeps the excerpts that it has."""
        known = {_place(hit): own for hit, own in zip(self.hits, self.excerpts, strict=False)}
        return replace(self, hits=tuple(hits), excerpts=tuple(known.get(_place(hit), ()) for hit in hits))


def _own_terms(analysed: AnalysedQuery) -> frozenset[str]:
    return frozenset(analysed.words) - {""}


def _place(hit: Hit) -> tuple[str, int]:
    return hit.passage.document, hit.passage.ordinal


class Search:
    """Hybrid retrieval over any `IndexReader`, whose best hits the `reranker` orders anew if there is one.

    `expand` writes out a company's own words in a question, `related` finds everyday synonyms for it.
    """

    def __init__(
        self,
        index: IndexReader,
        embedder: Embedder,
        analyzer: Analyzer,
        *,
        configuration: RankingConfiguration | None = None,
        calibration: Calibration | None = None,
        expand: Callable[[str], str] = str,
        related: Callable[[str], tuple[Related, ...]] = no_synonyms,
        reranker: Reranker | None = None,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self.configuration = configuration or RankingConfiguration()
        self.calibration = calibration or Calibration()
        self._reranker = reranker
        self._analyse = QueryAnalyzer(embedder, analyzer, self.configuration, expand=expand, related=related)

    def __call__(self, query: Query, *, top: int = 10) -> Results:
        """The best `top` passages that the asker may read; none for a question without a word.

        Raises `SearchUnavailable`, `IndexNotReady`, `EmbeddingUnavailable`.
        """
        return self.rank(query, top=top) if words(query.text) else Results((), 0.0)

    def rank(self, query: Query, *, top: int, masked: str | None = None) -> Results:
        """Search even for a question without a word; `masked` leaves one document out of the candidates."""
        analysed = self._analyse(query)
        candidates = analysed.credit(self._index.lookup(analysed.lookup))
        if masked is not None:
            candidates = replace(candidates, found=[each for each in candidates.found if each.document != masked])
        is_follow_up = bool(query.history) and not query.standalone
        lexical = lexical_match(analysed.asked, candidates)
        ranked = fuse(candidates, self.configuration, follow_up=is_follow_up, lexical=lexical)
        tokens = self._index.tokens([candidate.key for candidate, _ in ranked[:RERANKED]])
        weights = analysed.weights(candidates.idf)
        ranked = self._rerank(ranked, tokens, analysed, weights, follow_up=is_follow_up)
        ranked, best = self._reranker.rerank(query, ranked, self._index.passages) if self._reranker else (ranked, None)
        hits = self._hits(ranked[: max(top, QUOTABLE)], readable_audiences(query.groups))
        scored = self._score_excerpts(hits[:QUOTABLE], tokens, analysed, weights, follow_up=is_follow_up)
        signals = measure_signals(ranked, analysed.asked, candidates, scored)
        on_topic = True
        if is_follow_up and ranked:
            held = self._own_share(*ranked[0], analysed, candidates.idf)
            on_topic = held > 0.0
            if held <= OWN_HELD and len(_own_terms(analysed)) >= OWN_TERMS:
                signals = Signals(cosine=signals.cosine)
        confidence = self.calibration(signals) if hits else 0.0
        if best is not None:
            confidence = adjust_confidence(confidence, best)
        return Results(hits[:top], confidence, signals, scored.by_passage[:top], on_topic)

    def _score_excerpts(
        self,
        hits: Sequence[Hit],
        tokens: Mapping[Key, PassageTokens],
        analysed: AnalysedQuery,
        weights: Vector,
        *,
        follow_up: bool,
    ) -> ScoredExcerpts:
        empty = np.zeros((0, analysed.tokens.shape[1]), np.int8)
        spans = self._embedder.token_spans([hit.passage.embedded_text for hit in hits])
        passages = [
            EmbeddedPassage(hit.passage, hit.score, tokens.get(hit.key, PassageTokens(empty, empty)), places)
            for hit, places in zip(hits, spans, strict=True)
        ]
        vector = analysed.lookup.vector if analysed.lookup.vector is not None else np.zeros(0, np.float32)
        return score_excerpts(passages, EmbeddedQuestion(analysed.tokens, weights, vector, follow_up))

    def _rerank(
        self,
        ranked: list[tuple[Candidate, Parts]],
        tokens: Mapping[Key, PassageTokens],
        analysed: AnalysedQuery,
        weights: Vector,
        *,
        follow_up: bool,
    ) -> list[tuple[Candidate, Parts]]:
        """Add late interaction to the first few and sort them anew; the others stay below in their order."""
        configuration = self.configuration
        weight = configuration.late_interaction_follow_up if follow_up else configuration.late_interaction
        if not weight or not any(analysed.words):
            return ranked
        first, rest = ranked[:RERANKED], ranked[RERANKED:]

        def late_interaction(candidate: Candidate) -> float:
            found = tokens.get(candidate.key)
            if not found:
                return 0.0
            # A section's heading answers for all text below it.
            both = np.concatenate([found.heading, found.text])
            return weight * max_sim(analysed.tokens, weights, both)

        scored = [(candidate, parts | {"late": late_interaction(candidate)}) for candidate, parts in first]
        return sorted(scored, key=lambda pair: -total_score(pair[1])) + rest

    def _own_share(self, first: Candidate, parts: Parts, analysed: AnalysedQuery, idf: Mapping[str, float]) -> float:
        """Return how much of a follow-up's own words its first hit holds, 0 to 1; all where it is near in meaning.

        One that holds little was found for the conversation before it. All, too, of a question without such words.
        """
        own = _own_terms(analysed)
        if not own or parts.get("late", 0.0) >= OWN_NEAR * self.configuration.late_interaction_follow_up:
            return 1.0
        mass = highest_contributions(dict.fromkeys(own, 1.0), idf)
        return share(sum(mass[term] for term in own & first.matched), sum(mass.values()))

    def _hits(self, ranked: Sequence[tuple[Candidate, Parts]], readable: frozenset[str]) -> tuple[Hit, ...]:
        """Hits for the candidates whose passages are still in the index, and still may be read."""
        passages = self._index.passages([candidate.key for candidate, _ in ranked])
        return tuple(
            Hit(passages[candidate.key], total_score(parts), parts, candidate.key)
            for candidate, parts in ranked
            if candidate.key in passages and passages[candidate.key].audience & readable
        )
