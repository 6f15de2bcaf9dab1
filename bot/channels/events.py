"""The values that a chat platform delivers: an event that asks for something, and its place (pure)."""

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote, unquote

ExpertKind = Literal["expert", "expert_edit", "expert_delete", "send", "accept", "remind"]
Kind = Literal["question", "edit", "delete", "command", "share", "erase", "person", "stop"] | ExpertKind
PlaceKind = Literal["", "channel", "private", "direct", "group"]

# How accepted events are written: these names and words stand in state stores and must stay readable.
_KEYS = {
    "kind": "kind",
    "id": "id",
    "user": "user",
    "text": "text",
    "mentions_bot": "called",
    "mentions_other": "others",
    "reply_handle": "response_url",
    "value": "value",
    "organization": "enterprise",
    "user_workspace": "home",
    "origin_workspace": "origin",
    "auto_answered": "unasked",
    "files": "files",
    "unaddressed": "unaddressed",
    "author": "author",
    "version": "version",
    "content": "content",
}
_PLACE_KEYS = {"workspace": "team", "channel": "channel", "message": "ts", "thread": "thread"}
_PLACE_KINDS: dict[PlaceKind, str] = {"": "", "channel": "channel", "private": "group", "direct": "im", "group": "mpim"}


# What makes no other text of one: signs around words, quotation marks and apostrophes of every form.
_MARKS = re.compile(r"(?<![^\W_])[*_~`\"'>•◦▪]|[*_~`\"'>•◦▪-](?![^\W_])")
_ALIKE = str.maketrans(
    {**dict.fromkeys("“”„‟«»″", '"'), **dict.fromkeys("‘’‚‛‹›′´", "'"), "\u200b": None, "\u2060": None}
)


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, a thread or a message of a platform, by the platform's own ids; what is not meant is empty.

    `workspace` is what the app was installed for, a whole organisation maybe: what is remembered stands under it, so it
    is the same in whatever payload a message is named.
    `thread` is the message that began the thread which `message` was written in, empty for one that begins a thread
    itself. `kind` is empty where the platform does not say.
    """

    platform: str
    workspace: str
    channel: str
    thread: str = ""
    message: str = ""
    kind: PlaceKind = ""

    @property
    def root(self) -> str:
        """The thread that an answer belongs to: the message itself where it begins one."""
        return self.thread or self.message

    @property
    def is_direct(self) -> bool:
        """Whether the bot is alone with one person."""
        return self.kind == "direct"

    @property
    def channel_name(self) -> str:
        """The channel as the settings name it."""
        return f"{self.platform}:{self.channel}"

    @property
    def thread_name(self) -> str:
        """The thread in one text, which `parse_thread_name` reads."""
        ids = (self.workspace, self.channel, self.root)
        return ":".join([self.platform, *(quote(each, safe="@/+=, ") for each in ids)])

    @property
    def message_key(self) -> str:
        """The message as keys of the state store and names of events have it."""
        return f"{self.workspace}:{self.channel}:{self.message}"

    @property
    def thread_key(self) -> str:
        """The thread as keys of the state store have it; its events are handled one after the other."""
        return f"{self.workspace}:{self.channel}:{self.root}"

    def in_channel(self) -> "Place":
        """The channel that this lies in."""
        return replace(self, thread="", message="")

    def with_message(self, message: str, *, thread: str = "") -> "Place":
        """A message of the same channel, in a thread that another began."""
        return replace(self, thread=thread if thread != message else "", message=message)

    def in_thread(self, root: str) -> "Place":
        """A thread of the same channel."""
        return replace(self, thread=root, message="")


def parse_thread_name(name: str) -> Place:
    """Return the place that has this `thread_name`; raises `ValueError` for any other text."""
    platform, workspace, channel, thread = name.split(":")
    return Place(platform, unquote(workspace), unquote(channel), unquote(thread))


@dataclass(frozen=True, slots=True)
class IncomingEvent:
    """A message, a command or a pressed button that the bot may have to do something about.

    `id` is unique within the platform, and the same however often and in whatever form the event is delivered. `text`
    has mentions of people and channels as words. The answer to `reply_handle`, where a platform gives one, is seen by
    the user alone. `value` is what a button carries. `version` names an edit of a message, empty as it was first
    written; later ones sort after earlier ones. `content` is the `content_hash` of the text with its marks.
    """

    kind: Kind
    id: str
    place: Place
    user: str = ""  # empty where nobody did it, or the platform does not say who
    text: str = ""
    mentions_bot: bool = False
    mentions_other: bool = False  # begins with the name of somebody else
    auto_answered: bool = False  # taken for a question because the channel is set to be answered
    unaddressed: bool = False  # written neither to the bot alone nor with its name
    value: str = ""
    reply_handle: str = ""
    organization: str = ""  # of which the workspace is a part; it may be the place's workspace itself
    origin_workspace: str = ""  # in which it happened, where the place's workspace is a whole organisation
    user_workspace: str = ""  # differs from the place's in a channel that companies share
    files: tuple[str, ...] = ()  # names of what came with it, which nobody reads
    author: str = ""  # who wrote the text, where that is not the user
    version: str = ""
    content: str = ""

    @property
    def person(self) -> str:
        """The user as settings and records name them."""
        return f"{self.place.platform}:{self.user}"

    @property
    def author_person(self) -> str:
        """Whose words the text is, as settings and records name them."""
        return f"{self.place.platform}:{self.author or self.user}"

    @property
    def conversation(self) -> str:
        """The name under which the answer is remembered: that of its thread.

        What one person alone is answered about somebody's message has a name of its own: nobody else has read it.
        """
        return self.id if self.author else self.place.thread_name

    def to_json(self) -> str:
        """Return the event as it is kept until it is handled; the platform is kept beside it."""
        row = {key: getattr(self, name) for name, key in _KEYS.items()}
        row |= {key: getattr(self.place, name) for name, key in _PLACE_KEYS.items()}
        row["place"] = _PLACE_KINDS[self.place.kind]
        return json.dumps({key: value for key, value in row.items() if value}, ensure_ascii=False)


def from_json(text: str, *, platform: str) -> IncomingEvent:
    """Return the event that `to_json` has written, by this version or an earlier one."""
    row: dict[str, Any] = json.loads(text)
    kinds = {word: kind for kind, word in _PLACE_KINDS.items()}
    ids = {name: row.get(key, "") for name, key in _PLACE_KEYS.items()}
    place = Place(platform, kind=kinds.get(row.get("place", ""), ""), **ids)
    values = {name: row[key] for name, key in _KEYS.items() if key in row}
    return IncomingEvent(place=place, **values | {"files": tuple(values.get("files", ()))})


def message_event(kind: Kind, place: Place, user: str, text: str = "", *, edited: str = "") -> IncomingEvent:
    """Return the event of a message that was written, edited (`edited` names the version) or deleted."""
    suffix = {"edit": f":edit:{edited}", "delete": ":delete"}.get(kind, "")
    version = edited if kind == "edit" else ""
    return IncomingEvent(
        kind, place.message_key + suffix, place, user, text, version=version, content=content_hash(text)
    )


def content_hash(text: str) -> str:
    """Return the same digits for two texts that differ in formatting alone; empty for a text without a word.

    Formatting is marks of bold, italics, code, quotes and lists around words, the form of quotation marks, and spaces.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_ALIKE)
    words = " ".join(_MARKS.sub("", plain).split())
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:32] if words else ""


