"""Of all that Slack tells, what is a question to us."""

from typing import Any

import pytest

from bot.channels.events import IncomingEvent, from_json
from bot.channels.slack.events import (
    Origin,
    file_names,
    origin_of,
    parse_message,
    parse_pressed,
    parse_shortcut,
    parse_stop,
    words,
)

BOT, BOT_ID = "UBOT", "BBOT"


def event(**changes: Any) -> dict[str, Any]:
    said = {"type": "message", "channel": "C1", "channel_type": "channel", "user": "U1", "ts": "17.5", "text": "Why?"}
    return {"team_id": "T1", "event_id": "Ev1", "event": said | changes}


def parsed(**changes: Any) -> IncomingEvent | None:
    return parse_message(event(**changes), workspace="T1", bot=BOT)


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


WHOLE = {"enterprise_id": "E1", "team_id": None, "user_id": BOT, "is_bot": True, "is_enterprise_install": True}
OF_TEAM = {"enterprise_id": None, "team_id": "T1", "user_id": BOT, "is_bot": True, "is_enterprise_install": False}
PRESSED = {"type": "block_actions", "user": {"id": "U1", "team_id": "T2"}, "actions": [{"type": "button"}]}


@pytest.mark.parametrize(
    ("body", "origin"),
    [
        pytest.param(
            {"team_id": "T9", "authorizations": [OF_TEAM]}, Origin("T1", "T1", "", False), id="shared-channel"
        ),
        pytest.param(
            {"team_id": "T9", "enterprise_id": "E9", "authorizations": [OF_TEAM]},
            Origin("T1", "T1", "", False),
            id="shared-with-an-organisation",
        ),
        pytest.param(
            {"team_id": "T9", "context_team_id": "T1", "context_enterprise_id": "E1", "authorizations": [WHOLE]},
            Origin("", "T1", "E1", True),
            id="organisation",
        ),
        pytest.param({"team_id": "T1", "authorizations": [WHOLE]}, Origin("", "T1", "E1", True), id="no-context"),
        pytest.param({"team_id": "T1", "enterprise_id": "E1"}, Origin("T1", "T1", "E1", False), id="no-authorization"),
        pytest.param(
            {"enterprise_id": "E1", "authorizations": []}, Origin("", "", "E1", False), id="only-organisation"
        ),
        pytest.param(
            {**PRESSED, "team": None, "enterprise": {"id": "E1"}, "is_enterprise_install": True},
            Origin("", "T2", "E1", True),
            id="null-team",
        ),
        pytest.param(
            {**PRESSED, "team": {"id": "T1"}, "enterprise": None}, Origin("T1", "T1", "", False), id="pressed-elsewhere"
        ),
        pytest.param(
            {**PRESSED, "team": {"id": "T2"}, "view": {"app_installed_team_id": "T1", "team_id": "T2"}},
            Origin("T1", "T1", "", False),
            id="form-elsewhere",
        ),
        pytest.param(
            {**PRESSED, "team": None, "is_enterprise_install": True, "view": {"app_installed_team_id": "E1"}},
            Origin("", "T2", "E1", True),
            id="form-of-an-organisation",
        ),
        pytest.param(
            {"team_id": "T1", "enterprise_id": "E1", "is_enterprise_install": "true", "command": "/ask"},
            Origin("T1", "T1", "E1", True),
            id="command",
        ),
        pytest.param({}, Origin("", "", "", False), id="nothing"),
    ],
)
def test_where_a_payload_comes_from_is_found_as_bolt_finds_it(body, origin):
    """Payloads as bolt-python#23, java-slack-sdk#1041 and Bolt's `request/internals.py` show them."""
    assert origin_of(body) == origin


def test_what_is_remembered_stands_under_the_installation_whatever_team_is_named():
    asked = parse_message(event() | {"team_id": "T9", "authorizations": [WHOLE]}, workspace="E1", bot=BOT)
    container = {"channel_id": "C1", "message_ts": "17.6", "thread_ts": "17.5"}
    pressed = parse_pressed({**PRESSED, "team": None, "container": container}, workspace="E1")
    assert asked
    assert asked.conversation == pressed.conversation == "slack:E1:C1:17.5"
    assert (asked.origin_workspace, pressed.origin_workspace) == ("T9", "T2")


