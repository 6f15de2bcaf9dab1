"""The whole report, in one pass over what was judged and with few of it in memory at a time."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from feedback.ports import KnowledgePort
from feedback.records import Exchange, ReviewedExchange
from feedback.report.diagnosis_counts import Diagnosis
from feedback.report.gaps import Terms, Unanswered, gaps, own_terms
from feedback.report.sections import Sections, owners
from feedback.report.tallies import Tallies, is_small_talk, week
from feedback.report.tuning import Rows, tuning

Progress = Callable[[str, int, int], None]

# The newest so many down-voted answers are diagnosed, and so many unanswered questions compared.
MOST_DIAGNOSED = 2000
MOST_QUESTIONS = 5000
# Rows of a list.
MOST_LISTED = 50
STEP = 500
LEANING = 4


def report(
    judged: Iterable[ReviewedExchange],
    sources: KnowledgePort | None,
    *,
    threshold: float,
    min_askers: int,
    terms: Terms = own_terms,
    progress: Progress = lambda *_: None,
    most_diagnosed: int = MOST_DIAGNOSED,
    most_questions: int = MOST_QUESTIONS,
) -> dict[str, Any]:
    """Satisfaction, failing sections, content gaps and diagnosis as JSON keeps them; the README names the fields.

    Without documents nothing is diagnosed, and a note says so.

    `threshold` is the confidence from which a search has found something, `terms` gives the words of a question that
    tell what it is about. A gap that fewer than `min_askers` people ran into is counted and not quoted. Names nobody.
    """
    tallies, sections, rows = Tallies(), Sections(), Rows(sources)
    waiting = Waiting(most_diagnosed, most_questions)
    for number, each in enumerate(judged, start=1):
        tallies.add(each)
        if not is_small_talk(each.exchange):
            sections.add(each)
            rows.add(each)
            waiting.add(each)
        if number % STEP == 0:
            progress("reading answers", number, 0)
    diagnosis = Diagnosis(sources, threshold=threshold)
    for number, each in enumerate(waiting.down, start=1):
        diagnosis.add(each)
        progress("looking into thumbs-down", number, len(waiting.down))
    questions = {exchange.id: _unanswered(exchange) for exchange in diagnosis.missing} | dict(waiting.unanswered)
    failing = sections.failing(sources, most=MOST_LISTED)
    return {
        **tallies.figures(most=MOST_LISTED),
        "failing": failing,
        "owners": owners(failing),
        "sections": sections.voted(most=MOST_LISTED),
        "gaps": gaps(list(questions.values()), min_askers=min_askers, most=MOST_LISTED, terms=terms, progress=progress),
        "diagnosis": diagnosis.figures(up=tallies.whole.up, down=tallies.whole.down, left_out=waiting.older_down),
        "tuning": tuning(diagnosis.kinds, rows),
        "notes": _notes(waiting, has_documents=sources is not None),
    }


class Waiting:
    """What is looked at when all is read: of too much of it the newest, and the rest is counted."""

    def __init__(self, most_down: int, most_questions: int) -> None:
        self.down: deque[ReviewedExchange] = deque(maxlen=most_down)
        self.unanswered: deque[tuple[str, Unanswered]] = deque(maxlen=most_questions)
        self.older_down = 0
        self.older_questions = 0

    def add(self, judged: ReviewedExchange) -> None:
        reasons = [vote.reason for vote in judged.votes if vote.vote == "down"]
        if reasons:
            if len(self.down) == self.down.maxlen:
                self.older_down += sum(vote.vote == "down" for vote in self.down[0].votes)
            self.down.append(judged)
        if (judged.exchange.abstained or "incomplete" in reasons) and judged.exchange.question.strip():
            self.older_questions += len(self.unanswered) == self.unanswered.maxlen
            self.unanswered.append((judged.exchange.id, _unanswered(judged.exchange)))


def _unanswered(exchange: Exchange) -> Unanswered:
    return Unanswered(_standalone(exchange), exchange.asker, week(exchange.at), exchange.abstained)


def _standalone(exchange: Exchange) -> str:
    """The question; one of a few words leans on the one before it."""
    earlier = [text for role, text in exchange.history if role == "user"][-1:]
    leans = len(exchange.question.split()) <= LEANING
    return " ".join([*earlier, exchange.question]) if leans else exchange.question


def _notes(waiting: Waiting, *, has_documents: bool) -> list[str]:
    """What the report leaves out, for whoever reads it."""
    notes = []
    if not has_documents:
        notes.append(
            "Nothing is indexed, so it is not known what the thumbs-down are about and who owns a section; "
            "`footnote sync FOLDER` reads your documents."
        )
    elif waiting.older_down:
        notes.append(f"{waiting.older_down} older thumbs-down were not looked into; `--until` tells of them.")
    if waiting.older_questions:
        notes.append(f"{waiting.older_questions} older unanswered questions are not among the gaps.")
    return notes
