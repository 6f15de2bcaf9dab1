"""A chat in memory, and Footnote in it: what a platform needs at least, on nothing but the channel port.

The chat has channels, threads, edits, deletions, buttons and messages for one person alone; it has no streams, no
status beside a thread, no agent view and no reactions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from bot.access.directory import ChannelInfo, Page, Person
from bot.answering.answers import Answer, Citation, Sentence
from bot.app import App
from bot.channels import presentation
from bot.channels.acceptance import EventAcceptor
from bot.channels.connection import Connection, Platform
from bot.channels.directory import CachedDirectory
from bot.channels.directory_records import DirectoryRecords
from bot.channels.events import (
    IncomingEvent,
    Place,
    PlaceKind,
    about_event,
    accept_event,
    content_hash,
    message_event,
    person_event,
    send_event,
    share_event,
    stop_event,
)
from bot.channels.handler import EventHandler
from bot.channels.lookups import Lookups
from bot.channels.metrics import NullMetrics
from bot.channels.overview import PersonalOverview
from bot.channels.port import (
    Accept,
    ChannelHealth,
    Checkpoint,
    DisplayOptions,
    Json,
    Limits,
    Message,
    ReplyAction,
    Undeliverable,
    WrittenMessage,
)
from bot.channels.presentation import notes, section_label, split_text
from bot.channels.repetition import Deduplicator
from bot.channels.stop_marks import StopMarks
from bot.channels.thread_state import ThreadState
from bot.channels.votes import VoteRecorder
from bot.channels.welcome import Welcome
from bot.config.settings import Settings
from bot.services.escalation import Escalation
from bot.services.votes import Choice
from bot.state.protocol import Claim, StateStore
from feedback.records import Reason

NAME = "memory"
BOT = "bot"
WORKSPACE = "chat"
MOST_CHARACTERS = 4_000
LIMITS = Limits(update_seconds=0.0, append_seconds=0.0, partial_characters=MOST_CHARACTERS, private_messages=3)


# The chat itself


@dataclass
class Post:
    """A message in the chat; `links` are (label, address), `buttons` (what they do, value)."""

    id: str
    channel: str
    thread: str
    user: str
    text: str
    links: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    mark: tuple[str, int] | None = None
    only_for: str = ""
    versions: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Room:
    """A channel of the chat; `direct` and `group` rooms are for messages between their members.

    In a room without the bot only commands reach it, and it says nothing but to who typed one.
    """

    id: str
    members: frozenset[str]
    kind: PlaceKind = "channel"
    external: bool = False
    has_bot: bool = True


@dataclass
class Chat:
    """All rooms, people and messages."""

    people: Mapping[str, Person]
    rooms: dict[str, Room]
    posts: list[Post] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    watch: Callable[["Post"], None] = lambda _: None  # is called for each change of a message of the bot

    def add(self, channel: str, user: str, text: str, *, thread: str = "") -> Post:
        """Write a message."""
        post = Post(f"{next(self.numbers):06}", channel, thread, user, text)
        self.posts.append(post)
        return post

    def get(self, channel: str, message: str) -> Post | None:
        """Return a message that was not deleted."""
        return next((each for each in self.posts if (each.channel, each.id) == (channel, message)), None)

    def direct_room(self, user: str) -> Room:
        """Return the room in which a person is alone with the bot."""
        return self.rooms.setdefault(f"D-{user}", Room(f"D-{user}", frozenset({user}), "direct"))


# The three ports


class MemoryTransport:
    """A `Transport` on a chat."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def post(self, place: Place, message: Message, *, event: str, part: int = 0) -> str:
        room = self._chat.rooms.get(place.channel)
        if room is None or not room.has_bot:
            raise Undeliverable("there is no such room")
        post = self._chat.add(place.channel, BOT, "", thread=place.root)
        post.mark = (event, part)
        _write(post, message)
        self._chat.watch(post)
        return post.id

    def edit(self, place: Place, message: Message, *, event: str = "", retry: bool = True) -> bool:
        post = self._chat.get(place.channel, place.message)
        if post is None:
            return False
        post.mark = (event, 0) if event else post.mark
        _write(post, message)
        self._chat.watch(post)
        return True

    def delete(self, place: Place) -> bool:
        post = self._chat.get(place.channel, place.message)
        if post:
            self._chat.posts.remove(post)
        return post is not None

    def find(self, place: Place, event: str, *, part: int = 0, unmarked_stream: bool = False) -> Checkpoint | None:
        there = (each for each in self._chat.posts if (each.channel, each.thread) == (place.channel, place.root))
        return next((Checkpoint(each.id) for each in there if each.mark == (event, part)), None)

    def tell(self, place: Place, user: str, message: Message, *, handle: str = "") -> bool:
        post = self._chat.add(place.channel, BOT, "", thread=place.thread)
        post.only_for = user
        _write(post, message)
        return True

    def post_by_handle(self, handle: str, message: Message) -> bool:
        return False

    def open_direct(self, user: str) -> Place:
        return Place(NAME, WORKSPACE, self._chat.direct_room(user).id, kind="direct")

    def read(self, place: Place) -> WrittenMessage | None:
        post = self._chat.get(place.channel, place.message)
        if post is None or post.user == BOT:
            return None
        return WrittenMessage(post.user, post.text, post.id, content_hash(post.text), tuple(post.files))

    def read_before(self, place: Place) -> Sequence[WrittenMessage]:
        there = [each for each in self._chat.posts if each.channel == place.channel and each.id < place.message]
        wanted = [
            each
            for each in there
            if each.user != BOT and place.thread in ({each.thread, each.id} if place.thread else {each.thread})
        ]
        return [WrittenMessage(each.user, each.text, each.id, content_hash(each.text)) for each in wanted]


