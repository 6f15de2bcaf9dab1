"""What a journal promises: records that come while the store is down are neither lost nor doubled, and can be read."""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from feedback.errors import FeedbackUnavailable, UnknownExchange
from feedback.records import ErasureResult
from feedback.stores.journal.file import UPGRADES, JournalCounts, JournalFile
from feedback.stores.journal.store import JournaledFeedback
from feedback.stores.redis.store import RedisFeedback
from feedback.stores.sqlite.database import Database
from feedback.stores.sqlite.store import SqliteFeedback
from tests.feedback.samples import NOON, correction, decision, exchange, export, vote
from tests.processes import start_python
from tests.servers.redis_servers import eventually, serving

DOWN = "the feedback store cannot be reached"


class Switched:
    """A store that a test may switch off; `asked` counts what got through to it or failed."""

    def __init__(self, path: Path) -> None:
        self.down = False
        self.asked = 0
        self._store = SqliteFeedback(path)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def ask(*given: Any, **named: Any) -> Any:
            self.asked += 1
            if self.down and name != "close":
                raise FeedbackUnavailable(DOWN)
            return method(*given, **named)

        return ask


@pytest.fixture
def behind(tmp_path) -> Switched:
    """The store behind the journal, with one exchange."""
    store = Switched(tmp_path / "feedback.sqlite")
    store.record(exchange(0))
    return store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


