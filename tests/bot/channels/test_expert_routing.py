"""Of what experts write where they are asked, what is plainly for whoever asked; in doubt it is not."""

import json

import pytest

from bot.channels.expert_routing import is_correction, is_for_asker
from tests import ROOT

CASES = ROOT / "tests" / "cases"

QUESTION = "How many days of leave may be carried over?"

FOR_ASKER = [
    "Six days, from next year on.",
    "Six days.",
    "It is 6 days since May.",
    "6 days",
    "40 CZK",
    "Yes, you can.",
    "Yes, but only until the end of March.",
    "No, that is not possible for part-time staff.",
    "You can carry over five days; the rest lapses.",
    "Hi! You can carry over five days.",
    "Hello, five days. They must be used by 31 March.",
    "Good morning, your manager decides that.",
    "Please send the form to your manager.",
    "Please ask Anna in HR for the form.",
    "See https://intranet.example/leave for the form.",
    "Write to leave@example.com and they will send you the form.",
    "Use form 7 and have it signed.",
    "Carried-over leave must be used by the end of March.",
    "Leave can only be carried over with the approval of the manager.",
    "Unfortunately, leave cannot be carried over any more.",
    "In 2027: six days. Before that: five.",
    "Currently, five days.",
    "What you need is the form on the intranet.",
    "When you join after June, half of the days may be carried over.",
    "If you work part-time, three days.",
    "The limit is five days. Does that help?",
    "Five days, see also @Mia Berg or #people-news.",
    "> How many days of leave may be carried over?\nFive days.",
    "- five days for full-time staff\n- three days for part-time staff",
    "On 1 January all that is left is paid out.",
    "Do not use the old form, it is not valid any more.",
    "We pay 40 crowns a month for each space.",
    "I have extended your deadline until Friday.",
    "I can confirm that five days is right.",
    "It was raised to six days in May.",
    "According to the policy it is six days.",
    "You find it in the handbook under Leave.",
    "Send it to payroll@example.com.",
    "Please check your payslip, the days are on it.",
    "The policy says six days.",
    "We allow six days.",
    "All of it, as long as you take it by March.",
    "Five for full-time, three for part-time.",
    "everything you have left can be carried over",
    "Five days. For the form please ask @Mia.",
    "The form is at https://intranet.example/form?year=2027 (see the second page).",
]
TALK = [
    "@Bob do you know?",
    "@U0123 six days?",
    "@Bob five days, as you said",
    "Bob, do you know?",
    "Bob: five days is right",
    "Bob - is it 5 or 6 days",
    "Anna Berg, this one is yours",
    "Hi Bob, five days?",
    "Hey @Bob, it was 5 days last year",
    "let me check",
    "Let me look this up, 5 min",
    "isn't that HR's?",
    "Isn't that HR's",
    "ok thanks",
    "Thanks, Bob",
    "Thank you, that makes 3 this week",
    "not sure, 5 or 6",
    "I think it is 6 days",
    "I believe that it's five now",
    "Maybe six days?",
    "probably six",
    "no idea",
    "I don't know",
    "Who owns this page?",
    "who owns this",
    "I'll take it",
    "I'll answer by 3 pm",
    "on it",
    "Will do after lunch, around 2",
    "Looking into it",
    "give me 10 minutes",
    "back at 2",
    "I'm off until Monday",
    "In a meeting until 3, can somebody else take this",
    "Someone should answer this by Friday",
    "You should answer this, you wrote the page in 2024",
    "Can you take this one?",
    "can you take this one",
    "Do you have the list of 2026?",
    "We should update the page",
    "We need to fix this in section 4",
    "The page is outdated, it says 5",
    "the answer is wrong, see section 3",
    "That question again",
    "This is the third time this week",
    "3 people asked this already",
    "They are asking about last year, so 5",
    "Tell them it is six days",
    "whoever asked must mean form 7",
    "Anna knows this, she wrote it in 2024",
    "ask Anna",
    "Ask HR, room 12",
    "Check with legal first",
    "That's HR's",
    "not ours",
    "This belongs to finance",
    "we discussed 3 options last week",
    "+1",
    "👍",
    "6",
    "yes",
    "Yes.",
    "No",
    "agreed",
    "same here",
    "exactly",
    "lol",
    "haha, classic",
    "hmm",
    "What about part-time staff?",
    "How many days was it last year",
    "Wasn't it five days",
    "Does anybody have the 2026 version",
    "Weißt du das?",
    "Schaue ich mir um 3 an, dann melde ich mich",
    "Je regarde et je reviens vers 15 h",
    "",
    "   \n",
    "> Six days.",
    "Six, right @Bob",
    "pinging payroll, 3 such cases",
    "Good point, 5 then",
    "Done, ticket 4711 closed",
    "bump, 2 days old",
    "This came up on Tuesday",
    "Need to look at the contract, clause 5",
    "Legal says 5, payroll says 6",
    "5 for us in Prague, what about Brno",
    "No wait, 5",
    "Yes that's what I have",
    "No, that's the other one",
    "Only Anna can do that",
    "leave can't be ours",
    "https://wiki.example/leave is the old page",
    "https://wiki.example/leave",
    "see above",
]


@pytest.mark.parametrize("text", FOR_ASKER)
def test_what_plainly_answers_is_for_the_asker(text):
    assert is_for_asker(text, question=QUESTION)


@pytest.mark.parametrize("text", TALK)
def test_what_experts_say_among_themselves_is_not(text):
    assert not is_for_asker(text, question=QUESTION)


def test_of_many_threads_hardly_any_talk_is_sent_and_most_answers_are():
    """Replies as colleagues type them, with the question that they were asked."""
    lines = (CASES / "expert_replies.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    sent = [row for row in rows if is_for_asker(row["reply"], question=row["question"])]
    talk = [row["reply"] for row in sent if not row["answers"]]
    answers = [row for row in rows if row["answers"]]
    assert len(rows) > 500
    assert len(talk) <= 3, talk
    assert len(sent) - len(talk) >= 0.85 * len(answers)


@pytest.mark.parametrize(
    "text",
    [
        "Sorry, seven days.",
        "Correction: it is seven days.",
        "Actually, it is seven days since May.",
        "I was wrong, it's seven days.",
        "Update: you can carry over seven days.",
        "My mistake - seven days, not six.",
    ],
)
def test_what_plainly_corrects_says_so_and_gives_an_answer(text):
    assert is_correction(text, question=QUESTION)


@pytest.mark.parametrize(
    "text",
    ["Seven days.", "Actually, isn't it seven?", "Sorry, I'm late", "Sorry, no idea", "Correction needed", "Sorry Bob"],
)
def test_anything_else_corrects_nothing(text):
    assert not is_correction(text, question=QUESTION)
