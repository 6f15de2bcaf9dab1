"""Memory of a process that answers over many passages, beside what the recipe's vector store alone would take.

    python -m tests.benchmarks.memory FOLDER [PASSAGES]

Real text from FOLDER, repeated under new names until there are PASSAGES (100,000), with random vectors: what is
measured is size, not quality. The index is made in a temporary folder, the questions asked in a process of its own.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from retrieval.embedding.sentence_transformers import SentenceTransformerEmbedder
from retrieval.embedding.vectors import Encoded, normalise, quantise
from retrieval.index.local.index import open_index
from retrieval.index.protocols import Indexable
from retrieval.parsing.protocol import Skipped
from retrieval.parsing.registry import parse
from retrieval.passages import EVERYONE, Document, Passage
from retrieval.ranking.analysis import Analyzer
from retrieval.sectioning.sections import split_document
from retrieval.sources.documents import make_document
from retrieval.sources.files import Source, list_files, read_file

DIMENSIONS = 384
TOKENS = 64

ASK = """
import resource, sys
from pathlib import Path
from bot.answering.answers import Question
from bot.config.settings import Settings


app = build(Settings(home=Path(sys.argv[1])))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for number in range(20):
    app.questions.answer(Question(f"What must an authorised person report about client assets in part {number}?"))
print(before // 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, app.index.reader.counts()[1])
"""


def cut(folder: Path, embedder: SentenceTransformerEmbedder) -> list[tuple[Document, list[Passage]]]:
    """Every readable document of a folder with its passages."""
    found = []
    for file in list_files(folder):
        data = read_file(file)
        parsed = data if isinstance(data, Skipped) else parse(file.relative, data)
        if isinstance(data, Skipped) or isinstance(parsed, Skipped):
            continue
        made = make_document(Source("bench", folder, audience=frozenset({EVERYONE})), file, parsed, data=data)
        assert isinstance(made, Document)
        found.append((made, split_document(made, count=embedder.count_tokens, window=embedder.window)))
    return found


def repeated(originals: list[tuple[Document, list[Passage]]], wanted: int) -> Iterator[tuple[Document, list[Passage]]]:
    """The documents again and again, each time under a new name, until there are enough passages."""
    made = copy = 0
    while made < wanted:
        for original, parts in originals:
            name = f"{original.id}-{copy}"
            yield replace(original, id=name), [replace(part, document=name) for part in parts]
            made += len(parts)
            if made >= wanted:
                return
        copy += 1


def fill(home: Path, folder: Path, wanted: int) -> None:
    """An index of that many passages."""
    random = np.random.default_rng(0)
    embedder = SentenceTransformerEmbedder()
    index = open_index(home, embedder, Analyzer())

    def encoded(text: str) -> Encoded:
        vector = normalise(random.standard_normal((1, DIMENSIONS), np.float32))[0]
        rows = max(1, len(text) // 5)
        return Encoded(vector, quantise(random.standard_normal((rows, TOKENS), np.float32)))

    for made, parts in repeated(cut(folder, embedder), wanted):
        # A copy would share the vectors of its original, which are kept by text.
        own = [replace(part, text=f"{part.text} ({made.id})") for part in parts]
        whole = [Indexable(part, encoded(part.text), encoded(part.embedded_heading)) for part in own]
        index.writer.replace(made, whole, fingerprint=made.id)


def main(folder: str, wanted: int = 100_000) -> None:
    """Print megabytes before and after, and those of the bare float32 vectors."""
    with tempfile.TemporaryDirectory() as home:
        fill(Path(home), Path(folder), wanted)
        answered = subprocess.run(
            [sys.executable, "-c", ASK, home], check=True, capture_output=True, text=True
        ).stdout.split()
    before, after, count = map(int, answered)
    bare = count * DIMENSIONS * 4 // 2**20
    print(f"{count} passages: {before} MB when started, {after} MB at most while answering")
    print(f"bare float32 vectors, one a passage (a flat FAISS index): {bare} MB; ratio {after / bare:.1f}")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
