"""Of all that Slack tells, what is a question to us."""

from typing import Any

import pytest

from bot.channels.events import IncomingEvent, from_json
from bot.channels.slack.events import parse_message, parse_shortcut, words

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


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("why is it so", "*why* is it so"),
        ("why “is” it", 'why "is" it'),
        ("why  is it", "why is\nit"),
        ("see <https://a.example>", "see <https://a.example|here>"),
        ("see <https://a.example|this>", "see <https://a.example|that>"),
    ],
)
def test_formatting_and_labels_of_links_are_no_edit(before, after):
    assert edited(before, after) is None


def test_an_edit_is_told_as_a_mention_and_as_a_change_and_is_one_event():
    text = f"<@{BOT}> How?"
    change = edited("How?", text)
    mention = parsed(text=text, type="app_mention", channel_type=None, edited={"ts": "19.0"}, event_ts="19.7")
    assert change
    assert mention
    assert change.id == mention.id == "T1:C1:17.5:edit:19.0"
    assert (change.version, change.content) == (mention.version, mention.content)
    assert change.mentions_bot


def test_a_change_that_does_not_tell_what_stood_there_is_an_edit():
    message = {"user": "U1", "ts": "17.5", "text": "How?", "edited": {"ts": "19.0"}}
    found = parsed(subtype="message_changed", message=message, ts="19.1", event_ts="19.1", text=None)
    assert found
    assert (found.kind, found.version) == ("edit", "19.0")


def test_a_deletion_without_its_message_is_of_its_ts():
    found = parsed(subtype="message_deleted", deleted_ts="17.5", user=None, text=None, ts="20.0")
    assert found
    assert (found.kind, found.place.message, found.user) == ("delete", "17.5", "")
    ours = {"user": BOT, "ts": "17.5", "text": "An answer", "bot_id": BOT_ID}
    assert parsed(subtype="message_deleted", deleted_ts="17.5", previous_message=ours) is None


@pytest.mark.parametrize("more", [{}, {"previous_message": {"user": "U1", "ts": "17.5", "text": "Why?"}}])
def test_a_tombstone_is_a_deletion(more):
    stone = {"subtype": "tombstone", "user": "USLACKBOT", "ts": "17.5", "thread_ts": "17.5", "text": "Deleted."}
    found = parsed(subtype="message_changed", message=stone, ts="20.0", text=None, user=None, **more)
    assert found
    assert (found.kind, found.place.message, found.place.thread) == ("delete", "17.5", "")


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


def test_mentions_without_a_label_get_a_name_where_one_is_known():
    names = {"U7": "ada", "C2": "hr"}
    text = "ask <@U7> or <@U8> in <#C2>"
    assert words(text, bot=BOT, name_of=lambda id_: names.get(id_, "")) == "ask @ada or @U8 in #hr"
    assert words(text, bot=BOT) == "ask @U7 or @U8 in #C2"


def chosen(**message: Any) -> IncomingEvent | None:
    said = {"type": "message", "user": "U2", "ts": "17.5", "text": f"<@{BOT}> Why &amp; how?"} | message
    body = {"type": "message_action", "team": {"id": "T1"}, "user": {"id": "U1"}, "channel": {"id": "C1"}}
    return parse_shortcut(body | {"message": said, "action_ts": "20.1", "response_url": "https://h.example"}, bot=BOT)


def test_a_message_that_somebody_chose_is_asked_for_them_in_its_author_s_words():
    found = chosen()
    assert found
    assert (found.kind, found.user, found.author, found.text) == ("command", "U1", "U2", "Why & how?")
    assert (found.place.channel, found.place.thread, found.reply_handle) == ("C1", "17.5", "https://h.example")
    in_thread = chosen(thread_ts="17.0")
    assert in_thread
    assert in_thread.place.thread == "17.0"


@pytest.mark.parametrize(
    "message", [{"bot_id": "B2"}, {"user": BOT}, {"text": ""}, {"text": f"<@{BOT}>"}, {"user": None}]
)
def test_what_no_person_wrote_is_not_asked_for_anybody(message):
    assert chosen(**message) is None


def test_what_is_kept_comes_back_equal():
    found = parsed(text="Why “so”? \U0001f44d")
    assert found
    assert from_json(found.to_json(), platform="slack") == found
