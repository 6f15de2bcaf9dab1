"""Threat: somebody asks to be forgotten, and their words or their id stay behind somewhere.

A marked person goes through every door, is forgotten while the process runs, and then every byte that is left is
searched: of the state folder with its write-ahead files, of every key and value of Redis, and of the journal. A door or
a store that is added later belongs here, and into `bot/services/personal_data.py`.
"""

import hashlib
import json
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from bot.access.directory import SHORT_NAME, Person
from bot.access.pseudonyms import pseudonym, user_key
from bot.answering.answers import Question
from bot.app import App, bootstrap
from bot.channels.directory_records import DirectoryRecords
from bot.channels.events import IncomingEvent, Place
from bot.channels.thread_state import AnswerLocation, ThreadState
from bot.config.settings import Settings
from bot.config.settings import load as load_settings
from bot.services.reviews import ReviewDecision
from bot.services.votes import VoteRequest
from bot.state.protocol import Event
from feedback.errors import FeedbackUnavailable
from feedback.records import Export
from tests.bot.channels.slack.harness import open_home
from tests.bot.channels.slack.test_conversations import staged
from tests.bot.cli.command_line import footnote
from tests.fakes import FakeEmbedder
from tests.feedback.samples import NOON
from tests.scripted_app import QUESTION
from tests.servers.redis_servers import eventually, serving

MARK = "zanzibarine"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def forms_of(name: str, key: str) -> list[bytes]:
    """Every form in which a person may be written: as named, the platform's id, hashes with and without the key."""
    bare = name.partition(":")[2] or name
    forms = [name, bare, name.casefold(), pseudonym(name, key=key)]
    forms += [hashlib.sha256(each.encode()).hexdigest()[:16] for each in (name, bare)]
    forms += [hashlib.sha1(each.encode()).hexdigest()[:16] for each in (name, bare)]
    return [each.encode() for each in dict.fromkeys(forms)]


def found_in(folder: Path, *marks: bytes) -> list[tuple[str, bytes]]:
    """Where in these files, whatever they are, any of the marks stands."""
    files = [each for each in folder.rglob("*") if each.is_file()]
    return [
        (str(each.relative_to(folder)), mark)
        for each in files
        for mark in marks
        if mark.lower() in each.read_bytes().lower()
    ]


def test_who_was_heard_in_slack_is_forgotten_to_the_last_byte(tmp_path):
    with staged(tmp_path) as stage:
        ada, eve = stage.people["Ada"], stage.people["Eve"]
        asked = stage.asks(f"{MARK}! {QUESTION}")
        asked.seen()
        stage.people["Bob"].writes("And for Bob, how many days of leave?", asked.channel, thread=asked.asked)
        stage.settle()
        stage.asks(f"{MARK} by command? {QUESTION}", way="command").seen()
        stage.asks(f"{MARK} directly? {QUESTION}", way="direct").seen()
        asked.votes("down")
        asked.explains(reason="wrong", comment=f"{MARK} says no.", better=f"It is {MARK}.")
        asked.asks_a_person()
        stage.expert_answers("Six days, as quagmirish people know.")
        stage.expert_accepts()
        state, key = tmp_path / "state", user_key(tmp_path / "state")
        of_ada, of_eve = (forms_of(f"slack:{each.id}", key) for each in (ada, eve))
        assert {mark for _, mark in found_in(state, MARK.encode(), of_ada[-5])}, "the marks are found at all"
        history = [each.history for each in stage.exchanges() if MARK in str(each.history)]
        assert history, "somebody else's conversation holds what Ada said"

        ada.opens("home")
        home = stage.slack.workspace.wait(lambda: open_home(ada, "Erase mine"))
        assert home
        ada.clicks(home, "Erase mine")
        stage.settle()  # the log is emptied a moment after the wish counts as done
        eventually(lambda: not found_in(state, MARK.encode(), *of_ada), "nothing is left")
        entries = [(each.action, each.by, each.about) for each in stage.app.audit.entries()]
        (of_bob,) = [each.id for each in stage.exchanges()]
        accepted = ("reviewed: accept", pseudonym(f"slack:{eve.id}", key=key), of_bob)
        assert entries == [accepted, ("forgot", "", "")]

        stage.app.privacy.forget(f"slack:{eve.id}")
        assert found_in(state, b"quagmirish", *of_eve) == []
        assert len(stage.exchanges()) == 1, "what Bob asked is still there"