def edited_into_question(event: IncomingEvent) -> IncomingEvent:
    """Return an edited message as a question under the id of the message itself."""
    return replace(event, kind="question", id=message_event("question", event.place, event.user).id)


def question_into_edit(event: IncomingEvent) -> IncomingEvent:
    """Return a question that an edit has made as that edit, under an id of its own."""
    edit = message_event("edit", event.place, event.user, edited=event.version)
    return replace(event, kind="edit", id=edit.id)


def about_event(
    pressed: IncomingEvent, text: str, *, message: str, author: str, content: str, press: str
) -> IncomingEvent:
    """Return the wish of whoever `pressed` to have a message answered, for them alone; its author wrote the text."""
    place = pressed.place
    name, place = f"about:{place.workspace}:{place.channel}:{message}:{press}", replace(place, message=message)
    return replace(pressed, kind="command", id=name, place=place, text=text, author=author, content=content)


def share_event(pressed: IncomingEvent, answer: str) -> IncomingEvent:
    """Return the wish to show a private answer to the whole channel; the same each time it is pressed."""
    place = pressed.place.in_channel()
    return replace(
        pressed, kind="share", id=f"share:{place.workspace}:{place.channel}:{answer}", place=place, value=answer
    )


def person_event(pressed: IncomingEvent, answer: str, *, press: str) -> IncomingEvent:
    """Return the wish for a person's answer; `press` tells one press of the button from the next."""
    return replace(pressed, kind="person", id=f"person:{pressed.place.workspace}:{answer}:{press}", value=answer)


def accept_event(pressed: IncomingEvent, reply: str, *, press: str) -> IncomingEvent:
    """Return that an expert's reply (`MESSAGE:VERSION`) in the pressed one's thread is accepted as the right answer."""
    name = f"accept:{pressed.place.workspace}:{pressed.place.channel}:{reply}:{press}"
    return replace(pressed, kind="accept", id=name, value=reply)


def stop_event(pressed: IncomingEvent, *, press: str) -> IncomingEvent:
    """Return somebody's wish that the bot stops its work in the pressed one's thread."""
    return replace(pressed, kind="stop", id=f"stop:{pressed.place.thread_key}:{press}")


def send_event(pressed: IncomingEvent, reply: str, *, press: str) -> IncomingEvent:
    """Return the wish to send what an expert wrote, a message of the pressed one's thread, to whoever asked."""
    name = f"send:{pressed.place.workspace}:{pressed.place.channel}:{reply}:{press}"
    return replace(pressed, kind="send", id=name, value=reply)


def reminder_event(pressed: IncomingEvent, thread: Place, answer: str) -> IncomingEvent:
    """Return that the owners who were asked in a thread about an answer, as was pressed, are to be reminded."""
    reminder = IncomingEvent("remind", f"remind:{answer}", thread, value=answer)
    return replace(reminder, organization=pressed.organization, origin_workspace=pressed.origin_workspace)


def erase_event(pressed: IncomingEvent, *, press: str) -> IncomingEvent:
    """Return a person's wish to have everything of theirs erased."""
    place = Place(pressed.place.platform, pressed.place.workspace, pressed.user)
    # Without the person's id, since the names of events outlast them: the press is told by its moment.
    name = f"erase:{place.workspace}:{press}"
    erased = IncomingEvent("erase", name, place, pressed.user)
    return replace(erased, organization=pressed.organization, origin_workspace=pressed.origin_workspace)
