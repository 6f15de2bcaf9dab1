"""A workspace with people in it, the whole app and the real SDK between them; only the embedding is a stand-in."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bot.app import App, build_server
from bot.channels.presentation import STATUS_TEXTS
from bot.channels.slack.install.manifest import ABOUT_MESSAGE
from bot.config.settings import Settings, Source
from bot.server.job_queue import QUEUE_LIMIT
from bot.server.lifecycle import STOP_SECONDS, Server
from bot.server.workers import WORKERS
from tests.conversations.conversations import GROUPS, Said, Way
from tests.conversations.harness import AppStage
from tests.scripted_app import MODEL
from tests.servers import openai_server
from tests.servers.slack.workspace import Acked, Channel, Message, OpenView, Person
from tests.servers.slack_server import APP_TOKEN, SIGNING_SECRET, Slack

PATIENCE = 30.0

# What can be pressed, by the names that the scenarios have for it.
LABELS = {"Good answer": "up", "Bad answer": "down", "Ask a person": "person", "Share here": "share"}


def settings(home: Path, slack: Slack, *, model_url: str = "", socket: bool = False, **more: Any) -> Settings:
    """What an administrator would configure for this workspace."""
    names = {channel.name: channel.id for channel in slack.workspace.channels.values()}
    places: dict[str, Any] = {
        f"slack:{names[name]}": entry
        for name, entry in {"board": {"groups": ["managers"]}, "help": {"auto_answer": True}}.items()
        if name in names
    }
    given: dict[str, Any] = {
        "home": home / "state",
        "model": MODEL if model_url else "",
        "model_base_url": model_url,
        "confidence_threshold": 0.45,
        "sources": (
            Source(
                name="docs",
                path=home / "docs",
                owner_channel=f"slack:{names['experts']}" if "experts" in names else "",
            ),
        ),
        "groups": GROUPS,
        "channels": places,
        "slack_bot_token": slack.workspace.token,
        "slack_signing_secret": SIGNING_SECRET,
        "slack_app_token": APP_TOKEN if socket else None,
        "slack_api_url": slack.url,
        "port": 0,
        "public_port": 0,
    }
    return Settings(**(given | more))


def served(app: App, **how: Any) -> Server:
    """The long-running process of this app, not started yet."""
    usual = {"workers": WORKERS, "queue_limit": QUEUE_LIMIT, "stop_timeout": STOP_SECONDS}
    return build_server(app, **usual | how)


@contextmanager
def running(app: App, slack: Slack, **how: Any) -> Iterator[Server]:
    """The process serves Slack while the block runs."""
    serving = served(app, **how)
    serving.start()
    try:
        if serving.public:
            slack.sending.app_urls.append(f"{serving.public.url}/slack/events")
        else:
            slack.workspace.wait(lambda: slack.sending.sockets.is_open, "a socket")
        yield serving
    finally:
        serving.stop()
        slack.sending.app_urls.clear()
        app.close()


class SlackStage(AppStage):
    """The stage of the scenarios."""

    def __init__(
        self,
        slack: Slack,
        app: App,
        model: openai_server.Server,
        people: dict[str, Person],
        channels: dict[str, Channel],
        *,
        server: Server,
    ) -> None:
        super().__init__(app, model)
        self.server = server
        self.slack = slack
        self.people = people
        self.channels = channels

    def asks(self, text: str, *, who: str = "Ada", way: Way = "mention", where: str = "general") -> "SlackThread":
        person, workspace = self.people[who], self.slack.workspace
        match way:
            case "mention":
                asked = person.mentions(text, self.channels[where])
            case "private-channel":
                asked = person.mentions(text, self.channels["cellar"])
            case "direct":
                asked = person.tells(text)
            case "group":
                asked = person.mentions(text, self.channels["group"])
            case "agent":
                person.opens("messages")
                asked = person.tells(text)
            case "channel":
                asked = person.writes(text, self.channels["help"])
            case "command":
                since = workspace.next_ts()
                acked = person.commands("/ask", text, self.channels[where])
                return SlackThread(self, person, self.channels[where], None, since, acked)
        return SlackThread(self, person, workspace.channels[asked.channel], asked, asked.ts)

    def chatter(self, text: str, *, who: str = "Ada", where: str = "general") -> "SlackThread":
        said = self.people[who].writes(text, self.channels[where])
        return SlackThread(self, self.people[who], self.channels[where], said, said.ts)

    def uploads(self, text: str, *files: str, who: str = "Ada", where: str = "") -> "SlackThread":
        person = self.people[who]
        channel = self.channels[where] if where else person.direct
        asked = person.uploads(text, *files, channel=channel, mention=bool(where))
        return SlackThread(self, person, channel, asked, asked.ts)

    def meets(self, who: str) -> list[Said]:
        person = self.people[who]
        person.opens("messages")
        return self._top(person.direct)

    def invites(self, where: str) -> list[Said]:
        self.slack.workspace.invite(self.channels[where], self.people["Ada"])
        return self._top(self.channels[where])

    def _top(self, channel: Channel) -> list[Said]:
        """What the bot says outside of threads, once what is done in the background is done too."""
        self.settle()
        (slack,) = self.server.channels
        pools = slack._background  # type: ignore[attr-defined] # nothing tells from outside when it is done
        workers = (pools.forms, pools.pages, pools.notes)
        self.slack.workspace.wait(lambda: not any(each._waiting or each._running for each in workers), "the background")
        return [said_of(each) for each in self.slack.workspace.visible(channel) if not each.thread]

    def expert_is_asked(self) -> list[Said]:
        self.settle()
        return [said_of(each) for each in self.slack.workspace.visible(self.channels["experts"]) if not each.thread]

    def experts_are_told(self) -> list[Said]:
        self.settle()
        return [said_of(each) for each in self.slack.workspace.visible(self.channels["experts"]) if each.thread]

    def expert_answers(self, text: str, *, who: str = "Eve", files: Sequence[str] = ()) -> None:
        self.settle()
        requests = [each for each in self.slack.workspace.visible(self.channels["experts"]) if not each.thread]
        self.people[who].names(text, self.channels["experts"], thread=requests[-1], files=files)
        self.settle()

    def expert_edits(self, text: str) -> None:
        said = self._last_of_experts()
        self.slack.workspace.people[said.user].edits(said, text)
        self.settle()

    def joins(self, who: str, where: str) -> None:
        self.people[who].joins(self.channels[where])
        self.settle()

    def leaves(self, who: str, where: str) -> None:
        self.people[who].leaves(self.channels[where])
        self.settle()

    def becomes(self, who: str, *, guest: bool) -> None:
        self.people[who].becomes(guest=guest)
        self.settle()

    def expert_deletes(self) -> None:
        said = self._last_of_experts()
        self.slack.workspace.people[said.user].deletes(said)
        self.settle()

    def expert_sends(self) -> None:
        self._press("Send it to the asker")

    def expert_accepts(self) -> None:
        self._press("Accept as the right answer")

    def _press(self, label: str) -> None:
        self.settle()
        said = self.slack.workspace.visible(self.channels["experts"])
        note = [each for each in said if each.thread and any(label == button.label for button in each.buttons)][-1]
        assert self.people["Eve"].clicks(note, label).status == 200
        self.settle()

    def _last_of_experts(self) -> Message:
        self.settle()
        return [each for each in self.channels["experts"].messages if not each.by_bot and not each.deleted][-1]

    def told(self) -> None:
        """Wait until everything was told to the app."""
        self.slack.workspace.wait(lambda: self.slack.sending.is_idle, "all deliveries")

    def settle(self) -> None:
        """Wait until everything was told to the app, and the app has nothing more to do."""
        ends = time.monotonic() + PATIENCE
        while not (self.slack.sending.is_idle and self.app.state.waiting() == 0 and self.slack.sending.is_idle):
            assert time.monotonic() < ends, "the app does not come to an end"
            time.sleep(0.01)


@dataclass(frozen=True)
class SlackMessage:
    """A message in Slack, in the hands of whoever wrote it."""

    stage: SlackStage
    person: Person
    message: Message

    def edits(self, text: str, *, calls: bool = False) -> None:
        self.stage.told()
        self.person.edits(self.message, text, mention=calls)

    def deletes(self) -> None:
        self.stage.told()
        self.person.deletes(self.message)


@dataclass
class SlackThread:
    """A question in Slack; `asked` is its message, which a command has not."""

    stage: SlackStage
    person: Person
    channel: Channel
    asked: Message | None
    since: str
    acked: Acked | None = None

    def seen(self, *, by: str = "") -> list[Said]:
        return [said_of(each) for each in self.messages(self.stage.people[by] if by else self.person)]

    def notes(self, *, by: str = "") -> list[Said]:
        self.stage.settle()
        person = self.stage.people[by] if by else self.person
        self.stage.slack.workspace.wait(lambda: self.stage.slack.sending.is_idle)
        return [said_of(each) for each in self.stage.slack.workspace.notes(person, self.asked)]

    def stops(self) -> None:
        asked, slack = self.asked, self.stage.slack
        assert asked
        slack.workspace.wait(
            lambda: (
                slack.sending.is_idle
                and any("[1]" in each.shown for each in slack.workspace.visible(self.channel, asked))
            ),
            "something to be read",
        )
        self.person.stops(asked)
        slack.workspace.wait(lambda: slack.sending.is_idle, "the app is told")

    def messages(self, person: Person) -> list[Message]:
        """The bot's messages here; of those that are for one person alone only what a command brought."""
        self.stage.settle()
        workspace = self.stage.slack.workspace
        if self.asked:
            return [each for each in workspace.visible(self.channel, self.asked) if each.ts > self.since]
        told = STATUS_TEXTS["searching"]
        found = workspace.visible(self.channel, to=person)
        return [each for each in found if each.ts > self.since and each.text != told]

    def asks_on(self, text: str) -> None:
        self.says(text)

    def says(self, text: str, *, who: str = "", calls: bool = False) -> "SlackMessage":
        assert self.asked
        self.stage.told()
        person = self.stage.people[who] if who else self.person
        write = person.mentions if calls else person.writes
        return SlackMessage(self.stage, person, write(text, self.channel, thread=self.asked))

    def edits(self, text: str, *, calls: bool = False) -> None:
        assert self.asked
        SlackMessage(self.stage, self.person, self.asked).edits(text, calls=calls)

    def deletes(self) -> None:
        assert self.asked
        SlackMessage(self.stage, self.person, self.asked).deletes()

    def asked_about(self, *, by: str) -> "SlackThread":
        assert self.asked
        self.stage.told()
        person, since = self.stage.people[by], self.stage.slack.workspace.next_ts()
        assert person.asks_about(self.asked, ABOUT_MESSAGE).status == 200
        return SlackThread(self.stage, person, self.channel, None, since)

    def votes(self, vote: Literal["up", "down", "none"], *, by: str = "") -> None:
        person = self.stage.people[by] if by else self.person
        shown = self.answer()
        if vote != "none":
            assert person.clicks(shown, "footnote_vote", {"up": "positive", "down": "negative"}[vote]).status == 200
            self.stage.settle()
            return
        person.opens("home")
        home = self.stage.slack.workspace.wait(lambda: open_home(person, "Withdraw"))
        assert home
        assert person.clicks(home, "Withdraw").status == 200
        self.stage.settle()

    def explains(self, *, reason: str, comment: str = "", better: str = "", by: str = "") -> None:
        person = self.stage.people[by] if by else self.person
        modal = self.stage.slack.workspace.wait(lambda: person.modal, "the form after a vote down")
        assert modal
        given = {"reason": reason, "comment": comment, "correction": better}
        assert person.submits(modal, **{name: text for name, text in given.items() if text}).status == 200
        self.stage.settle()

    def asks_a_person(self) -> None:
        assert self.person.clicks(self.answer(), "Ask a person").status == 200
        self.stage.settle()

    def shares(self) -> list[Said]:
        before = {each.ts for each in self.messages(self.person)}
        assert self.person.clicks(self.answer(), "Share here").status == 200
        self.stage.settle()
        everybody = self.stage.slack.workspace.visible(self.channel)
        return [said_of(each) for each in everybody if each.ts > self.since and each.ts not in before]

    def answer(self) -> Message:
        """The last message with something to be pressed."""
        found = [each for each in self.messages(self.person) if each.buttons]
        assert found, f"nothing can be pressed: {self.stage.slack.workspace._story()}"
        return found[-1]


