"""Votes a second that are recorded, beside what the server or the file takes at most, in the same run.

    python -m tests.benchmarks.votes [--votes 4000] [--rounds 5] [--clients 1 8 50] [--kind redis]

Clients are threads. Of Redis (`appendfsync always`) the bare side calls the very script with the same keys and values,
made beforehand, by redis-py; of SQLite it runs the same INSERT as a transaction (write-ahead log, `synchronous=FULL`),
on one connection behind a lock, quicker than a connection for each client. Each round has another of them first.
"""

import argparse
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from uuid import uuid4

from redis import Redis

from feedback.records import Vote
from feedback.stores.redis.connection import TIMEOUT_SECONDS
from feedback.stores.redis.scripts import RECORD_VOTE
from feedback.stores.redis.server import Server
from feedback.stores.redis.store import RedisFeedback
from feedback.stores.redis.writer import feedback_call
from feedback.stores.sqlite.rows import feedback_row
from feedback.stores.sqlite.schema import RECORD_VOTE as INSERT_VOTE
from feedback.stores.sqlite.store import SqliteFeedback
from tests.feedback.samples import exchange, vote
from tests.servers.redis_servers import KINDS, serving

ANSWERS = 100

Write = Callable[[int], object]
"""Records the vote with this number."""

Side = Callable[[Sequence[Vote]], Write]


def cast(number: int) -> Vote:
    """A vote as a person gives it, most without a word."""
    words = {} if number % 5 == 0 else {"reason": "", "comment": ""}
    return vote(
        number,
        "up" if number % 3 else "down",
        key=f"{number:032x}",
        answer=f"answer-{number % ANSWERS:05}",
        voter=f"{number % 997:064x}",
        **words,
    )


def rate(write: Write, *, votes: int, clients: int) -> float:
    """Votes a second when so many clients share them."""
    failed: list[BaseException] = []
    begin = threading.Barrier(clients + 1)

    def work(first: int) -> None:
        begin.wait()
        try:
            for number in range(first, votes, clients):
                write(number)
        except BaseException as error:  # noqa: BLE001 - raised below
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    begin.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return votes / (time.perf_counter() - started)


@contextmanager
def redis_sides(url: str) -> Iterator[tuple[Side, Side]]:
    """Ours and the bare script, each round in workspaces of their own."""
    with Redis.from_url(url) as client:
        digest = client.script_load(RECORD_VOTE)

        def filled(workspace: str) -> RedisFeedback:
            store = RedisFeedback(url, workspace=workspace)
            store.write_many([exchange(number) for number in range(ANSWERS)])
            return store

        def ours(votes: Sequence[Vote]) -> Write:
            store = filled(uuid4().hex)
            return lambda number: store.vote(votes[number])

        def bare(votes: Sequence[Vote]) -> Write:
            workspace = uuid4().hex
            filled(workspace).close()
            server = Server(url, workspace=workspace, timeout=TIMEOUT_SECONDS)
            calls = [feedback_call(server, each) for each in votes]
            sent = [(len(call.keys), *call.keys, *call.values) for call in calls]
            return lambda number: client.evalsha(digest, *sent[number])

        yield ours, bare
        client.flushall()


@contextmanager
def sqlite_sides(folder: Path) -> Iterator[tuple[Side, Side]]:
    """Ours and the bare transaction, each round in files of their own."""

    def filled() -> SqliteFeedback:
        store = SqliteFeedback(folder / uuid4().hex)
        store.write_many([exchange(number) for number in range(ANSWERS)])
        return store

    def ours(votes: Sequence[Vote]) -> Write:
        store = filled()
        return lambda number: store.vote(votes[number])

    def bare(votes: Sequence[Vote]) -> Write:
        with closing(filled()) as store:
            path = store.path
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        lock = threading.Lock()
        values = [feedback_row(each)[1] for each in votes]

        def write(number: int) -> None:
            with lock:
                connection.execute(INSERT_VOTE, values[number])

        return write

    yield ours, bare


def compare(name: str, sides: tuple[Side, Side], *, votes: int, rounds: int, clients: Sequence[int]) -> None:
    """Print for each number of clients both rates and the median of their ratios."""
    given = [cast(number) for number in range(votes)]
    for several in clients:
        told: list[tuple[float, float]] = []
        for turn in range(rounds):
            both = {}
            for which in (0, 1) if turn % 2 else (1, 0):
                both[which] = rate(sides[which](given), votes=votes, clients=several)
            told.append((both[0], both[1]))
        ours, bare = (median(each[which] for each in told) for which in (0, 1))
        ratio = median(one / other for one, other in told)
        print(f"{name:12} {several:3} clients: {ours:8.0f} votes/s, bare {bare:8.0f}: {ratio:.2f}", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--votes", type=int, default=4000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--clients", type=int, nargs="+", default=[1, 8, 50])
    arguments.add_argument("--kind", choices=[*KINDS, "sqlite"], nargs="+", default=["sqlite", *KINDS])
    given = arguments.parse_args()
    run = partial(compare, votes=given.votes, rounds=given.rounds, clients=given.clients)
    with tempfile.TemporaryDirectory() as name:
        if "sqlite" in given.kind:
            with sqlite_sides(Path(name)) as sides:
                run("sqlite", sides)
        for kind in (each for each in KINDS if each in given.kind):
            folder = Path(name) / kind
            folder.mkdir()
            with serving(kind, folder, "--appendfsync", "always") as server, redis_sides(server.url) as sides:
                run(kind, sides)


if __name__ == "__main__":
    main()