def _write(post: Post, message: Message) -> None:
    (content,) = message.content or ({},)
    post.text = message.text
    post.links = [(label, url) for label, url in content.get("links", ())]
    post.buttons = [(action, value) for action, value in content.get("buttons", ())]
    post.versions.append(message.text)


class MemoryDirectory:
    """A `Directory` of a chat."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def person(self, user: str) -> Person | None:
        return self._chat.people.get(user)

    def people(self, cursor: str = "") -> Page[Person] | None:
        return Page(tuple(self._chat.people.values()))

    def group_id(self, name: str) -> str:
        return ""  # there are no user groups

    def group_members(self, group: str) -> frozenset[str] | None:
        return None

    def channel(self, channel: str) -> ChannelInfo | None:
        room = self._chat.rooms.get(channel)
        if room is None or not room.has_bot:
            return None
        direct = room.kind == "direct"
        return ChannelInfo(external=room.external, direct=direct, direct_with=min(room.members) if direct else "")

    def channel_members(self, channel: str, cursor: str = "") -> Page[str] | None:
        return Page(tuple(sorted(self._chat.rooms[channel].members)))


def memory_directory(
    chat: Chat, settings: Settings, state: StateStore, pseudonym: Callable[[str], str]
) -> CachedDirectory:
    """Return what is known of the people and rooms of a chat; whoever asks looks things up themselves."""
    records = DirectoryRecords(state, NAME, WORKSPACE, pseudonym=pseudonym)
    return CachedDirectory(MemoryDirectory(chat), settings, NAME, records=records, lookups=Lookups(threads=0))


class MemoryRenderer:
    """A `Renderer` of plain text: links and buttons stand beside it, so no text can be either."""

    def line(self, text: str) -> Message:
        return _message(text)

    def sentence_text(self, sentence: Sentence, citations: Mapping[int, Citation], *, before: str) -> str:
        marks = "".join(f" [{number}]" for number in sentence.citations)
        return f"{' ' if before else ''}{sentence.text}{marks}"

    def partial_answer(self, text: str, words: str) -> Message:
        return _message(text)

    def answer_messages(self, answer: Answer, options: DisplayOptions) -> Sequence[Message]:
        text = ""
        for sentence in answer.sentences:
            text += self.sentence_text(sentence, {}, before=text)
        lines = [presentation.NOTE.format(text=note) for note in notes(answer, extra=options.note)]
        lines += [f"[{each.number}] {section_label(each.title, each.section)}" for each in answer.citations]
        nearest = {section_label(hit.passage.title, hit.passage.section): None for hit in answer.nearest}
        lines += [presentation.NEAREST_HEADING, *nearest] if nearest else []
        lines += filter(None, [presentation.origin_note(answer)])
        *pieces, last = split_text("\n".join([text or answer.text, *lines]), MOST_CHARACTERS) or [""]
        links = [(f"[{each.number}]", each.url) for each in answer.citations if each.url.startswith("https://")]
        return [*map(_message, pieces), _message(last, links=links, buttons=_buttons(answer, options))]

    def under_heading(self, message: Message, heading: str, question: str) -> Message:
        return Message(f"{heading}\n{question}\n{message.text}", message.content)

    def escalation_request(self, escalation: Escalation) -> Message:
        answer = " ".join(escalation.sentences) or (presentation.NOTHING_FOUND if escalation.abstained else "")
        sections = [section_label(each.title, each.section) for each in escalation.sections]
        return _message("\n".join([presentation.SOMEBODY_ASKS, escalation.question, answer, *sections]))

    def reply_messages(self, text: str, files: Sequence[str] = ()) -> Sequence[Message]:
        named = presentation.FILES_NOT_SENT.format(files=", ".join(files))
        pieces = split_text("\n".join([text, named] if files else [text]), MOST_CHARACTERS)
        return [_message(f"{presentation.EXPERT_REPLIES}\n{pieces[0]}"), *map(_message, pieces[1:])]

    def reply_note(
        self, text: str, *, action: ReplyAction | None = None, value: str = "", revision: str = ""
    ) -> Message:
        return _message(text, buttons=[(action, value)] if action else [])


def _message(text: str, *, links: Sequence[tuple[str, str]] = (), buttons: Sequence[tuple[str, str]] = ()) -> Message:
    content: Json = {"links": list(links), "buttons": list(buttons)}
    return Message(text, (content,))


def _buttons(answer: Answer, options: DisplayOptions) -> list[tuple[str, str]]:
    if answer.is_small_talk or not answer.id:
        return []
    wanted = {"up": options.buttons, "down": options.buttons, "person": options.person, "share": options.share}
    return [(action, answer.id) for action, is_wanted in wanted.items() if is_wanted]


def personal_overview(app: App) -> PersonalOverview:
    """Return the pages of the chat's people."""
    return PersonalOverview(
        NAME,
        overview=app.overview,
        votes=app.votes,
        questions=app.questions,
        pseudonym=app.pseudonym,
        thread_state=ThreadState(app.state, NAME, pseudonym=app.pseudonym),
        settings=app.settings,
    )


