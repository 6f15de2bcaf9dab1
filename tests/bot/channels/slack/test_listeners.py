"""What Slack alone has: its pages, modals, reactions and shares; and delivery when a call gets lost."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.channels.presentation import NOT_SHARED, QUOTES_COMING, QUOTES_NOT_SHOWN
from bot.config.settings import Settings
from tests.bot.channels.slack.harness import SlackStage
from tests.bot.channels.slack.test_conversations import staged, without_status
from tests.conversations.conversations import DOORS, LEAVE_SAID, NOT_FOUND, UNKNOWN, only
from tests.scripted_app import QUESTION
from tests.servers.slack.workspace import Channel, Message, OpenView, Person


@pytest.fixture
def stage(tmp_path):
    with staged(tmp_path) as opened:
        yield opened


def answered(stage: SlackStage, **how):
    """A question with its answer as a message of the bot."""
    asked = stage.asks(QUESTION, **how)
    only(asked.seen())
    return asked, asked.messages(asked.person)[-1]


def notes(stage: SlackStage, who: str, where: str = "general") -> list[str]:
    """What one person alone was told."""
    stage.settle()
    person = stage.people[who]
    return [each.shown for each in stage.slack.workspace.visible(stage.channels[where], to=person) if each.only_for]


def filled(person: Person) -> OpenView | None:
    """The modal that stands open, once more than that it comes stands in it."""
    modal = person.modal
    return None if modal is None or QUOTES_COMING in modal.shown else modal


def test_the_quoted_text_is_one_click_away(stage):
    asked, answer = answered(stage)
    asked.person.clicks(answer, "Quoted text")
    modal = stage.slack.workspace.wait(lambda: filled(asked.person), "the quotes")
    assert LEAVE_SAID in modal.shown
    assert "Carry-over" in modal.shown


def test_what_was_answered_before_a_guest_came_is_neither_quoted_nor_shared(stage):
    asked, answer = answered(stage)
    private = stage.asks(QUESTION, way="command")
    only(private.seen())
    shown = private.answer()
    stage.channels["general"].members.append(stage.people["Gil"].id)  # and no event tells of it
    asked.person.clicks(answer, "Quoted text")
    modal = stage.slack.workspace.wait(lambda: filled(asked.person), "a line")
    assert QUOTES_NOT_SHOWN in modal.shown
    assert LEAVE_SAID not in modal.shown
    before = len(stage.slack.workspace.visible(stage.channels["general"]))
    private.person.clicks(shown, "Share here")
    assert NOT_SHARED in notes(stage, "Ada")
    assert len(stage.slack.workspace.visible(stage.channels["general"])) == before


def test_a_click_is_confirmed_to_whoever_clicked_alone(stage):
    asked, _ = answered(stage)
    asked.votes("up", by="Bob")
    stage.slack.workspace.wait(lambda: notes(stage, "Bob"), "a note")
    assert "counts" in notes(stage, "Bob")[0]
    assert notes(stage, "Ada") == []
    person, place = stage.people["Bob"], stage.channels["general"]
    (note,) = [each for each in stage.slack.workspace.visible(place, to=person) if each.only_for]
    person.clicks(note, "Take it back")
    stage.slack.workspace.wait(lambda: len(notes(stage, "Bob")) == 2, "another note")
    assert stage.counted() == []


def test_reactions_count_change_and_are_taken_back(stage):
    _, answer = answered(stage)
    ada, bob = stage.people["Ada"], stage.people["Bob"]
    ada.reacts(answer, "+1")
    bob.reacts(answer, "thumbsdown::skin-tone-3")
    ada.reacts(answer, "eyes")
    assert sorted(vote.vote for vote in stage.counted()) == ["down", "up"]
    bob.unreacts(answer, "thumbsdown::skin-tone-3")
    assert [vote.vote for vote in stage.counted()] == ["up"]
    ada.reacts(answer, "-1")
    assert [vote.vote for vote in stage.counted()] == ["down"]
    ada.unreacts(answer, "+1")  # it counted no more
    assert [vote.vote for vote in stage.counted()] == ["down"]


def test_a_vote_that_cannot_be_kept_is_refused_visibly(stage):
    asked, answer = answered(stage)
    with stage.down("store"):
        asked.person.clicks(answer, "footnote_vote", "positive")
        stage.slack.workspace.wait(lambda: notes(stage, "Ada"), "a note")
    assert "could not be kept" in notes(stage, "Ada")[-1]
    assert stage.counted() == []


def test_what_was_said_in_the_form_stays_in_it_when_it_cannot_be_kept(stage):
    asked, answer = answered(stage)
    asked.person.clicks(answer, "footnote_vote", "negative")
    modal = stage.slack.workspace.wait(lambda: asked.person.modal, "the form")
    with stage.down("store"):
        acked = asked.person.submits(modal, comment="It is six days now")
    assert acked.body
    assert acked.body["response_action"] == "errors"
    assert asked.person.modal is modal


def test_the_page_tells_what_i_may_read_my_votes_and_erases_them(stage):
    asked, _ = answered(stage)
    asked.votes("up")
    ada, workspace = stage.people["Ada"], stage.slack.workspace
    ada.opens("home")
    home = workspace.wait(lambda: ada.home and QUESTION in ada.home.shown and ada.home, "the page")
    assert "docs" in home.shown
    assert "365 days" in home.shown
    ada.clicks(home, "Erase mine")
    workspace.wait(lambda: any("answers: 1" in each.shown for each in workspace.visible(ada.direct)), "word of it")
    assert stage.exchanges() == []
    assert stage.counted() == []
    ada.opens("home")
    workspace.wait(lambda: ada.home and QUESTION not in ada.home.shown, "the page without it")


def test_what_a_colleague_asked_is_not_on_my_page(stage):
    asked, _ = answered(stage)
    asked.votes("up", by="Bob")
    bob = stage.people["Bob"]
    bob.opens("home")
    home = stage.slack.workspace.wait(lambda: bob.home and "👍" in bob.home.shown and bob.home, "the page")
    assert QUESTION not in home.shown


def test_prompts_are_of_what_somebody_may_read(stage):
    for who, hidden in (("Ada", "Pay"), ("Gil", "Leave")):
        person = stage.people[who]
        person.opens("messages")
        prompts = stage.slack.workspace.wait(lambda who=who: stage.people[who].prompts, "prompts")
        titles = [each["title"] for each in prompts]
        assert "Doors" in titles
        assert hidden not in titles


def test_a_guest_in_a_channel_makes_it_public(stage):
    everybody = [stage.people[name] for name in ("Ada", "Bob", "Gil")]
    stage.channels["mixed"] = stage.slack.workspace.channel("mixed", *everybody)
    assert NOT_FOUND in only(stage.asks(QUESTION, where="mixed").seen()).text
    assert "open at eight" in only(stage.asks(DOORS, where="mixed").seen()).text


def test_a_person_of_another_company_is_streamed_to_in_their_own_workspace(stage):
    partners = stage.channels["partners"]
    pat = next(each for each in stage.slack.workspace.people.values() if each.name == "Pat")
    stage.people["Pat"] = pat
    assert "open at eight" in only(stage.asks(DOORS, who="Pat", where="partners").seen()).text
    (started,) = [arguments for method, arguments in stage.slack.calls if method == "chat.startStream"]
    assert (started["recipient_team_id"], started["recipient_user_id"]) == (pat.team, pat.id)
    assert partners.shared


def test_the_command_says_at_once_that_it_was_heard(stage):
    asked = stage.asks(QUESTION, way="command")
    assert asked.acked
    assert asked.acked.body
    assert "Looking" in asked.acked.body["text"]
    only(asked.seen())


def test_what_is_shared_twice_stands_there_once(stage):
    asked = stage.asks(QUESTION, way="command")
    only(asked.seen())
    private = asked.answer()
    for _ in range(2):
        asked.person.clicks(private, "Share here")
        stage.settle()
    assert len(stage.slack.workspace.visible(asked.channel)) == 1
    stage.slack.workspace.wait(lambda: any("shared already" in each for each in notes(stage, "Ada")), "a note")


def test_a_shared_answer_can_be_voted_on_and_asked_about(stage):
    asked = stage.asks(QUESTION, way="command")
    only(asked.seen())
    (shared,) = asked.shares()
    assert QUESTION in shared.text
    assert "share" not in shared.can
    assert {"up", "down"} <= shared.can


def test_a_channel_without_buttons_has_none_and_a_reaction_counts(tmp_path):
    entry = {"groups": ["everyone"], "buttons": False}
    with staged(
        tmp_path, adjusted=lambda _, channels: {"channels": {f"slack:{channels['random'].id}": entry}}
    ) as stage:
        _, answer = answered(stage, where="random")
        assert "up" not in {each.label for each in answer.buttons}
        stage.people["Ada"].reacts(answer, "+1")
        assert [vote.vote for vote in stage.counted()] == ["up"]


@pytest.mark.parametrize(
    "method", ["chat.postMessage", "chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update"]
)
def test_a_call_whose_answer_is_lost_is_not_made_twice(tmp_path, method):
    """Slack did it, and the word of it got lost."""
    with staged(tmp_path) as stage:
        if method in {"chat.postMessage", "chat.update"}:
            without_status(stage.slack)
            stage.slack.troubled("chat.startStream", error="unknown_method", times=99)
        stage.slack.troubled(method, status=500, error="internal_error", after=True)
        answer = only(stage.asks(QUESTION).seen())
        assert answer.text.count(LEAVE_SAID) == 1
        assert {"up", "down"} <= answer.can


def test_an_auto_answered_channel_has_so_many_an_hour(tmp_path):
    entry = {"groups": ["everyone"], "auto_answer": True, "per_hour": 2}
    with staged(tmp_path, adjusted=lambda _, channels: {"channels": {f"slack:{channels['help'].id}": entry}}) as stage:
        asked = [stage.asks(QUESTION, way="channel") for _ in range(4)]
        assert sum(len(each.seen()) for each in asked) == 2


def test_in_a_thread_of_others_only_real_questions_are_answered(stage):
    asked, _ = answered(stage)
    bob = stage.people["Bob"]
    assert asked.asked
    bob.writes("I see, that is new to me", asked.channel, thread=asked.asked)
    assert len(asked.seen()) == 1
    bob.writes("And what about part-time staff?", asked.channel, thread=asked.asked)
    assert len(asked.seen()) == 2


def test_a_reply_that_is_accepted_is_the_correction(stage):
    asked, _ = answered(stage)
    asked.asks_a_person()
    stage.expert_answers("Six days, from next year on.")
    experts = stage.channels["experts"]
    offered = [each for each in stage.slack.workspace.visible(experts) if each.thread and each.buttons]
    stage.people["Eve"].clicks(offered[0], "Accept as the right answer")
    stage.settle()
    (judged,) = list(stage.app.feedback.reviewed_exchanges())
    assert [(each.text, each.accepted) for each in judged.corrections] == [("Six days, from next year on.", True)]


def without_owners(given: Settings, _: object) -> dict[str, Any]:
    return {"sources": [source.model_copy(update={"owner_channel": ""}) for source in given.sources]}


def test_where_nobody_owns_the_documents_no_person_can_be_asked(tmp_path):
    with staged(tmp_path, adjusted=without_owners) as stage:
        assert "person" not in only(stage.asks(QUESTION).seen()).can
        assert "person" not in only(stage.asks(QUESTION, way="command").seen()).can
        assert "person" not in only(stage.asks(UNKNOWN).seen()).can


def test_of_documents_without_an_owner_the_default_channel_is_asked(tmp_path):
    def default(given: Settings, channels: Mapping[str, Channel]) -> dict[str, Any]:
        return without_owners(given, channels) | {"owner_channel": f"slack:{channels['experts'].id}"}

    with staged(tmp_path, adjusted=default) as stage:
        asked = stage.asks(QUESTION)
        assert "person" in only(asked.seen()).can
        asked.asks_a_person()
        assert QUESTION in only(stage.expert_is_asked()).text
        stage.expert_answers("Six days, from next year on.")
        assert any("Six days" in each.text for each in asked.seen())


def test_what_a_command_answered_alone_is_passed_on_and_signed_in_the_direct_message(stage):
    asked = stage.asks(QUESTION, way="command")
    only(asked.seen())
    asked.asks_a_person()
    ada, workspace = stage.people["Ada"], stage.slack.workspace
    (sign,) = workspace.visible(ada.direct)
    assert "passed this question on" in sign.shown
    assert "I will write their reply to you" in notes(stage, "Ada")[-1]
    stage.expert_answers("Six days, from next year on.")
    first, reply = workspace.visible(ada.direct)
    assert "Answered by" in first.shown
    assert "Six days" in reply.shown
    assert all(not each.thread and "Six" not in each.shown for each in workspace.visible(asked.channel, to=ada))


def test_a_deletion_that_does_not_say_of_what_thread_withdraws_the_reply(stage):
    """As in Slack's reference example of `message_deleted`, which has no `previous_message`."""
    asked, _ = answered(stage)
    asked.asks_a_person()
    stage.expert_answers("Six days, from next year on.")
    experts = stage.channels["experts"]
    (said,) = [each for each in experts.messages if not each.by_bot]
    deleted = {"type": "message", "subtype": "message_deleted", "hidden": True, "deleted_ts": said.ts}
    deleted |= {"channel": experts.id, "ts": stage.slack.workspace.next_ts(), "channel_type": "channel"}
    stage.slack.workspace.emit(deleted | {"event_ts": deleted["ts"]}, channel=experts)
    assert all("Six days" not in each.text for each in asked.seen())


