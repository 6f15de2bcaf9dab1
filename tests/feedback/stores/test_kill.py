"""Writers in a crowd, some of which and whose server are killed now and then: each vote is recorded, and once."""

import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis import Redis

from feedback.errors import FeedbackUnavailable
from feedback.stores.journal.store import JournaledFeedback
from feedback.stores.redis.store import RedisFeedback
from tests.feedback.samples import exchange
from tests.processes import start_python
from tests.servers.redis_servers import Server, eventually, serving

pytestmark = pytest.mark.server

PROCESSES, THREADS = 5, 10
ANSWERS = 20
WORKSPACE = "crowd"
# Reads the numbers of its votes and prints each when it is acknowledged.
WRITER = f"""
import sys, threading, time
from pathlib import Path
from feedback.errors import FeedbackUnavailable
from feedback.stores.journal.store import JournaledFeedback
from feedback.stores.redis.store import RedisFeedback
from tests.feedback.samples import vote
redis = RedisFeedback(sys.argv[1], workspace={WORKSPACE!r}, timeout=2)
store = JournaledFeedback(redis, Path(sys.argv[2]), limit=100000)
numbers = [int(line) for line in Path(sys.argv[3]).read_text().split()]
printing = threading.Lock()

def work(mine):
    for number in mine:
        given = vote(number, ("up", "down", "none")[number % 3], key=f"k{{number}}", voter=f"v{{number % 977}}",
                     answer=f"answer-{{number % {ANSWERS}:05}}")
        while True:
            try:
                store.vote(given)
                break
            except FeedbackUnavailable:
                time.sleep(0.05)
        with printing:
            print(number, flush=True)

threads = [threading.Thread(target=work, args=(numbers[each::{THREADS}],)) for each in range({THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


@dataclass
class Crowd:
    """A process with several writers, which may be killed and goes on with what was not acknowledged."""

    url: str
    folder: Path
    mine: list[int]
    acknowledged: list[int] = field(default_factory=list)
    process: "subprocess.Popen[str] | None" = None
    reader: threading.Thread | None = None
    kills: int = 0

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    def start(self) -> None:
        """Begin with some that were acknowledged already, as a platform delivers a click again."""
        known = set(self.acknowledged)
        todo = [*self.acknowledged[-20:], *(number for number in self.mine if number not in known)]
        self.folder.mkdir(exist_ok=True)
        (self.folder / "todo").write_text("\n".join(map(str, todo)), encoding="utf-8")
        self.process = start_python(WRITER, self.url, str(self.journal), str(self.folder / "todo"))
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.acknowledged.extend(int(line) for line in self.process.stdout if line.endswith("\n"))

    def end(self, *, kill: bool) -> None:
        assert self.process is not None
        assert self.reader is not None
        if kill:
            self.process.kill()
            self.kills += 1
        self.reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        assert kill or self.process.wait() == 0
        self.process.wait()

    @property
    def done(self) -> bool:
        return self.process is not None and self.process.poll() is not None


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    with serving("redis-6.2", tmp_path, "--appendfsync", "always") as started:
        yield started


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("votes", [pytest.param(2_000), pytest.param(100_000, marks=pytest.mark.full)])
def test_nothing_is_lost_and_nothing_doubled(server, tmp_path, votes):
    choice = random.Random(votes)
    with closing(RedisFeedback(server.url, workspace=WORKSPACE)) as store:
        store.write_many([exchange(number) for number in range(ANSWERS)])
    crowds = [Crowd(server.url, tmp_path / f"{n}", list(range(n, votes, PROCESSES))) for n in range(PROCESSES)]
    for crowd in crowds:
        crowd.start()
    server_kills = 0
    while running := [crowd for crowd in crowds if not crowd.done]:
        time.sleep(choice.uniform(0.3, 1.5))
        if choice.random() < 0.4:
            server.kill()
            server_kills += 1
            time.sleep(choice.uniform(0, 1.0))
            server.start()
        else:
            crowd = choice.choice(running)
            crowd.end(kill=True)
            crowd.start()
    for crowd in crowds:
        crowd.end(kill=False)
        assert set(crowd.acknowledged) == set(crowd.mine)
        with closing(
            JournaledFeedback(RedisFeedback(server.url, workspace=WORKSPACE), crowd.journal, limit=1)
        ) as journaled:
            eventually(lambda: _settled(journaled), "what waits is sent")
    assert server_kills + sum(crowd.kills for crowd in crowds) > 0
    _assert_each_once(server.url, votes)


def _settled(journaled: JournaledFeedback) -> bool:
    with suppress(FeedbackUnavailable):  # a server that was just started reads its file
        next(iter(journaled.exchanges()))
    counts = journaled.counts()
    return (counts.waiting, counts.refused) == (0, 0)


def _assert_each_once(url: str, votes: int) -> None:
    wanted = {f"k{number}" for number in range(votes)}
    at = f"footnote:{{{WORKSPACE}}}:"
    with Redis.from_url(url, decode_responses=True) as admin:
        assert Counter(entry["key"] for _, entry in admin.xrange(f"{at}audit")) == Counter(wanted)
        recorded = [name for n in range(ANSWERS) for name in admin.zrange(f"{at}votes:answer-{n:05}", 0, -1)]
        assert Counter(name[18:] for name in recorded) == Counter(wanted)
        assert admin.exists(*[f"{at}vote:{key}" for key in sorted(wanted)]) == votes
        with closing(RedisFeedback(url, workspace=WORKSPACE)) as store:
            for judged in store.reviewed_exchanges():
                counts = admin.hgetall(f"{at}counts:{judged.exchange.id}")
                counting = Counter(each.vote for each in judged.votes)
                assert {name: int(count) for name, count in counts.items() if int(count)} == counting
