"""Threat: what somebody may not read reaches them by a way that no search filter sees.

Every service method, command, event, listener and address stands in a table: with a way to run it, or with the reason
why it shows nothing of a document. Each way is run where everybody may read a document, and must show it, and where it
was closed or deleted after it had been answered from, and must not: by no word of its title, section, text or path, nor
of what was asked, answered or proposed with it. What is in no table fails: a new way out passes the gate of
`bot.access.disclosure`, and gets its line here.
"""

import importlib
import inspect
import json
import pkgutil
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import click
import pytest
from pydantic import SecretStr
from starlette.routing import Route

import bot.services
from bot.access.audience import Audience
from bot.access.directory import Person
from bot.answering.answers import Question
from bot.app import App, bootstrap
from bot.channels.events import ExpertKind, Kind
from bot.channels.overview import PersonalOverview
from bot.channels.slack import actions, listeners
from bot.cli import COMMANDS, main
from bot.config.settings import Settings
from bot.server import http
from bot.server.metrics import Metrics
from bot.services.escalation import OpenEscalation
from bot.services.votes import VoteRequest
from feedback.records import Exchange
from retrieval.passages import Query
from retrieval.retriever import FootnoteRetriever
from tests.bot.cli.command_line import footnote
from tests.conversations.harness import breakable_app
from tests.conversations.memory_channel import NAME, Post, personal_overview
from tests.conversations.test_memory import MemoryStage, peopled_chat, settings
from tests.servers import openai_server

MARK = "zephyr"
FILE = "docs/a-zephyrpath.md"
TEXT = """# Zephyrtitle

## Zephyrsection

The plan for the landing says that zephyrtext comes on Friday. Every landing of the plan is told on Thursday.
"""
OTHER = "# Canteen\n\n## Lunch\n\nLunch in the canteen is served from noon until two. Soup is free for all staff.\n"
QUESTION = "What does the plan for the landing say comes on Friday?"
MARKED_QUESTION = "What does the plan for the landing say of zephyrwords on Friday?"
FOLLOWED = "answer-with-a-history"
# So many questions with an answer make an export.
THINGS = "kettles ladders passports gardens invoices windows engines bicycles lanterns markets tunnels violins".split()
LUNCH = "When is lunch in the canteen served, from noon until when?"
CORRECTION = "The plan for the landing says that zephyrfix comes on Friday."

State = Literal["open", "restricted", "nobody", "deleted"]
EVERYONE = frozenset[str]()


@dataclass
class World:
    """A chat in which the document was answered from; `home` is the working folder, `answer` what Ada got."""

    stage: MemoryStage
    home: Path
    answer: str = ""
    private: Post | None = None

    @property
    def app(self) -> App:
        return self.stage.app

    def footnote(self, *arguments: str, stdin: str = "") -> str:
        """Run a command over this app; returns all that it prints."""
        result = footnote(*arguments, stdin=stdin, bootstrap=lambda _: self.app)
        return result.stdout + result.stderr

    def said_since(self, act: Callable[[], object]) -> str:
        """Do something in the chat; returns all that then stands in it anew, in any version."""
        self.stage.settle()
        before = {id(each): len(each.versions) for each in self.stage.chat.posts}
        act()
        self.stage.settle()
        said = [
            "\n".join([*each.versions[before.get(id(each), 0) :], *map(str, each.links)])
            for each in self.stage.chat.posts
            if each.user == "bot"
        ]
        return "\n".join(said)

    def exchange(self) -> Exchange:
        return self.app.feedback.exchange(self.answer)

    def overview(self) -> PersonalOverview:
        return personal_overview(self.app)


def owned(given: Settings) -> Settings:
    (source,) = given.sources
    return given.model_copy(update={"sources": (source.model_copy(update={"owner": "ada@example.com"}),)})


