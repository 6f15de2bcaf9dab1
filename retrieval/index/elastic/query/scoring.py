"""BM25F of the chosen hits from their counts (pure): the formula of the embedded index, so that scores mean the same.

Statistics are those of what the asker may read; nothing that is withheld reaches a score. One difference: a recipe
that switches title and headings off still takes a term's idf from all fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from retrieval.index.elastic.documents import passage_id
from retrieval.index.elastic.query.builder import BLOCKS_CHOSEN, Hits, Measured, asked_terms
from retrieval.index.elastic.query.term_stats import BLOCK_BITS, COUNT_BITS, PASSAGE_BITS
from retrieval.index.protocols import Candidate, Candidates, Lookup
from retrieval.ranking.bm25 import CROWDED, DOCUMENT_TITLE_WEIGHT, FIELDS, K1, LENGTH_NORM, Floats, idf

Ints = NDArray[np.int64]


# What the numbers of a passage's place and of a block's say, behind the lengths of their fields.
PASSAGE_NUMBERS, BLOCK_NUMBERS = FIELDS + 2, FIELDS + 1
ORDINAL, BLOCK = FIELDS, FIELDS + 1


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that were found, in reading order: of each hit its document and the edition of that."""

    hits: Hits
    order: Sequence[int]
    documents: Sequence[str]
    editions: Sequence[str]

    @property
    def is_torn(self) -> bool:
        """Whether a document was replaced between two searches, so that both of its editions are there."""
        return len(set(zip(self.documents, self.editions, strict=True))) > len(set(self.documents))


def in_order(hits: Hits) -> Found:
    """What was found, in reading order."""
    editions, documents = zip(*(said.split(" ", 1) for said in hits.said), strict=True) if hits.said else ((), ())
    ordinals = hits.numbers[:, ORDINAL].tolist()
    order = sorted(range(len(documents)), key=lambda row: (documents[row], ordinals[row]))
    return Found(hits, order, documents, editions)


@dataclass(frozen=True, slots=True)
class Statistics:
    """How many units there are, the mean lengths of their fields, and the weights of those fields."""

    count: int
    means: Floats
    weights: Floats


def statistics(sums: Sequence[float], weights: Sequence[float]) -> Statistics:
    """Statistics from how many there are and the sums of their lengths."""
    count = int(sums[0])
    return Statistics(count, np.asarray(sums[1:]) / max(1, count), np.asarray(weights, np.float64))


@dataclass(frozen=True, slots=True)
class Saturated:
    """For each term that stands in a unit the unit's row, the term's place and its frequency there, 0 to 1."""

    rows: Ints
    places: Ints
    amounts: Floats
    units: int

    def totals(self, weights: Sequence[float]) -> Floats:
        """The sum of each unit's frequencies, weighted by their terms' places, shape (units,)."""
        weighted = np.asarray(weights, np.float64)[self.places] * self.amounts if len(self.rows) else np.zeros(0)
        return np.bincount(self.rows, weights=weighted, minlength=self.units).astype(np.float64, copy=False)

    def held(self, terms: Sequence[str]) -> list[set[str]]:
        """The first of the question's terms that stand in each unit."""
        found: list[set[str]] = [set() for _ in range(self.units)]
        for row, place in zip(self.rows.tolist(), self.places.tolist(), strict=True):
            if place < len(terms):
                found[row].add(terms[place])
        return found


def saturated(hits: Hits, bits: Sequence[int], units: Statistics) -> Saturated:
    """Frequencies from packed counts and the lengths of fields. A term that counts nowhere is left out."""
    norm = 1 - LENGTH_NORM + LENGTH_NORM * hits.numbers[:, :FIELDS] / np.maximum(units.means, 1e-9)
    rows = np.repeat(np.arange(len(hits.counts)), [len(each) for each in hits.counts])
    flat = np.fromiter(chain.from_iterable(hits.counts), np.int64, len(rows))
    rest = flat & ((1 << COUNT_BITS) - 1)
    frequency = np.zeros(len(flat))
    for column in range(FIELDS):
        below = sum(bits[column + 1 :])
        frequency += units.weights[column] * (rest >> below & ((1 << bits[column]) - 1)) / norm[rows, column]
    stands = frequency > 0
    amounts = frequency[stands] / (K1 + frequency[stands])
    return Saturated(rows[stands], (flat >> COUNT_BITS)[stands], amounts, len(hits.counts))


