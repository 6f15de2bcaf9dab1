"""What the Redis store owes to its server: nothing lost or doubled through kills and crowds, errors of our own."""

import inspect
import random
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from typing import Any
from uuid import uuid4

import pytest
import redis.exceptions
from redis import Redis

from feedback.errors import FeedbackUnavailable, UnreadableRecord
from feedback.records import Vote
from feedback.stores.redis.connection import client_errors
from feedback.stores.redis.durability import ServerDurability
from feedback.stores.redis.store import RedisFeedback
from tests.feedback.samples import NOON, RIGHTS, correction, decision, exchange, export, vote
from tests.feedback.stores.uses import STORE_USES
from tests.processes import start_python
from tests.servers.redis_servers import KINDS, Server, answers, certificate, eventually, free_port, serving

pytestmark = pytest.mark.server

VOTER = """
import sys
from feedback.stores.redis.store import RedisFeedback
from tests.feedback.samples import vote
store = RedisFeedback(sys.argv[1], workspace=sys.argv[2])
for number in range(int(sys.argv[3]), int(sys.argv[4])):
    print(f"click-{number:05}" if store.vote(vote(number, voter=f"voter-{number}")) else "known", flush=True)
"""


@pytest.fixture(scope="module", params=list(KINDS))
def server(request, tmp_path_factory) -> Iterator[Server]:
    """A server that tests may kill and set otherwise; it has each write on disk before it answers."""
    with serving(request.param, tmp_path_factory.mktemp("server"), "--appendfsync", "always") as started:
        yield started


@pytest.fixture
def admin(server) -> Iterator[Any]:
    """A client that may do everything."""
    with Redis.from_url(server.url, decode_responses=True) as client:
        yield client


@pytest.fixture
def workspace() -> str:
    return str(uuid4().int)


@pytest.fixture
def store(server, workspace) -> Iterator[RedisFeedback]:
    with closing(RedisFeedback(server.url, workspace=workspace)) as opened:
        opened.record(exchange())
        opened.record(exchange(1))
        yield opened


