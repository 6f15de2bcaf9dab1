"""Passages a second that are indexed, their vectors given, beside the client's own `parallel_bulk`, in the same run.

    python -m tests.benchmarks.bulk HOME [--passages 4000] [--rounds 5] [--url URL]

HOME is a state folder that was synced before; its passages are resampled (`tests.benchmarks.resampled`). Ours begins
with documents, passages and vectors and ends when they are found; `parallel_bulk` (two threads) sends the very records
that ours are made into, to an index that is laid out alike, once made on the way and once made beforehand. Each round
has another of them first. Without a url a server is started as the tests do; nothing is left behind on it.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from typing import Any

from elasticsearch import Elasticsearch
from elasticsearch.helpers import parallel_bulk

from retrieval.embedding.sentence_transformers import SentenceTransformerEmbedder
from retrieval.index.elastic.client import Connection
from retrieval.index.elastic.documents import replacement
from retrieval.index.elastic.index import open_elastic
from retrieval.index.elastic.mapping import SCHEMA_VERSION, mappings, settings
from retrieval.index.generations import IndexFingerprint
from retrieval.index.local.index import open_index
from retrieval.ranking.analysis import Analyzer
from tests.benchmarks.elastic import settle
from tests.benchmarks.resampled import Made as Resampled
from tests.benchmarks.resampled import originals, resampled
from tests.retrieval.conftest import own_alias
from tests.servers.elastic.installation import best
from tests.servers.elastic.server import serving

OURS, ON_THE_WAY, BEFOREHAND = "footnote", "parallel_bulk, records made on the way", "parallel_bulk, made beforehand"
THREADS = 2

Record = dict[str, Any]


def ours(url: str, alias: str, made: Sequence[Resampled], embedder: SentenceTransformerEmbedder) -> None:
    """Index these documents as a sync does."""
    with closing(open_elastic(Connection((url,)), embedder, Analyzer(), alias=alias)) as index, index.writer.lock():
        for document, passages in made:
            index.writer.replace(document, passages, fingerprint=document.id)


def theirs(url: str, name: str, records: Iterable[Record], dimensions: int) -> None:
    """Send these records to a new index that is laid out as ours."""
    with closing(Elasticsearch(url, request_timeout=120)) as client:
        layout = mappings(IndexFingerprint(SCHEMA_VERSION, "benchmark", "benchmark"), dimensions, complete=True)
        client.indices.create(index=name, settings=settings(shards=1), mappings=layout)
        for good, told in parallel_bulk(client, records, thread_count=THREADS, index=name):
            assert good, told
        client.indices.refresh(index=name)


def records_of(made: Iterable[Resampled]) -> Iterator[Record]:
    """The records that our index keeps of these documents, as the client's helpers take them."""
    analyzer = Analyzer()
    for document, passages in made:
        for action, record in replacement(document, passages, analyzer=analyzer, fingerprint=document.id).records:
            ((kind, where),) = action.items()
            yield {"_op_type": kind, **where, "_source": record}


def seconds(url: str, load: Callable[[str], None]) -> float:
    """How long a load under a name of its own takes, on a server that does nothing else of ours."""
    with own_alias(url) as name, closing(Elasticsearch(url, request_timeout=120)) as client:
        started = time.perf_counter()
        load(name)
        spent = time.perf_counter() - started
        settle(client, f"{name}*")
    return spent


def race(url: str, made: Sequence[Resampled], rounds: int) -> dict[str, list[float]]:
    """Seconds of each contestant in each round; the round before the first only warms the server up."""
    embedder = SentenceTransformerEmbedder()
    ready = list(records_of(made))
    loads: dict[str, Callable[[str], None]] = {
        OURS: lambda name: ours(url, name, made, embedder),
        ON_THE_WAY: lambda name: theirs(url, name, records_of(made), embedder.dimensions),
        BEFOREHAND: lambda name: theirs(url, name, ready, embedder.dimensions),
    }
    spent: dict[str, list[float]] = {name: [] for name in loads}
    names = list(loads)
    for number in range(-1, rounds):
        for name in names[number % 3 :] + names[: number % 3]:
            print(f"\rround {number + 1} of {rounds}: {name:50}", end="", file=sys.stderr, flush=True)
            taken = seconds(url, loads[name])
            if number >= 0:
                spent[name].append(taken)
    print(file=sys.stderr)
    return spent


def show(spent: dict[str, list[float]], passages: int) -> None:
    """Print the rates, and ours as a share of the others' within each round."""
    print(f"{passages:,} passages, {len(spent[OURS])} rounds, load average of the machine {os.getloadavg()[0]:.1f}")
    for name, taken in spent.items():
        print(f"{name:42} {passages / median(taken):7.0f} passages a second")
    for name in (ON_THE_WAY, BEFOREHAND):
        shares = [other / own for own, other in zip(spent[OURS], spent[name], strict=True)]
        print(f"footnote's rate / {name}: {median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f})")


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.bulk", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("--passages", type=int, default=4000, help="some 60 KB of memory each")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--url", default="")
    return parser.parse_args()


def main(wanted: argparse.Namespace) -> None:
    """Print rates and ratios."""
    with ExitStack() as stack:
        url = wanted.url or stack.enter_context(serving(best(), heap="1g")).url
        embedder = SentenceTransformerEmbedder()
        with closing(open_index(wanted.home, embedder, Analyzer())) as index:
            made = list(resampled(originals(index), wanted.passages))
        show(race(url, made, wanted.rounds), wanted.passages)


if __name__ == "__main__":
    main(arguments())
