"""Words alone: our BM25F in memory against SQLite's FTS5 (porter stems, weighted columns), in the same run.

    FOOTNOTE_TEST_DATA=FOLDER python -m tests.benchmarks.lexical [PASSAGES ...]

Reads `obliqa/` in that folder. nDCG@10 is taken over its real passages; latency over as many as asked for (14,000 and
100,000), each made of halves of two real ones. Both leave out the same stop words and find 200 passages; ours weighs
terms alone, then with pairs of terms and the whole document, which FTS5 does not have.
"""

import os
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from retrieval.embedding.vectors import Encoded
from retrieval.evaluation.judgements import Question, read_corpus, read_qrels, read_questions
from retrieval.evaluation.metrics import retrieval_figures
from retrieval.evaluation.outcomes import Outcome
from retrieval.index.local.index import open_index
from retrieval.index.protocols import Indexable, SearchIndex
from retrieval.parsing.protocol import Parsed
from retrieval.parsing.registry import parse
from retrieval.passages import EVERYONE, PUBLIC, Document, Hit, Passage
from retrieval.ranking.analysis import Analyzer, weighted_terms, words
from retrieval.ranking.candidates import Lookup
from retrieval.ranking.configuration import RankingConfiguration
from retrieval.sectioning.sections import split_document
from retrieval.sources.documents import make_document
from retrieval.sources.files import Source, list_files, read_file
from tests.benchmarks.latency import quantile, timed
from tests.fakes import FakeEmbedder

QUESTIONS = 400
DEPTH = 200
PER_DOCUMENT = 40
ANALYZER = Analyzer()
EVERYBODY = frozenset({EVERYONE, PUBLIC})
# Vectors are not looked at here; one of one number keeps the index small.
NOTHING = Encoded(np.ones(1, np.float32), np.zeros((0, 1), np.int8))
COLUMNS = "2.0, 2.0, 1.0"  # title, headings, text: the weights of our fields

Find = Callable[[str], Sequence[Passage]]


def corpus(folder: Path) -> list[list[Passage]]:
    """The real passages, document by document."""
    embedder, found = FakeEmbedder(), []
    for file in list_files(folder):
        data = read_file(file)
        parsed = parse(file.relative, data) if isinstance(data, bytes) else data
        if isinstance(parsed, Parsed) and isinstance(data, bytes):
            made = make_document(Source("docs", folder, audience=EVERYBODY), file, parsed, data=data)
            assert isinstance(made, Document)
            found.append(split_document(made, count=embedder.count_tokens, window=embedder.window))
    return found


def resampled(real: Sequence[Passage], count: int) -> Iterator[list[Passage]]:
    """Documents of passages made of two halves each, as many passages as asked for."""
    rng = random.Random(0)
    for first in range(0, count, PER_DOCUMENT):
        name = f"docs/{first:07}.md"
        yield [_mixed(rng, real, name, ordinal) for ordinal in range(min(PER_DOCUMENT, count - first))]