@pytest.mark.parametrize("way", ["mention", "command", "direct"])
@pytest.mark.parametrize("held", ["before it is recorded", "after it is recorded"])
def test_who_is_forgotten_while_their_question_is_answered_leaves_nothing(tmp_path, way, held):
    with staged(tmp_path) as stage:
        record = stage.app.questions.record
        reached, forgotten = threading.Event(), threading.Event()

        def recorded(*given: Any, **how: Any) -> None:
            if held == "after it is recorded":
                record(*given, **how)
            reached.set()
            assert forgotten.wait(30)
            if held == "before it is recorded":
                record(*given, **how)

        stage.app.questions.record = recorded  # type: ignore[method-assign] # to hold it there
        stage.asks(f"{MARK}! {QUESTION}", way=way)
        assert reached.wait(30)
        ada = f"slack:{stage.people['Ada'].id}"
        stage.app.privacy.forget(ada)
        forgotten.set()
        key = user_key(tmp_path / "state")
        eventually(lambda: not found_in(tmp_path / "state", MARK.encode(), *forms_of(ada, key)), "nothing is left")
    assert found_in(tmp_path / "state", MARK.encode(), *forms_of(ada, key)) == [], "also at the end"


@pytest.mark.parametrize("forgotten", ["Ada", "Bob"])
def test_of_two_people_in_one_event_the_other_loses_nothing(tmp_path, forgotten):
    """Ada wants an answer to what Bob wrote: one of them is forgotten while it is made."""
    other = {"Ada": "Bob", "Bob": "Ada"}[forgotten]
    with staged(tmp_path) as stage:
        record = stage.app.questions.record
        for person in ("Ada", "Bob"):
            stage.asks(QUESTION, who=person, way="direct").seen()
        talk = stage.chatter(f"{MARK}! {QUESTION}", who="Bob")
        reached, goes_on = threading.Event(), threading.Event()

        def recorded(*given: Any, **how: Any) -> None:
            reached.set()
            assert goes_on.wait(30)
            record(*given, **how)

        stage.app.questions.record = recorded  # type: ignore[method-assign] # to hold it there
        talk.asked_about(by="Ada")
        assert reached.wait(30)
        person = f"slack:{stage.people[forgotten].id}"
        stage.app.privacy.forget(person)
        goes_on.set()
        stage.settle()
        marks = forms_of(person, user_key(tmp_path / "state")) + ([MARK.encode()] if forgotten == "Bob" else [])
        eventually(lambda: not found_in(tmp_path / "state", *marks), "nothing is left")
        of_other = stage.app.pseudonym(f"slack:{stage.people[other].id}").encode()
    assert "feedback.db" in [name for name, _ in found_in(tmp_path / "state", of_other)], "also at the end"


def test_whose_message_is_answered_for_a_colleague_is_forgotten_while_it_is(tmp_path):
    """The event is Ada's, and names nobody else."""
    with staged(tmp_path) as stage:
        record, reached, goes_on = stage.app.questions.record, threading.Event(), threading.Event()

        def recorded(*given: Any, **how: Any) -> None:
            reached.set()
            assert goes_on.wait(30)
            record(*given, **how)

        talk = stage.chatter(f"{MARK}! {QUESTION}", who="Bob")
        stage.settle()
        stage.app.questions.record = recorded  # type: ignore[method-assign] # to hold it there
        talk.says("can you answer this?", who="Ada", calls=True)
        assert reached.wait(30)
        bob = f"slack:{stage.people['Bob'].id}"
        stage.app.privacy.forget(bob)
        goes_on.set()
        stage.settle()
        marks = [MARK.encode(), *forms_of(bob, user_key(tmp_path / "state"))]
        eventually(lambda: not found_in(tmp_path / "state", *marks), "nothing is left")
    assert found_in(tmp_path / "state", *marks) == [], "also at the end"


