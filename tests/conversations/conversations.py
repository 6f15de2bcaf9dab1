"""Conversations that every platform must be able to hold, told by what people ask and what they then see.

A platform's tests bring a `Stage`, and play each scenario on it whose needs the platform meets.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from feedback.records import Correction, Exchange, Vote
from tests.scripted_app import LEAVE, QUESTION

Way = Literal["mention", "private-channel", "direct", "group", "command", "agent", "channel"]
Part = Literal["model", "search", "store"]

DOCUMENTS = {
    "leave.md": LEAVE,
    "managers/pay.md": "---\naudience: managers\n---\n# Pay\n\nThe pay band of a manager begins at 90,000 crowns.\n",
    "doors.md": "---\naudience: public\n---\n# Doors\n\nThe front doors open at eight and close at six.\n",
    "parking.md": (
        "# Parking <!channel> & *more*\n\n## Who <https://evil.example|pays>\n\n"
        "A parking space costs <!here> 40 crowns & <b>more</b> <@U1> at https://evil.example/pay a month.\n"
    ),
}
GROUPS = {"managers": ["mia@example.com"]}

LEAVE_SAID = "Five days of leave may be carried over into the next year."
PAY = "Where does the pay band of a manager begin?"
DOORS = "When do the front doors open?"
DOORS_SAID = "The front doors open at eight"
FOLLOW_UP = "And part-time staff?"
FOLLOW_UP_SAID = "Part-time staff may carry over three days."
PARKING = "What does a parking space cost a month?"
UNKNOWN = "What is the capital of Mongolia?"
NOT_FOUND = "I could not find this in the documents."

# What a question may carry that must never work in what the bot says.
HOSTILE = (
    "<!channel> <@U1> <https://evil.example|your bank> [bank](https://evil.example) `*_~ &lt;!here&gt; parking space"
)


@dataclass(frozen=True)
class Said:
    """What the bot says, as a person sees it: `can` is what may be pressed, `versions` all that ever stood there."""

    text: str
    links: tuple[tuple[str, str], ...] = ()
    calls: tuple[str, ...] = ()
    can: frozenset[str] = frozenset()
    versions: tuple[str, ...] = ()


class Written(Protocol):
    """A message that somebody has written in a thread."""

    def edits(self, text: str, *, calls: bool = False) -> None: ...

    def deletes(self) -> None: ...


class Thread(Protocol):
    """A question with what comes of it, in front of whoever asked it."""

    def seen(self, *, by: str = "") -> list[Said]:
        """All that the bot has said here when it has nothing more to do; `by` is another person's eyes."""
        ...

    def notes(self, *, by: str = "") -> list[Said]:
        """What the bot has told one person alone in this thread."""
        ...

    def asks_on(self, text: str) -> None:
        """The same person goes on in the thread, without calling the bot."""
        ...

    def stops(self) -> None:
        """The same person stops the bot as soon as something of an answer can be read."""
        ...

    def says(self, text: str, *, who: str = "", calls: bool = False) -> Written:
        """Somebody, else the same person, writes in the thread; with the name of the bot where it `calls`."""
        ...

    def edits(self, text: str, *, calls: bool = False) -> None:
        """Write the first message anew; where it `calls`, the name of the bot comes to it."""
        ...

    def deletes(self) -> None: ...

    def asked_about(self, *, by: str) -> "Thread":
        """Somebody wants an answer to the first message that they alone see."""
        ...

    def votes(self, vote: Literal["up", "down", "none"], *, by: str = "") -> None: ...

    def explains(self, *, reason: str, comment: str = "", better: str = "", by: str = "") -> None:
        """Say in the form that a vote down opens what was wrong."""
        ...

    def asks_a_person(self) -> None: ...

    def shares(self) -> list[Said]:
        """Show a private answer to everybody; what they see."""
        ...


