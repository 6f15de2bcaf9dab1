"""Builds retrieval rows: a question, a section that answers it, and sections that look like it and do not."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from feedback.curation.dataset import EmbeddedSection
from feedback.curation.options import CurationOptions
from feedback.curation.passages import embedded_section, may_be_in_rows, section_id
from feedback.curation.personal_data import Redactor
from feedback.curation.scratch_db import ScratchDb
from feedback.curation.selection import CandidateSummary, draw
from feedback.ports import KnowledgePort
from feedback.progress import Progress
from feedback.records import Exchange
from feedback.texts.near_duplicates import jaccard
from feedback.texts.words import normalize

MOST_NEGATIVES = 3
# What is found with a score this much below that of the section that answers does not answer, most likely.
SCORE_MARGIN = 0.2
# What has so much of the answering section's text holds its answer too.
SAME_TEXT = 0.5
PROGRESS_STEP = 50


class RetrievalRowBuilder:
    """Writes retrieval rows to the scratch database.

    Hard negatives are sections that people blamed, else those that search ranks far lower. Passages that were shown and
    not cited say nothing: nobody judged them.
    """

    def __init__(self, knowledge: KnowledgePort, options: CurationOptions, scratch: ScratchDb) -> None:
        self._knowledge = knowledge
        self._options = options
        self._scratch = scratch

    def build_all(self, candidates: Sequence[CandidateSummary], progress: Progress) -> None:
        """Write a row for each section that answers a question; where nobody blamed one, some are searched for."""
        blamed = self._blamed_by_question(candidates)
        answered = [each for each in candidates if each.positives]
        drawn = sorted(answered, key=lambda each: draw(self._options.seed, each.exchange))
        searched = {each.position for each in drawn[: self._options.searches]}
        for done, each in enumerate(answered):
            if done % PROGRESS_STEP == 0:
                progress("looking for sections that do not answer", done, len(answered))
            self._build(each, blamed[each.question_hash], search=each.position in searched)

    def _blamed_by_question(self, candidates: Sequence[CandidateSummary]) -> dict[bytes, list[EmbeddedSection]]:
        blamed: dict[bytes, list[EmbeddedSection]] = defaultdict(list)
        for each in candidates:
            if each.has_blamed:
                blamed[each.question_hash] += self._scratch.blamed(each.position)
        return blamed

    def _build(self, candidate: CandidateSummary, blamed: Sequence[EmbeddedSection], *, search: bool) -> None:
        """Write a row for each section that answers the question of a candidate."""
        positives = self._scratch.positives(candidate.position)
        positive_ids = {positive.id for positive in positives}
        wrong = list({section.id: section for section in blamed if section.id not in positive_ids}.values())
        asked = self._scratch.asked(candidate.position) if search and not wrong else None
        for number, positive in enumerate(positives):
            found = self._search_negatives(asked, positives, positive) if asked else ()
            negatives = [other for other in chain(wrong, found) if _differs(other, positives)]
            self._scratch.add_retrieval_row(candidate.position, number, negatives[:MOST_NEGATIVES])

    def _search_negatives(
        self, exchange: Exchange, positives: Sequence[EmbeddedSection], positive: EmbeddedSection
    ) -> Iterator[EmbeddedSection]:
        """Yield what search finds clearly below the section that answers, as far as it may be in rows."""
        found = self._knowledge.search(exchange)
        score = next((each.score for each in found if section_id(each) == positive.id), None)
        if score is None:
            return
        positive_ids = {each.id for each in positives}
        redactor = Redactor(regions=self._options.regions, names=self._options.names)
        for each in found:
            if each.score >= (1 - SCORE_MARGIN) * score or section_id(each) in positive_ids:
                continue
            if may_be_in_rows(each, self._knowledge.current_section(each.document, each.anchor), self._options):
                yield embedded_section(each, redactor)


def _differs(section: EmbeddedSection, positives: Sequence[EmbeddedSection]) -> bool:
    text = normalize(section.text)
    return all(jaccard(text, normalize(each.text)) < SAME_TEXT for each in positives)
