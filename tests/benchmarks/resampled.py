"""As many documents as a benchmark wants, from those of a state folder that was synced; only their text is in memory.

First they come as they are. Then again and again under new names: some of each passage's sentences are another's, its
vector is turned a little, and headings, tokens and the document's own text stay.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from retrieval.embedding.vectors import Vector, normalise, text_key
from retrieval.index.protocols import Indexable, SearchIndex
from retrieval.passages import Document, Passage
from retrieval.sectioning.sentences import sentences

# Sentences of a copy that are another passage's, and the length of what is added to its vector, itself of length 1.
SHUFFLED = 0.5
NOISE = 0.3

Made = tuple[Document, list[Indexable]]


@dataclass(frozen=True, slots=True)
class Originals:
    """The documents of an index, read again for each copy, and every sentence of them."""

    index: SearchIndex
    documents: tuple[str, ...]
    sentences: tuple[str, ...]

    def made(self, name: str) -> Made:
        """A document with its passages as they were indexed."""
        document = self.index.reader.document(name)
        assert document is not None, name
        found = self.index.reader.sections(name)
        keys = [text_key(text) for each in found for text in (each.embedded_text, each.embedded_heading)]
        vectors = self.index.writer.vectors(keys)
        return document, [
            Indexable(each, vectors[text_key(each.embedded_text)], vectors[text_key(each.embedded_heading)])
            for each in found
        ]


def originals(index: SearchIndex) -> Originals:
    """What an index holds; at least one passage."""
    names = tuple(sorted(name for source in index.reader.sources() for name in index.reader.stored(source)))
    found = tuple(said for name in names for each in index.reader.sections(name) for said in split(each.text))
    assert found, "the state folder holds no passage: `footnote --home HOME sync FOLDER` fills it"
    return Originals(index, names, found)


def split(text: str) -> list[str]:
    """The sentences of a text."""
    return [text[start:end] for start, end in sentences(text)]


def resampled(held: Originals, wanted: int, *, seed: int = 0) -> Iterator[Made]:
    """Documents of so many passages in all, the same for the same seed; the last one may be cut short."""
    made, chance, turns = 0, random.Random(seed), np.random.default_rng(seed)
    for copy in count():
        for name in held.documents:
            document, passages = held.made(name)
            passages = passages[: wanted - made]
            if copy:
                document = replace(document, id=f"{document.id}-{copy}")
                passages = [_perturbed(each, document.id, held.sentences, chance, turns) for each in passages]
            yield document, passages
            made += len(passages)
            if made >= wanted:
                return


def _perturbed(
    each: Indexable, document: str, pool: Sequence[str], chance: random.Random, turns: np.random.Generator
) -> Indexable:
    said = [chance.choice(pool) if chance.random() < SHUFFLED else own for own in split(each.passage.text)]
    passage: Passage = replace(each.passage, document=document, text=" ".join(said))
    return Indexable(passage, replace(each.text, vector=_turned(each.text.vector, turns)), each.heading)


def _turned(vector: Vector, turns: np.random.Generator) -> Vector:
    noise = turns.standard_normal(len(vector)).astype(np.float32)
    turned: Vector = normalise(vector + NOISE * normalise(noise))
    return turned