@contextmanager
def world(folder: Path, state: State) -> Iterator[World]:
    """Ask, vote, correct and review while everybody may read the document, then close it as `state` says."""
    (folder / "docs").mkdir(parents=True)
    (folder / FILE).write_text(TEXT, encoding="utf-8")
    (folder / "docs" / "canteen.md").write_text(OTHER, encoding="utf-8")
    for days, thing in enumerate(THINGS, start=3):
        text = f"# {thing.title()}\n\nThe {thing} are lent for {days} days at the most.\n"
        (folder / "docs" / f"{thing}.md").write_text(text, encoding="utf-8")
    with openai_server.serving() as model, breakable_app(owned(settings(folder))) as app:
        made = World(MemoryStage(peopled_chat(), app, model), folder)
        app.ingestion.rebuild()
        _live_through(made)
        path = folder / FILE
        if state == "deleted":
            path.unlink()
        elif state != "open":
            words = "managers" if state == "restricted" else "[]"
            path.write_text(f"---\naudience: {words}\n---\n{TEXT}", encoding="utf-8")
        app.ingestion.sync()
        yield made


def _live_through(made: World) -> None:
    """What people did with the document while they might read it."""
    stage, app = made.stage, made.app
    thread = stage.asks(MARKED_QUESTION)
    thread.seen()
    made.answer = thread._answer()  # type: ignore[attr-defined] # what can be voted on
    assert MARK in made.exchange().answer.casefold()
    for person in ("Ada", "Bob", "Mia"):
        thread.votes("down", by=person)
    thread.explains(reason="wrong", better=CORRECTION, by="Bob")
    thread.asks_on(f"And {LUNCH}")
    stage.settle()
    (followed,) = [each.exchange for each in app.feedback.reviewed_exchanges() if each.exchange.history]
    assert MARK in str(followed.history)
    shown = tuple(each for each in followed.shown if each.document != FILE)  # closed by its history alone
    app.feedback.record(replace(followed, id=FOLLOWED, shown=shown))
    for person in ("Ada", "Bob"):
        stage.channel.vote(person, FOLLOWED, "up")
    private = stage.asks(MARKED_QUESTION, way="command")
    private.seen()
    made.private = private._with_buttons()  # type: ignore[attr-defined]
    question = Question(MARKED_QUESTION, user="ada", conversation="terminal")
    app.questions.record(question, app.questions.answer(question))
    for thing in THINGS:
        asked = Question(f"How long are the {thing} lent at the most?", user=thing)
        answer = app.questions.answer(asked)
        app.questions.record(asked, answer)
        app.votes.vote(VoteRequest(answer.id, "up", f"{thing}@example.com"))
    unknown = Question("What did zephyrwho answer to the landing?", user="bob")
    for user in ("ada", "bob"):
        asked = Question(unknown.text, user=user, groups=frozenset({"managers"}))
        app.questions.record(asked, app.questions.answer(asked))
    for read in (_owners_home, SERVICES["OverviewService.prompts"]):  # what is cached is asked about again
        assert MARK in str(read(made)).casefold()


@pytest.fixture(scope="module")
def worlds(tmp_path_factory) -> Iterator[Callable[[State], World]]:
    """A world for each state, made when it is first asked for; ways that change more than records make their own."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("FOOTNOTE_HOME", "FOOTNOTE_CONFIDENCE_THRESHOLD"):
            patch.delenv(variable, raising=False)
        open_now: dict[State, tuple[Any, World]] = {}

        def get(state: State) -> World:
            if state not in open_now:
                context = world(tmp_path_factory.mktemp(state), state)
                open_now[state] = context, context.__enter__()
            return open_now[state][1]

        yield get
        for context, _ in open_now.values():
            context.__exit__(None, None, None)


# The ways out: each returns all that comes out of it for somebody who has no group.

Way = Callable[[World], object]


def _owners_home(made: World) -> object:
    return made.overview().home_page(Person("Ada", "ada@example.com", guest=False), EVERYONE)


def _answered_anew(made: World) -> object:
    """An edited question is answered anew where its answer is."""
    thread = made.stage.asks(QUESTION, where="random")
    thread.seen()
    return made.said_since(lambda: thread.edits(f"{QUESTION} Please."))


def _history(made: World) -> object:
    return [
        made.app.questions.history("terminal", user="ada", groups=EVERYONE),
        made.app.questions.history(made.exchange().conversation, user="ada", groups=EVERYONE, shared=True),
    ]


def _exchange(made: World) -> object:
    try:
        return made.app.questions.exchange(made.answer, groups=EVERYONE)
    except Exception as error:  # noqa: BLE001 - whatever it says comes out
        return error


def _shared(made: World) -> object:
    assert made.private
    post = made.private
    return made.said_since(lambda: made.stage.channel.press("Ada", post, "share"))


def _passed_on(made: World) -> object:
    """The question is the asker's own to pass on; this one has no marked word."""
    thread = made.stage.asks(QUESTION, where="random")
    thread.seen()
    return made.said_since(thread.asks_a_person)


