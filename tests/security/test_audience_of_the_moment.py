"""Threat: who may read changes after an answer was given, and the answer goes on being shown.

A document is restricted, moved or deleted; a guest joins a channel, a channel is shared with another company, a person
leaves a group. What was answered before is quoted, shared, passed on, gone on from, trained on, or brought back by an
older generation of the index, as if nothing had happened.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.access.audience import Audience
from bot.access.directory import ChannelInfo, Page, Person
from bot.answering.answers import Done, Question, SentenceReady, Status
from bot.answering.readership import WITHHELD
from bot.app import App, bootstrap
from bot.channels import presentation
from bot.channels.directory import CachedDirectory
from bot.channels.directory_records import DirectoryRecords
from bot.channels.events import Place
from bot.channels.lookups import Lookups
from bot.config.settings import Settings, Source
from bot.services.escalation import EscalationService
from bot.services.overview import OverviewService
from bot.services.votes import VoteRequest
from bot.state.sqlite.store import SqliteState
from feedback.curation.audience import ExchangeAudience
from feedback.records import Exchange
from retrieval.passages import EVERYONE, PUBLIC, Query, Turn
from tests.conversations.conversations import LEAVE_SAID, PAY, UNKNOWN
from tests.conversations.harness import breakable_app, write_documents
from tests.conversations.memory_channel import NAME, Post, Room, personal_overview
from tests.conversations.test_memory import STAFF, MemoryStage, peopled_chat, settings
from tests.fakes import FakeEmbedder, gate
from tests.feedback import samples
from tests.scripted_app import QUESTION
from tests.servers import openai_server

LEAVE = "docs/leave.md"
NOW = datetime.now(UTC)
OWNER = Source(name="docs", path=Path("docs"), owner="ada@example.com")
STAFF_GROUPS = frozenset({EVERYONE})
GUESTED = Room("general", STAFF | {"Gil"})


@dataclass
class Staged:
    """The chat of the conversations, over documents that can be closed."""

    stage: MemoryStage
    home: Path

    def close(self, name: str, audience: str = "managers") -> None:
        path = self.home / name
        text = path.read_text(encoding="utf-8")
        path.write_text(f"---\naudience: {audience}\n---\n{text}", encoding="utf-8")
        report = self.stage.app.ingestion.sync()
        assert name in [*report.changed, *report.deleted]

    def delete(self, name: str) -> None:
        (self.home / name).unlink()
        assert name in self.stage.app.ingestion.sync().deleted

    def write(self, name: str, text: str) -> None:
        (self.home / name).write_text(text, encoding="utf-8")

    def told(self, person: str) -> list[str]:
        """What one person alone has been told."""
        self.stage.settle()
        return [each.text for each in self.stage.chat.posts if each.only_for == person]

    def ask_privately(self, person: str, room: str, text: str = QUESTION) -> Post:
        """Ask with the command; returns what only this person sees."""
        self.stage.asks(text, who=person, way="command", where=room).seen()
        return next(each for each in reversed(self.stage.chat.posts) if each.only_for == person and each.buttons)

    def press(self, person: str, post: Post, action: str) -> None:
        self.stage.channel.press(person, post, action)
        self.stage.settle()

    def public(self, room: str) -> list[str]:
        """What the bot has said for all to see in a room."""
        self.stage.settle()
        return [
            each.text for each in self.stage.chat.posts if (each.channel, each.user, each.only_for) == (room, "bot", "")
        ]


@pytest.fixture
def staged(tmp_path) -> Iterator[Staged]:
    write_documents(tmp_path)
    with openai_server.serving() as model, breakable_app(settings(tmp_path)) as app:
        yield Staged(MemoryStage(peopled_chat(), app, model), tmp_path)


# An expert sees only what the expert may read


def test_experts_see_the_question_alone_of_what_they_may_not_read(staged):
    """Hand-over compared the source's name and never the document's audience."""
    post = staged.ask_privately("Mia", "board", PAY)
    assert "90,000" in post.text
    staged.press("Mia", post, "person")
    (request,) = staged.public("experts")
    assert PAY in request
    assert "90,000" not in request
    assert "Pay\n" not in request.replace(PAY, "")
    assert presentation.NOTHING_FOUND not in request, "something was found, and it is not said that it was"
    assert staged.told("Mia")[-1].endswith(presentation.PARTLY_PASSED_ON)


def test_an_asker_who_may_not_read_it_any_more_is_not_told_that_it_exists(staged):
    thread = staged.stage.asks(QUESTION)
    thread.seen()
    staged.close(LEAVE)
    thread.asks_a_person()
    (request,) = staged.public("experts")
    assert LEAVE_SAID not in request
    assert presentation.PASSED_ON in staged.public("general")
    assert staged.told("Ada") == []


def test_what_experts_may_read_goes_along_and_nothing_is_said_to_be_missing(staged):
    thread = staged.stage.asks(QUESTION)
    thread.seen()
    thread.asks_a_person()
    (request,) = staged.public("experts")
    assert LEAVE_SAID in request
    assert presentation.PASSED_ON in staged.public("general")
    assert staged.told("Ada") == []


@pytest.mark.parametrize("room", [Room("experts", STAFF | {"Gil"}), Room("experts", STAFF, external=True)])
def test_experts_among_whom_are_strangers_see_what_is_public(staged, room):
    thread = staged.stage.asks(QUESTION)
    thread.seen()
    staged.stage.chat.rooms["experts"] = room
    thread.asks_a_person()
    (request,) = staged.public("experts")
    assert QUESTION in request
    assert LEAVE_SAID not in request
    assert staged.told("Ada")[-1].endswith(presentation.PARTLY_PASSED_ON)


def test_a_reply_does_not_go_where_strangers_read_along_by_now(staged):
    thread = staged.stage.asks(QUESTION)
    thread.seen()
    thread.asks_a_person()
    staged.stage.chat.rooms["general"] = GUESTED
    before = staged.public("general")
    staged.stage.expert_answers("Six days, but that is not for strangers.")
    assert staged.public("general") == before
    assert presentation.REPLY_NOT_SENT in staged.public("experts")


def test_a_reply_goes_back_into_a_conversation_with_the_bot_alone_while_its_person_has_the_groups(staged):
    thread = staged.stage.asks(PAY, who="Mia", way="direct")
    assert "90,000" in thread.seen()[0].text
    thread.asks_a_person()
    staged.stage.expert_answers("It begins at 95,000 by now.")
    assert any("95,000" in each.text for each in thread.seen())
    staged.stage.chat.people["Mia"] = replace(staged.stage.chat.people["Mia"], email="mia@elsewhere.example")
    staged.stage.expert_answers("It begins at 99,000 by now.")
    staged.stage.expert_sends()
    assert not any("99,000" in each.text for each in thread.seen())
    assert staged.public("experts")[-1] == presentation.REPLY_NOT_SENT


def test_a_reply_to_one_person_goes_to_them_unless_they_are_a_guest_by_now(staged):
    post = staged.ask_privately("Ada", "general")
    staged.press("Ada", post, "person")
    staged.stage.expert_answers("Six days.")
    assert any("Six days." in each for each in staged.public("D-Ada"))
    staged.stage.chat.people["Ada"] = replace(staged.stage.chat.people["Ada"], guest=True)
    staged.stage.expert_answers("Sorry, Seven days.")
    assert not any("Seven days." in each for each in staged.public("D-Ada"))


# What was made earlier is shown later


@pytest.mark.parametrize("change", ["guest", "external", "restricted", "nobody", "deleted", "forgotten"])
def test_an_answer_is_not_shared_where_it_may_not_be_read_by_now(staged, change):
    post = staged.ask_privately("Ada", "general")
    assert LEAVE_SAID in post.text
    _change(staged, change)
    staged.press("Ada", post, "share")
    assert staged.public("general") == []
    assert staged.told("Ada")[-1] == presentation.NOT_SHARED


def test_an_answer_is_shared_where_it_may_be_read(staged):
    post = staged.ask_privately("Ada", "general")
    staged.press("Ada", post, "share")
    assert any(LEAVE_SAID in each for each in staged.public("general"))


@pytest.mark.parametrize("change", ["deleted", "restricted"])
def test_the_closest_sections_of_an_answer_that_found_nothing_are_not_shared_when_they_are_closed(staged, change):
    """They are named without being cited, and a document that has moved away is no longer known by its id."""
    post = staged.ask_privately("Ada", "general", UNKNOWN)
    assert "Leave › " in post.text
    _change(staged, change)
    staged.press("Ada", post, "share")
    assert staged.public("general") == []


@pytest.mark.parametrize("change", ["deleted", "restricted"])
def test_an_answer_is_not_shared_that_names_a_successor_which_is_closed_by_now(staged, change):
    path = staged.home / LEAVE
    path.write_text(f"---\nsuperseded_by: falcon.md\n---\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    staged.write("docs/falcon.md", "# Falcon\n\nNothing of it was asked.\n")
    for number in range(12):  # so that the successor is none of the sections that were found
        staged.write(f"docs/{number}.md", f"# Leave {number}\n\nLeave may be carried over into the year {number}.\n")
    staged.stage.app.ingestion.sync()
    post = staged.ask_privately("Ada", "general")
    assert "Falcon" in post.text
    assert "docs/falcon.md" not in {each.document for each in staged.stage.exchanges()[-1].shown}
    staged.close("docs/falcon.md") if change == "restricted" else staged.delete("docs/falcon.md")
    staged.press("Ada", post, "share")
    assert staged.public("general") == []


def test_what_an_earlier_version_kept_for_sharing_is_not_shared(staged):
    post = staged.ask_privately("Ada", "general")
    state, (key,) = staged.stage.app.state, staged.stage.app.state.keys(f"{NAME}:share:", now=NOW)
    row = json.loads(state.get(key, now=NOW) or "")
    del row["documents"]
    state.put(key, json.dumps(row), expires=NOW + timedelta(hours=1))
    staged.press("Ada", post, "share")
    assert staged.public("general") == []


def test_what_one_person_asked_alone_is_not_gone_on_from_for_another(staged):
    """Commands of a channel shared one conversation, as if everybody had seen them."""
    staged.ask_privately("Ada", "general", f"{QUESTION} Nobody knows that I will leave.")
    staged.ask_privately("Bob", "general", "And part-time staff?")
    staged.ask_privately("Ada", "general", "And managers?")
    adas, bobs, again = staged.stage.exchanges()
    assert bobs.history == ()
    assert again.history == (("user", adas.question), ("bot", adas.answer)), "her own are"


def _change(staged: Staged, change: str) -> None:
    match change:
        case "guest":
            staged.stage.chat.rooms["general"] = GUESTED
        case "external":
            staged.stage.chat.rooms["general"] = Room("general", STAFF, external=True)
        case "restricted":
            staged.close(LEAVE)
        case "nobody":
            staged.close(LEAVE, "[]")
        case "deleted":
            staged.delete(LEAVE)
        case "forgotten":
            staged.stage.app.privacy.forget(f"{NAME}:Ada")


@dataclass
class Platform:
    """A `Directory` of one person, one channel and one user group, which change."""

    guests: frozenset[str] = frozenset()
    external: bool = False
    group: frozenset[str] = frozenset({"U1"})
    members: frozenset[str] = frozenset({"U1"})
    asked: list[str] = field(default_factory=list)

    def person(self, user: str) -> Person | None:
        self.asked.append(user)
        return Person(user, guest=user in self.guests) if user else None

    def people(self, cursor: str = "") -> Page[Person] | None:
        return None

    def group_id(self, name: str) -> str:
        return name if name.startswith("S") else ""

    def group_members(self, group: str) -> frozenset[str] | None:
        return self.group

    def channel(self, channel: str) -> ChannelInfo | None:
        direct = channel.startswith("D")
        return ChannelInfo(external=self.external, direct=direct, direct_with="U1" if direct else "")

    def channel_members(self, channel: str, cursor: str = "") -> Page[str] | None:
        return Page(tuple(sorted(self.members)))


@pytest.mark.parametrize(
    ("channel", "change", "before", "now"),
    [
        pytest.param("D1", {"group": frozenset()}, "hr", EVERYONE, id="left-the-group"),
        pytest.param("D1", {"guests": frozenset({"U1"})}, "hr", PUBLIC, id="became-a-guest"),
        pytest.param("C1", {"external": True}, EVERYONE, PUBLIC, id="channel-became-shared"),
        pytest.param(
            "C1",
            {"members": frozenset({"U1", "U2"}), "guests": frozenset({"U2"})},
            EVERYONE,
            PUBLIC,
            id="a-guest-joined",
        ),
    ],
)
def test_groups_of_this_moment_are_not_those_that_were_looked_up_a_minute_ago(tmp_path, channel, change, before, now):
    platform = Platform()
    given = Settings().model_copy(update={"groups": {"hr": frozenset({"S1"})}})  # no platform that settings know
    place = Place("memory", "chat", channel)
    with closing(SqliteState(tmp_path / "state.db")) as state:
        records = DirectoryRecords(state, "memory", "chat", pseudonym=str)
        directory = CachedDirectory(platform, given, "memory", records=records, lookups=Lookups(threads=0))
        assert directory.audience(place, "U1", direct=False).groups == {before}
        for name, value in change.items():
            setattr(platform, name, value)
        assert directory.audience(place, "U1", direct=False).groups == {before}, "until an event tells of it"
        assert directory.audience_now(place, "U1").groups == {now}
        assert directory.readers_now(place) == {now}


# A document that is closed while a model writes


def opened_app(folder: Path) -> App:
    (folder / "docs").mkdir()
    text = "# Falcon\n\nThe falcon flies on Monday. The falcon rests on Tuesday.\n"
    (folder / "docs" / "falcon.md").write_text(text, encoding="utf-8")
    (folder / "docs" / "canteen.md").write_text("# Canteen\n\nSoup is served at noon.\n", encoding="utf-8")
    app = bootstrap(
        Settings(home=folder / "state", sources=(Source(name="docs", path=folder / "docs"),), confidence_threshold=0.0),
        embedder=FakeEmbedder(),
    )
    app.ingestion.sync()
    return app


@pytest.fixture
def app(tmp_path) -> Iterator[App]:
    with closing(opened_app(tmp_path)) as made:
        yield made


def close_falcon(app: App, how: str = "restricted") -> None:
    path = app.settings.home.parent / "docs" / "falcon.md"
    if how == "deleted":
        path.unlink()
    else:
        path.write_text(f"---\naudience: board\n---\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    app.ingestion.sync()


FALCON = Question("When does the falcon fly, and when does it rest?")


@pytest.mark.parametrize("how", ["restricted", "deleted"])
def test_an_answer_is_withdrawn_whose_document_is_closed_while_it_is_written(app, how):
    events = app.questions.stream(FALCON)
    first = next(event for event in events if isinstance(event, SentenceReady))
    assert "falcon" in first.sentence.text
    close_falcon(app, how)
    *_, done = events
    assert isinstance(done, Done)
    assert (done.answer.text, done.answer.sentences, done.answer.citations) == (WITHHELD, (), ())
    assert "falcon" not in str(done.answer).casefold()


def test_a_sentence_is_not_shown_whose_document_is_closed_before_it_is_ready(app):
    events = app.questions.stream(FALCON)
    for event in events:
        assert not isinstance(event, SentenceReady)
        if event == Status("writing"):  # it was found, and is about to be written of
            close_falcon(app)
    assert isinstance(event, Done)
    assert event.answer.text == WITHHELD


def test_the_record_of_a_withdrawn_answer_holds_nothing_of_it(app):
    events = app.questions.stream(FALCON)
    next(event for event in events if isinstance(event, SentenceReady))
    close_falcon(app)
    *_, done = events
    assert isinstance(done, Done)
    app.questions.record(FALCON, done.answer)
    kept = app.feedback.exchange(done.answer.id)
    assert (kept.abstained, kept.shown, kept.sentences, kept.citations) == (True, (), (), ())


@pytest.mark.parametrize("way", ["mention", "command"])
def test_an_answer_is_withheld_where_a_guest_has_come_while_it_was_written(staged, way):
    stage = staged.stage
    questions, directory = stage.app.questions, stage.channel._connection.directory
    original = questions._pipeline.stream

    def stream(*arguments: Any, **how: Any) -> Any:
        for event in original(*arguments, **how):
            yield event
            if event == Status("writing"):
                stage.chat.rooms["general"] = GUESTED
                joined = datetime.now(UTC)  # as the platform's event tells
                directory.member_changed("general", "Gil", joined=True, at=joined)

    questions._pipeline.stream = stream
    thread = stage.asks(QUESTION, way=way)
    assert [each.text for each in thread.seen()] == [WITHHELD]
    assert LEAVE_SAID not in str([each.versions for each in stage.chat.posts])
    (kept,) = stage.exchanges()
    assert (kept.abstained, kept.shown) == (True, ())


def test_what_another_worker_began_to_show_is_replaced_when_it_may_not_be_shown_any_more(staged):
    stage = staged.stage
    asked = stage.channel.write("Ada", "general", QUESTION, mention=True)
    now = datetime.now(UTC)
    began = stage.app.state.claim("died", lease=timedelta(seconds=1), now=now)
    assert began
    half = stage.chat.add("general", "bot", f"{LEAVE_SAID} [1]", thread=asked.id)
    half.mark = (began.event.id, 0)
    staged.close(LEAVE)
    claim = stage.app.state.claim("other", lease=timedelta(minutes=1), now=now + timedelta(minutes=1))
    assert claim
    assert claim.attempt == 2
    stage.channel.handle(claim)
    assert [each.id for each in stage.chat.posts if each.user == "bot"] == [half.id]
    assert LEAVE_SAID not in half.text


# Conversations


def test_a_conversation_is_gone_on_from_without_what_may_not_be_read_any_more(app):
    asked = replace(FALCON, user="ada", conversation="c")
    answer = app.questions.answer(asked)
    app.questions.record(asked, answer)
    lunch = Question("When is soup served?", user="ada", conversation="c")
    app.questions.record(lunch, app.questions.answer(lunch))
    assert len(app.questions.history("c", user="ada", groups=frozenset())) == 4
    close_falcon(app)
    history = app.questions.history("c", user="ada", groups=frozenset())
    # Soup was answered with the falcon among what was looked at.
    assert "falcon" not in str(history).casefold()
    assert len(app.questions.history("c", user="ada", groups=frozenset({"board"}))) == 4


def test_quotes_are_not_shown_to_who_may_not_read_them_any_more(staged):
    overview = personal_overview(staged.stage.app)
    post = staged.ask_privately("Ada", "general")
    answer = dict(post.buttons)["share"]
    assert LEAVE_SAID in str(overview.quotes(answer, lambda: Audience(frozenset({EVERYONE}))))
    assert overview.quotes(answer, lambda: Audience(frozenset({PUBLIC}))) == presentation.QUOTES_NOT_SHOWN
    staged.close(LEAVE)
    assert overview.quotes(answer, lambda: Audience(frozenset({EVERYONE}))) == presentation.QUOTES_NOT_SHOWN
    staged.stage.app.privacy.forget(f"{NAME}:Ada")
    assert overview.quotes(answer, lambda: Audience(frozenset({EVERYONE}))) == presentation.QUOTES_NOT_KEPT


# Training rows through the history

OPEN = frozenset({EVERYONE})


def exchange(number: int, **changes: Any) -> Exchange:
    return samples.exchange(number, **{"groups": OPEN, "history": (), **changes})


def following(number: int, *before: Exchange, with_ids: bool = True, **changes: Any) -> Exchange:
    """An exchange whose history are these."""
    turns = tuple(turn for each in before for turn in (("user", each.question), ("bot", each.answer)))
    ids = tuple(each.id for each in before for _ in range(2)) if with_ids else ()
    return exchange(number, history=turns, history_exchanges=ids, **changes)


def checked(*exchanges: Exchange, **how: Any) -> str:
    """What is said of the history of the last of these."""
    audience = ExchangeAudience(gate(**how), OPEN)
    *_, last = [audience.check(each) for each in exchanges]
    return last


SECRET = "handbook/falcon.md"


def resting_on(document: str, *, cited: bool) -> dict[str, Any]:
    made = samples.exchange()
    key = "citations" if cited else "shown"
    (first,) = getattr(made, key)
    return {key: (replace(first, document=document),)}


@pytest.mark.parametrize("cited", [True, False], ids=["cited", "shown"])
@pytest.mark.parametrize("with_ids", [True, False], ids=["named", "by-its-words"])
def test_a_turn_that_rests_on_what_is_closed_by_now_costs_the_row(cited, with_ids):
    first = exchange(1, question="About the falcon?", conversation="c", **resting_on(SECRET, cited=cited))
    later = following(2, first, conversation="c", with_ids=with_ids)
    assert checked(first, later) == ""
    assert checked(first, later, closed={SECRET: {"board"}}) == "history-restricted"
    assert checked(first, later, closed={SECRET: ()}) == "history-restricted"
    gone = checked(first, later, gone={SECRET})
    assert gone == ("history-restricted" if cited else "")


@pytest.mark.parametrize("with_ids", [True, False], ids=["named", "by-its-words"])
def test_the_words_of_a_question_that_was_asked_in_a_closed_group_cost_the_row(with_ids):
    first = exchange(1, question="What of the falcon?", groups=frozenset({"board"}), conversation="c")
    later = following(2, first, conversation="c", with_ids=with_ids)
    assert checked(first, later) == "history-restricted"


def test_a_history_is_looked_at_whole_and_across_several_turns():
    first = exchange(1, question="About the falcon?", conversation="c", **resting_on(SECRET, cited=True))
    second = following(2, first, question="And then?", conversation="c")
    third = following(3, first, second, question="And now?", conversation="c")
    assert checked(first, second, third, closed={SECRET: {"board"}}) == "history-restricted"


@pytest.mark.parametrize(
    "earlier",
    [
        pytest.param([], id="never-recorded-or-forgotten"),
        pytest.param([exchange(1, question="About the falcon?", conversation="another")], id="another-conversation"),
    ],
)
def test_a_turn_of_unknown_origin_costs_the_row(earlier):
    first = exchange(1, question="About the falcon?", conversation="c")
    later = following(2, first, conversation="c", with_ids=False)
    assert checked(*earlier, later) == "history-unknown"
    assert checked(following(2, first, conversation="c")) == "history-unknown"


def test_turns_that_were_given_with_a_question_are_as_open_as_it_is():
    first = exchange(1, question="About the falcon?", conversation="c", **resting_on(SECRET, cited=True))
    later = following(2, first, conversation="", with_ids=False)
    assert checked(later) == ""
    assert checked(first, later) == ""
    assert checked(first, later, closed={SECRET: {"board"}}) == "history-restricted"


def test_what_was_said_twice_is_as_closed_as_the_more_closed_of_the_two():
    one = exchange(1, conversation="c")
    other = exchange(2, conversation="c", **resting_on(SECRET, cited=True))
    later = following(3, one, conversation="c", with_ids=False)
    assert checked(one, other, later, closed={SECRET: {"board"}}) == "history-restricted"


# Going back to an older generation of the index


def test_a_rollback_opens_nothing_that_was_closed_since_and_a_sync_heals_it(app):
    app.ingestion.rebuild()
    close_falcon(app)
    app.ingestion.rollback()
    query = Query("When does the falcon fly?")
    assert not any(hit.passage.document == "docs/falcon.md" for hit in app.search(query).hits)
    board = replace(query, groups=frozenset({"board"}))
    assert app.search(board).hits[0].passage.document == "docs/falcon.md"
    app.ingestion.sync()
    assert app.search(board).hits[0].passage.document == "docs/falcon.md"
    assert not any(hit.passage.document == "docs/falcon.md" for hit in app.search(query).hits)


def test_a_rollback_does_not_bring_back_what_was_deleted(app):
    app.ingestion.rebuild()
    close_falcon(app, "deleted")
    app.ingestion.rollback()
    assert app.index.reader.document("docs/falcon.md") is None
    assert not any(hit.passage.document == "docs/falcon.md" for hit in app.search(Query("falcon flies")).hits)


# The report and the review have readers


def test_a_report_names_only_what_its_readers_may_see(app):
    for number in range(3):
        asked = replace(FALCON, user=f"u{number}")
        answer = app.questions.answer(asked)
        app.questions.record(asked, answer)
        app.votes.vote(VoteRequest(answer.id, "down", f"u{number}", "wrong"))
    closed = Question("Where is the bicycle shed of the board?", groups=frozenset({"board"}), user="u1")
    app.questions.record(closed, replace(app.questions.answer(closed), abstained=True, sentences=(), citations=()))
    close_falcon(app)
    figures = app.overview.report(min_askers=1)
    assert "falcon" not in json.dumps(figures).casefold()
    assert "bicycle" not in json.dumps(figures)
    assert (figures["closed"]["failing"], figures["closed"]["documents"], figures["closed"]["questions"]) == (1, 1, 1)
    board = app.overview.report(min_askers=1, groups=frozenset({"board"}))
    assert board["failing"][0]["document"] == "docs/falcon.md"
    assert "bicycle" in json.dumps(board)
    assert board["closed"] == {"documents": 0, "sections": 0, "failing": 0, "questions": 0}


@pytest.mark.parametrize("how", ["restricted", "deleted"])
@pytest.mark.parametrize("in_conversation", [True, False])
def test_a_review_shows_no_earlier_turn_that_rests_on_what_is_closed_by_now(app, how, in_conversation):
    """Only what the answer itself cites and was shown was looked at."""
    first, soup = replace(FALCON, user="ada", conversation="c"), "docs/canteen.md"
    app.questions.record(first, earlier := app.questions.answer(first))
    turns = (Turn("user", first.text, earlier.id), Turn("bot", earlier.text, earlier.id))
    later = Question("When is soup served?", history=turns, user="ada", conversation="c" if in_conversation else "")
    answer = app.questions.answer(later)
    cites = tuple(hit for hit in answer.shown if hit.passage.document == soup)
    assert {each.document for each in answer.citations} == {soup}
    app.questions.record(later, replace(answer, shown=cites))
    app.votes.vote(VoteRequest(answer.id, "down", "ada"))
    (open_,) = app.reviews.waiting(min_agreement=0.75, groups=frozenset())
    assert open_.exchange.history[1] == ("bot", earlier.text)
    close_falcon(app, how)
    (waiting,) = app.reviews.waiting(min_agreement=0.75, groups=frozenset())
    assert waiting.exchange.history == app.reviews.reviewed(answer.id, groups=frozenset()).exchange.history == ()
    assert waiting.exchange.answer == answer.text


def test_a_review_shows_the_turns_that_were_given_with_a_question_that_stands_alone(app):
    given = Question("When is soup served?", history=(Turn("user", "Is there soup?"), Turn("bot", "There is.")))
    answer = app.questions.answer(given)
    app.questions.record(given, answer)
    app.votes.vote(VoteRequest(answer.id, "down", "ada"))
    (waiting,) = app.reviews.waiting(min_agreement=0.75, groups=frozenset())
    assert waiting.exchange.history == (("user", "Is there soup?"), ("bot", "There is."))


# A document that was closed, and is open by now because it says something else


OPENED = "# Birds\n\n## Watching\n\nThe falcon is watched on the roof.\n"


def test_what_a_closed_document_said_is_not_named_when_it_is_opened_with_other_words(app):
    """Audience was asked of the document by its id, whatever version of it the words were of."""
    close_falcon(app)
    asked = [ask_and_vote_down(app, f"u{number}", groups=frozenset({"board"})) for number in range(3)]
    owner = OWNER.model_copy(update={"owner_channel": f"{NAME}:experts"})
    board, overview = frozenset({"board"}), overview_of(app, owner)
    assert "Falcon" in str(overview.prompts(board))
    assert "Falcon" in str(overview.owned(["ada@example.com"], board))
    (app.settings.home.parent / "docs" / "falcon.md").write_text(OPENED, encoding="utf-8")
    app.ingestion.sync()
    everyone = STAFF_GROUPS
    assert app.gate.readable(["docs/falcon.md"], everyone), "it is open now"
    assert "Birds" in str(overview.prompts(everyone))
    assert "Falcon" not in str(overview.prompts(everyone))
    assert "Falcon" not in str(overview.owned(["ada@example.com"], everyone))
    figures = overview.report(min_askers=1)
    assert "Falcon" not in json.dumps(figures)
    assert figures["closed"]["failing"] == 1
    assert "Falcon" in json.dumps(overview.report(min_askers=1, groups=board)), "who saw it then may see it"
    passed_on = escalation_of(app, owner).compose(asked[0], platform=NAME, place="", readers=lambda _: everyone)
    assert (passed_on.sentences, passed_on.sections) == ((), ())
    assert escalation_of(app, owner).compose(asked[0], platform=NAME, place="", readers=lambda _: board).sentences


def test_what_was_asked_in_a_closed_group_of_an_open_document_is_named_while_it_still_says_so(app):
    asked = [ask_and_vote_down(app, f"u{number}", groups=frozenset({"board"})) for number in range(3)]
    owner = OWNER.model_copy(update={"owner_channel": f"{NAME}:experts"})
    assert "Falcon" in str(overview_of(app, owner).owned(["ada@example.com"], STAFF_GROUPS))
    assert overview_of(app, owner).report(min_askers=1)["failing"]
    passed_on = escalation_of(app, owner).compose(asked[0], platform=NAME, place="", readers=lambda _: STAFF_GROUPS)
    assert passed_on.sentences


def ask_and_vote_down(app: App, user: str, *, groups: frozenset[str]) -> str:
    asked = replace(FALCON, user=user, groups=groups)
    answer = app.questions.answer(asked)
    app.questions.record(asked, answer)
    app.votes.vote(VoteRequest(answer.id, "down", user, "wrong"))
    return answer.id


def overview_of(app: App, owner: Source) -> OverviewService:
    return OverviewService(
        index=app.index.reader,
        feedback=app.feedback,
        reviews=app.reviews,
        gate=app.gate,
        knowledge=app.knowledge,
        sources=(owner,),
        threshold=0.0,
        terms=app.analyzer.question_terms,
        clock=app.clock,
    )


def escalation_of(app: App, owner: Source) -> EscalationService:
    return EscalationService(
        feedback=app.feedback,
        state=app.state,
        gate=app.gate,
        sources=(owner,),
        pseudonym=app.pseudonym,
        clock=app.clock,
    )
