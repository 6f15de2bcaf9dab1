"""Self-calibration: what a confidence means on these documents, learned without any unanswerable question.

The score orders questions alike everywhere, but its scale differs between corpora. Each question whose document is
known is searched for twice, as it is and with that document masked; a line through the logit is fitted to tell the two
apart.
"""

from collections.abc import Iterable
from dataclasses import replace

from retrieval.errors import RetrievalError
from retrieval.evaluation.matching import Matcher
from retrieval.passages import Query
from retrieval.ranking.calibration import fit_platt
from retrieval.ranking.confidence import Calibration
from retrieval.search import Search

FEWEST = 20


def self_calibrate(search: Search, judged: Iterable[tuple[Query, Matcher]]) -> Calibration:
    """The search's calibration, fitted to questions given with what recognises the passages that answer them.

    Raises `RetrievalError` when fewer than `FEWEST` questions find an answer.
    """
    found, masked = [], []
    for query, answers in judged:
        results = search.rank(query, top=10)
        document = next((hit.passage.document for hit in results.hits if answers(hit.passage)), None)
        if document is not None:
            found.append(search.calibration.logit(results.signals))
            masked.append(search.calibration.logit(search.rank(query, top=1, masked=document).signals))
    if len(found) < FEWEST:
        raise RetrievalError(f"only {len(found)} judged questions find their section; calibration needs {FEWEST}")
    slope, shift = fit_platt([*found, *masked], [True] * len(found) + [False] * len(masked))
    return replace(search.calibration, slope=slope, shift=shift)
