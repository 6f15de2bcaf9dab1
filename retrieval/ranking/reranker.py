"""Scores passages with a cross-encoder, which reads question and passage together, and reorders the best of them.

A cross-encoder is slow: it reads every passage anew for every question. So only those that the ranking before found
best are shown to it.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retrieval.embedding.loading import load_cross_encoder
from retrieval.passages import Passage, Query
from retrieval.ranking.candidates import Candidate, Key
from retrieval.ranking.fusion import Parts, total_score

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

SCORED = 20
# What a score of 1 adds to a candidate's score: about as much as all other ingredients together.
WEIGHT = 3.5
# A best score below this says that no passage answers. It is low because a cross-encoder is trained on passages that
# hold a whole answer, and gives little to one that holds half of it.
ANSWERS_FROM = 0.1
# The confidence of such a question stays below this, which is what an answer needs unless it is configured otherwise.
UNANSWERED_BELOW = 0.4

Ranked = list[tuple[Candidate, Parts]]


class Reranker:
    """A cross-encoder of sentence-transformers, by a path or by a name that its hub knows.

    It is loaded for the first score, and may be used from any thread. Raises `EmbeddingUnavailable` when it cannot be
    loaded.
    """

    def __init__(self, model: str) -> None:
        self.name = model
        self._lock = threading.Lock()

    @cached_property
    def _model(self) -> "CrossEncoder":
        folder = Path(self.name).expanduser()
        return load_cross_encoder(folder if folder.is_dir() else self.name)

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the question, from 0 to 1, in order; a text beyond the model's length is cut."""
        if not texts:
            return []
        with self._lock:  # its tokenizer may not be used by two threads at once
            logits = self._model.predict(
                [(question, text) for text in texts], activation_fn=lambda logit: logit, show_progress_bar=False
            )
        return [float(score) for score in 1 / (1 + np.exp(-np.clip(logits.astype(np.float64).ravel(), -50, 50)))]

    def rerank(
        self, query: Query, ranked: Ranked, passages: Callable[[Sequence[Key]], Mapping[Key, Passage]]
    ) -> tuple[Ranked, float]:
        """Add the scores of the first few and sort them anew, the others below; also the best score, 0 for none.

        `passages` gives the passages of these candidates; one that is gone by now has no score.
        """
        first, rest = ranked[:SCORED], ranked[SCORED:]
        found = passages([candidate.key for candidate, _ in first])
        keys = [candidate.key for candidate, _ in first if candidate.key in found]
        scores = dict(zip(keys, self.score(asked(query), [readable(found[key]) for key in keys]), strict=True))
        scored = [
            (candidate, parts | {"reranker": WEIGHT * scores.get(candidate.key, 0.0)}) for candidate, parts in first
        ]
        return sorted(scored, key=lambda pair: -total_score(pair[1])) + rest, max(scores.values(), default=0.0)


def asked(query: Query) -> str:
    """The question as a cross-encoder reads it: one that needs its conversation has the question before it in front."""
    before = [turn.text for turn in query.history if turn.role == "user"]
    return query.standalone or "\n".join([*before[-1:], query.text])


def readable(passage: Passage) -> str:
    """The passage as a cross-encoder reads it: below its heading."""
    return f"{passage.embedded_heading}\n{passage.embedded_text}"


def adjust_confidence(confidence: float, best: float) -> float:
    """The confidence of a ranking when a reranker gives its best passage this score (pure).

    From `ANSWERS_FROM` on both have the same say; below, the confidence is what an abstention has, whatever it was.
    """
    if best < ANSWERS_FROM:
        return min(confidence, UNANSWERED_BELOW * best / ANSWERS_FROM)
    told = UNANSWERED_BELOW + (1 - UNANSWERED_BELOW) * (best - ANSWERS_FROM) / (1 - ANSWERS_FROM)
    return (confidence + told) / 2
