"""BM25F of the chosen hits from their counts (pure): the formula of the embedded index, so that scores mean the same.

Statistics are those of what the asker may read; nothing that is withheld reaches a score. One difference: a recipe
that switches title and headings off still takes a term's idf from all fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.bm25 import CROWDED, DOCUMENT_TITLE_WEIGHT, FIELDS, K1, LENGTH_NORM, Floats, idf
from retrieval.elastic.counting import BLOCK_BITS, COUNT_BITS, PASSAGE_BITS
from retrieval.elastic.documents import block_id, passage_id
from retrieval.elastic.lookup import BLOCKS_CHOSEN, Hit, Measured, asked_terms
from retrieval.index import Candidate, Candidates, Lookup

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Placed:
    """A passage's hit with what its place says."""

    hit: Hit
    id: str
    document: str
    ordinal: int
    block: str
    edition: str
    lengths: tuple[int, ...]


def placed(hit: Hit) -> Placed:
    """A passage's hit with its place read."""
    *numbers, edition, document = hit.place.split(" ", FIELDS + 3)
    *lengths, ordinal, block = map(int, numbers)
    return Placed(
        hit,
        passage_id(document, edition, ordinal),
        document,
        ordinal,
        block_id(document, edition, block),
        edition,
        tuple(lengths),
    )


def in_order(*lists: Sequence[Hit]) -> list[Placed]:
    """All hits of these lists, each once, in reading order."""
    found = {hit.place: hit for hits in lists for hit in hits}
    return sorted(map(placed, found.values()), key=lambda each: (each.document, each.ordinal))


def is_torn(found: Sequence[Placed]) -> bool:
    """Whether a document was replaced between two searches, so that both of its editions are there."""
    editions = {(each.document, each.edition) for each in found}
    return len(editions) > len({document for document, _ in editions})


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

    def totals(self, weights: Sequence[float]) -> list[float]:
        """The sum of each unit's frequencies, weighted by their terms' places."""
        weighted = np.asarray(weights, np.float64)[self.places] * self.amounts if len(self.rows) else np.zeros(0)
        found: list[float] = np.bincount(self.rows, weights=weighted, minlength=self.units).tolist()
        return found

    def held(self, terms: Sequence[str]) -> list[set[str]]:
        """The first of the question's terms that stand in each unit."""
        found: list[set[str]] = [set() for _ in range(self.units)]
        for row, place in zip(self.rows.tolist(), self.places.tolist(), strict=True):
            if place < len(terms):
                found[row].add(terms[place])
        return found


def saturated(counts: Sequence[Sequence[int]], lengths: Floats, bits: Sequence[int], units: Statistics) -> Saturated:
    """Frequencies from packed counts; `lengths` has shape (units, FIELDS). A term that counts nowhere is left out."""
    norm = 1 - LENGTH_NORM + LENGTH_NORM * lengths / np.maximum(units.means, 1e-9)
    rows = np.repeat(np.arange(len(counts)), [len(each) for each in counts])
    flat = np.array([number for each in counts for number in each], np.int64)
    rest = flat & ((1 << COUNT_BITS) - 1)
    frequency = np.zeros(len(flat))
    for column in range(FIELDS):
        below = sum(bits[column + 1 :])
        frequency += units.weights[column] * (rest >> below & ((1 << bits[column]) - 1)) / norm[rows, column]
    stands = frequency > 0
    amounts = frequency[stands] / (K1 + frequency[stands])
    return Saturated(rows[stands], (flat >> COUNT_BITS)[stands], amounts, len(counts))