@pytest.fixture
def ask(folder) -> Any:
    """Runs commands over documents of which one answers."""
    docs = folder / "docs"
    docs.mkdir()
    (docs / "leave.md").write_text("# Leave\n\nFive days of leave may be carried over.\n", encoding="utf-8")
    (folder / "footnote.toml").write_text("confidence_threshold = 0.0\n", encoding="utf-8")
    run = partial(footnote, bootstrap=partial(bootstrap, embedder=FakeEmbedder()))
    assert run("sync", "docs").exit_code == 0
    return run


def test_who_used_the_terminal_is_forgotten_to_the_last_byte_while_others_have_the_files_open(ask, folder):
    person = "ada@example.com"
    home = folder / ".footnote"
    first = json.loads(
        ask("ask", f"{MARK}: how many days of leave?", "--user", person, "--conversation", "c", "--json").stdout
    )["id"]
    ask("ask", f"{MARK} again?", "--user", person, "--conversation", "c")
    other = json.loads(ask("ask", "How many days of leave may be carried over?", "--user", "bob", "--json").stdout)[
        "id"
    ]
    open_app = bootstrap(load_settings(None), embedder=FakeEmbedder())
    with closing(open_app):
        _ = list(open_app.feedback.records()), open_app.state.waiting()
        given = ["--comment", f"{MARK} comment", "--correction", f"{MARK} correction", "--user", person]
        assert ask("vote", first, "down", *given).exit_code == 0
        assert ask("vote", other, "down", *given).exit_code == 0
        row = {"key": "k", "answer": other, "user": person, "vote": "up", "comment": f"{MARK} line"}
        assert ask("vote", "--from", "-", stdin=json.dumps(row)).exit_code == 0
        assert ask("review", "--correct", other, f"{MARK} is right.", "--user", person).exit_code == 0
        assert ask("review", "--decide", other, "approve", "--user", person).exit_code == 0
        open_app.feedback.register_export(
            Export("e1", NOON, str(folder / "out"), 1), {pseudonym(person, key=user_key(home)): ["aa"]}
        )
        shown = ask("forget", person, "--show")
        assert shown.exit_code == 0
        assert f"asked: {MARK}: how many days of leave?" in shown.stdout
        assert f"{MARK} comment" in shown.stdout
        assert "The export e1 in" in shown.stdout
        kept = json.loads(ask("forget", person, "--show", "--json").stdout)
        assert [len(kept[kind]) for kind in ("exchanges", "votes", "corrections", "decisions")] == [2, 3, 3, 2]
        assert found_in(home, MARK.encode())
        erased = ask("forget", person)
        assert "The export e1 in" in erased.stdout
        hashed, *others = sorted(forms_of(person, user_key(home)), key=len, reverse=True)
        assert found_in(home, MARK.encode(), *others) == []
        # So that the export is named again, who holds rows of it stays; nothing else does.
        assert [name for name, _ in found_in(home, hashed) if not name.startswith("feedback.db")] == []
        nothing = ask("forget", person, "--show")
        assert nothing.stdout.startswith("Nothing is recorded under this name.\nThe export e1 in")
        assert len(list(open_app.feedback.exchanges())) == 1
    listed = [(each["action"], each["by"] != "") for each in json.loads(ask("report", "--audit", "--json").stdout)]
    assert [action for action, _ in listed] == ["reviewed: accept", "reviewed: approve", "forgot"]
    assert [named for _, named in listed[:2]] == [False, False], "a forgotten person is named no more"
    assert "forgot" in ask("report", "--audit").stdout


