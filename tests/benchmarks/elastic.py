"""Hybrid search over Elasticsearch, beside the embedded index and LangChain's own Elasticsearch store, in the same run.

    pip install langchain-elasticsearch
    python -m tests.benchmarks.elastic HOME QUESTIONS.jsonl --passages 14000,100000 [--url URL]

HOME is a state folder that was synced before with the default embedding model; its passages are resampled up to each
of the sizes (`tests.benchmarks.resampled`) and go to all alike, with the same vectors. The questions are embedded
beforehand. LangChain's store searches as it can on the free licence: BM25 and kNN in one request, their scores summed,
10 documents, with the same filter by audience. Without a url a server is started as the tests do.

Above 100,000 passages the embedded index is left out. What is made on the server is deleted at the end.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch

from retrieval.embedding.protocol import QueryToken
from retrieval.embedding.sentence_transformers import SentenceTransformerEmbedder
from retrieval.embedding.vectors import Vector
from retrieval.index.elastic.client import Connection
from retrieval.index.elastic.index import open_elastic
from retrieval.index.local.index import open_index
from retrieval.index.protocols import Indexable, SearchIndex
from retrieval.passages import EVERYONE, PUBLIC, Query
from retrieval.ranking.analysis import Analyzer
from retrieval.search import Search
from tests.benchmarks.latency import quantile, timed
from tests.benchmarks.resampled import Made, Originals, originals, resampled
from tests.retrieval.conftest import own_alias
from tests.servers.elastic.installation import best
from tests.servers.elastic.server import serving

TOP = 10
EMBEDDED_AT_MOST = 100_000
CLIENTS = (1, 8, 32)
# Contestants take turns of so many questions, so that what else the machine does meets all of them.
TURN = 25
# A server that has just started answers several times more slowly than one that has worked for a minute.
WARM_ROUNDS = 2
# Bytes that all of them take for one passage at their most, while segments are merged.
PASSAGE_BYTES = 50_000
MB = 2**20
OURS, EMBEDDED, LANGCHAIN = "footnote, Elasticsearch", "footnote, embedded", "langchain-elasticsearch"


class Asked(SentenceTransformerEmbedder):
    """The default embedding model, which has embedded these questions already."""

    def __init__(self, questions: Sequence[str]) -> None:
        super().__init__()
        self._known = {text: super(Asked, self).encode_query(text) for text in questions}

    def encode_query(self, text: str) -> tuple[Vector, list[QueryToken]]:
        """What was made of the question beforehand."""
        return self._known[text]


@dataclass(slots=True)
class Contestant:
    """A search that is measured, the bytes that its index takes, and what was measured."""

    name: str
    search: Callable[[str], object]
    size: Callable[[], int]
    milliseconds: list[float] = field(default_factory=list)
    heap: list[int] = field(default_factory=list)
    rates: dict[int, float] = field(default_factory=dict)


@contextmanager
def contestants(url: str, held: Originals, wanted: int, asked: Asked, *, alone: bool) -> Iterator[list[Contestant]]:
    """Each with an index of its own of these passages, ours first; nothing of them is left behind."""
    with ExitStack() as stack:
        alias = stack.enter_context(own_alias(url))
        client = stack.enter_context(closing(Elasticsearch(url, request_timeout=120)))
        elastic = stack.enter_context(closing(open_elastic(Connection((url,)), asked, Analyzer(), alias=alias)))
        fill(OURS, elastic, resampled(held, wanted), wanted)
        found = [Contestant(OURS, searching(elastic, asked), lambda: bytes_of(client, f"{alias}-0*"))]
        name = f"{alias}-langchain"
        if not alone:
            theirs = langchain(client, name, resampled(held, wanted), wanted, asked)
            found.append(Contestant(LANGCHAIN, theirs, lambda: bytes_of(client, name)))
        if wanted <= EMBEDDED_AT_MOST and not alone:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            embedded = stack.enter_context(closing(open_index(home, asked, Analyzer())))
            fill(EMBEDDED, embedded, resampled(held, wanted), wanted)
            size = lambda: sum(file.stat().st_size for file in home.iterdir())  # noqa: E731 - as short as the others
            found.append(Contestant(EMBEDDED, searching(embedded, asked), size))
        settle(client, f"{alias}*")
        yield found


def searching(index: SearchIndex, asked: Asked) -> Callable[[str], object]:
    """The whole of our search over an index."""
    search = Search(index.reader, asked, Analyzer())
    return lambda text: search(Query(text), top=TOP)


def fill(name: str, index: SearchIndex, made: Iterable[Made], wanted: int) -> None:
    """Index these documents."""
    with index.writer.lock():
        for document, passages in told(name, made, wanted):
            if document.source not in index.reader.sources():
                index.writer.register(document.source, f"/benchmark/{document.source}")
            index.writer.replace(document, passages, fingerprint=document.id)


def langchain(
    client: Elasticsearch, name: str, made: Iterable[Made], wanted: int, asked: Asked
) -> Callable[[str], object]:
    """LangChain's store filled with these passages, and its search."""
    try:
        from langchain_core.embeddings import Embeddings
        from langchain_elasticsearch import DenseVectorStrategy, ElasticsearchStore  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise SystemExit(
            "the store that is compared with is not installed: pip install langchain-elasticsearch"
        ) from None

    class Fixed(Embeddings):
        """The same vectors for the same questions; passages come with theirs."""

        def embed_query(self, text: str) -> list[float]:
            vector: list[float] = asked.encode_query(text)[0].tolist()
            return vector

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise NotImplementedError

    store = ElasticsearchStore(
        name,
        client=client,
        embedding=Fixed(),
        num_dimensions=asked.dimensions,
        # Its text field has another name by default than that of the store, and then finds no word.
        strategy=DenseVectorStrategy(hybrid=True, rrf=False, text_field="text"),
    )
    for _, passages in told(LANGCHAIN, made, wanted):
        if passages:
            _add(store, passages)
    audience = [{"terms": {"metadata.audience.keyword": [EVERYONE, PUBLIC]}}]
    return lambda text: store.similarity_search(text, k=TOP, filter=audience)


