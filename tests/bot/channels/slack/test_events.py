"""Of all that Slack tells, what is a question to us."""

from typing import Any

import pytest

from bot.channels.events import IncomingEvent, from_json
from bot.channels.slack.events import parse_message

BOT, BOT_ID = "UBOT", "BBOT"


def event(**changes: Any) -> dict[str, Any]:
    said = {"type": "message", "channel": "C1", "channel_type": "channel", "user": "U1", "ts": "17.5", "text": "Why?"}
    return {"team_id": "T1", "event_id": "Ev1", "event": said | changes}


def parsed(**changes: Any) -> IncomingEvent | None:
    return parse_message(event(**changes), bot=BOT, bot_id=BOT_ID)


def test_a_mention_is_told_twice_and_is_one_event():
    text = f"<@{BOT}> Why?"
    as_message, as_mention = parsed(text=text), parsed(text=text, type="app_mention", channel_type=None)
    assert as_message
    assert as_mention
    assert as_message.id == as_mention.id == "T1:C1:17.5"
    assert (as_message.mentions_bot, as_mention.mentions_bot) == (True, True)
    assert as_message.text == as_mention.text == "Why?"


@pytest.mark.parametrize(
    "changes",
    [
        {"bot_id": "B2"},
        {"bot_profile": {"id": "B2"}},
        {"user": BOT},
        {"user": "USLACKBOT"},
        {"user": None},
        {"subtype": "bot_message"},
        {"subtype": "channel_join"},
        {"subtype": "channel_topic"},
        {"type": "reaction_added"},
        {"ts": None},
        {"channel": None},
    ],
)
def test_what_no_person_wrote_is_no_question(changes):
    assert parsed(**changes) is None


def test_a_thread_has_the_conversation_of_its_root():
    root, follow_up = parsed(), parsed(ts="18.0", thread_ts="17.5")
    assert root
    assert follow_up
    assert root.conversation == follow_up.conversation == "slack:T1:C1:17.5"


def edited(before: str, after: str, **changes: Any) -> IncomingEvent | None:
    message = {"user": "U1", "ts": "17.5", "text": after, "edited": {"ts": "19.0"}} | changes
    previous = {"user": "U1", "ts": "17.5", "text": before}
    return parsed(
        subtype="message_changed", message=message, previous_message=previous, ts="19.1", event_ts="19.1", text=None
    )


def test_an_edit_is_of_the_message_and_an_unfurled_link_is_none():
    found = edited("Why?", "How?")
    assert found
    assert (found.kind, found.place.message, found.text, found.id) == ("edit", "17.5", "How?", "T1:C1:17.5:edit:19.0")
    assert edited("Why?", "Why?") is None
    assert edited("Why?", "How?", bot_id="B1") is None


def test_a_deleted_question_is_told_by_its_ts():
    previous = {"user": "U1", "ts": "17.5", "text": "Why?", "thread_ts": "17.0"}
    found = parsed(subtype="message_deleted", deleted_ts="17.5", previous_message=previous, ts="20.0")
    assert found
    assert (found.kind, found.place.message, found.place.root) == ("delete", "17.5", "17.0")


def test_marks_become_words():
    text = f"<@{BOT}> ask <@U7|ada> in <#C2|hr> about <https://a.example|this> &lt;b&gt; <!here> &amp;  more"
    found = parsed(text=text)
    assert found
    assert found.text == "ask @ada in #hr about this <b> @here & more"


def test_what_is_kept_comes_back_equal():
    found = parsed(text="Why “so”? \U0001f44d")
    assert found
    assert from_json(found.to_json(), platform="slack") == found
