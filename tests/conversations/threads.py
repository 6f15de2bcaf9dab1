"""Conversations in threads: what goes on with the bot, what people say to each other, and messages that change."""

from tests.conversations.conversations import (
    DOORS,
    DOORS_SAID,
    FOLLOW_UP,
    FOLLOW_UP_SAID,
    LEAVE_SAID,
    NOT_FOUND,
    UNKNOWN,
    Stage,
    only,
    scenario,
)
from tests.scripted_app import QUESTION

# Who belongs to whom


@scenario()
def what_the_asker_adds_while_an_answer_is_made_is_answered_after_it_once(stage: Stage) -> None:
    with stage.held():
        asked = stage.asks(QUESTION)
        asked.says(FOLLOW_UP)
    said = asked.seen()
    assert [LEAVE_SAID in said[0].text, FOLLOW_UP_SAID in said[-1].text, len(said)] == [True, True, 2]
    assert len(stage.exchanges()) == 2


@scenario()
def what_completes_a_question_belongs_to_it(stage: Stage) -> None:
    with stage.held():
        asked = stage.asks(QUESTION)
        asked.says("... for part-time staff, I mean")
    said = asked.seen()
    assert len(said) == 2
    assert FOLLOW_UP_SAID in said[-1].text


@scenario()
def people_talk_to_each_other_in_a_thread_undisturbed(stage: Stage) -> None:
    asked = stage.asks(QUESTION)
    only(asked.seen())
    asked.says("thanks, I'll tell Bob")
    asked.says("ok see you at 5")
    asked.says("how many days of leave do you have left?", who="Bob")
    asked.says("Shall we carry them over together?", who="Mia")
    asked.says("Five days, that is more than I thought", who="Bob")
    asked.says("Thanks!")  # to whom, nobody can tell any more
    only(asked.seen())
    assert len(stage.exchanges()) == 1


@scenario()
def a_colleague_goes_on_with_a_question_of_their_own(stage: Stage) -> None:
    asked = stage.asks(QUESTION)
    only(asked.seen())
    asked.says("How many days may part-time staff carry over?", who="Bob")
    said = asked.seen()
    assert len(said) == 2
    assert FOLLOW_UP_SAID in said[-1].text


@scenario()
def what_is_not_found_for_people_who_did_not_call_the_bot_stays_unsaid_and_is_not_kept(stage: Stage) -> None:
    asked = stage.asks(QUESTION)
    only(asked.seen())
    asked.says(UNKNOWN, who="Bob")
    only(asked.seen())
    assert stage.chatter(UNKNOWN, where="help").seen() == []
    assert stage.chatter(UNKNOWN, where="group").seen() == []
    assert len(stage.exchanges()) == 1
    asked.says(UNKNOWN, calls=True)  # whoever calls it gets a reply
    assert len(asked.seen()) == 2


@scenario(way="channel")
def a_thread_that_the_bot_stayed_out_of_is_not_its_own(stage: Stage) -> None:
    talk = stage.chatter(UNKNOWN, where="help")
    assert talk.seen() == []
    talk.says(QUESTION, who="Bob")
    assert talk.seen() == []


@scenario()
def called_under_a_colleague_s_question_the_bot_answers_that(stage: Stage) -> None:
    talk = stage.chatter(QUESTION, who="Bob")
    talk.says("good question, no idea", who="Mia")
    assert talk.seen() == []
    talk.says("can you answer this?", who="Ada", calls=True)
    assert LEAVE_SAID in only(talk.seen()).text
    assert [each.question for each in stage.exchanges()] == [QUESTION]


@scenario()
def called_without_a_word_the_bot_answers_the_last_question_of_the_thread(stage: Stage) -> None:
    talk = stage.chatter("Moving into the new office on Monday!", who="Bob")
    talk.says(DOORS, who="Mia")
    talk.says("", who="Ada", calls=True)
    assert DOORS_SAID in only(talk.seen()).text