def _add(store: Any, passages: Sequence[Indexable]) -> None:
    said = [each.passage for each in passages]
    store.add_embeddings(
        [(each.passage.embedded_text, each.text.vector.tolist()) for each in passages],
        metadatas=[
            {
                "document": each.document,
                "title": each.title,
                "section": each.section,
                "anchor": each.anchor,
                "url": each.link,
                "version": each.version,
                "audience": sorted(each.audience),
            }
            for each in said
        ],
        ids=[each.id for each in said],
        refresh_indices=False,
    )


def told(name: str, made: Iterable[Made], wanted: int) -> Iterator[Made]:
    """The same documents; how far they are is shown."""
    done = 0
    for document, passages in made:
        yield document, passages
        done += len(passages)
        print(f"\r{name}: {done:,} of {wanted:,} passages", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def settle(client: Elasticsearch, names: str) -> None:
    """Return when everything is found and written, and no segments are being merged any more."""
    client.indices.refresh(index=names)
    client.indices.flush(index=names)
    while _is_merging(client, names):
        print("\rmerging segments", end="", file=sys.stderr, flush=True)
        time.sleep(1)


def _is_merging(client: Elasticsearch, names: str) -> bool:
    """Also between two steps of a merge that was asked for, as large loads do at their end."""
    merges = client.indices.stats(index=names, metric="merge")["_all"]["total"]["merges"]
    return bool(merges["current"] or client.tasks.list(actions="*forcemerge*")["nodes"])


def bytes_of(client: Elasticsearch, names: str) -> int:
    """What these indices take on disk, replicas aside."""
    return int(client.indices.stats(index=names, metric="store")["_all"]["primaries"]["store"]["size_in_bytes"])


def heap_of(client: Elasticsearch) -> int:
    """What the heaps of all nodes hold now, with what is garbage."""
    nodes = client.nodes.stats(metric="jvm")["nodes"].values()
    return sum(int(node["jvm"]["mem"]["heap_used_in_bytes"]) for node in nodes)


def race(found: Sequence[Contestant], questions: Sequence[str], client: Elasticsearch, *, seconds: float) -> None:
    """Ask all of them the same, in turns: one client first, then several at once for so long each."""
    for each in found:  # caches fill, and a server's code is compiled by and by
        print(f"\rwarming up {each.name}    ", end="", file=sys.stderr, flush=True)
        for _ in range(WARM_ROUNDS):
            timed(each.search, questions)
    for start in range(0, len(questions), TURN):
        print(f"\r{start} of {len(questions)} questions", end="", file=sys.stderr, flush=True)
        for each in rotated(found, start // TURN):
            each.milliseconds += timed(each.search, questions[start : start + TURN])
            if each.name != EMBEDDED:
                each.heap.append(heap_of(client))
    for clients in CLIENTS:
        for each in rotated(found, clients):
            print(f"\r{clients} clients, {each.name}    ", end="", file=sys.stderr, flush=True)
            each.rates[clients] = rate(each.search, questions, clients, seconds)
    print("\r" + " " * 60, end="\r", file=sys.stderr)


def rotated(found: Sequence[Contestant], by: int) -> list[Contestant]:
    """The same ones, another of them first each time."""
    by %= len(found)
    return [*found[by:], *found[:by]]


def rate(search: Callable[[str], object], questions: Sequence[str], clients: int, seconds: float) -> float:
    """Questions a second that are answered while so many clients each ask one after another."""
    deadline = time.perf_counter() + seconds

    def asks(client: int) -> int:
        answered = 0
        while time.perf_counter() < deadline:
            # Each begins elsewhere, so that no two ask the same at once.
            search(questions[(client * len(questions) // clients + answered) % len(questions)])
            answered += 1
        return answered

    with ThreadPoolExecutor(clients) as pool:
        started = time.perf_counter()
        answered = sum(pool.map(asks, range(clients)))
        return answered / (time.perf_counter() - started)


def figures(each: Contestant) -> list[float]:
    """p50, p99, questions a second, megabytes on disk, and the least and the most of the heap."""
    spent = sorted(each.milliseconds)
    heap = [min(each.heap) / MB, max(each.heap) / MB] if each.heap else []
    rates = [each.rates[clients] for clients in CLIENTS]
    return [quantile(spent, 0.5), quantile(spent, 0.99), *rates, each.size() / MB, *heap]


def show(found: Sequence[Contestant], passages: int, questions: int) -> None:
    """Print everybody's figures, and ours as multiples of the others'."""
    load = os.getloadavg()[0]
    print(f"\n{passages:,} passages, {questions} questions, load average of the machine {load:.1f}")
    heads = ["p50 ms", "p99 ms", *(f"q/s {clients}" for clients in CLIENTS), "disk MB", "heap MB", "at most"]
    print(f"{'':34}" + "".join(f"{head:>9}" for head in heads))
    ours, *others = (figures(each) for each in found)
    for each, row in zip(found, [ours, *others], strict=True):
        print(f"{each.name:34}" + "".join(f"{number:9.1f}" for number in row))
    for each, row in zip(found[1:], others, strict=True):
        ratios = [one / other for one, other in zip(ours, row, strict=False)]
        print(f"{'ratio to ' + each.name:34}" + "".join(f"{number:9.2f}" for number in ratios), flush=True)


def grown(middles: dict[int, list[tuple[str, float]]]) -> None:
    """Print by how much p50 grows from one size to the next."""
    sizes = sorted(middles)
    for smaller, larger in pairwise(sizes):
        before = dict(middles[smaller])
        said = ", ".join(f"{name} {p50 / before[name]:.2f}" for name, p50 in middles[larger] if name in before)
        print(f"p50 at {larger:,} as a multiple of that at {smaller:,}: {said}")


def read(questions: Path, count: int) -> list[str]:
    """The texts of the first questions of a file."""
    with questions.open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in islice(lines, count)]


def must_fit(client: Elasticsearch, passages: int) -> None:
    """End when the server's disk is too small for so many."""
    free = min(node["fs"]["total"]["available_in_bytes"] for node in client.nodes.stats(metric="fs")["nodes"].values())
    if passages * PASSAGE_BYTES > free:
        raise SystemExit(
            f"{passages:,} passages may take {passages * PASSAGE_BYTES / 1e9:.0f} GB on the server's disk, of which "
            f"{free / 1e9:.0f} GB are free: measure fewer, or elsewhere"
        )


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        "python -m tests.benchmarks.elastic", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--passages", type=lambda said: [int(each) for each in said.split(",")], default=[14_000])
    parser.add_argument("--url", default="")
    parser.add_argument("--count", type=int, default=400, help="how many questions")
    parser.add_argument("--alone", action="store_true", help="without the others, which take as long to fill")
    parser.add_argument("--wait", action="store_true", help="measure when told to, when all is filled")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each number of clients")
    return parser.parse_args()


def main(wanted: argparse.Namespace) -> None:
    """Print all figures for each size."""
    questions = read(wanted.questions, wanted.count)
    asked = Asked(questions)
    middles: dict[int, list[tuple[str, float]]] = {}
    with ExitStack() as stack:
        url = wanted.url or stack.enter_context(serving(best(), heap="1g")).url
        client = stack.enter_context(closing(Elasticsearch(url)))
        held = originals(stack.enter_context(closing(open_index(wanted.home, asked, Analyzer()))))
        for passages in wanted.passages:
            must_fit(client, passages)
            with contestants(url, held, passages, asked, alone=wanted.alone) as found:
                if wanted.wait:
                    print("\npress return to measure", file=sys.stderr, flush=True)
                    sys.stdin.readline()
                race(found, questions, client, seconds=wanted.seconds)
                show(found, passages, len(questions))
                middles[passages] = [(each.name, quantile(sorted(each.milliseconds), 0.5)) for each in found]
    grown(middles)


if __name__ == "__main__":
    main(arguments())
