"""Builds the whole report, in one pass over the exchanges and with few of them in memory at a time."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from feedback.errors import RECORD_FAULTS
from feedback.ports import AudiencePort, KnowledgePort
from feedback.progress import Progress, ignore_progress
from feedback.records import Exchange, ReviewedExchange, SkippedRecord
from feedback.report.counts import ReportCounts, is_small_talk, iso_week
from feedback.report.diagnosis_counts import DiagnosisCounts
from feedback.report.gaps import Terms, UnansweredQuestion, find_gaps
from feedback.report.section_votes import SectionVotes, list_owners
from feedback.report.tuning_verdict import TrainingRowEstimate, judge_tuning

# The newest so many down-voted answers are diagnosed, and so many unanswered questions compared.
MOST_DIAGNOSED = 2000
MOST_QUESTIONS = 5000
# Rows of a list.
MOST_LISTED = 50
# Of the records that cannot be read so many are named.
MOST_NAMED = 10
PROGRESS_STEP = 500
# A question of at most so many words is read with the one before it.
SHORT_QUESTION_WORDS = 4


def build_report(
    reviewed: Iterable[ReviewedExchange],
    knowledge: KnowledgePort | None,
    audience: AudiencePort,
    *,
    groups: frozenset[str],
    threshold: float,
    min_askers: int,
    terms: Terms,
    progress: Progress = ignore_progress,
    most_diagnosed: int = MOST_DIAGNOSED,
    most_questions: int = MOST_QUESTIONS,
    skipped: Sequence[SkippedRecord] = (),
) -> dict[str, Any]:
    """Return satisfaction, failing sections, content gaps and diagnosis as JSON keeps them; names no person.

    `reviewed` come oldest first. Without documents (`knowledge` is None) nothing is diagnosed, and a note says so.
    `threshold` is the confidence from which a search has found something. A gap that fewer than `min_askers` people ran
    into is counted and not quoted; nor is what readers of `groups` may not see: questions asked in other groups, and
    documents that are closed to them or gone. How much that is stands in `closed`. `skipped` names, once `reviewed` has
    come to its end, what could not be read; what cannot be counted is named with it.
    """
    faults: list[SkippedRecord] = []
    counts, sections, estimate = ReportCounts(), SectionVotes(), TrainingRowEstimate(knowledge)
    problems = NewestProblems(most_diagnosed, most_questions)
    for number, each in enumerate(reviewed, start=1):
        try:
            counts.add(each)
            if not is_small_talk(each.exchange):
                sections.add(each)
                estimate.add(each)
                problems.add(each)
        except RECORD_FAULTS as error:
            faults.append(SkippedRecord("exchange", each.exchange.id, type(error).__name__))
        if number % PROGRESS_STEP == 0:
            progress("reading answers", number, 0)
    diagnosis = DiagnosisCounts(knowledge, threshold=threshold)
    for number, each in enumerate(problems.downvoted, start=1):
        try:
            diagnosis.add(each)
        except RECORD_FAULTS as error:
            faults.append(SkippedRecord("exchange", each.exchange.id, type(error).__name__))
        progress("looking into thumbs-down", number, len(problems.downvoted))
    questions = {each.id: _unanswered_question(each) for each in diagnosis.not_in_documents}
    questions |= {each.id: _unanswered_question(each) for each in problems.unanswered}
    heard = {each.id for each in (*diagnosis.not_in_documents, *problems.unanswered) if audience.may_hear(each, groups)}
    readable = audience.readable(sections.documents, groups)
    may_name = audience.naming(sections.documents, groups)
    failing = sections.list_failing(knowledge, may_name, most=MOST_LISTED)
    return {
        **counts.to_json(readable, most=MOST_LISTED),
        "failing": failing,
        "owners": list_owners(failing),
        "sections": sections.list_voted(may_name, most=MOST_LISTED),
        "closed": {**sections.count_closed(may_name), "questions": len(questions) - len(heard)},
        "gaps": find_gaps(
            [question for exchange, question in questions.items() if exchange in heard],
            min_askers=min_askers,
            most=MOST_LISTED,
            terms=terms,
            progress=progress,
        ),
        "diagnosis": diagnosis.to_json(up=counts.total.up, down=counts.total.down, left_out=problems.older_downvotes),
        "tuning": judge_tuning(diagnosis.kinds, estimate),
        "notes": [*_list_notes(problems, has_documents=knowledge is not None), *_name_skipped([*skipped, *faults])],
    }


class NewestProblems:
    """The newest down-voted exchanges and unanswered questions, up to a number of each; older ones are only counted."""

    def __init__(self, most_downvoted: int, most_questions: int) -> None:
        self.downvoted: deque[ReviewedExchange] = deque(maxlen=most_downvoted)
        self.unanswered: deque[Exchange] = deque(maxlen=most_questions)
        self.older_downvotes = 0
        self.older_questions = 0

    def add(self, reviewed: ReviewedExchange) -> None:
        """Keep an exchange that was voted down, and its question where it was refused or answered in part."""
        reasons = [vote.reason for vote in reviewed.votes if vote.vote == "down"]
        if reasons:
            if len(self.downvoted) == self.downvoted.maxlen:
                self.older_downvotes += sum(vote.vote == "down" for vote in self.downvoted[0].votes)
            self.downvoted.append(reviewed)
        if (reviewed.exchange.abstained or "incomplete" in reasons) and reviewed.exchange.question.strip():
            self.older_questions += len(self.unanswered) == self.unanswered.maxlen
            self.unanswered.append(_without_texts(reviewed.exchange))


def _without_texts(exchange: Exchange) -> Exchange:
    """Return what is needed of an exchange for its question: thousands of them are kept."""
    return replace(exchange, answer="", shown=(), sentences=(), citations=())


def _unanswered_question(exchange: Exchange) -> UnansweredQuestion:
    """Return the question of an exchange; a short one with the one before it."""
    earlier = [text for role, text in exchange.history if role == "user"][-1:]
    is_short = len(exchange.question.split()) <= SHORT_QUESTION_WORDS
    text = " ".join([*earlier, exchange.question]) if is_short else exchange.question
    return UnansweredQuestion(text, exchange.asker, iso_week(exchange.at), exchange.abstained)


def _name_skipped(skipped: Sequence[SkippedRecord]) -> list[str]:
    """Return what stored records are left out because they cannot be read, by name; empty of none."""
    if not skipped:
        return []
    names = ", ".join(f"{each.kind} {each.name!r}" for each in skipped[:MOST_NAMED])
    more = f" and {len(skipped) - MOST_NAMED} more" if len(skipped) > MOST_NAMED else ""
    return [f"{len(skipped)} stored records cannot be read and are left out: {names}{more}."]


def _list_notes(problems: NewestProblems, *, has_documents: bool) -> list[str]:
    """Return what the report leaves out, for whoever reads it."""
    notes = []
    if not has_documents:
        notes.append(
            "Nothing is indexed, so it is not known what the thumbs-down are about and who owns a section; "
            "`footnote sync FOLDER` reads your documents."
        )
    elif problems.older_downvotes:
        notes.append(f"{problems.older_downvotes} older thumbs-down were not looked into; `--until` tells of them.")
    if problems.older_questions:
        notes.append(f"{problems.older_questions} older unanswered questions are not among the gaps.")
    return notes