def crowd(work: Callable[[int], None], size: int = 8) -> None:
    """Does it in as many threads at once; fails with the first that fails."""
    failed: list[BaseException] = []

    def one(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - raised below
            failed.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def clicks(of: int) -> list[Vote]:
    """Votes of a few people on two answers, who change their minds and withdraw."""
    choice = random.Random(of)
    return [
        vote(
            choice.randrange(20),
            choice.choice(["up", "down", "none"]),
            key=f"click {of} {number}",
            voter=f"voter {choice.randrange(5)}",
            answer=f"answer-0000{choice.randrange(2)}",
        )
        for number in range(40)
    ]


def assert_sound(admin: Any, workspace: str, store: RedisFeedback, given: list[Vote]) -> None:
    """Each of these votes is recorded once, and counts, audit and people's names agree with them."""
    at = f"footnote:{{{workspace}}}:"
    came = [entry["key"] for _, entry in admin.xrange(f"{at}audit")]
    assert sorted(came) == sorted(each.key for each in given)
    for answer in ("answer-00000", "answer-00001"):
        on_it = sorted(
            (each for each in given if each.answer == answer), key=lambda each: (each.at, came.index(each.key))
        )
        last = {each.voter: each for each in on_it}
        counting = [each for each in on_it if last[each.voter] is each and each.vote != "none"]
        assert store.votes(answer) == counting
        assert admin.zcard(f"{at}votes:{answer}") == len(on_it)
        counts = {choice: int(count) for choice, count in admin.hgetall(f"{at}counts:{answer}").items() if int(count)}
        assert counts == Counter(each.vote for each in counting)
    for person in {each.voter for each in given}:
        names = {name for name in admin.smembers(f"{at}person:{person}") if name.startswith("vote:")}
        assert names == {f"vote:{each.key}" for each in given if each.voter == person}


def test_a_crowd_that_brings_the_same_votes_in_any_order_has_each_recorded_once(server, admin, workspace, store):
    given = [click for of in range(4) for click in clicks(of)]
    added: list[bool] = []

    def bring(number: int) -> None:
        with closing(RedisFeedback(server.url, workspace=workspace)) as own:
            mine = random.Random(number).sample(given, len(given))
            added.extend([(own if number % 2 else store).vote(each) for each in mine])

    crowd(bring)
    assert sum(added) == len(given)
    assert_sound(admin, workspace, store, given)


def test_every_kill_of_a_voter_leaves_the_votes_that_were_acknowledged_each_once(server, admin, workspace, store):
    acknowledged: list[str] = []
    for until in (1, 20, 60):
        voter = start_python(
            VOTER, server.url, workspace, "0", "100000"
        )  # each begins with the clicks of those before it
        assert voter.stdout is not None
        added = (line.strip() for line in voter.stdout if line != "known\n")
        acknowledged += islice(added, until)
        voter.kill()
        acknowledged += added
        voter.stdout.close()
        assert voter.wait() != 0
    recorded = store.votes("answer-00000")
    assert set(acknowledged) <= {each.key for each in recorded}
    assert len(recorded) <= len(acknowledged) + 3  # at most one a kill was written and not yet read
    assert_sound(admin, workspace, store, recorded)


def test_every_kill_of_the_server_leaves_what_was_acknowledged_each_once(server, admin, workspace, store):
    given = [clicks(of) for of in range(8)]
    acknowledged: set[str] = set()
    done = threading.Event()

    def until_taken(own: RedisFeedback, each: Vote) -> None:
        while True:
            try:
                own.vote(each)
            except FeedbackUnavailable:
                continue
            acknowledged.add(each.key)
            return

    def bring(number: int) -> None:
        if number == 8:
            kill_now_and_then()
            return
        with closing(RedisFeedback(server.url, workspace=workspace)) as own:
            for each in given[number]:
                until_taken(own, each)

    def taken(share: float) -> bool:
        return len(acknowledged) > 320 * share

    def kill_now_and_then() -> None:
        for share in (0.1, 0.4, 0.7):
            eventually(partial(taken, share), "votes are taken")
            before = set(acknowledged)
            server.kill()
            server.start()
            eventually(lambda: answers(admin), "the server answers again")
            recorded = {entry["key"] for _, entry in admin.xrange(f"footnote:{{{workspace}}}:audit")}
            assert before <= recorded
        done.set()

    crowd(bring, 9)
    assert done.is_set()
    assert_sound(admin, workspace, store, [each for votes in given for each in votes])


def test_a_server_that_has_forgotten_the_scripts_is_sent_them_again(admin, store):
    assert store.vote(vote(0))
    admin.script_flush()
    assert store.vote(vote(1))
    assert store.votes("answer-00000") == [vote(1)]


def test_workspaces_know_nothing_of_each_other(server, store):
    store.vote(vote())
    with closing(RedisFeedback(server.url, workspace="other")) as other:
        assert list(other.exchanges()) == []
        assert other.votes("answer-00000") == []


def test_every_key_begins_with_the_workspace_in_braces(admin, workspace, store):
    store.vote(vote())
    store.correct(correction())
    store.record(exchange(2, conversation="c"))
    store.decide(decision())
    store.register_export(export(), {"ada": ["r1"]})
    kinds = {key.split(":")[2] for key in admin.scan_iter(f"footnote:{{{workspace}}}:*")}
    assert kinds == set(
        "exchange exchanges conversation vote votes standing counts correction corrections decision decisions audit "
        "person export exports people held".split()
    )


def test_what_is_a_persons_is_found_by_their_name(admin, workspace, store):
    store.vote(vote(voter="ada", comment="secret"))
    store.correct(correction(author="ada", text="secret"))
    store.record(exchange(2, asker="ada"))
    store.vote(vote(1, voter=""))
    at = f"footnote:{{{workspace}}}:"
    entries = dict(admin.xrange(f"{at}audit"))
    assert [entry["person"] for entry in entries.values()] == ["ada", "ada", ""]
    assert admin.smembers(f"{at}person:ada") == {"vote:click-00000", "correction:click-00000", "exchange:answer-00002"}
    assert not admin.exists(f"{at}person:")
    assert "secret" not in str(entries)
    assert admin.get(f"{at}vote:click-00000").partition("\n")[2] in entries


def everything(admin: Any, workspace: str) -> str:
    """All that a server holds of a workspace."""
    readers = {
        "string": admin.get,
        "hash": admin.hgetall,
        "set": lambda key: sorted(admin.smembers(key)),
        "zset": lambda key: admin.zrange(key, 0, -1),
        "stream": admin.xrange,
    }
    keys = sorted(admin.scan_iter(f"footnote:{{{workspace}}}:*"))
    return "\n".join(f"{key} {readers[admin.type(key)](key)}" for key in keys)


@pytest.fixture
def crowded(store) -> RedisFeedback:
    """Ada and Bob asked, and gave feedback on their own and each other's answers."""
    store.record(exchange(2, asker="ada", conversation="adas"))
    store.record(exchange(3, asker="bob"))
    for number, (who, answer) in enumerate((who, f"answer-0000{n}") for who in ("ada", "bob") for n in (0, 2, 3)):
        store.vote(vote(number, "up", key=f"{who} {answer}", voter=who, answer=answer))
        store.correct(correction(number, key=f"{who} {answer}", author=who, answer=answer))
        store.decide(decision(number, key=f"{who} {answer}", reviewer=who, answer=answer))
    opened: RedisFeedback = store
    return opened


def test_no_trace_of_a_forgotten_person_is_left_and_what_counts_is_counted_anew(admin, workspace, crowded):
    crowded.forget("ada")
    left = everything(admin, workspace)
    assert "ada" not in left
    assert "answer-00002" not in left
    at = f"footnote:{{{workspace}}}:"
    assert [admin.hgetall(f"{at}counts:answer-0000{number}") for number in (0, 3)] == [{"up": "1"}] * 2
    assert len(admin.xrange(f"{at}audit")) == 6


@pytest.mark.parametrize("lacking", ["+xdel", "+zrem", "+del", "+srem"])
def test_forgetting_that_a_server_broke_off_is_completed_by_the_next_try(server, admin, workspace, crowded, lacking):
    rights = [right for right in RIGHTS if right != lacking]
    admin.execute_command("ACL", "SETUSER", "eraser", "reset", "on", ">s3cret", "~footnote:*", *rights)
    with closing(RedisFeedback(server.url.replace("//", "//eraser:s3cret@"), workspace=workspace)) as eraser:
        with pytest.raises(FeedbackUnavailable, match=r"permission|can't run this command"):
            eraser.forget("ada")
        admin.execute_command("ACL", "SETUSER", "eraser", lacking)
        eraser.forget("ada")
    left = everything(admin, workspace)
    assert "ada" not in left
    assert "answer-00002" not in left
    assert admin.hgetall(f"footnote:{{{workspace}}}:counts:answer-00000") == {"up": "1"}


FORGETTER = """
import sys
from feedback.stores.redis.store import RedisFeedback
print("begins", flush=True)
RedisFeedback(sys.argv[1], workspace=sys.argv[2]).forget("ada")
"""


def test_forgetting_that_is_killed_is_completed_by_the_next_try(server, admin, workspace, store):
    store.write_many([exchange(number, asker="ada") for number in range(10, 400)])
    store.write_many([vote(number, key=f"{number}", answer=f"answer-{number:05}") for number in range(10, 400)])
    store.write_many([vote(number, key=f"ada {number}", voter="ada") for number in range(400)])
    person = f"footnote:{{{workspace}}}:person:ada"
    for share in (600, 200):
        forgetter = start_python(FORGETTER, server.url, workspace)
        assert forgetter.stdout is not None
        forgetter.stdout.readline()
        eventually(lambda: admin.scard(person) < share, "something is forgotten")  # noqa: B023 - asked at once
        forgetter.kill()
        forgetter.communicate()
    store.forget("ada")
    assert "ada" not in everything(admin, workspace)
    assert list(store.records()) == [exchange(0, asker="0f" * 32), exchange(1)]


def test_a_full_server_lets_people_be_forgotten(admin, workspace, crowded):
    admin.config_set("maxmemory", "1")
    try:
        crowded.forget("ada")
    finally:
        admin.config_set("maxmemory", "0")
    assert "ada" not in everything(admin, workspace)


def test_what_an_earlier_version_noted_of_a_person_goes_too(admin, workspace, store):
    at = f"footnote:{{{workspace}}}:"
    entry = admin.xadd(f"{at}audit", {"kind": "vote", "person": "ada"})
    admin.sadd(f"{at}person:ada", f"audit:{entry}", "vote:gone")
    store.forget("ada")
    assert "ada" not in everything(admin, workspace)


def test_a_vote_that_a_server_broke_off_is_completed_by_the_next_try(server, admin, workspace, store):
    lacking = [right for right in RIGHTS if right != "+xadd"]
    admin.execute_command("ACL", "SETUSER", "clerk", "on", ">s3cret", "~footnote:*", *lacking)
    url = server.url.replace("//", "//clerk:s3cret@")
    with closing(RedisFeedback(url, workspace=workspace)) as clerk:
        for _ in range(2):
            with pytest.raises(FeedbackUnavailable, match=r"permission|can't run this command"):
                clerk.vote(vote())
        admin.execute_command("ACL", "SETUSER", "clerk", "+xadd")
        assert clerk.vote(vote())
        assert not clerk.vote(vote())
    assert_sound(admin, workspace, store, [vote()])


def test_a_full_server_refuses_the_record_and_keeps_the_others(admin, store):
    assert store.vote(vote(0))
    admin.config_set("maxmemory", "1")
    try:
        with pytest.raises(FeedbackUnavailable, match="maxmemory"):
            store.record(exchange(9))
        with pytest.raises(FeedbackUnavailable, match="maxmemory"):
            store.vote(vote(1))
        assert store.votes("answer-00000") == [vote(0)]
    finally:
        admin.config_set("maxmemory", "0")
    assert store.vote(vote(1))
    assert store.votes("answer-00000") == [vote(1)]


@pytest.mark.parametrize("record", ["nope", "{}", '{"kind": "exchange", "schema": "9.0"}'])
def test_a_damaged_record_is_reported_by_name(admin, workspace, store, record):
    admin.set(f"footnote:{{{workspace}}}:exchange:answer-00000", record)
    with pytest.raises(UnreadableRecord, match="the exchange 'answer-00000' cannot be read"):
        store.exchange("answer-00000")


def test_a_record_that_is_gone_is_left_out(admin, workspace, store):
    admin.delete(f"footnote:{{{workspace}}}:exchange:answer-00000")
    assert list(store.exchanges()) == [exchange(1)]


USES = [
    *STORE_USES,
    pytest.param(lambda store: store.prune(words_before=NOON, exchanges_before=NOON), id="prune"),
    pytest.param(lambda store: store.durability(), id="durability"),
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("scheme", ["redis", "rediss", "redis+cluster", "rediss+cluster"])
def test_a_server_that_is_not_there_is_reported_in_one_line_without_the_password(scheme, use):
    port = free_port()
    with (
        closing(RedisFeedback(f"{scheme}://ada:s3cret@127.0.0.1:{port}", workspace="default")) as store,
        pytest.raises(FeedbackUnavailable, match=f"127.0.0.1:{port} cannot be used") as caught,
    ):
        use(store)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
def test_a_server_that_never_answers_is_given_up(scheme):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}"
        with (
            closing(RedisFeedback(url, workspace="default", timeout=0.1)) as store,
            pytest.raises(FeedbackUnavailable, match="cannot be used"),
        ):
            store.vote(vote())


def test_a_wrong_password_is_reported_without_it(server):
    url = server.url.replace("//", "//ada:s3cret@")
    with closing(RedisFeedback(url, workspace="default")) as store, pytest.raises(FeedbackUnavailable) as caught:
        store.vote(vote())
    assert "invalid username-password" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_server_that_is_no_cluster_is_reported_where_a_cluster_is_named(server):
    url = server.url.replace("redis:", "redis+cluster:")
    with (
        closing(RedisFeedback(url, workspace="default")) as store,
        pytest.raises(FeedbackUnavailable, match="luster"),
    ):
        store.vote(vote())


@pytest.mark.parametrize("ca", ["absent.pem", "empty.pem"])
def test_a_file_that_is_no_certificate_is_reported(server, tmp_path, ca):
    (tmp_path / "empty.pem").touch()
    url = f"rediss://127.0.0.1:{server.port}?ssl_ca_certs={tmp_path / ca}"
    with closing(RedisFeedback(url, workspace="default")) as store, pytest.raises(FeedbackUnavailable):
        store.vote(vote())


@pytest.mark.full
@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.1"], ids=["unknown-authority", "another-address"])
def test_a_certificate_that_does_not_vouch_for_the_server_is_refused(tmp_path, address):
    shown, key = certificate(tmp_path, address)
    port = free_port()
    files = ("--tls-cert-file", str(shown), "--tls-key-file", str(key), "--tls-auth-clients", "no")
    trusted = f"?ssl_ca_certs={shown}" if address != "127.0.0.1" else ""
    with (
        serving("redis", tmp_path, "--tls-port", str(port), *files),
        closing(RedisFeedback(f"rediss://127.0.0.1:{port}{trusted}", workspace="default")) as store,
        pytest.raises(FeedbackUnavailable, match="certificate"),
    ):
        store.vote(vote())


def test_the_durability_of_a_server_can_be_read(admin, store):
    (found,) = store.durability()
    assert re.fullmatch(r"(Redis|Valkey) \d+\.\d+\.\d+", found.server)
    assert found == ServerDurability(found.server, eviction="noeviction", append_only=True, fsync="always")
    admin.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert store.durability()[0].eviction == "allkeys-lru"
    finally:
        admin.config_set("maxmemory-policy", "noeviction")


def test_a_server_that_does_not_tell_its_durability_is_no_failure(server, admin):
    url = server.url.replace("//", "//guest:s3cret@")
    admin.execute_command("ACL", "SETUSER", "guest", "on", ">s3cret", "~footnote:*", *RIGHTS)
    with closing(RedisFeedback(url, workspace="default")) as store:
        assert store.durability() == [ServerDurability("a server that does not say what it is")]
        admin.execute_command("ACL", "SETUSER", "guest", "+info")
        (found,) = store.durability()
        assert (found.eviction, found.append_only, found.fsync) == ("noeviction", True, None)


@pytest.mark.full
def test_the_durability_of_each_server_of_a_cluster_can_be_read(redis_url):
    with closing(RedisFeedback(redis_url("cluster"), workspace="default")) as store:
        assert [(each.eviction, each.append_only) for each in store.durability()] == [("noeviction", True)] * 3


def test_every_error_of_the_client_is_known():
    raised = [
        error for _, error in inspect.getmembers(redis.exceptions, inspect.isclass) if issubclass(error, Exception)
    ]
    of_settings = {"IncorrectPolicyType"}  # that are not used
    assert {error.__name__ for error in raised if not issubclass(error, client_errors())} <= of_settings
