"""How well a search finds, and how well it knows when it did not: figures on a judged question file.

A judgement names a document, a `document#anchor`, or a section of a corpus, whatever the passages are cut like. A
section is found by a hit of its document that holds half of its 3-word shingles, or that has at least 15 words and
lies 80 % inside it.
"""

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import UnreadableJudgements
from retrieval.evaluation.judgements import Question, Section
from retrieval.parsing.registry import FORMATS
from retrieval.passages import Hit, Passage, Query
from retrieval.search import Results

WORD = re.compile(r"[^\W_]+")
SHINGLE = 3
LEAST_WORDS = 15
# Hits below this rank are not looked at.
DEPTH = 50
CUTS = (1, 5, 10)
# Words that a reader gets through; unlike a number of hits, they are not won by longer passages.
READ = (300, 1000)
THRESHOLDS = tuple(step / 20 for step in range(1, 20))
BINS = 10

Progress = Callable[[str, int, int], None]
Search = Callable[[Query], Results]
Gold = Callable[[Passage], bool]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one question got, and how long it took."""

    question: Question
    hits: tuple[Hit, ...]
    confidence: float
    seconds: float


def evaluate(
    questions: Sequence[Question],
    qrels: Mapping[str, Sequence[str]],
    corpus: Mapping[str, Section],
    search: Search,
    *,
    progress: Progress = lambda stage, done, total: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Figures by name; None for one that these files cannot tell. Raises what `asked` and `figures` do."""
    return figures(list(asked(questions, qrels, search, progress=progress, clock=clock)), qrels, corpus)


def asked(
    questions: Sequence[Question],
    qrels: Mapping[str, Sequence[str]],
    search: Search,
    *,
    progress: Progress = lambda stage, done, total: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Outcome]:
    """What each question gets, in order, each looked up when it is reached.

    Raises `UnreadableJudgements` when there is no question, or when judgements name none of them.
    """
    if not questions:
        raise UnreadableJudgements("there are no questions to evaluate")
    if qrels and not any(question.id in qrels for question in questions):
        raise UnreadableJudgements("the judgements name none of the questions: their ids must be the same")
    search(questions[0].query)  # the first one loads the model, and is no measure of speed
    for done, question in enumerate(questions, start=1):
        yield _asked(question, search, clock)
        progress("asking", done, len(questions))


def figures(
    outcomes: Sequence[Outcome], qrels: Mapping[str, Sequence[str]], corpus: Mapping[str, Section]
) -> dict[str, Any]:
    """Figures of retrieval, abstention and speed.

    A question is answerable as its line says, else when it has judgements. Retrieval is judged on answerable questions
    with judgements, abstention on all, against the others. Raises `UnreadableJudgements` when a judgement fits several
    documents.
    """
    return {
        "questions": len(outcomes),
        **retrieval_figures(outcomes, qrels, corpus),
        **abstention_figures([each.confidence for each in outcomes], [answerable(each, qrels) for each in outcomes]),
        **latency_figures([each.seconds for each in outcomes]),
    }


def _asked(question: Question, search: Search, clock: Callable[[], float]) -> Outcome:
    started = clock()
    results = search(question.query)
    return Outcome(question, results.hits[:DEPTH], results.confidence, clock() - started)


def answerable(outcome: Outcome, qrels: Mapping[str, Sequence[str]]) -> bool:
    """What the question's line says, else whether anything was judged to answer it; without judgements all are."""
    said = outcome.question.answerable
    return said if said is not None else not qrels or outcome.question.id in qrels


def retrieval_figures(
    outcomes: Sequence[Outcome], qrels: Mapping[str, Sequence[str]], corpus: Mapping[str, Section]
) -> dict[str, Any]:
    """Means over the questions that have judgements and are answerable."""
    judged = [each for each in outcomes if each.question.id in qrels and answerable(each, qrels)]
    known = called(hit.passage.document for each in outcomes for hit in each.hits)
    rows = [
        scores([gold(name, corpus, known) for name in qrels[each.question.id]], [hit.passage for hit in each.hits])
        for each in judged
    ]
    names = scores([], [])
    return {"judged": len(rows), **{name: _mean([row[name] for row in rows]) for name in names}}


def scores(golds: Sequence[Gold], passages: Sequence[Passage]) -> dict[str, float]:
    """Figures of one question. A rank that holds several gold sections gains once."""
    found = _found(golds, passages)
    ranks = sorted({rank for rank, _ in found if rank <= 10})
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(10, len(golds)) + 1))
    gained = sum(1 / math.log2(rank + 1) for rank in ranks)
    of = len(golds) or 1
    return {
        **{f"recall@{cut}": sum(rank <= cut for rank, _ in found) / of for cut in CUTS},
        **{f"recall@{room}words": sum(read <= room or rank == 1 for rank, read in found) / of for room in READ},
        "MRR@10": 1 / ranks[0] if ranks else 0.0,
        "nDCG@10": gained / ideal if ideal else 0.0,
    }


def _found(golds: Sequence[Gold], passages: Sequence[Passage]) -> list[tuple[int, int]]:
    """For each gold section that was found: the rank of the first hit that does, and the words read up to its end."""
    read, found, missing = 0, [], list(golds)
    for rank, passage in enumerate(passages, start=1):
        read += len(words(passage.embedded_text))
        left = [each for each in missing if not each(passage)]
        found += [(rank, read)] * (len(missing) - len(left))
        missing = left
    return found