def candidates(lookup: Lookup, measured: Measured, found: Found, *, index: str, blocks: Hits | None) -> Candidates:
    """All that was found with all of its scores; each list is cut at the lookup's depth by its exact scores."""
    if not measured.passages[0]:
        return Candidates((), idf=dict.fromkeys(lookup.terms, 0.0))
    readable = statistics(measured.passages, (1.0, lookup.recipe.title, lookup.recipe.headings))
    idfs = {term: idf(readable.count, measured.held[term]) for term in asked_terms(lookup)}
    crowded = readable.count > CROWDED * max(1, measured.documents)
    context = _blocks(lookup, blocks, measured) if crowded and blocks else {}
    lowest = None if len(context) == BLOCKS_CHOSEN else 0.0
    terms, pairs, matched = _by_words(lookup, found.hits, readable, idfs)
    words = terms + lookup.recipe.bigrams * pairs
    near = _near(found.hits, lookup)
    reached = _best(words, found.order, lookup.depth, above=0.0)
    reached |= _best(near, found.order, lookup.depth) if near is not None else set()
    made = [
        Candidate(
            key=f"{index}/{passage_id(found.documents[row], found.editions[row], numbers[ORDINAL])}",
            document=found.documents[row],
            lexical=float(words[row]),
            dense=None if near is None else float(near[row]),
            context=context.get((found.editions[row], numbers[BLOCK]), lowest),
            cosine=None if found.hits.text is None else float(found.hits.text[row]),
            matched=frozenset(matched[row]),
            phrase=float(pairs[row]),
        )
        for row in found.order
        if row in reached
        for numbers in [found.hits.numbers[row].tolist()]
    ]
    return Candidates(made, idf=_all_idf(lookup, idfs), crowded=crowded)


def _by_words(
    lookup: Lookup, hits: Hits, readable: Statistics, idfs: Mapping[str, float]
) -> tuple[Floats, Floats, list[set[str]]]:
    """What the question's words give each passage: BM25F of terms and of pairs, and which terms it holds."""
    single = [idfs[term] * lookup.terms.get(term, 0.0) for term in idfs]
    pairs = [idfs[term] * lookup.bigrams.get(term, 0.0) for term in idfs]
    amounts = saturated(hits, PASSAGE_BITS, readable)
    terms = [term for term in idfs if term in lookup.terms]
    return amounts.totals(single), amounts.totals(pairs), amounts.held(terms)


def _near(hits: Hits, lookup: Lookup) -> Floats | None:
    """The cosine with the text plus the heading's; None without a question's vector."""
    if hits.text is None or hits.heading is None:
        return None
    return hits.text + lookup.recipe.heading_vector * hits.heading


def _all_idf(lookup: Lookup, idfs: Mapping[str, float]) -> dict[str, float]:
    """Every term of the lookup; those that were too many to ask for count for nothing."""
    wanted = [*lookup.terms, *(lookup.bigrams if lookup.recipe.bigrams else ())]
    return {term: idfs.get(term, 0.0) for term in wanted}


def _blocks(lookup: Lookup, blocks: Hits, measured: Measured) -> dict[tuple[str, int], float]:
    """The score of each block for document context, by its edition and number."""
    terms = [term for term in asked_terms(lookup) if term in lookup.terms]
    units = statistics(measured.blocks, (1.0, DOCUMENT_TITLE_WEIGHT, 0.0))
    weights = [lookup.terms[term] * idf(units.count, measured.held.get(f"#{term}", 0)) for term in terms]
    scores = saturated(blocks, BLOCK_BITS, units).totals(weights)
    names = zip(blocks.said, blocks.numbers[:, -1].tolist(), strict=True)
    return dict(zip(names, scores.tolist(), strict=True))


def _best(scores: Floats, order: Sequence[int], depth: int, *, above: float = -np.inf) -> set[int]:
    """Rows of the best of a list, the first in this order of equals."""
    values = scores.tolist()
    return set(sorted((row for row in order if values[row] > above), key=lambda row: -values[row])[:depth])