def _mixed(rng: random.Random, real: Sequence[Passage], name: str, ordinal: int) -> Passage:
    left, right = rng.choice(real), rng.choice(real)
    before, after = left.text.split(), right.text.split()
    text = " ".join(before[: len(before) // 2] + after[len(after) // 2 :])
    return replace(left, document=name, ordinal=ordinal, text=text, lead="")


def ours(index: SearchIndex, documents: Sequence[list[Passage]]) -> None:
    """Fill our index."""
    for found in documents:
        first = found[0]
        made = Document(first.document, "docs", first.title, "", "v", "", (), audience=EVERYBODY)
        index.writer.replace(made, [Indexable(each, NOTHING, NOTHING) for each in found], fingerprint="f")


def our_find(index: SearchIndex, recipe: RankingConfiguration) -> Find:
    """The passages that our words find, best first."""

    def find(text: str) -> list[Passage]:
        terms, bigrams = weighted_terms(ANALYZER, text, ())
        candidates = index.reader.lookup(
            Lookup(terms, bigrams if recipe.bigrams else {}, None, EVERYBODY, recipe, DEPTH)
        ).found
        best = sorted(candidates, key=lambda each: -(each.lexical or 0.0))[:10]
        passages = index.reader.passages([each.key for each in best])
        return [passages[each.key] for each in best]

    return find


def fts5(documents: Sequence[list[Passage]], path: Path) -> tuple[sqlite3.Connection, list[Passage]]:
    """The same passages in FTS5; a row's id is its passage's place in the list."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE VIRTUAL TABLE found USING fts5(title, headings, text, tokenize='porter unicode61')")
    held = [each for found in documents for each in found]
    rows = ((row, each.title, " ".join(each.headings), each.embedded_text) for row, each in enumerate(held))
    connection.executemany("INSERT INTO found (rowid, title, headings, text) VALUES (?, ?, ?, ?)", rows)
    connection.commit()
    return connection, held


def fts5_find(connection: sqlite3.Connection, held: Sequence[Passage]) -> Find:
    """The passages that FTS5 finds, best first."""
    query = f"SELECT rowid FROM found WHERE found MATCH ? ORDER BY bm25(found, {COLUMNS}) LIMIT {DEPTH}"

    def find(text: str) -> list[Passage]:
        terms = [word for word in words(text) if word not in ANALYZER.stop_words] or words(text)
        match = " OR ".join(f'"{term}"' for term in dict.fromkeys(terms))
        return [held[row] for (row,) in connection.execute(query, (match,)).fetchall()[:10]]

    return find


def quality(folder: Path, questions: Sequence[Question], find: Find) -> float:
    """NDCG@10 on the real passages."""
    outcomes = [
        Outcome(each, tuple(Hit(passage, 0.0) for passage in find(each.query.text)), 0.0, 0.0) for each in questions
    ]
    figures = retrieval_figures(outcomes, read_qrels(folder / "qrels.tsv"), read_corpus(folder / "corpus.jsonl"))
    return float(figures["nDCG@10"])


def compare(label: str, documents: Sequence[list[Passage]], report: Callable[[dict[str, Find]], None]) -> None:
    """Fill both with these documents and report on each way to find."""
    with tempfile.TemporaryDirectory() as place, closing(open_index(Path(place), FakeEmbedder(), ANALYZER)) as index:
        ours(index, documents)
        connection, held = fts5(documents, Path(place) / "fts5.db")
        print(f"\n{label}: {len(held)} passages")
        with closing(connection):
            report(
                {
                    "FTS5": fts5_find(connection, held),
                    "ours, terms": our_find(index, RankingConfiguration(bigrams=0.0)),
                    "ours, terms, pairs, documents": our_find(index, RankingConfiguration()),
                }
            )


def main(folder: Path, counts: Sequence[int]) -> None:
    """Print quality on the real passages, then latency at each size."""
    questions = read_questions(folder / "queries.jsonl")
    random.Random(0).shuffle(questions)
    questions = questions[:QUESTIONS]
    texts = [each.query.text for each in questions]
    real = corpus(folder / "docs")

    def judged(ways: dict[str, Find]) -> None:
        for name, find in ways.items():
            print(f"{name:30} nDCG@10 {quality(folder, questions, find):.3f}")

    def measured(ways: dict[str, Find]) -> None:
        baseline = 0.0
        for name, find in ways.items():
            timed(find, texts[:20])
            spent = timed(find, texts)
            middle, late = quantile(spent, 0.5), quantile(spent, 0.99)
            baseline = baseline or middle
            print(f"{name:30} p50 {middle:6.1f} ms  p99 {late:6.1f} ms  {middle / baseline:5.2f} x FTS5")

    compare("quality", real, judged)
    everything = [each for found in real for each in found]
    for count in counts:
        compare("latency", list(resampled(everything, count)), measured)


if __name__ == "__main__":
    data = os.environ.get("FOOTNOTE_TEST_DATA", "")  # noqa: TID251 - FOOTNOTE_TEST_* belongs to the tests
    if not (Path(data) / "obliqa" / "queries.jsonl").is_file():
        sys.exit("set FOOTNOTE_TEST_DATA to the folder with obliqa/")
    main(Path(data) / "obliqa", [int(each) for each in sys.argv[1:]] or [14_000, 100_000])
