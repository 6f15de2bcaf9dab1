"""Documents, passages, lookups and processes for the retrieval tests."""

import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from retrieval.embedding.protocol import Embedder
from retrieval.embedding.vectors import Encoded
from retrieval.index.protocols import Indexable, Reindexer, SearchIndex
from retrieval.parsing.protocol import Parsed
from retrieval.parsing.registry import parse
from retrieval.passage_vectors import embed_passages, encode_unknown, with_vectors
from retrieval.passages import EVERYONE, Document, Passage, readable_audiences
from retrieval.ranking.analysis import Analyzer, weighted_terms
from retrieval.ranking.candidates import Candidates, Lookup
from retrieval.ranking.configuration import RankingConfiguration
from retrieval.sectioning.sections import split_document
from retrieval.sources.documents import resolved_links
from tests.fakes import FakeEmbedder
from tests.processes import start_python

DATA = os.environ.get("FOOTNOTE_TEST_DATA", "")  # noqa: TID251 - FOOTNOTE_TEST_* belongs to the tests
ANALYZER = Analyzer()
EMBEDDER = FakeEmbedder()

LEAVE = """# Leave

## Carry-over

Five days of leave may be carried over into the next year. Your manager agrees in writing.

## Illness

Call your manager before ten when you are ill. A certificate is due on the third day.
"""
TRAVEL = """# Travel

## Trains

Book second class on trains. First class needs the approval of a director.

## Hotels

A hotel may cost ninety pounds a night. London hotels may cost more.
"""
# One passage of three blocks.
CHECKLIST = """# Before leave

Tell your manager two weeks before.

Prepare for the time without you:

- Write a handover.
- Set a notice for absence.

The calendar of the team shows who is there.
"""


def document(name: str, text: str, *, audience: Iterable[str] = (EVERYONE,), url: str = "") -> Document:
    """The document that a Markdown (or other) file of this text would give."""
    file = name if "." in name else f"{name}.md"
    parsed = parse(file, text.encode())
    assert isinstance(parsed, Parsed), parsed
    headings = [parsed.text[block.start : block.end] for block in parsed.blocks if block.kind == "heading"]
    return Document(
        id=name,
        source=name.partition("/")[0],
        title=headings[0] if headings else name,
        url=url,
        version=sha256(text.encode()).hexdigest(),
        text=parsed.text,
        blocks=parsed.blocks,
        audience=frozenset(audience),
        links=resolved_links(parsed.links, url),
    )


def cut(document: Document, embedder: Embedder = EMBEDDER) -> list[Passage]:
    return split_document(document, count=embedder.count_tokens, window=embedder.window)


def indexables(
    cut: Sequence[Passage], index: SearchIndex | None = None, embedder: Embedder = EMBEDDER
) -> list[Indexable]:
    """Passages with their vectors; those that the index knows are not made again."""
    return with_vectors(
        cut, embed_passages(cut, index.writer, embedder) if index else encode_unknown(cut, {}, embedder)
    )


def without_blocks(indexables: Iterable[Indexable]) -> list[Indexable]:
    """Passages as they were indexed before blocks had vectors."""
    return [replace(each, text=Encoded(each.text.vector, each.text.tokens)) for each in indexables]


def reindexer(embedder: FakeEmbedder, index: SearchIndex | None = None) -> Reindexer:
    """Cuts and embeds documents again; vectors that the index knows are not made again."""

    def reindex(documents: Iterable[Document]) -> Iterator[tuple[Document, list[Indexable]]]:
        for each in documents:
            yield each, indexables(cut(each, embedder), index, embedder)

    return reindex


def put(index: SearchIndex, *documents: Document, embedder: Embedder = EMBEDDER, fingerprint: str = "f") -> None:
    """Index these documents, and know their sources."""
    for each in documents:
        index.writer.register(each.source, f"/folders/{each.source}")
        index.writer.replace(each, indexables(cut(each, embedder), index, embedder), fingerprint=fingerprint)


def lookup(
    text: str, *groups: str, depth: int = 200, configuration: RankingConfiguration | None = None, vector: bool = True
) -> Lookup:
    terms, bigrams = weighted_terms(ANALYZER, text, ())
    return Lookup(
        terms,
        bigrams,
        EMBEDDER.encode_query(text)[0] if vector else None,
        readable_audiences(frozenset(groups)),
        configuration or RankingConfiguration(),
        depth,
    )


def found(index: SearchIndex, text: str, *groups: str) -> set[str]:
    """The documents with a candidate for a text, as these groups ask."""
    return {candidate.document for candidate in index.reader.lookup(lookup(text, *groups)).found}


def shown(index: SearchIndex, found: Candidates) -> list[tuple[Any, ...]]:
    """Candidates as they can be compared across indexes: a passage's place instead of its key."""
    places = index.reader.passages([each.key for each in found.found])
    return [
        (places[each.key].id, places[each.key].text, *(getattr(each, name) for name in SCORES)) for each in found.found
    ]


SCORES = ("document", "lexical", "dense", "context", "cosine", "matched")


def version(original: Document, text: str) -> Document:
    """The same document with another text."""
    return replace(document(original.id, text), audience=original.audience)


# For the end of a process that has opened `index` and imported `document` and `put` from here: it never ends.
REWRITE_A_DOCUMENT = """
print("ready", flush=True)
word, other = "alpha", "beta"
while True:
    text = "# Title\\n\\n" + "\\n\\n".join(f"## Part {number}\\n\\nWords of {word} here." for number in range(5))
    put(index, document("docs/whole", text))
    word, other = other, word
"""


def words_seen_whole(index: SearchIndex, *, lookups: int, seconds: float) -> set[str]:
    """The words that a document holds in turn while `REWRITE_A_DOCUMENT` runs; it is always whole or not there.

    Ends after so many lookups and with both words seen, or after these seconds.
    """
    seen: set[str] = set()
    deadline = time.monotonic() + seconds
    made = 0
    while (made < lookups or len(seen) < 2) and time.monotonic() < deadline:
        found = [each for each in index.reader.lookup(lookup("alpha beta")).found if each.document == "docs/whole"]
        words = {word for each in found for word in each.matched}
        assert (len(found), len(words)) in {(0, 0), (5, 1)}
        seen |= words
        made += 1
    return seen


def process(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A process that runs this code with the packages of the project, with pipes for what it prints."""
    return start_python(code, *map(str, arguments), stderr=subprocess.PIPE)


def line(started: subprocess.Popen[str]) -> str:
    """The next line that a process prints."""
    assert started.stdout is not None
    return started.stdout.readline().rstrip()


def finished(started: subprocess.Popen[str]) -> str:
    """What a process printed; it must have ended well."""
    out, err = started.communicate(timeout=60)
    assert started.returncode == 0, err
    return out