class Stage(Protocol):
    """A platform with Ada and Bob (staff), Mia (also a manager), Gil (a guest), Eve (an expert), and the bot.

    Pat is of another company, and in the channel `partners` alone. The bot is in all places but `colleague`, where two
    of them talk to each other.
    """

    def asks(self, text: str, *, who: str = "Ada", way: Way = "mention", where: str = "general") -> Thread: ...

    def chatter(self, text: str, *, who: str = "Ada", where: str = "general") -> Thread:
        """Something that nobody says to the bot."""
        ...

    def uploads(self, text: str, *files: str, who: str = "Ada", where: str = "") -> Thread:
        """Somebody writes to the bot with files of these names: directly, or by its name in a channel."""
        ...

    def meets(self, who: str) -> list[Said]:
        """Somebody opens their messages with the bot; what stands there besides answers."""
        ...

    def invites(self, where: str) -> list[Said]:
        """The bot is invited to a channel; what it has said there to everybody, outside of threads."""
        ...

    def expert_is_asked(self) -> list[Said]:
        """What stands in the channel of those who own the documents."""
        ...

    def experts_are_told(self) -> list[Said]:
        """What the bot says below what experts write, in the thread where they were asked."""
        ...

    def expert_answers(self, text: str, *, who: str = "Eve", files: Sequence[str] = ()) -> None:
        """An expert writes in the thread; `@Bob` and `#random` are chosen from what the platform offers."""
        ...

    def expert_edits(self, text: str) -> None:
        """Whoever wrote last in the thread changes it."""
        ...

    def expert_deletes(self) -> None:
        """Whoever wrote last in the thread deletes it."""
        ...

    def expert_sends(self) -> None:
        """The expert sends what was held back last."""
        ...

    def expert_accepts(self) -> None:
        """The expert says that their own reply is the right answer."""
        ...

    def joins(self, who: str, where: str) -> None:
        """Somebody comes into a channel, and the platform tells of it."""
        ...

    def leaves(self, who: str, where: str) -> None: ...

    def becomes(self, who: str, *, guest: bool) -> None:
        """Somebody is made a guest, or a member again, and the platform tells of it."""
        ...

    def a_working_day_passes(self) -> None: ...

    def corrections(self) -> list[Correction]: ...

    def model_writes(self, text: str) -> None:
        """What the chat model answers from now on; `{leave}` is the number of the section on leave."""
        ...

    def held(self) -> AbstractContextManager[None]:
        """No question is answered while the block runs."""
        ...

    def down(self, part: Part) -> AbstractContextManager[None]:
        """This part does not work while the block runs."""
        ...

    def writing_slowly(self) -> AbstractContextManager[None]:
        """The model takes a break after its first sentence, until the block ends."""
        ...

    def exchanges(self) -> list[Exchange]: ...

    def counted(self) -> list[Vote]:
        """The votes that count, of all answers."""
        ...


Play = Callable[[Stage], None]


@dataclass(frozen=True)
class Scenario:
    """One conversation; `way` is the way to ask that it is about, `with_model` that a model writes the answers."""

    name: str
    play: Play
    way: Way | None = None
    with_model: bool = False


SCENARIOS: list[Scenario] = []


def scenario(*, way: Way | None = None, with_model: bool = False) -> Callable[[Play], Play]:
    def keep(play: Play) -> Play:
        SCENARIOS.append(Scenario(play.__name__.replace("_", "-"), play, way, with_model))
        return play

    return keep


def only(said: list[Said]) -> Said:
    """The one thing that was said."""
    assert len(said) == 1, f"one message was wanted, there are {[each.text for each in said]}"
    return said[0]


def lies(said: Said) -> list[tuple[str, str]]:
    """The links that lead to where a hostile text wants and call it something else."""
    return [(label, url) for label, url in said.links if "evil" in url and label != url]


# Every way to ask


def _is_answered(stage: Stage, way: Way) -> None:
    """The answer, its section as a link or a quote, and how to vote on it."""
    answer = only(stage.asks(QUESTION, way=way).seen())
    assert LEAVE_SAID in answer.text
    assert "[1]" in answer.text
    assert "Carry-over" in answer.text
    assert {"up", "down"} <= answer.can


@scenario(way="mention")
def mentioned_in_a_channel(stage: Stage) -> None:
    _is_answered(stage, "mention")


@scenario(way="private-channel")
def mentioned_in_a_private_channel(stage: Stage) -> None:
    _is_answered(stage, "private-channel")


@scenario(way="direct")
def told_directly(stage: Stage) -> None:
    _is_answered(stage, "direct")


@scenario(way="group")
def told_in_a_group(stage: Stage) -> None:
    _is_answered(stage, "group")


@scenario(way="agent")
def asked_in_the_agent_view(stage: Stage) -> None:
    _is_answered(stage, "agent")


