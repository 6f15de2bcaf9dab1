"""The generator that needs no model: it quotes the sentences that answer, word for word."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.answering.answers import EXTRACTIVE
from bot.answering.writing.generator import Draft, Quote
from bot.answering.writing.sentence_selection import ScoredPassage, select_sentences
from retrieval.passages import Passage, Query
from retrieval.search import Results, Search

# Sections whose sentences may be quoted.
QUOTABLE = 6


class ExtractiveGenerator:
    """A `Generator` that quotes the sentences which `Search.highlights` scores best."""

    name = EXTRACTIVE
    prompt_version = ""

    def __init__(self, search: Search) -> None:
        self._search = search

    def write(self, query: Query, results: Results) -> Iterator[Draft]:
        highlights = self._search.highlights(query, results, top=QUOTABLE)
        passages = [hit.passage for hit in results.hits]
        selected = select_sentences(
            [ScoredPassage(hit.passage, hit.score, each) for hit, each in zip(results.hits, highlights, strict=False)]
        )
        for places, quotes in zip(selected, merge_quotes(passages, selected), strict=True):
            text = passages[places[0].passage].text[places[0].start : places[0].end]
            yield Draft(" ".join(text.split()), tuple(quote.passage for quote in quotes), quotes)


def merge_quotes(passages: Sequence[Passage], sentences: Sequence[Sequence[Quote]]) -> list[tuple[Quote, ...]]:
    """Return what to quote for each sentence, given by its places; neighbours in a passage share one quote."""
    merged: list[Quote] = []
    indexes = [[_merge(merged, place, passages) for place in places] for places in sentences]
    return [tuple(merged[index] for index in dict.fromkeys(each)) for each in indexes]


def _merge(merged: list[Quote], place: Quote, passages: Sequence[Passage]) -> int:
    """Return the index of the quote that this place continues, extended by it; or of a new one."""
    for index, quote in enumerate(merged):
        if quote.passage != place.passage or place.start < quote.start:
            continue
        if place.end <= quote.end or not passages[quote.passage].text[quote.end : place.start].strip():
            merged[index] = replace(quote, end=max(quote.end, place.end))
            return index
    merged.append(place)
    return len(merged) - 1
