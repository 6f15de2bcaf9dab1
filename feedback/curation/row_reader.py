"""Reads curated rows: what was kept of the candidates that stay, in the form of the dataset."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from feedback.curation.dataset import Example, PreferencePair, RetrievalExample
from feedback.curation.pairs import CandidatePair
from feedback.curation.scratch_db import ScratchDb
from feedback.curation.selection import CandidateSummary


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads the rows of the candidates that stay anew from the scratch database at each call, in the same order."""

    candidates: list[CandidateSummary]
    pairs: list[CandidatePair]
    scratch: ScratchDb

    def examples(self) -> Iterator[Example]:
        """Yield the answers to write and not to write."""
        for each in self.candidates:
            prompt = self.scratch.prompt(each.position)
            place = (each.origin, each.split, each.cluster_name, prompt)
            if each.has_chosen:
                text = self.scratch.chosen_answer(each.position)
                yield Example(*place, text, label=True, refusal=each.chosen_is_refusal)
            if each.has_rejected:
                text = self.scratch.rejected_answer(each.position)
                yield Example(*place, text, label=False, refusal=each.rejected_is_refusal)

    def preference_pairs(self) -> Iterator[PreferencePair]:
        """Yield the pairs of a preferred and another answer, with the prompt of the preferred one."""
        for pair in self.pairs:
            better, worse = pair.chosen, pair.rejected
            yield PreferencePair(
                (better.origin, worse.origin),
                better.split,
                better.cluster_name,
                self.scratch.prompt(better.position),
                self.scratch.chosen_answer(better.position),
                self.scratch.rejected_answer(worse.position),
            )

    def retrieval_examples(self) -> Iterator[RetrievalExample]:
        """Yield the questions with sections that answer them and sections that do not."""
        candidates = {each.position: each for each in self.candidates}
        for position, number, negatives in self.scratch.retrieval_rows():
            each = candidates[position]
            question = self.scratch.standalone_question(position)
            positive = self.scratch.positives(position)[number]
            place = (each.origin, each.split, each.cluster_name)
            yield RetrievalExample(*place, question, positive, tuple(negatives))

    def counts(self) -> dict[str, object]:
        """Return how many rows of each kind there are, and how many exchanges are in each split."""
        to_write = [each for each in self.candidates if each.has_chosen]
        return {
            "to_write": len(to_write),
            "not_to_write": sum(each.has_rejected for each in self.candidates),
            "refusals_to_write": sum(each.chosen_is_refusal for each in to_write),
            "pairs": len(self.pairs),
            "retrievals": sum(each.positives for each in self.candidates),
            "exchanges_by_split": dict(sorted(Counter(each.split for each in self.candidates).items())),
        }