class Clock:
    """The time since something, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def opened(behind: Any, path: Path, *, limit: int = 1000, wait: float = 0.01, **how: Any) -> JournaledFeedback:
    return JournaledFeedback(behind, path, limit=limit, first_wait=wait, longest_wait=max(wait, 0.05), **how)


@pytest.fixture
def store(behind, path) -> Iterator[JournaledFeedback]:
    with closing(opened(behind, path)) as made:
        yield made


def test_while_the_store_is_up_there_is_no_file(store, path):
    assert store.vote(vote())
    assert store.votes("answer-00000") == [vote()]
    assert not path.exists()
    assert store.counts() == JournalCounts(0, 0)


def test_what_comes_while_the_store_is_down_is_read_at_once_and_sent_later(store, behind, path):
    behind.down = True
    store.record(exchange(1, conversation="c"))
    assert store.vote(vote())
    assert store.vote(vote(1, "up", answer="answer-00001"))
    assert store.correct(correction())
    assert store.decide(decision(1, "accept", correction="click-00000"))
    assert store.exchange("answer-00001") == exchange(1, conversation="c")
    assert store.conversation("c", limit=3) == [exchange(1, conversation="c")]
    assert store.votes("answer-00000") == [vote()]
    assert [each.accepted for each in store.corrections("answer-00000")] == [True]
    assert store.decisions("answer-00000") == [decision(1, "accept", correction="click-00000")]
    assert store.counts() == JournalCounts(5, 0)
    behind.down = False
    eventually(lambda: store.counts() == JournalCounts(0, 0), "what waits is sent")
    assert behind.votes("answer-00000") == [vote()]
    assert behind.votes("answer-00001") == [vote(1, "up", answer="answer-00001")]
    assert behind.corrections("answer-00000")[0].accepted
    assert behind.exchange("answer-00001") == exchange(1, conversation="c")


def test_of_an_answer_of_which_a_vote_waits_the_rest_is_read_as_far_as_it_is_known(store, behind):
    behind.down = True
    store.vote(vote())
    assert (store.corrections("answer-00000"), store.decisions("answer-00000")) == ([], [])


def test_the_next_call_that_succeeds_sends_what_waits(behind, path):
    clock = Clock()
    with closing(opened(behind, path, wait=60, clock=clock)) as store:  # the thread would come too late
        behind.down = True
        store.vote(vote())
        behind.down = False
        clock.ahead = 60
        assert store.votes("answer-00000") == [vote()]
        assert store.counts() == JournalCounts(0, 0)


def test_a_store_that_is_down_is_not_asked_for_each_click(behind, path):
    with closing(opened(behind, path, wait=60)) as store:
        behind.down = True
        for number in range(50):
            store.vote(vote(number))
        assert behind.asked <= 3


def test_the_same_click_waits_once(store, behind):
    behind.down = True
    assert [store.vote(vote()) for _ in range(3)] == [True, False, False]
    behind.down = False
    eventually(lambda: store.counts() == JournalCounts(0, 0), "what waits is sent")
    assert not store.vote(vote())
    assert store.votes("answer-00000") == [vote()]


def test_what_waits_and_what_is_there_are_read_together(store, behind):
    for each in (vote(0, "up"), vote(1, "up", key="other", voter="other"), vote(5, "up", key="third", voter="third")):
        store.vote(each)
    behind.down = True
    store.vote(vote(2))
    store.vote(vote(6, "none", key="gone", voter="third"))
    behind.down = False
    counting = [vote(1, "up", key="other", voter="other"), vote(2)]
    eventually(lambda: store.votes("answer-00000") == counting, "all that counts is returned")


def test_a_vote_on_an_answer_that_waits_waits_behind_it(behind, path):
    clock = Clock()
    with closing(opened(behind, path, wait=60, clock=clock)) as store:
        behind.down = True
        store.record(exchange(1))
        behind.down = False
        clock.ahead = 60
        assert store.vote(vote(answer="answer-00001"))
        assert store.votes("answer-00001") == [vote(answer="answer-00001")]
        with pytest.raises(UnknownExchange, match="nobody"):
            store.vote(vote(answer="nobody"))


def test_what_waits_is_sent_by_the_next_process(behind, path):
    with closing(opened(behind, path, wait=60)) as store:
        behind.down = True
        store.vote(vote())
    again = Switched(path.parent.parent / "feedback.sqlite")
    with closing(opened(again, path)) as store:
        assert store.counts() == JournalCounts(1, 0)
        assert next(iter(store.reviewed_exchanges())).votes == (vote(),)
        assert store.counts() == JournalCounts(0, 0)


def test_what_another_process_left_is_sent_by_one_that_goes_on(behind, path):
    clock = Clock()
    with closing(opened(behind, path, clock=clock)) as store, closing(JournalFile(path, limit=10)) as left:
        left.add(vote(), since=0.0)
        clock.ahead = 61
        store.vote(vote(1))
        assert store.counts() == JournalCounts(0, 0)
        assert [type(each).__name__ for each in behind.records()] == ["Exchange", "Vote", "Vote"]


def test_a_full_journal_refuses_the_click_visibly_and_keeps_the_others(behind, path):
    with closing(opened(behind, path, limit=2)) as store:
        behind.down = True
        assert [store.vote(vote(number)) for number in range(2)] == [True, True]
        with pytest.raises(FeedbackUnavailable, match=r"2 records wait .* `journal_limit`"):
            store.vote(vote(2))
        assert not store.vote(vote(1))  # it waits already
        behind.down = False
        eventually(lambda: store.counts() == JournalCounts(0, 0), "what waits is sent")
        assert store.vote(vote(2))
        assert store.votes("answer-00000") == [vote(2)]


def test_a_journal_that_cannot_be_written_refuses_the_click_visibly(behind, tmp_path):
    (tmp_path / "file").touch()
    with closing(opened(behind, tmp_path / "file" / "journal.db")) as store:
        behind.down = True
        with pytest.raises(FeedbackUnavailable, match=r"journal\.db"):
            store.vote(vote())


def test_what_can_no_longer_be_taken_is_put_aside_and_logged(store, behind, caplog):
    behind.down = True
    store.vote(vote(answer="nobody"))
    store.vote(vote(1))
    behind.down = False
    with caplog.at_level(logging.WARNING):
        eventually(lambda: store.counts() == JournalCounts(0, 1), "the one is sent, the other put aside")
    assert "vote, no answer is recorded under 'nobody'" in caplog.text
    assert "click-00000" not in caplog.text, "a key may name whoever voted"
    assert "It is six now" not in caplog.text
    assert behind.votes("answer-00000") == [vote(1)]


def test_what_was_put_aside_is_taken_when_its_answer_comes(store, behind):
    behind.down = True
    store.vote(vote(answer="answer-00007"))
    behind.down = False
    eventually(lambda: store.counts() == JournalCounts(0, 1), "it is put aside")
    behind.record(exchange(7))  # from another process' journal
    eventually(lambda: store.counts() == JournalCounts(0, 0), "it is taken after all")
    assert behind.votes("answer-00007") == [vote(answer="answer-00007")]


def senders() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "feedback journal"}


def test_what_was_put_aside_long_ago_is_kept_and_left_alone(behind, path):
    others = senders()
    with closing(opened(behind, path, retry_refused_seconds=-1.0)) as store:
        behind.down = True
        store.vote(vote(answer="nobody"))
        behind.down = False
        eventually(lambda: store.counts() == JournalCounts(0, 1) and senders() <= others, "nothing is tried any more")


def test_a_damaged_row_is_put_aside_and_holds_up_nobody(store, behind, path):
    behind.down = True
    for number in range(3):
        store.vote(vote(number))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE waiting SET record = 'nope' WHERE key = 'click-00001'")
    behind.down = False
    eventually(lambda: store.counts() == JournalCounts(0, 1), "the others are sent")
    assert behind.votes("answer-00000") == [vote(2)]


def test_forgetting_sends_first_what_waits_and_erases_what_was_put_aside(store, behind, path):
    behind.down = True
    store.vote(vote(voter="ada"))
    store.vote(vote(1, voter="ada", answer="nobody"))
    store.vote(vote(2))
    with pytest.raises(FeedbackUnavailable):
        store.forget("ada")
    behind.down = False
    eventually(lambda: store.counts() == JournalCounts(0, 1), "the others are sent")
    assert store.forget("ada") == ErasureResult(0, 2, 0, 0)
    assert b"ada" not in b"".join(each.read_bytes() for each in path.parent.glob("journal.db*"))
    assert store.votes("answer-00000") == [vote(2)]


def test_what_cannot_wait_says_that_the_store_is_down(store, behind):
    behind.down = True
    for use in (
        lambda: store.register_export(export(), {}),
        lambda: store.write_many([exchange(3)]),
        lambda: store.prune(words_before=NOON),
        lambda: list(store.exchanges()),
        lambda: store.votes("answer-00000"),
        lambda: store.exchange("answer-00000"),
    ):
        with pytest.raises(FeedbackUnavailable, match=DOWN):
            use()


WRITER = """
import sys
from pathlib import Path
from feedback.errors import FeedbackUnavailable
from feedback.stores.journal.store import JournaledFeedback
from feedback.stores.redis.store import RedisFeedback
from tests.feedback.samples import vote
store = JournaledFeedback(RedisFeedback(sys.argv[1], workspace=sys.argv[2], timeout=1), Path(sys.argv[3]), limit=10000)
for number in range(int(sys.argv[4]), int(sys.argv[5])):
    store.vote(vote(number, voter=f"voter-{number}"))
    print(f"click-{number:05}", flush=True)