def _passed_on_later(made: World) -> object:
    """An answer that was given before is passed on now."""
    composed = made.app.escalation.compose(
        made.answer, platform=NAME, place=f"{NAME}:chat:general:1", readers=lambda _: EVERYONE
    )
    assert composed.question == made.exchange().question, "the question goes along, as the asker wants it"
    return [composed.sentences, composed.sections]


def _supported(made: World) -> object:
    """What an expert is told of the sections that their reply was compared with."""
    asked = OpenEscalation(made.answer, f"{NAME}:experts", f"{NAME}:chat:general:1")
    said = "The plan for the landing says that zephyrtext comes on Monday."
    return made.app.escalation.support(asked, said, lambda _: EVERYONE)


def _export(made: World) -> object:
    out = made.home / "export"
    shutil.rmtree(out, ignore_errors=True)
    said = made.footnote("export", "--format", "openai-chat", "--format", "beir", "--out", str(out))
    assert (out / "rejected.jsonl").is_file(), said
    return said + "\n".join(each.read_text(encoding="utf-8") for each in sorted(out.rglob("*")) if each.is_file())


def _evaluated(made: World) -> object:
    questions, out = made.home / "questions.jsonl", made.home / "answers.jsonl"
    questions.write_text(json.dumps({"id": "1", "text": QUESTION}) + "\n", encoding="utf-8")
    said = made.footnote("evaluate", "--questions", str(questions), "--out", str(out), "--json")
    return said + out.read_text(encoding="utf-8")


def _reported(made: World) -> object:
    page = made.home / "report.html"
    said = made.footnote("report", "--min-askers", "1", "--html", str(page))
    return said + made.footnote("report", "--json", "--min-askers", "1") + page.read_text(encoding="utf-8")


def _chatted(made: World) -> object:
    return made.footnote("chat", "--conversation", "terminal", "--user", "ada", stdin=f"{QUESTION}\n")


def _reviewed(made: World) -> object:
    return made.footnote("review", "--json", "--user", "r") + made.footnote("review", "--user", "r", stdin="s\n" * 9)


SHOWS_NOTHING = {
    # Words of people that they give, and numbers
    "VoteService": "a person's own vote, comment and correction",
    "PrivacyService": "counts, and names of exports",
    "IngestionService": "changes the index and names what changed, for whoever runs it",
    "DiagnosticsService": "settings and services, for whoever runs it",
    "EscalationService.claim": "a yes or no",
    "EscalationService.release": "nothing",
    "EscalationService.record_thread": "nothing",
    "EscalationService.find_by_thread": "where a question went, without its words",
    "EscalationService.accept": "nothing",
    "EscalationService.take_back": "nothing",
    "EscalationService.is_partial": "a yes or no, and a yes only to who may read it",
    "EscalationService.may_reply": "a yes or no",
    "EscalationService.question": "compared with what an expert writes, and shown to nobody",
    "EvaluationService.calibrate": "numbers",
    "QuestionService.record": "nothing",
    "QuestionService.sounds_like_chatter": "a yes or no",
    "QuestionService.may_read": "a yes or no",
    "ReviewService.decide": "a reviewer's own decision",
    "ReviewService.exchanges_waiting": "for the overview, which asks of each",
    "KnowledgeAdapter": "documents and prompts for exports and reports, which ask of each exchange and document",
    "PersonalOverview.prompts": "what OverviewService.prompts gives",
}