def test_what_is_accepted_is_what_was_read(stage):
    """Eve presses the button that she saw; Slack brings the press before the edit."""
    asked, _ = answered(stage)
    asked.asks_a_person()
    stage.expert_answers("Six days, from next year on.")
    experts, workspace = stage.channels["experts"], stage.slack.workspace
    (said,) = [each for each in experts.messages if not each.by_bot]
    (note,) = [each for each in workspace.visible(experts) if each.buttons]
    with workspace.changing():
        said.text = "Seven days, from next year on."
    stage.people["Eve"].clicks(note, "Accept as the right answer")
    stage.settle()
    assert stage.corrections() == []
    assert "was changed after you read it" in notes(stage, "Eve", "experts")[-1]
    assert any("Seven days" in each.text for each in asked.seen())
    stage.expert_accepts()
    assert [each.text for each in stage.corrections()] == ["Seven days, from next year on."]


def test_files_without_words_are_not_sent_and_that_is_said(stage):
    asked, _ = answered(stage)
    asked.asks_a_person()
    stage.expert_answers("", files=["leave.pdf"])
    assert [each.text.splitlines()[0] for each in stage.experts_are_told()] == ["Not sent to whoever asked."]
    stage.expert_sends()
    assert any("leave.pdf" in each.text for each in asked.seen())


def test_who_is_not_known_and_what_is_private_has_no_name(stage):
    asked, _ = answered(stage)
    asked.asks_a_person()
    (request,) = [each for each in stage.slack.workspace.visible(stage.channels["experts"]) if not each.thread]
    text = "Six days: <@U0GONE>, <#C0GONE>, <!subteam^S0GONE>, <https://intranet.example/a?b=1&amp;c=2|the form>"
    text += f", <#{stage.channels['cellar'].id}>"
    eve, workspace = stage.people["Eve"], stage.slack.workspace
    workspace.take(Message(request.channel, workspace.next_ts(), eve.id, text, request.ts))
    (reply,) = [each for each in asked.seen() if "Six days" in each.text]
    shown = "Six days: @somebody, #a channel, @a group, the form (https://intranet.example/a?b=1&c=2), #a channel"
    assert shown in reply.text
    assert reply.calls == ()
    assert all(label == url for label, url in reply.links if "intranet" in url)
    assert "cellar" not in reply.text