def candidates(
    lookup: Lookup,
    measured: Measured,
    found: Sequence[Placed],
    *,
    index: str,
    lexical: Sequence[Hit],
    dense: Sequence[Hit],
    blocks: Sequence[Hit],
) -> Candidates:
    """All that was found with all of its scores; a list is cut at the lookup's depth by its exact scores."""
    if not measured.passages[0]:
        return Candidates((), idf=dict.fromkeys(lookup.terms, 0.0))
    readable = statistics(measured.passages, (1.0, lookup.recipe.title, lookup.recipe.headings))
    idfs = {term: idf(readable.count, measured.held[term]) for term in asked_terms(lookup)}
    crowded = readable.count > CROWDED * max(1, measured.documents)
    context = _blocks(lookup, blocks, measured) if crowded else {}
    lowest = None if crowded and len(blocks) == BLOCKS_CHOSEN else 0.0
    made = {
        each.hit.place: _candidate(each, lookup, index=index, scored=scored, context=context.get(each.block, lowest))
        for each, scored in zip(found, _by_words(lookup, found, readable, idfs), strict=True)
    }
    kept = _best(made, [hit for hit in lexical if made[hit.place].lexical], "lexical", lookup.depth)
    kept |= _best(made, dense, "dense", lookup.depth)
    reached = [candidate for place, candidate in made.items() if place in kept]
    return Candidates(reached, idf=_all_idf(lookup, idfs), crowded=crowded)


ByWords = tuple[float, float, set[str]]
"""What the question's words give a passage: BM25F of terms and of pairs, and which terms it holds."""


def _by_words(
    lookup: Lookup, found: Sequence[Placed], readable: Statistics, idfs: Mapping[str, float]
) -> list[ByWords]:
    single = [idfs[term] * lookup.terms.get(term, 0.0) for term in idfs]
    pairs = [idfs[term] * lookup.bigrams.get(term, 0.0) for term in idfs]
    lengths = np.array([each.lengths for each in found], np.float64).reshape(-1, FIELDS)
    amounts = saturated([each.hit.counts for each in found], lengths, PASSAGE_BITS, readable)
    terms = [term for term in idfs if term in lookup.terms]
    return list(zip(amounts.totals(single), amounts.totals(pairs), amounts.held(terms), strict=True))


def _candidate(at: Placed, lookup: Lookup, *, index: str, scored: ByWords, context: float | None) -> Candidate:
    cosine, dense = _near(at.hit, lookup)
    terms, pairs, matched = scored
    return Candidate(
        key=f"{index}/{at.id}",
        document=at.document,
        lexical=terms + lookup.recipe.bigrams * pairs,
        dense=dense,
        context=context,
        cosine=cosine,
        matched=frozenset(matched),
        phrase=pairs,
    )


def _all_idf(lookup: Lookup, idfs: Mapping[str, float]) -> dict[str, float]:
    """Every term of the lookup; those that were too many to ask for count for nothing."""
    wanted = [*lookup.terms, *(lookup.bigrams if lookup.recipe.bigrams else ())]
    return {term: idfs.get(term, 0.0) for term in wanted}


def _near(hit: Hit, lookup: Lookup) -> tuple[float | None, float | None]:
    """The cosine with the text, and that plus the heading's; None without a question's vector."""
    if lookup.vector is None:
        return None, None
    text, heading = hit.text or 0.0, hit.heading or 0.0
    return text, text + lookup.recipe.heading_vector * heading


def _blocks(lookup: Lookup, blocks: Sequence[Hit], measured: Measured) -> dict[str, float]:
    """The score of each block for document context."""
    terms = [term for term in asked_terms(lookup) if term in lookup.terms]
    units = statistics(measured.blocks, (1.0, DOCUMENT_TITLE_WEIGHT, 0.0))
    weights = [lookup.terms[term] * idf(units.count, measured.held.get(f"#{term}", 0)) for term in terms]
    places = [block.place.split(" ") for block in blocks]
    lengths = np.array([list(map(int, numbers)) for *numbers, _ in places], np.float64).reshape(-1, FIELDS)
    scores = saturated([block.counts for block in blocks], lengths, BLOCK_BITS, units).totals(weights)
    return {id_: score for (*_, id_), score in zip(places, scores, strict=True)}


def _best(made: Mapping[str, Candidate], hits: Sequence[Hit], name: str, depth: int) -> set[str]:
    """Places of the best of a list, in reading order where they are equal."""
    listed = {hit.place for hit in hits}
    scores = {place: getattr(candidate, name) or 0.0 for place, candidate in made.items() if place in listed}
    return set(sorted(scores, key=lambda place: -scores[place])[:depth])
