"""The generator that needs no model: it shows the sentences that answer, word for word."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.answering.writing.generator import Draft
from bot.answering.writing.sentence_selection import Quote, ScoredPassage, extract
from retrieval.passages import Passage, Query
from retrieval.search import Results, Search

EXTRACTIVE = "extractive"
# Sections whose sentences may be quoted.
QUOTABLE = 6


class ExtractiveGenerator:
    """A `Generator` that quotes."""

    name = EXTRACTIVE
    prompt_version = ""

    def __init__(self, search: Search) -> None:
        self._search = search

    def drafts(self, query: Query, results: Results) -> Iterator[Draft]:
        found = self._search.highlights(query, results, top=QUOTABLE)
        passages = [hit.passage for hit in results.hits]
        sentences = extract(
            [ScoredPassage(hit.passage, hit.score, each) for hit, each in zip(results.hits, found, strict=False)]
        )
        for places, quotes in zip(sentences, joined(passages, sentences), strict=True):
            text = passages[places[0].passage].text[places[0].start : places[0].end]
            yield Draft(" ".join(text.split()), tuple(quote.passage for quote in quotes), quotes)


def joined(passages: Sequence[Passage], sentences: Sequence[Sequence[Quote]]) -> list[tuple[Quote, ...]]:
    """For each sentence, given by where it stands, what to quote for it; neighbours in a passage share one quote."""
    runs: list[Quote] = []
    members = [[_run(runs, place, passages) for place in places] for places in sentences]
    return [tuple(runs[index] for index in dict.fromkeys(indexes)) for indexes in members]


def _run(runs: list[Quote], place: Quote, passages: Sequence[Passage]) -> int:
    """The index of the run that this place goes on with, or of a new one."""
    for index, run in enumerate(runs):
        if run.passage != place.passage or place.start < run.start:
            continue
        if place.end <= run.end or not passages[run.passage].text[run.end : place.start].strip():
            runs[index] = replace(run, end=max(run.end, place.end))
            return index
    runs.append(place)
    return len(runs) - 1
