"""Scores one answer of a candidate against what is known of the right answers (pure but for the documents' texts)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.answering.answers import Citation
from bot.services.evaluation.candidates import CandidateAnswer
from bot.services.evaluation.scoring import (
    Ratio,
    answer_text,
    cites_gold,
    count_verbatim,
    quotes_gold,
    score_format,
    score_presence,
    token_overlap,
)
from retrieval.evaluation.judgements import Section
from retrieval.evaluation.matching import matcher
from retrieval.evaluation.outcomes import known_answerable


@dataclass(frozen=True)
class Judge:
    """Knows the right answers: judgements, gold sections, and the documents that were found, by their names.

    `text_of` returns the text of the document that a citation names.
    """

    qrels: Mapping[str, Sequence[str]]
    corpus: Mapping[str, Section]
    known: Mapping[str, frozenset[str]]
    text_of: Callable[[Citation], str]

    def score(self, candidate_answer: CandidateAnswer) -> dict[str, Ratio]:
        """Return the ratio of every figure that can be told of this answer, by the figure's name."""
        answer, trace = candidate_answer.answer, candidate_answer.trace
        tokens = trace.tokens
        return {
            **score_presence(answer),
            "verbatim": count_verbatim(answer.citations, self.text_of),
            "own": (bool(answer.sentences) and not answer.fallback, trace.asked),
            "not_found": (trace.not_found, trace.asked),
            "grounded": (trace.admitted, trace.proposed),
            "form": score_format(trace.reply) if trace.proposed else (0, 0),
            **({"tokens_in": (tokens.read, 1), "tokens_out": (tokens.written, 1)} if tokens else {}),
            **self._score_judged(candidate_answer),
        }

    def _score_judged(self, candidate_answer: CandidateAnswer) -> dict[str, Ratio]:
        """Return the ratios that rest on what is known of the question."""
        question, answer = candidate_answer.outcome.question, candidate_answer.answer
        answerable = known_answerable(question, self.qrels)
        if answerable is False:
            return {"wrongly_answered": (bool(answer.sentences), 1)}
        check = candidate_answer.check
        shown = {"whole": check.whole, "first": check.first, "right_kind": check.right_kind}
        ratios: dict[str, Ratio] = {name: (value, 1) for name, value in shown.items() if value is not None}
        if answerable:
            ratios["wrongly_not_found"] = (answer.abstained, 1)
        names = self.qrels.get(question.id, ())
        if names:
            ratios["cited_gold"] = (cites_gold(answer, [matcher(name, self.corpus, self.known) for name in names]), 1)
        sections = [self.corpus[name] for name in names if name in self.corpus]
        if sections:
            ratios["quoted_gold"] = (quotes_gold(answer, sections), 1)
        if question.references:
            f1, recall = token_overlap(answer_text(answer), question.references)
            ratios |= {"f1": (f1, 1), "recall": (recall, 1)}
        return ratios