# The channel


class MemoryChannel:
    """Footnote in the chat: a `Channel` that is told of what people do by its methods."""

    name = NAME

    def __init__(self, chat: Chat, app: App) -> None:
        self._chat = chat
        self._app = app
        self._acceptor: EventAcceptor | None = None
        self._presses = count(1)
        self._thread_state = ThreadState(app.state, NAME, pseudonym=app.pseudonym)
        metrics = NullMetrics()
        transport = MemoryTransport(chat)
        self._connection = Connection(transport, memory_directory(chat, app.settings, app.state, app.pseudonym))
        self._votes = VoteRecorder(
            NAME, votes=app.votes, pseudonym=app.pseudonym, thread_state=self._thread_state, metrics=metrics
        )
        platform = Platform(NAME, "the chat", MemoryRenderer(), LIMITS, lambda _: self._connection)
        deduplicator = Deduplicator(app.state, NAME, pseudonym=app.pseudonym)
        self._welcome = Welcome(platform, deduplicator, app.settings)
        self._handler = EventHandler(
            platform,
            settings=app.settings,
            state=app.state,
            thread_state=self._thread_state,
            questions=app.questions,
            escalation=app.escalation,
            privacy=app.privacy,
            metrics=metrics,
            welcome=self._welcome,
        )

    def routes(self) -> Sequence[Any]:
        return ()

    def health(self) -> ChannelHealth:
        return ChannelHealth()

    def start(self, accept: Accept) -> None:
        self._acceptor = EventAcceptor(
            accept,
            settings=self._app.settings,
            thread_state=self._thread_state,
            stop_marks=StopMarks(self._app.state, NAME),
            escalation=self._app.escalation,
            tell_busy=lambda _: None,
        )

    def handle(self, claim: Claim) -> None:
        self._handler.handle(claim)

    def give_up(self, claim: Claim) -> None:
        self._handler.give_up(claim)

    def stop(self) -> None:
        self._acceptor = None

    # What people do

    def write(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        thread: str = "",
        mention: bool = False,
        files: tuple[str, ...] = (),
    ) -> Post:
        """Somebody writes a message."""
        post = self._chat.add(channel, user, text, thread=thread)
        post.files += files
        self._tell_of_message("question", post, mention=mention, files=files)
        return post

    def meet(self, user: str) -> None:
        """Somebody opens their messages with the bot."""
        self._welcome.greet_person(self._connection, self._place(self._chat.direct_room(user).id), user)

    def invite(self, channel: str) -> None:
        """Somebody invites the bot."""
        self._welcome.greet_channel(self._connection, self._place(channel))

    def edit(self, post: Post, text: str, *, mention: bool = False) -> None:
        """Somebody edits their message."""
        post.text = text
        post.versions.append(text)
        self._tell_of_message("edit", post, mention=mention)

    def ask_about(self, user: str, post: Post) -> None:
        """Somebody wants an answer to a message that they alone see."""
        place = self._place(post.channel, thread=post.thread or post.id)
        pressed = IncomingEvent("question", "", place, user)
        press, content = str(next(self._presses)), content_hash(post.text)
        self._accept(about_event(pressed, post.text, message=post.id, author=post.user, content=content, press=press))

    def delete(self, post: Post) -> None:
        """Somebody deletes their message."""
        self._chat.posts.remove(post)
        self._tell_of_message("delete", post)

    def command(self, user: str, channel: str, text: str) -> None:
        """Somebody asks so that they alone see the answer."""
        place = self._place(channel)
        self._accept(IncomingEvent("command", f"command:{next(self._presses)}", place, user, text))

    def press(self, user: str, post: Post, action: str) -> None:
        """Somebody presses a button."""
        value, press = dict(post.buttons)[action], str(next(self._presses))
        place = self._place(post.channel, thread="" if post.only_for else post.thread or post.id)
        pressed = IncomingEvent("question", "", place, user)
        accepted: Mapping[str, Callable[[], IncomingEvent]] = {
            "share": lambda: share_event(pressed, value),
            "person": lambda: person_event(pressed, value, press=press),
            "accept": lambda: accept_event(pressed, value, press=press),
            "send": lambda: send_event(pressed, value, press=press),
        }
        self._accept(accepted[action]())

    def stop_work(self, user: str, post: Post) -> None:
        """Somebody stops what the bot is doing in the thread of a message."""
        place = self._place(post.channel, thread=post.thread or post.id)
        self._accept(stop_event(IncomingEvent("question", "", place, user), press=str(next(self._presses))))

    def vote(
        self, user: str, answer: str, vote: Choice, *, reason: Reason = "", comment: str = "", better: str = ""
    ) -> None:
        """Somebody presses a thumb, takes their vote back, or sends the form."""
        key = str(next(self._presses))
        self._votes.record(user, answer, vote, key=key, reason=reason, comment=comment, correction=better)

    def move(self, user: str, channel: str, *, joins: bool) -> None:
        """Somebody comes into a channel, or goes out of it."""
        room = self._chat.rooms[channel]
        members = room.members | {user} if joins else room.members - {user}
        self._chat.rooms[channel] = replace(room, members=members)
        self._connection.directory.member_changed(channel, user, joined=joins, at=datetime.now(UTC))

    def change(self, user: str, *, guest: bool) -> None:
        """Somebody is made a guest, or a member."""
        person = replace(self._chat.people[user], guest=guest)
        self._chat.people = {**self._chat.people, user: person}
        self._connection.directory.records.people.note(person, at=datetime.now(UTC))

    def _tell_of_message(self, kind: Any, post: Post, *, mention: bool = False, files: tuple[str, ...] = ()) -> None:
        assert self._acceptor
        place = self._place(post.channel, thread=post.thread, message=post.id)
        edited = f"{len(post.versions):06}"
        event = message_event(kind, place, post.user, post.text, edited=edited)
        self._acceptor.accept_message(replace(event, mentions_bot=mention, files=files))

    def _accept(self, event: IncomingEvent) -> None:
        assert self._acceptor
        self._acceptor.accept(event)

    def _place(self, channel: str, *, thread: str = "", message: str = "") -> Place:
        return Place(NAME, WORKSPACE, channel, thread, message, self._chat.rooms[channel].kind)
