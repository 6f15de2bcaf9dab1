"""The generator that needs no model: it quotes the blocks that answer, word for word."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.answering.answers import EXTRACTIVE, BlockStart
from bot.answering.deadline import CheckWanted, always_wanted
from bot.answering.understanding.asked_kinds import asked_kinds
from bot.answering.writing.block_selection import SelectedBlock, elsewhere, select_blocks
from bot.answering.writing.generator import Draft, Quote
from retrieval.passages import Passage, Query
from retrieval.search import Results


class ExtractiveGenerator:
    """A `Generator` that quotes the excerpts which the search scores best."""

    name = EXTRACTIVE
    prompt_version = ""

    def write(self, query: Query, results: Results, *, check: CheckWanted = always_wanted) -> Iterator[Draft]:
        passages = [hit.passage for hit in results.hits]
        selected = select_blocks(passages, results.excerpts, asked_kinds(query.standalone or query.text))
        lines = [[(line, *elsewhere(passages, line)) for line in block.lines] for block in selected]
        quotes = iter(merge_quotes(passages, [places for block in lines for places in block]))
        several = len({block.passage for block in selected}) > 1
        above = ""
        for block, places in zip(selected, lines, strict=True):
            check()
            title = heading(block, passages[block.passage], several=several)
            start = BlockStart(block.whole.kind, title if title != above else "")
            above = title
            for number, (place, *_) in enumerate(places):
                quoted = next(quotes)
                yield Draft(
                    " ".join(passages[place.passage].text[place.start : place.end].split()),
                    tuple(quote.passage for quote in quoted),
                    quoted,
                    starts=start if number == 0 else None,
                    more=block.more if number == len(places) - 1 else 0,
                )


# A block of fewer words, or one of parts that nothing opens, gets its meaning from the heading above it.
SELF_CONTAINED_WORDS = 15


def heading(block: SelectedBlock, passage: Passage, *, several: bool) -> str:
    """Return what is shown above a block: its table's head, or the last heading of its section where it is needed."""
    if block.whole.kind == "table" and not block.whole.opening and passage.lead:
        return passage.lead
    words = sum(len(passage.text[line.start : line.end].split()) for line in block.lines)
    needed = several or words < SELF_CONTAINED_WORDS or (block.whole.kind != "paragraph" and not block.whole.opening)
    return (passage.headings[-1] if passage.headings else passage.title) if needed else ""


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
