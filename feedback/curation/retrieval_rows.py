"""Questions with the section that answers them, and sections that look like it and do not."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from feedback.curation.candidates import found_section, may_be_shown, section_id
from feedback.curation.facts import Fact, digest
from feedback.curation.funnel import Progress
from feedback.curation.near_duplicates import jaccard, normalised
from feedback.curation.options import Options
from feedback.curation.personal_data import Redactor
from feedback.curation.scratch_db import ScratchDb
from feedback.curation.values import Section
from feedback.ports import FoundSection, KnowledgePort
from feedback.records import Exchange

MOST_NEGATIVES = 3
# What is found with a score this much below that of the section that answers does not answer, most likely.
MARGIN = 0.2
# What has so much of the answering section's text holds its answer too.
SAME_TEXT = 0.5
TOLD_EVERY = 50


class Retrieving:
    """Finds the sections that do not answer: those that people blamed, then those that search ranks far lower.

    Passages that were shown and not cited say nothing: nobody judged them.
    """

    def __init__(self, sources: KnowledgePort, options: Options, spill: ScratchDb) -> None:
        self._sources = sources
        self._options = options
        self._spill = spill

    def write(self, facts: Sequence[Fact], progress: Progress) -> None:
        """Remember a row for each section that answers a question; where nobody blamed one, some are searched for."""
        blamed = self._blamed(facts)
        answering = [each for each in facts if each.positives]
        order = sorted(answering, key=lambda each: digest(self._options.seed, each.id))
        searched = {each.position for each in order[: self._options.searches]}
        for done, each in enumerate(answering):
            if done % TOLD_EVERY == 0:
                progress("looking for sections that do not answer", done, len(answering))
            self._write(each, blamed[each.same_question], search=each.position in searched)

    def _blamed(self, facts: Sequence[Fact]) -> dict[bytes, list[Section]]:
        found: dict[bytes, list[Section]] = defaultdict(list)
        for each in facts:
            if each.blamed:
                found[each.same_question] += self._spill.sections(each.position)[2]
        return found

    def _write(self, each: Fact, blamed: Sequence[Section], *, search: bool) -> None:
        _, positives, _ = self._spill.sections(each.position)
        right = {positive.id for positive in positives}
        known = list({section.id: section for section in blamed if section.id not in right}.values())
        for place, positive in enumerate(positives):
            found = self._far(self._spill.asked(each.position), positives, positive) if search and not known else ()
            negatives = [other for other in chain(known, found) if _differs(other, positives)]
            self._spill.retrieval(each.position, place, negatives[:MOST_NEGATIVES])

    def _far(self, exchange: Exchange, positives: Sequence[Section], positive: Section) -> Iterator[Section]:
        """What search finds clearly below the section that answers, as far as it may be shown."""
        found = self._sources.search(exchange)
        score = next((each.score for each in found if section_id(each) == positive.id), None)
        if score is None:
            return
        right = {each.id for each in positives}
        redact = Redactor(regions=self._options.regions, names=self._options.names)
        for each in found:
            if each.score < (1 - MARGIN) * score and section_id(each) not in right and self._is_fit(each):
                yield found_section(each, redact)

    def _is_fit(self, found: FoundSection) -> bool:
        return may_be_shown(found, self._sources.current_section(found.document, found.anchor), self._options)


def _differs(section: Section, positives: Sequence[Section]) -> bool:
    text = normalised(section.text)
    return all(jaccard(text, normalised(each.text)) < SAME_TEXT for each in positives)