SERVICES: dict[str, Way] = {
    "QuestionService.answer": lambda made: made.app.questions.answer(Question(QUESTION)),
    "QuestionService.stream": lambda made: list(made.app.questions.stream(Question(QUESTION))),
    "QuestionService.exchange": _exchange,
    "QuestionService.history": _history,
    "EscalationService.compose": _passed_on_later,
    "EscalationService.support": _supported,
    "EvaluationService.evaluate": _evaluated,
    "OverviewService.report": lambda made: made.app.overview.report(min_askers=1),
    "OverviewService.prompts": lambda made: made.app.overview.prompts(EVERYONE),
    "OverviewService.owned": lambda made: made.app.overview.owned(["ada@example.com"], EVERYONE),
    "PersonalOverview.home_page": _owners_home,
    "PersonalOverview.quotes": lambda made: made.overview().quotes(made.answer, lambda: Audience(EVERYONE)),
    "ReviewService.waiting": lambda made: list(made.app.reviews.waiting(min_agreement=0.75, groups=EVERYONE)),
    "ReviewService.reviewed": lambda made: made.app.reviews.reviewed(made.answer, groups=EVERYONE),
    "TrainingService.export": _export,
}
# A day and the name of a source, of which another document stays.
ONLY_NUMBERS = {"OverviewService.sources": "names of sources that hold something readable"}

COMMAND_WAYS: dict[str, Way] = {
    "ask": lambda made: made.footnote("ask", QUESTION, "--json") + made.footnote("ask", QUESTION),
    "search": lambda made: made.footnote("search", QUESTION),
    "chat": _chatted,
    "show": lambda made: made.footnote("show", FILE, "--group", "everyone").replace(FILE, ""),
    "evaluate": _evaluated,
    "review": _reviewed,
    "export": _export,
    "report": _reported,
}
COMMANDS_THAT_SHOW_NOTHING = {
    "demo": "the sample handbook alone",
    "sync": "names what changed, for whoever runs it",
    "serve": "serves channels, whose ways are below",
    "vote": "a person's own vote",
    "index list": "numbers",
    "index rebuild": "numbers",
    "index rollback": "numbers; what it brings back is looked at below",
    "feedback dump": "a backup of everything, for whoever may read the store itself",
    "feedback load": "numbers",
    "forget": "counts, and names of exports",
    "slack manifest": "settings",
    "doctor": "settings and services",
}

EVENT_WAYS: dict[str, Way] = {
    "question": lambda made: made.said_since(lambda: made.stage.asks(QUESTION, where="random")),
    "edit": _answered_anew,
    "command": lambda made: made.said_since(lambda: made.stage.asks(QUESTION, way="command", where="random")),
    "share": _shared,
    "person": _passed_on,
}
EVENTS_THAT_SHOW_NOTHING = {
    "delete": "a line of the bot's own",
    "erase": "counts",
    "expert": "the expert's own words, to where the question was asked; what they are compared with: `support`",
    "expert_edit": "as `expert`",
    "expert_delete": "lines of the bot's own",
    "send": "as `expert`",
    "accept": "lines of the bot's own; where the reply was changed since, as `expert`",
    "remind": "a line of the bot's own",
    "stop": "nothing",
}

LISTENERS = {
    "ActionListeners.quotes": "PersonalOverview.quotes",
    "ActionListeners.share": "the event `share`",
    "ActionListeners.ask_person": "the event `person`",
    "ActionListeners.accept_reply": "the event `accept`",
    "ActionListeners.send_reply": "the event `send`",
    "ActionListeners.erase": "the event `erase`",
    "VoteListeners.button": "a person's own vote",
    "VoteListeners.withdraw": "a person's own vote, and their home page",
    "VoteListeners.feedback": "a person's own vote",
    "VoteListeners.reaction": "a person's own vote",
    "HomeListeners.opened": "PersonalOverview.home_page and PersonalOverview.prompts",
    "HomeListeners.publish_soon": "PersonalOverview.home_page",
    "HomeListeners.invited": "nothing",
    "HomeListeners.removed": "nothing",
    "MessageListeners.message": "the events `question`, `edit`, `delete`, `expert`, `expert_edit`, `expert_delete`",
    "MessageListeners.command": "the event `command`",
    "MessageListeners.stopped": "the event `stop`",
    "MessageListeners.about_message": "the event `command`, of a message that its person reads",
}
ADDRESSES = {
    "/healthz": "whether the process runs",
    "/readyz": "names of services",
    "/metrics": "numbers",
    "/slack/events": "acknowledges; see the listeners",
    "/slack/install": "a page of the platform's",
    "/slack/oauth": "a page of the platform's",
}
LIBRARY_WAYS: dict[str, Way] = {
    "Search": lambda made: made.app.search(Query(QUESTION)),
    "FootnoteRetriever": lambda made: FootnoteRetriever(search=made.app.search).invoke(QUESTION),
}