def redis_app(folder: Path, url: str) -> App:
    docs = folder / "docs"
    docs.mkdir(exist_ok=True)
    (docs / "leave.md").write_text("# Leave\n\nFive days of leave may be carried over.\n", encoding="utf-8")
    given = {"home": folder / "state", "redis_url": url, "confidence_threshold": 0.0, "user_key": "a long random text"}
    app = bootstrap(Settings.model_validate(given), embedder=FakeEmbedder(), clock=lambda: NOW)
    app.ingestion.sync([docs])
    return app


def everything(url: str) -> bytes:
    """All keys and values of a server."""
    with Redis.from_url(url) as client:
        found = []
        for key in client.scan_iter("*"):
            read = {
                b"string": client.get,
                b"hash": client.hgetall,
                b"set": client.smembers,
                b"zset": lambda each: client.zrange(each, 0, -1),
                b"stream": client.xrange,
            }[client.type(key)]
            found.append(repr((key, read(key))))
        return "\n".join(found).encode()


def forget_when_it_answers(app: App, person: str) -> None:
    """A store that was down is asked again after a short wait."""
    for _ in range(100):
        try:
            app.privacy.forget(person)
        except FeedbackUnavailable:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server does not answer again")


@pytest.mark.server
def test_on_redis_no_key_and_no_value_and_no_journal_keeps_a_forgotten_person(tmp_path):
    with (
        serving("redis-6.2", tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server,
        closing(redis_app(tmp_path, server.url)) as app,
    ):
        person, place = "slack:U0MARKED", Place("slack", "T1", "C1", "17.5", "18.0", "channel")
        conversation = place.thread_name
        question = Question(f"{MARK}: how many days of leave?", user=person, conversation=conversation)
        answer = app.questions.answer(question)
        app.questions.record(question, answer, platform="slack")
        turns = app.questions.history(conversation, user="slack:U0BOB", groups=frozenset(), shared=True)
        other = Question("And for me?", history=turns, user="slack:U0BOB", conversation=conversation)
        its = app.questions.answer(other)
        app.questions.record(other, its, platform="slack")
        app.votes.vote(VoteRequest(answer.id, "down", person, "wrong", f"{MARK} no", f"{MARK} better"))
        app.votes.vote(VoteRequest(its.id, "down", person, "wrong", f"{MARK} no", f"{MARK} better"))
        app.reviews.decide(ReviewDecision(its.id, "accept", person, text=f"{MARK} is right"))
        memory = ThreadState(app.state, "slack", pseudonym=app.pseudonym)
        memory.add_asker(place, "U0MARKED")
        memory.add_vote(app.pseudonym(person), answer.id)
        memory.save_answer(place, AnswerLocation("17.5", ("18.1",), answer.id))
        memory.save_shareable(place, answer.id, json.dumps({"question": question.text, "answer": answer.id}))
        old = hashlib.sha256(b"U0MARKED").hexdigest()[:16]
        app.state.put(f"slack:asker:T1:C1:17.5:{old}", "1", expires=NOW + timedelta(days=1))
        app.state.put("slack:share:T1:C1:gone", f"{MARK} that has expired", expires=NOW - timedelta(days=1))
        escalation = app.escalation.find_by_thread("nowhere")
        assert escalation is None
        records = DirectoryRecords(app.state, "slack", "T1", pseudonym=app.pseudonym, now=lambda: NOW)
        records.people.note(Person("U0MARKED", "marked@example.com"), at=NOW)
        records.channels.save_members("C1", ["U0MARKED", "U0BOB"], large=False, at=NOW)
        records.channels.note_member("C1", "U0MARKED", joined=True, at=NOW)
        records.groups.save("S1", ["U0MARKED"], at=NOW)
        row = {"answer": "another", "channel": "slack:C9", "place": "slack:T1:U0MARKED:"}
        app.state.put("escalation:thread:slack:T1:C9:20.5", json.dumps(row), expires=NOW + timedelta(days=1))
        for number in range(3):
            waiting = IncomingEvent("question", f"T1:C1:{number}.0", place, "U0MARKED", f"{MARK} waits")
            app.state.accept(Event("slack", waiting.id, NOW, waiting.to_json(), "T1:C1:17.5"))
        app.state.claim("worker", lease=timedelta(seconds=30), now=NOW)
        server.kill()
        app.votes.vote(VoteRequest(its.id, "up", person, comment=f"{MARK} while it was down"))
        assert (
            MARK.encode()
            in (tmp_path / "state" / "journal.db-wal").read_bytes() + (tmp_path / "state" / "journal.db").read_bytes()
        )
        server.start()
        assert MARK.encode() in everything(server.url)
        forget_when_it_answers(app, person)
        marks = [MARK.encode(), *forms_of(person, "a long random text")]
        marks.append(pseudonym(person, key="a long random text")[:SHORT_NAME].encode())
        left = everything(server.url).lower()
        assert [mark for mark in marks if mark.lower() in left] == []
        assert found_in(tmp_path / "state", *marks) == []
        assert [each.id for each in app.feedback.exchanges()] == [its.id]
        assert app.state.waiting() == 0
        assert app.privacy.show(person).records == []


DAMAGED = ("", "[", "null", "[]", '{"at": 5, "by": "%s"}', '{"at": "%s", "by": "%s"}', '{"answer": "%s"}', "\ud800 %s")


@pytest.mark.parametrize("value", DAMAGED)
def test_a_damaged_value_keeps_nobody_from_being_forgotten(ask, folder, value):
    person, home = "ada@example.com", folder / ".footnote"
    ask("ask", f"{MARK}: how many days of leave?", "--user", person)
    hashed = pseudonym(person, key=user_key(home))
    with closing(bootstrap(load_settings(None), embedder=FakeEmbedder())) as app:
        for key in ("audit:a", "slack:share:a", "escalation:thread:a", f"person:{hashed}:x"):
            app.state.put(key, value.replace("%s", hashed))
    assert ask("forget", person, "--show").exit_code == 0
    assert ask("forget", person).exit_code == 0
    assert ask("report", "--audit").exit_code == 0
    assert [name for name, _ in found_in(home, MARK.encode())] == []


@pytest.mark.server
@pytest.mark.parametrize("stored", [b"", b"x", b"0", b"0 \xff", b"nan x", b"-1 x", b"9" * 5000 + b" x"])
def test_a_damaged_value_on_a_server_keeps_nobody_from_being_forgotten(tmp_path, stored):
    with serving("redis-6.2", tmp_path) as server, closing(redis_app(tmp_path, server.url)) as app:
        app.state.put("slack:share:a", "x")
        app.state.put("audit:a", "x")
        with Redis.from_url(server.url) as client:
            (values,) = [each for each in client.scan_iter("*value") if client.type(each) == b"hash"]
            for key in client.hkeys(values):
                client.hset(values, key, stored)
            client.zadd(values.removesuffix(b"value") + b"keys", {b"slack:\xff": 0})
            client.hset(values, b"slack:\xff", stored)
        app.privacy.forget("slack:U0MARKED")
        assert app.privacy.show("slack:U0MARKED").records == []
        assert "forgot" in [each.action for each in app.audit.entries()]


def test_what_is_not_known_of_anybody_changes_nothing(ask, folder):
    ask("ask", "How many days of leave?", "--user", "bob", "--conversation", "c")
    before = ask("feedback", "dump").stdout
    for name in ("nobody@example.com", "slack:T1", "teams:U1", "c"):
        erased = json.loads(ask("forget", name, "--json").stdout)
        assert (erased["exchanges"], erased["elsewhere"]) == (0, {}), name
    assert ask("feedback", "dump").stdout == before
