"""Scores the chosen hits by BM25F from their counts (pure), with the formula of the embedded index.

Statistics are those of what the asker may read; nothing hidden reaches a score. One difference: a configuration that
switches title and headings off still takes a term's idf from all fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from retrieval.index.elastic.documents import passage_id
from retrieval.index.elastic.query.builder import BLOCKS_CHOSEN, AudienceStatistics, Hits, query_terms
from retrieval.index.elastic.query.term_stats import BLOCK_BITS, COUNT_BITS, PASSAGE_BITS
from retrieval.ranking.bm25 import CROWDED, DOCUMENT_TITLE_WEIGHT, FIELDS, K1, LENGTH_NORM, Floats, idf
from retrieval.ranking.candidates import Candidate, Candidates, Lookup

Ints = NDArray[np.int64]


# How many numbers the place of a passage and of a block holds, and which they are behind the lengths of its fields.
PASSAGE_NUMBERS, BLOCK_NUMBERS = FIELDS + 2, FIELDS + 1
ORDINAL, BLOCK = FIELDS, FIELDS + 1


@dataclass(frozen=True, slots=True)
class PassageHits:
    """The passages that were found: `order` holds their rows in reading order, the others are by row."""

    hits: Hits
    order: Sequence[int]
    documents: Sequence[str]
    editions: Sequence[str]

    @property
    def is_torn(self) -> bool:
        """Whether a document was replaced between two searches, so that both of its editions are there."""
        return len(set(zip(self.documents, self.editions, strict=True))) > len(set(self.documents))


def passage_hits(hits: Hits) -> PassageHits:
    """The hits with their reading order, documents and editions."""
    editions, documents = zip(*(label.split(" ", 1) for label in hits.labels), strict=True) if hits.labels else ((), ())
    ordinals = hits.numbers[:, ORDINAL].tolist()
    order = sorted(range(len(documents)), key=lambda row: (documents[row], ordinals[row]))
    return PassageHits(hits, order, documents, editions)


@dataclass(frozen=True, slots=True)
class UnitStatistics:
    """How many units there are, the mean lengths of their fields, and the weights of those fields."""

    count: int
    means: Floats
    weights: Floats


def statistics(sums: Sequence[float], weights: Sequence[float]) -> UnitStatistics:
    """Statistics from how many there are and the sums of their lengths."""
    count = int(sums[0])
    return UnitStatistics(count, np.asarray(sums[1:]) / max(1, count), np.asarray(weights, np.float64))


@dataclass(frozen=True, slots=True)
class TermFrequencies:
    """For each occurrence of a term in a unit: the unit's row, the term's place and its saturated frequency, 0 to 1."""

    rows: Ints
    places: Ints
    amounts: Floats
    units: int

    def totals(self, weights: Sequence[float]) -> Floats:
        """The sum of each unit's frequencies, weighted by their terms' places, shape (units,)."""
        weighted = np.asarray(weights, np.float64)[self.places] * self.amounts if len(self.rows) else np.zeros(0)
        return np.bincount(self.rows, weights=weighted, minlength=self.units).astype(np.float64, copy=False)

    def matched(self, terms: Sequence[str]) -> list[set[str]]:
        """Those of `terms`, the first of the query's, that stand in each unit."""
        found: list[set[str]] = [set() for _ in range(self.units)]
        for row, place in zip(self.rows.tolist(), self.places.tolist(), strict=True):
            if place < len(terms):
                found[row].add(terms[place])
        return found


def term_frequencies(hits: Hits, bits: Sequence[int], units: UnitStatistics) -> TermFrequencies:
    """Saturated frequencies from packed counts and the lengths of fields; a term that counts nowhere is left out."""
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
    return TermFrequencies(rows[stands], (flat >> COUNT_BITS)[stands], amounts, len(hits.counts))


def candidates(
    lookup: Lookup, audience: AudienceStatistics, found: PassageHits, *, index: str, blocks: Hits | None
) -> Candidates:
    """The found passages with all of their scores; each list is cut at the lookup's depth by its exact scores."""
    if not audience.passages[0]:
        return Candidates((), idf=dict.fromkeys(lookup.terms, 0.0))
    readable = statistics(audience.passages, (1.0, lookup.configuration.title, lookup.configuration.headings))
    idfs = {term: idf(readable.count, audience.holders[term]) for term in query_terms(lookup)}
    crowded = readable.count > CROWDED * max(1, audience.documents)
    context = _blocks(lookup, blocks, audience) if crowded and blocks else {}
    lowest = None if len(context) == BLOCKS_CHOSEN else 0.0
    terms, pairs, matched = _by_words(lookup, found.hits, readable, idfs)
    words = terms + lookup.configuration.bigrams * pairs
    near = _near(found.hits, lookup)
    reached = _best(words, found.order, lookup.depth, above=0.0)
    reached |= _best(near, found.order, lookup.depth) if near is not None else set()
    found_candidates = [
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
    return Candidates(found_candidates, idf=_all_idf(lookup, idfs), crowded=crowded)


def _by_words(
    lookup: Lookup, hits: Hits, readable: UnitStatistics, idfs: Mapping[str, float]
) -> tuple[Floats, Floats, list[set[str]]]:
    """Each passage's BM25F of terms and of pairs, and the terms that it holds."""
    single = [idfs[term] * lookup.terms.get(term, 0.0) for term in idfs]
    pairs = [idfs[term] * lookup.bigrams.get(term, 0.0) for term in idfs]
    amounts = term_frequencies(hits, PASSAGE_BITS, readable)
    terms = [term for term in idfs if term in lookup.terms]
    return amounts.totals(single), amounts.totals(pairs), amounts.matched(terms)


def _near(hits: Hits, lookup: Lookup) -> Floats | None:
    """The cosine with the text plus the weighted one with the heading; None without a vector."""
    if hits.text is None or hits.heading is None:
        return None
    return hits.text + lookup.configuration.heading_vector * hits.heading


def _all_idf(lookup: Lookup, idfs: Mapping[str, float]) -> dict[str, float]:
    """The idf of every term of the lookup; those that were too many to look for have 0."""
    wanted = [*lookup.terms, *(lookup.bigrams if lookup.configuration.bigrams else ())]
    return {term: idfs.get(term, 0.0) for term in wanted}


def _blocks(lookup: Lookup, blocks: Hits, audience: AudienceStatistics) -> dict[tuple[str, int], float]:
    """The score of each block for document context, by its edition and number."""
    terms = [term for term in query_terms(lookup) if term in lookup.terms]
    units = statistics(audience.blocks, (1.0, DOCUMENT_TITLE_WEIGHT, 0.0))
    weights = [lookup.terms[term] * idf(units.count, audience.holders.get(f"#{term}", 0)) for term in terms]
    scores = term_frequencies(blocks, BLOCK_BITS, units).totals(weights)
    names = zip(blocks.labels, blocks.numbers[:, -1].tolist(), strict=True)
    return dict(zip(names, scores.tolist(), strict=True))


def _best(scores: Floats, order: Sequence[int], depth: int, *, above: float = -np.inf) -> set[int]:
    """Rows of the best `depth` scores; ties are broken by `order`."""
    values = scores.tolist()
    return set(sorted((row for row in order if values[row] > above), key=lambda row: -values[row])[:depth])