"""


@pytest.mark.server
def test_kills_of_writers_and_server_lose_and_double_nothing(tmp_path):
    workspace, acknowledged = uuid4().hex, []
    path = tmp_path / "journal.db"
    with serving("redis-6.2", tmp_path, "--appendfsync", "always") as server:
        with closing(RedisFeedback(server.url, workspace=workspace)) as store:
            store.record(exchange())
        for turn in range(4):
            first = 1000 * turn
            writers = [
                start_python(WRITER, server.url, workspace, str(path), str(first + 500 * n), str(first + 500 * (n + 1)))
                for n in range(2)
            ]
            tellers = [writer.stdout for writer in writers if writer.stdout]
            for teller in tellers:
                acknowledged += [teller.readline().strip() for _ in range(30)]
            server.kill()
            for teller in tellers:
                acknowledged += [teller.readline().strip() for _ in range(60)]
            if turn % 2:
                server.start()
            for writer, teller in zip(writers, tellers, strict=True):
                writer.kill()
                acknowledged += [line.strip() for line in teller if line.endswith("\n")]
                writer.communicate()
            if not turn % 2:
                server.start()
        with closing(JournaledFeedback(RedisFeedback(server.url, workspace=workspace), path, limit=10_000)) as store:
            recorded = [each.key for each in next(iter(store.reviewed_exchanges())).votes]
            assert store.counts() == JournalCounts(0, 0)
    assert set(acknowledged) <= set(recorded)
    # At most one a kill was written and not yet read.
    assert len(recorded) == len(set(recorded)) <= len(acknowledged) + 8


def test_a_click_is_on_disk_before_it_is_acknowledged(path):
    with closing(JournalFile(path, limit=10)) as file, closing(Database(path, UPGRADES)) as database:
        assert file.add(vote(), since=0.0)
        assert database.run("SELECT key FROM waiting") == [("click-00000",)]
        assert database.run("PRAGMA synchronous") == [(2,)]
        assert database.run("PRAGMA journal_mode") == [("wal",)]