@scenario(way="command")
def asked_with_the_command_and_shared(stage: Stage) -> None:
    asked = stage.asks(QUESTION, way="command")
    assert LEAVE_SAID in only(asked.seen()).text
    assert asked.seen(by="Bob") == []
    shared = asked.shares()
    assert any(LEAVE_SAID in each.text for each in shared)


@scenario(way="channel")
def asked_in_a_channel_that_is_answered_on_its_own(stage: Stage) -> None:
    _is_answered(stage, "channel")


@scenario(way="channel")
def only_questions_are_answered_unasked(stage: Stage) -> None:
    assert stage.chatter("Thanks everybody, see you on Monday.", where="help").seen() == []
    assert stage.chatter("Lunch is here!", where="help").seen() == []


@scenario()
def what_nobody_asked_the_bot_is_left_alone(stage: Stage) -> None:
    assert stage.chatter(QUESTION, where="general").seen() == []


# How a conversation goes on


@scenario()
def a_thread_goes_on_without_calling_the_bot_again(stage: Stage) -> None:
    asked = stage.asks(QUESTION)
    only(asked.seen())
    asked.asks_on(FOLLOW_UP)
    said = asked.seen()
    assert len(said) == 2
    assert FOLLOW_UP_SAID in said[-1].text


@scenario()
def thanks_are_taken(stage: Stage) -> None:
    asked = stage.asks(QUESTION)
    only(asked.seen())
    asked.asks_on("Thank you!")
    said = asked.seen()
    assert len(said) == 2
    assert "[1]" not in said[-1].text
    assert said[-1].can == frozenset()
    assert len(stage.exchanges()) == 1


@scenario()
def an_edited_question_is_answered_anew_in_place(stage: Stage) -> None:
    asked = stage.asks(UNKNOWN)
    assert NOT_FOUND in only(asked.seen()).text
    asked.edits(DOORS)
    assert DOORS_SAID in only(asked.seen()).text


@scenario()
def a_deleted_question_takes_its_answer_away(stage: Stage) -> None:
    asked = stage.asks(QUESTION)
    only(asked.seen())
    asked.deletes()
    assert all(LEAVE_SAID not in each.text for each in asked.seen())


# What cannot be answered


@scenario()
def what_is_not_there_is_said_to_be_not_there(stage: Stage) -> None:
    answer = only(stage.asks(UNKNOWN).seen())
    assert NOT_FOUND in answer.text
    assert "Ulan" not in answer.text
    assert "person" in answer.can


@scenario()
def an_empty_question_gets_a_hint(stage: Stage) -> None:
    answer = only(stage.asks("").seen())
    assert answer.text.strip()
    assert "up" not in answer.can
    assert stage.exchanges() == []


@scenario()
def a_question_of_ten_thousand_characters_is_answered_and_a_longer_one_refused(stage: Stage) -> None:
    longest = (QUESTION + " ") * 500
    assert LEAVE_SAID in only(stage.asks(longest[:9_999]).seen()).text
    refused = only(stage.asks(longest[:10_001], where="random").seen())
    assert "10,001" in refused.text
    assert "10,000" in refused.text


@scenario(with_model=True)
def without_the_model_the_sections_are_quoted(stage: Stage) -> None:
    with stage.down("model"):
        answer = only(stage.asks(QUESTION).seen())
    assert LEAVE_SAID in answer.text
    assert "The model is not available at present" in answer.text


@scenario()
def without_search_one_line_says_so_and_the_next_question_works(stage: Stage) -> None:
    with stage.down("search"):
        answer = only(stage.asks(QUESTION).seen())
    assert "cannot search" in answer.text
    assert "again" in answer.text
    assert "up" not in answer.can
    assert LEAVE_SAID in only(stage.asks(QUESTION, where="random").seen()).text


@scenario()
def without_the_store_the_answer_still_comes(stage: Stage) -> None:
    with stage.down("store"):
        answer = only(stage.asks(QUESTION).seen())
    assert LEAVE_SAID in answer.text


# Who may know what


