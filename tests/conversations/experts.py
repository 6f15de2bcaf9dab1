"""What becomes of a question that is passed on to the people who own the documents."""

from tests.conversations.conversations import Said, Stage, Thread, lies, only, scenario
from tests.scripted_app import QUESTION

TALK = ("@Bob do you know?", "let me check", "isn't that HR's?", "ok thanks", "Bob, it was five days, no?")
PASSED_ON = "passed this question on to the people who own these documents"
HELD, SENT = "Not sent to whoever asked", "Sent to whoever asked"


def asked_a_person(stage: Stage) -> Thread:
    asked = stage.asks(QUESTION)
    assert "person" in only(asked.seen()).can
    asked.asks_a_person()
    return asked


def holds(said: list[Said], text: str) -> list[Said]:
    return [each for each in said if text in each.text]


@scenario()
def what_experts_say_among_themselves_stays_there_until_it_is_sent(stage: Stage) -> None:
    asked = asked_a_person(stage)
    before = len(asked.seen())
    for text in TALK:
        stage.expert_answers(text)
    assert len(asked.seen()) == before
    notes = stage.experts_are_told()
    assert [HELD in each.text for each in notes] == [True] * len(TALK)
    stage.expert_sends()
    assert len(holds(asked.seen(), TALK[-1])) == 1
    assert [SENT in each.text for each in stage.experts_are_told()] == [False] * (len(TALK) - 1) + [True]
    stage.expert_answers("Seven days, that is.", who="Bob")
    assert holds(asked.seen(), "Seven") == []


@scenario()
def what_an_expert_changes_or_takes_back_changes_for_whoever_asked(stage: Stage) -> None:
    asked = asked_a_person(stage)
    stage.expert_answers("Six days, from next year on.")
    (sent,) = holds(asked.seen(), "Six days")
    count = len(asked.seen())
    stage.expert_edits("Seven days, from next year on.")
    assert len(asked.seen()) == count
    (changed,) = holds(asked.seen(), "Seven days")
    assert changed.versions[: len(sent.versions)] == sent.versions
    assert holds(asked.seen(), "Six days") == []
    stage.expert_accepts()
    assert [each.text for each in stage.corrections()] == ["Seven days, from next year on."]
    stage.expert_deletes()
    assert len(asked.seen()) == count
    assert holds(asked.seen(), "Seven days") == []
    assert holds(asked.seen(), "withdrawn")
    assert all("Accept as the right answer" not in each.can for each in stage.experts_are_told())


@scenario()
def talk_that_is_changed_into_an_answer_is_still_not_sent(stage: Stage) -> None:
    asked = asked_a_person(stage)
    stage.expert_answers("let me check")
    stage.expert_edits("Six days, from next year on.")
    assert holds(asked.seen(), "Six days") == []
    stage.expert_sends()
    assert len(holds(asked.seen(), "Six days")) == 1


@scenario()
def a_reply_names_people_channels_links_and_files_and_calls_nobody(stage: Stage) -> None:
    asked = asked_a_person(stage)
    text = "Six days, see #random or write to @Bob; the form is at https://intranet.example/leave <!channel>"
    stage.expert_answers(text, files=["leave.pdf"])
    (reply,) = holds(asked.seen(), "Six days")
    assert "#random" in reply.text
    assert "@Bob" in reply.text
    assert "https://intranet.example/leave" in reply.text
    assert "leave.pdf" in reply.text
    assert reply.calls == ()
    assert lies(reply) == []


@scenario()
def a_sign_tells_that_a_person_was_asked_and_what_became_of_it(stage: Stage) -> None:
    asked = asked_a_person(stage)
    assert len(holds(asked.seen(), PASSED_ON)) == 1
    assert holds(asked.seen(by="Bob"), PASSED_ON)
    stage.expert_answers("Six days, from next year on.")
    assert holds(asked.seen(), PASSED_ON) == []
    (sign,) = holds(asked.seen(), "Answered by the people who own these documents")
    assert any(PASSED_ON in each for each in sign.versions)
    stage.expert_accepts()
    assert len(holds(asked.seen(), "Resolved")) == 1


@scenario()
def what_was_accepted_is_learned_no_more_once_its_words_have_changed_or_gone(stage: Stage) -> None:
    asked_a_person(stage)
    stage.expert_answers("Six days, from next year on.")
    stage.expert_accepts()
    stage.expert_edits("Seven days, from next year on.")
    assert [each.accepted for each in stage.corrections()] == [False]
    stage.expert_edits("Six days, from next year on.")
    stage.expert_accepts()
    assert [(each.text[:8], each.accepted) for each in stage.corrections()] == [("Six days", True)]
    stage.expert_deletes()
    assert [each.accepted for each in stage.corrections()] == [False]


@scenario()
def an_expert_is_told_whether_the_sections_support_the_reply(stage: Stage) -> None:
    asked_a_person(stage)
    stage.expert_answers("Five days of leave may be carried over into the next year.")
    assert holds(stage.experts_are_told(), "The sections shown support this.")
    stage.expert_edits("Six days of leave may be carried over into the next year.")
    assert holds(stage.experts_are_told(), "say otherwise: compare “Six days” with Leave › Carry-over.")
    stage.expert_edits("You can also ask for a longer holiday in the canteen.")
    assert holds(stage.experts_are_told(), "The sections shown do not say this.")


@scenario()
def of_a_deleted_question_the_experts_see_that_it_was_withdrawn(stage: Stage) -> None:
    asked = asked_a_person(stage)
    asked.deletes()
    request = only(stage.expert_is_asked())
    assert QUESTION not in request.text
    assert "deleted" in request.text
    assert holds(asked.seen(), PASSED_ON) == []
    stage.expert_answers("Six days, from next year on.")
    assert holds(asked.seen(), "Six days") == []


@scenario()
def whom_nobody_answers_the_experts_are_reminded_of_once(stage: Stage) -> None:
    asked_a_person(stage)
    for _ in range(2):
        stage.a_working_day_passes()
        assert len(holds(stage.experts_are_told(), "still waiting")) == 1


@scenario()
def whoever_was_answered_needs_no_reminder(stage: Stage) -> None:
    asked_a_person(stage)
    stage.expert_answers("Six days, from next year on.")
    stage.a_working_day_passes()
    assert holds(stage.experts_are_told(), "still waiting") == []