WAYS = {
    **SERVICES,
    **{f"footnote {name}": way for name, way in COMMAND_WAYS.items()},
    **{f"event {name}": way for name, way in EVENT_WAYS.items()},
    **LIBRARY_WAYS,
}


@pytest.mark.parametrize("name", WAYS)
def test_a_document_that_everybody_may_read_comes_out(worlds, name):
    made = worlds("open")
    assert MARK in str(WAYS[name](made)).casefold(), "the way shows nothing, so it tests nothing"


@pytest.mark.parametrize("state", ["restricted", "nobody", "deleted"])
@pytest.mark.parametrize("name", WAYS)
def test_no_word_of_what_was_closed_since_comes_out(worlds, name, state: State):
    made = worlds(state)
    shown = str(WAYS[name](made)).casefold()
    assert MARK not in shown, shown[max(0, shown.find(MARK) - 200) : shown.find(MARK) + 200]


def test_what_is_left_out_of_an_export_is_counted_with_its_reason(worlds):
    made = worlds("restricted")
    _export(made)
    out = made.home / "export"
    rejected = [json.loads(line) for line in (out / "rejected.jsonl").read_text(encoding="utf-8").splitlines()]
    reasons = {each["exchange"]: (each["stage"], each["reason"]) for each in rejected}
    assert reasons[FOLLOWED] == ("audience", "history-restricted")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["steps"]["audience"]["left"]["history-restricted"] == 1


# What there is, found by looking


def methods_of(*kinds: type) -> set[str]:
    return {
        f"{kind.__name__}.{name}"
        for kind in kinds
        for name, member in vars(kind).items()
        if not name.startswith("_") and (inspect.isfunction(member) or callable(member))
    }


def services() -> list[type]:
    """Every class of `bot.services` that the app is made of."""
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(bot.services.__path__, "bot.services.")
        if not found.ispkg
    ]
    return [
        each
        for module in modules
        for name, each in vars(module).items()
        if inspect.isclass(each) and each.__module__ == module.__name__ and name.endswith(("Service", "Adapter"))
    ]


def commands(group: click.Group, context: click.Context, before: str = "") -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, context, f"{before}{name} ")
        else:
            yield f"{before}{name}"


def test_every_service_method_is_in_a_table():
    found = methods_of(*services(), PersonalOverview)
    named = {*SERVICES, *ONLY_NUMBERS, *(each for each in SHOWS_NOTHING if "." in each)}
    whole = {each for each in SHOWS_NOTHING if "." not in each}
    assert whole <= {each.__name__ for each in services()}
    assert named <= found
    assert {each for each in found - named if each.partition(".")[0] not in whole} == set()


def test_every_command_is_in_a_table():
    found = set(commands(main, click.Context(main)))
    assert found == {*COMMAND_WAYS, *COMMANDS_THAT_SHOW_NOTHING}
    assert {each.partition(" ")[0] for each in found} == set(COMMANDS)


def test_every_event_is_in_a_table():
    assert {*get_args(get_args(Kind)[0]), *get_args(ExpertKind)} == {*EVENT_WAYS, *EVENTS_THAT_SHOW_NOTHING}


def test_every_listener_is_in_the_table():
    kinds = [
        each
        for module in (actions, listeners)
        for name, each in vars(module).items()
        if inspect.isclass(each) and each.__module__ == module.__name__ and name.endswith("Listeners")
    ]
    assert methods_of(*kinds) == set(LISTENERS)
    known = {*SERVICES, *(f"event `{each}`" for each in EVENT_WAYS)}
    assert all(way in known for way in LISTENERS.values() if way.startswith("PersonalOverview.q"))


def test_every_address_is_in_the_table(tmp_path):
    given = Settings(
        home=tmp_path, slack_client_id="1", slack_client_secret=SecretStr("s"), slack_signing_secret=SecretStr("s")
    )
    with closing(bootstrap(given)) as app:
        channels = app.channels(Metrics(waiting=app.state.waiting))
        routes = [*(route for channel in channels for route in channel.routes()), *http.inside_app(dict, bytes).routes]
    paths = {each.path for each in routes if isinstance(each, Route)}
    assert {"/slack/events", "/metrics"} <= paths
    assert paths <= set(ADDRESSES)