def gold(name: str, corpus: Mapping[str, Section], known: Mapping[str, frozenset[str]]) -> Gold:
    """Tells whether a passage is what the judgement names; `known` is what `called` gives."""
    if name in corpus:
        section = corpus[name]
        file, wanted = stem(section.document.replace("/", "__")), shingles(section.text)
        return lambda passage: stem(passage.document) == file and covers(wanted, passage.embedded_text)
    if name in known or "#" not in name:
        document = _only(name, known)
        return lambda passage: passage.document == document
    place, _, anchor = name.partition("#")
    document = _only(place, known)
    return lambda passage: passage.document == document and anchor in {passage.anchor, passage.fragment}


def called(documents: Iterable[str]) -> dict[str, frozenset[str]]:
    """The documents that each name may mean: an id means itself, else one without its source, its suffix, or both."""
    exact = set(documents)
    names: dict[str, set[str]] = {}
    for document in exact:
        inside = document.partition("/")[2]
        for name in (unsuffixed(document), inside, unsuffixed(inside)):
            if name and name not in exact:
                names.setdefault(name, set()).add(document)
    return {name: frozenset(meant) for name, meant in names.items()} | {each: frozenset({each}) for each in exact}


def _only(name: str, known: Mapping[str, frozenset[str]]) -> str | None:
    """The document of this name; None when no hit is of it."""
    meant = sorted(known.get(name, ()))
    if len(meant) > 1:
        raise UnreadableJudgements(f"the judgement {name!r} fits {' and '.join(meant)}; name the one in full")
    return meant[0] if meant else None


def stem(name: str) -> str:
    """The bare file name."""
    return unsuffixed(name.rpartition("/")[2])


def unsuffixed(name: str) -> str:
    """The name without the suffix of a format that is read."""
    suffix = PurePosixPath(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in FORMATS else name


def covers(wanted: Counter[tuple[str, ...]], text: str) -> bool:
    """Whether the text holds half of the section's shingles, or has 15 words and lies 80 % inside it."""
    own = shingles(text)
    shared = (wanted & own).total()
    return shared >= 0.5 * wanted.total() or (len(words(text)) >= LEAST_WORDS and shared >= 0.8 * own.total())


@lru_cache(maxsize=1000)
def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Every run of three words, with how often it stands there; a shorter text is one run, not to be changed."""
    found = words(text)
    size = min(SHINGLE, max(1, len(found)))
    return Counter(tuple(found[start : start + size]) for start in range(max(1, len(found) - size + 1)))


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def abstention_figures(confidences: Sequence[float], answerables: Sequence[bool]) -> dict[str, Any]:
    """How well confidence tells answerable questions from the others; without one of the two kinds nothing can be told.

    `auroc` is the chance that it is higher for an answerable question than for another, ties counting half.
    `calibration_error` is the mean distance, over ten bins, between confidence and the answerable share, and
    `reliability` are those bins. `thresholds` tell which shares would be answered.
    """
    confidence = np.array(confidences, np.float64)
    truth = np.array(answerables, bool)
    right, wrong = confidence[truth], confidence[~truth]
    both = len(right) > 0 and len(wrong) > 0
    return {
        "answerable": len(right),
        "unanswerable": len(wrong),
        "auroc": auroc(right, wrong) if both else None,
        "calibration_error": calibration_error(confidence, truth) if both else None,
        "reliability": reliability(confidence, truth) if both else None,
        "thresholds": [trade_off(confidence, truth, threshold) for threshold in THRESHOLDS] if both else None,
    }


def trade_off(confidence: NDArray[np.float64], truth: NDArray[np.bool_], threshold: float) -> dict[str, float]:
    """The shares of answerable questions and of others that would be answered; there are some of both."""
    passed = confidence >= threshold
    return {
        "threshold": threshold,
        "answered": float(passed[truth].mean()),
        "wrongly_answered": float(passed[~truth].mean()),
    }


def auroc(right: NDArray[np.float64], wrong: NDArray[np.float64]) -> float:
    """The chance that a value of `right` is above one of `wrong`, ties counting half; neither is empty."""
    ordered = np.sort(wrong)
    below = np.searchsorted(ordered, right, "left") + np.searchsorted(ordered, right, "right")
    return float(below.mean() / 2 / len(ordered))


def calibration_error(confidence: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Expected calibration error over ten bins of equal width."""
    gaps = [row["questions"] * abs(row["confidence"] - row["answerable"]) for row in reliability(confidence, truth)]
    return float(sum(gaps) / len(confidence))


def reliability(confidence: NDArray[np.float64], truth: NDArray[np.bool_]) -> list[dict[str, float]]:
    """For each of ten bins of equal width that holds a question: how many, mean confidence, answerable share."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        {
            "questions": int(inside.sum()),
            "confidence": float(confidence[inside].mean()),
            "answerable": float(truth[inside].mean()),
        }
        for inside in (bins == each for each in range(BINS))
        if inside.any()
    ]


def latency_figures(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 99th percentile of one search, in milliseconds."""
    p50, p99 = np.percentile(np.array(seconds) * 1000, [50, 99])
    return {"p50_ms": float(p50), "p99_ms": float(p99)}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