@scenario()
def what_somebody_may_not_read_is_not_hinted_at(stage: Stage) -> None:
    """A question about what is withheld looks like one about what nobody ever wrote down."""
    asked = only(stage.asks(PAY).seen())
    for said in (asked, *stage.asks(PAY, way="direct").seen()):
        shown = " ".join([said.text, *said.versions, *(f"{label} {url}" for label, url in said.links)])
        assert NOT_FOUND in said.text
        assert "90,000" not in shown
        assert "pay.md" not in shown
        assert "Pay" not in shown.replace(PAY, "")
    unknown = only(stage.asks(UNKNOWN, where="random").seen())
    assert asked.can == unknown.can


@scenario(way="direct")
def whoever_may_read_it_is_answered_in_private_alone(stage: Stage) -> None:
    assert "90,000" in only(stage.asks(PAY, who="Mia", way="direct").seen()).text
    assert NOT_FOUND in only(stage.asks(PAY, who="Mia", way="mention").seen()).text
    assert NOT_FOUND in only(stage.asks(PAY, who="Mia", way="group").seen()).text


@scenario()
def a_channel_with_groups_has_them(stage: Stage) -> None:
    assert "90,000" in only(stage.asks(PAY, where="board").seen()).text


@scenario()
def a_shared_channel_and_a_guest_read_what_is_public(stage: Stage) -> None:
    for said in (stage.asks(QUESTION, where="partners"), stage.asks(QUESTION, who="Gil", way="direct")):
        assert NOT_FOUND in only(said.seen()).text
    assert DOORS_SAID in only(stage.asks(DOORS, where="partners").seen()).text
    assert DOORS_SAID in only(stage.asks(DOORS, who="Gil", way="direct").seen()).text


@scenario(way="command")
def the_command_has_the_groups_of_its_place(stage: Stage) -> None:
    assert NOT_FOUND in only(stage.asks(PAY, who="Mia", way="command").seen()).text
    assert "90,000" in only(stage.asks(PAY, way="command", where="board").seen()).text


# What people think of it


@scenario()
def a_vote_counts_is_changed_and_withdrawn(stage: Stage) -> None:
    asked = stage.asks(QUESTION)
    only(asked.seen())
    asked.votes("up")
    assert [vote.vote for vote in stage.counted()] == ["up"]
    asked.votes("down")
    assert [vote.vote for vote in stage.counted()] == ["down"]
    asked.explains(reason="outdated", comment="It is six days now", better="Six days may be carried over.")
    (vote,) = stage.counted()
    assert (vote.vote, vote.reason, vote.comment) == ("down", "outdated", "It is six days now")
    asked.votes("none")
    assert stage.counted() == []


@scenario()
def two_people_have_a_vote_each_and_nobody_sees_whose(stage: Stage) -> None:
    asked = stage.asks(QUESTION)
    before = only(asked.seen())
    asked.votes("up")
    asked.votes("down", by="Bob")
    assert sorted(vote.vote for vote in stage.counted()) == ["down", "up"]
    assert len({vote.voter for vote in stage.counted()}) == 2
    now = asked.seen()[0]
    assert now.text == before.text


# A person


@scenario()
def an_expert_is_asked_and_the_reply_comes_back(stage: Stage) -> None:
    asked = stage.asks(QUESTION)
    only(asked.seen())
    asked.asks_a_person()
    request = only(stage.expert_is_asked())
    assert QUESTION in request.text
    assert LEAVE_SAID in request.text
    stage.expert_answers("Six days, from next year on.")
    assert any("Six days, from next year on." in each.text for each in asked.seen())
    assert stage.corrections() == []
    stage.expert_accepts()
    assert [(each.text, each.accepted) for each in stage.corrections()] == [("Six days, from next year on.", True)]


# Words that want to be more than words


@scenario()
def what_people_and_documents_write_calls_nobody_and_leads_nowhere(stage: Stage) -> None:
    for text in (f"{HOSTILE} {PARKING}", PARKING):
        answer = only(stage.asks(text, where="random").seen())
        assert "40 crowns" in answer.text
        assert answer.calls == ()
        assert lies(answer) == []


@scenario()
def a_hostile_question_calls_nobody_where_an_expert_is_asked(stage: Stage) -> None:
    asked = stage.asks(f"{HOSTILE} {QUESTION}")
    only(asked.seen())
    asked.asks_a_person()
    request = only(stage.expert_is_asked())
    assert [call for call in request.calls if call.startswith("!") or call == "@U1"] == []
    assert lies(request) == []
