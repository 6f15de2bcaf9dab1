"""Evaluates on judged question files, and calibrates the confidence on them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bot.answering.answers import EXTRACTIVE, Citation
from bot.services.evaluation.answer_log import open_answer_log
from bot.services.evaluation.candidates import Candidate, ReplaySearch
from bot.services.evaluation.comparison import compare_candidates
from retrieval.evaluation.judgements import read_corpus, read_qrels, read_questions
from retrieval.evaluation.matching import documents_by_name, matcher
from retrieval.evaluation.self_calibration import self_calibrate
from retrieval.index.protocols import IndexReader
from retrieval.passages import Passage
from retrieval.progress import Progress, ignore_progress
from retrieval.ranking.calibration import save_calibration
from retrieval.ranking.confidence import Calibration
from retrieval.search import Search


class EvaluationService:
    """Computes figures on judged question files, and learns from them what a confidence means.

    `replay_search` makes a search without some ingredients of retrieval, `candidate` the candidate of a name over such
    a search. `model` is the configured chat model, empty for none; `calibration` is the file that `calibrate` writes.
    """

    def __init__(
        self,
        *,
        index: IndexReader,
        search: Search,
        replay_search: Callable[[frozenset[str]], ReplaySearch],
        candidate: Callable[[str, Search], Candidate],
        model: str,
        threshold: float,
        calibration: Path,
    ) -> None:
        self._index = index
        self._search = search
        self._replay_search = replay_search
        self._candidate = candidate
        self._model = model
        self._threshold = threshold
        self._calibration = calibration

    def evaluate(
        self,
        questions: Path,
        *,
        qrels: Path | None = None,
        corpus: Path | None = None,
        without: frozenset[str] = frozenset(),
        models: Sequence[str] | None = (),
        out: Path | None = None,
        progress: Progress = ignore_progress,
    ) -> Mapping[str, Any]:
        """Return figures of retrieval, abstention and the answers of these models on a judged question file.

        `extractive` names the answers without a model. No models means the configured one, None no answers at all.
        Each answer becomes a line of `out` as it is given. Raises `BotError` when that cannot be written.
        """
        search = self._replay_search(without)
        names = None if models is None else tuple(models) or (self._model or EXTRACTIVE,)
        ask = partial(
            compare_candidates,
            read_questions(questions),
            read_qrels(qrels) if qrels else {},
            read_corpus(corpus) if corpus else {},
            search,
            [self._candidate(name, search) for name in names or ()],
            threshold=self._threshold,
            text_of=self._text_of,
            progress=progress,
        )
        with open_answer_log(out) as log:  # only now, so that what cannot be read costs no earlier file
            return ask(log=log)

    def calibrate(self, questions: Path, *, qrels: Path, corpus: Path | None) -> Calibration:
        """Learn from judged questions what a confidence means on these documents; later searches use it."""
        judgements, sections = read_qrels(qrels), read_corpus(corpus) if corpus else {}
        known = documents_by_name(
            document for source in self._index.sources() for document in self._index.stored(source)
        )
        learned = self_calibrate(
            self._search,
            [
                (question.query, _any_of([matcher(name, sections, known) for name in judgements[question.id]]))
                for question in read_questions(questions)
                if question.id in judgements
            ],
        )
        save_calibration(learned, self._calibration)
        return learned

    def _text_of(self, citation: Citation) -> str:
        """Return the text of the version that is cited; empty when it is gone."""
        document = self._index.document(citation.document, version=citation.version)
        return document.text if document else ""


def _any_of(golds: Sequence[Callable[[Passage], bool]]) -> Callable[[Passage], bool]:
    """Return a test of whether a passage is one of several gold sections."""
    return lambda passage: any(each(passage) for each in golds)