@scenario()
def whoever_thanks_the_bot_by_its_name_is_not_answered_once_more(stage: Stage) -> None:
    only(stage.asks(QUESTION).seen())
    assert LEAVE_SAID not in only(stage.asks("thanks!").seen()).text
    assert len(stage.exchanges()) == 1


@scenario(way="command")
def a_message_is_answered_to_whoever_asks_about_it_alone_until_they_share_it(stage: Stage) -> None:
    talk = stage.chatter(QUESTION, who="Bob")
    asked = talk.asked_about(by="Ada")
    assert LEAVE_SAID in only(asked.seen()).text
    assert asked.seen(by="Bob") == []
    assert any(LEAVE_SAID in each.text for each in asked.shares())


@scenario(way="command")
def what_one_person_was_answered_alone_is_not_gone_on_from_in_the_thread(stage: Stage) -> None:
    talk = stage.chatter(QUESTION, who="Bob")
    only(talk.asked_about(by="Ada").seen())
    talk.says(FOLLOW_UP, who="Bob", calls=True)
    talk.seen()
    alone, followed = stage.exchanges()
    assert (alone.question, followed.history) == (QUESTION, ())


@scenario(way="command")
def a_message_that_was_deleted_since_is_not_shared(stage: Stage) -> None:
    talk = stage.chatter(QUESTION, who="Bob")
    asked = talk.asked_about(by="Ada")
    only(asked.seen())
    talk.deletes()
    assert not any(LEAVE_SAID in each.text or QUESTION in each.text for each in asked.shares())


# Messages that change


@scenario()
def another_format_of_a_question_changes_nothing(stage: Stage) -> None:
    asked = stage.asks(f'Tell me "{QUESTION}"')
    answer = only(asked.seen())
    asked.edits(f"Tell *me*  “{QUESTION}”")
    assert only(asked.seen()).versions == answer.versions
    assert len(stage.exchanges()) == 1


@scenario()
def a_mention_that_is_added_later_makes_one_question(stage: Stage) -> None:
    talk = stage.chatter(QUESTION)
    assert talk.seen() == []
    talk.edits(QUESTION, calls=True)
    assert LEAVE_SAID in only(talk.seen()).text
    assert len(stage.exchanges()) == 1


@scenario()
def a_question_that_is_edited_while_it_is_answered_ends_in_one_answer_to_what_it_says_now(stage: Stage) -> None:
    with stage.held():
        asked = stage.asks(UNKNOWN)
        asked.edits(QUESTION)
        asked.edits(DOORS)
    answer = only(asked.seen())
    assert DOORS_SAID in answer.text


@scenario()
def what_a_question_said_before_it_was_edited_is_no_part_of_the_conversation(stage: Stage) -> None:
    asked = stage.asks(QUESTION)
    only(asked.seen())
    asked.edits(DOORS)
    assert DOORS_SAID in only(asked.seen()).text
    asked.edits(UNKNOWN)
    assert NOT_FOUND in only(asked.seen()).text
    assert stage.exchanges()[-1].history == ()


@scenario()
def what_was_deleted_is_no_part_of_the_conversation(stage: Stage) -> None:
    asked = stage.asks(DOORS)
    only(asked.seen())
    asked.deletes()
    asked.says(QUESTION, calls=True)
    assert LEAVE_SAID in asked.seen()[-1].text
    assert stage.exchanges()[-1].history == ()


@scenario()
def a_question_that_is_deleted_while_it_waits_is_not_answered(stage: Stage) -> None:
    with stage.held():
        asked = stage.asks(QUESTION)
        asked.says(FOLLOW_UP).deletes()
    assert LEAVE_SAID in only(asked.seen()).text
    assert len(stage.exchanges()) == 1


@scenario()
def a_deleted_follow_up_takes_its_own_answer_away_and_no_other(stage: Stage) -> None:
    asked = stage.asks(QUESTION)
    follow_up = asked.says(FOLLOW_UP)
    assert len(asked.seen()) == 2
    follow_up.deletes()
    first, second = asked.seen()
    assert LEAVE_SAID in first.text
    assert FOLLOW_UP_SAID not in second.text