@pytest.mark.parametrize(
    ("author", "envelope", "team"),
    [
        ({"user_team": "T9", "team": "T9"}, {}, "T9"),
        ({"user_team": "E9", "team": "T9"}, {}, "T9"),
        ({"user_team": "E9", "team": "E9"}, {"enterprise_id": "E9", "team_id": "T9"}, "T9"),
        ({"user_team": "E1"}, {"context_enterprise_id": "E1", "context_team_id": "T1", "team_id": "T9"}, "T1"),
        ({"user_team": "E9"}, {}, "E9"),
        ({}, {}, ""),
    ],
)
def test_whose_workspace_a_message_is_from(author, envelope, team):
    found = parse_message(event(**author) | envelope, workspace="T1", bot=BOT)
    assert found
    assert found.user_workspace == team


def test_marks_become_words():
    text = f"<@{BOT}> ask <@U7|ada> in <#C2|hr> about <https://a.example|this> &lt;b&gt; <!here> &amp;  more"
    found = parsed(text=text)
    assert found
    assert found.text == "ask @ada in #hr about this <b> @here & more"


def pressed_stop(**changes: Any) -> IncomingEvent | None:
    """As docs.slack.dev/reference/events/agent_session_stopped has it."""
    told = {
        "channel": "C1",
        "event_ts": "1783536983.783769",
        "streaming_message_ts": ["1782234987.693923"],
        "thread_ts": "17.5",
        "type": "agent_session_stopped",
        "user": "U1",
    }
    return parse_stop({"team_id": "T1", "event_id": "Ev1", "event": told | changes}, workspace="T1")


def test_a_stop_is_of_a_thread_whoever_pressed_it_and_one_event_however_often_it_is_told():
    first, again, other = pressed_stop(), pressed_stop(user=None), pressed_stop(channel="C2")
    assert first
    assert again
    assert other
    assert (first.kind, first.place.root, first.user) == ("stop", "17.5", "U1")
    assert again.id == first.id != other.id
    assert from_json(first.to_json(), platform="slack") == first


@pytest.mark.parametrize("missing", ["channel", "thread_ts"])
def test_a_stop_in_no_thread_is_none(missing):
    assert pressed_stop(**{missing: None}) is None


def test_marks_have_the_names_that_are_looked_up_and_links_their_targets():
    names = {"U7": "Ada Byron", "C2": "hr", "subteam^S1": "people", "here": ""}
    text = "<@UBOT> ask <@U7> or <!subteam^S1> in <#C2> about <https://a.example|this>, <https://b.example>, "
    text += "<mailto:a@b.example|a@b.example> <!here> <@U8|bob>"
    shown = "ask @Ada Byron or @people in #hr about this (https://a.example), https://b.example, a@b.example @here @bob"
    assert words(text, bot="UBOT", name_of=names.__getitem__, with_addresses=True) == shown


def test_mentions_without_a_label_get_a_name_where_one_is_known():
    names = {"U7": "ada", "C2": "hr"}
    text = "ask <@U7> or <@U8> in <#C2>"
    assert words(text, bot=BOT, name_of=lambda id_: names.get(id_, "")) == "ask @ada or @U8 in #hr"
    assert words(text, bot=BOT) == "ask @U7 or @U8 in #C2"


def test_a_question_holds_no_ids_of_whom_and_what_it_mentions():
    """Those who are asked about it read it, and it is kept."""
    text = f"<@{BOT}> may <@U7>, <@W8> in <#C2> and <!subteam^S1> carry over? <!here> <@U9|bob>"
    found = parsed(text=text)
    assert found
    assert found.text == "may @somebody, @somebody in #a channel and @a group carry over? @here @bob"
    other = parsed(text=text.replace("U7", "U6"))
    assert other
    assert other.content != found.content


def chosen(**message: Any) -> IncomingEvent | None:
    said = {"type": "message", "user": "U2", "ts": "17.5", "text": f"<@{BOT}> Why &amp; how?"} | message
    body = {"type": "message_action", "team": {"id": "T1"}, "user": {"id": "U1"}, "channel": {"id": "C1"}}
    return parse_shortcut(
        body | {"message": said, "action_ts": "20.1", "response_url": "https://h.example"}, workspace="T1", bot=BOT
    )


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


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ([{"id": "F1", "name": "policy.pdf"}], ("policy.pdf",)),
        ([{"id": "F1", "file_access": "check_file_info"}], ("a file",)),
        ([{"id": "F1", "name": None, "title": "Policy"}, "F2", None], ("Policy",)),
        ("policy.pdf", ()),
        (None, ()),
    ],
)
def test_the_names_of_files_whatever_slack_says_of_them(files, names):
    assert file_names({"files": files}) == names