def open_home(person: Person, button: str) -> OpenView | None:
    """The app's page as the person sees it, once this can be pressed there."""
    home = person.home
    return home if home and any(button == each.label for each in home.buttons) else None


def said_of(message: Message) -> Said:
    return Said(
        message.shown,
        tuple((link.label, link.url) for link in message.links),
        tuple(message.calls),
        frozenset(LABELS.get(each.label, each.label) for each in message.buttons) - {"Quoted text"},
        tuple(message.versions),
    )


def peopled(slack: Slack) -> tuple[dict[str, Person], dict[str, Channel]]:
    """The people and places of the scenarios."""
    workspace = slack.workspace
    people = {name: workspace.person(name) for name in ("Ada", "Bob", "Mia", "Eve")}
    staff = list(people.values())
    people["Gil"] = workspace.person("Gil", guest=True)
    people["Pat"] = workspace.person("Pat", team="T0TWO", enterprise="E0THEIRS")
    channels = {name: workspace.channel(name, *staff) for name in ("general", "random", "board", "help", "experts")}
    channels["cellar"] = workspace.channel("cellar", *staff, private=True)
    channels["partners"] = workspace.channel("partners", *staff, people["Pat"], shared=True)
    channels["colleague"] = workspace.between(people["Ada"], people["Mia"])
    channels["group"] = workspace.group_direct(people["Ada"], people["Bob"], people["Mia"])
    return people, channels
