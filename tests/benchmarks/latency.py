"""Warm retrieval, question to hits, against the embedding of the question alone, in the same run.

    python -m tests.benchmarks.latency HOME QUESTIONS.jsonl [COUNT]

HOME is a state folder that was synced before; history is left out, so that every question is a single turn.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.app import bootstrap
from bot.config.settings import Settings
from retrieval.passages import Query


def timed(action: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Milliseconds of each call, ascending."""
    spent = []
    for text in texts:
        started = time.perf_counter()
        action(text)
        spent.append((time.perf_counter() - started) * 1000)
    return sorted(spent)


def quantile(ascending: Sequence[float], share: float) -> float:
    """The value below which this share lies."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]


def main(home: str, questions: str, count: int = 400) -> None:
    """Print p50 and p99 of both."""
    app = bootstrap(Settings(home=Path(home)))
    lines = Path(questions).read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines][:count]
    for text in texts[:10]:
        app.search(Query(text))
    embedding = timed(app.embedder.encode_query, texts)
    search = timed(lambda text: app.search(Query(text)), texts)
    print(f"{app.index.reader.counts()[1]} passages, {len(texts)} questions, milliseconds p50 / p99")
    print(f"embedding alone  {quantile(embedding, 0.5):6.1f} / {quantile(embedding, 0.99):6.1f}")
    print(f"whole retrieval  {quantile(search, 0.5):6.1f} / {quantile(search, 0.99):6.1f}")
    middle, tail = (quantile(search, share) / quantile(embedding, share) for share in (0.5, 0.99))
    print(f"ratio            {middle:6.2f} / {tail:6.2f}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
