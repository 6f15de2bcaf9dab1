"""An answer as Slack shows it; the SDK's own models and the stand-in's limits judge every block."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answering.answers import (
    SMALL_TALK,
    Answer,
    AnswerWarning,
    BlockStart,
    Citation,
    Sentence,
    SentenceLink,
    TextStyle,
)
from bot.answering.verification.plain_text import styled_words
from bot.channels import presentation
from bot.channels.port import DisplayOptions
from bot.channels.slack import rendering
from bot.channels.slack.rendering import answer_messages, body
from bot.services.escalation import CitedSection, Escalation
from retrieval.passages import Hit, Passage
from tests.servers.slack.limits import check_blocks
from tests.servers.slack.seen import buttons, links, written

SHOW = DisplayOptions("r1")
LEAVE = Citation(
    1, "hr/leave.md", "Leave", "Leave > Carry-over", "c", "https://docs.example/leave#c", "Five days.", "v"
)
PAY = Citation(2, "hr/pay.md", "Pay", "Pay", "p", "", "Nothing.", "v")
ANSWER = Answer("a1", "Five days [1].", (Sentence("Five days may be carried over.", (1,)),), (LEAVE,))


def shown(answer: Answer, show: DisplayOptions = SHOW) -> str:
    return "\n".join(written(list(each.content), each.text) for each in answer_messages(answer, show))


def passage(title: str, *headings: str) -> Hit:
    staff = frozenset({"everyone"})
    url = "https://docs.example/x"
    return Hit(Passage("hr/x.md", 0, headings, "s", "s", "text", 0, 4, "v", title, url, staff), 1.0)


def test_a_footnote_is_a_link_that_opens_at_the_section():
    (message,) = answer_messages(ANSWER, SHOW)
    assert ("[1]", "https://docs.example/leave#c") in [
        (each.label, each.url) for each in links(list(message.content), "")
    ]
    assert "[1] Leave › Carry-over" in shown(ANSWER)


def test_thumbs_quotes_and_a_person_can_be_pressed():
    (message,) = answer_messages(ANSWER, SHOW)
    assert [each.label for each in buttons(list(message.content))] == [
        "Quoted text",
        "Ask a person",
        "Good answer",
        "Bad answer",
    ]
    (message,) = answer_messages(ANSWER, replace(SHOW, buttons=False, share=True))
    assert [each.label for each in buttons(list(message.content))] == ["Quoted text", "Ask a person", "Share here"]


def test_what_was_not_recorded_cannot_be_voted_on():
    (message,) = answer_messages(replace(ANSWER, id=""), SHOW)
    assert buttons(list(message.content)) == []


def test_small_talk_has_no_buttons():
    (message,) = answer_messages(Answer("a", "Hello!", generator=SMALL_TALK), SHOW)
    assert buttons(list(message.content)) == []
    assert "Hello!" in shown(Answer("a", "Hello!", generator=SMALL_TALK))


def test_each_version_of_a_message_has_new_names_for_its_blocks():
    names = [
        {block.get("block_id") for block in answer_messages(ANSWER, DisplayOptions(each))[0].content} - {None}
        for each in ("x", "y")
    ]
    assert names[0]
    assert not names[0] & names[1]


def test_an_abstention_names_the_nearest_sections_once_each_and_a_person():
    given = Answer("a", "I could not find this.", abstained=True, nearest=(passage("Leave", "Leave", "Illness"),) * 2)
    text = shown(given)
    assert text.count("Leave › Illness") == 1
    assert "The closest sections:" in text
    assert "Ask a person" in text


def test_warnings_and_why_another_generator_answered_are_told():
    given = replace(
        ANSWER, warnings=(AnswerWarning("conflict", "Two documents differ", (1,)),), fallback="The model was <slow>."
    )
    assert "Note: Two documents differ [1]" in shown(given)
    assert "Note: The model was <slow>." in shown(given)


def said(*texts: str) -> Answer:
    return Answer("a", " ".join(texts), tuple(Sentence(each, (1,)) for each in texts), (LEAVE,))


def test_items_stand_in_a_list_and_prose_goes_on_after_it():
    link = "[\\[1\\]](https://docs.example/leave#c)"
    *listed, after = said("You need:", "- a *form*", "2. a note", "Then call.").sentences
    given = body(replace(ANSWER, sentences=(*listed, replace(after, starts=BlockStart()))))
    assert given == f"You need: {link}\n\n- a \\*form\\* {link}\n2. a note {link}\n\nThen call. {link}"


def test_rows_stand_in_a_table_and_a_lone_row_on_its_own_line():
    assert "| Grade | Days |\n| --- | --- |\n| A | 5 |" in body(said("Grade | Days\n--- | ---\nA | 5"))
    assert "\n\n- Grade A | 5 days" in body(said("These:", "Grade A | 5 days"))


def test_a_long_answer_is_cut_into_messages_that_slack_takes():
    sentences = tuple(Sentence(f"Sentence {n} " + "says something about leave " * 12, (1, 2)) for n in range(80))
    parts = answer_messages(Answer("a", "long", sentences, (LEAVE, PAY)), SHOW)
    assert len(parts) > 1
    for part in parts:
        check_blocks(json.loads(json.dumps(part.content)))
        assert rendering.characters(part.content) <= rendering.MOST_IN_ALL
    whole = " ".join(written(list(part.content), "") for part in parts)
    assert all(f"Sentence {n} " in whole for n in range(80))
    assert [bool(buttons(list(part.content))) for part in parts] == [False] * (len(parts) - 1) + [True]


SIGNS = [*"<>&|*`[]() \n-1.@!#", "x", "<!here>", "https://evil.example", "ü"]
HOSTILE = st.lists(st.sampled_from(SIGNS), max_size=200).map("".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(HOSTILE, max_size=6), HOSTILE, HOSTILE)
def test_slack_takes_whatever_documents_say(texts, title, url):
    cited = replace(LEAVE, title=title, section=title, url=f"https://docs.example/{url}")
    given = Answer("a", " ".join(texts), tuple(Sentence(each, (1,)) for each in texts if each.strip()), (cited,))
    for part in answer_messages(given, SHOW):
        check_blocks(json.loads(json.dumps(part.content)))
        assert part.text
        lies = [each for each in links(list(part.content), part.text) if each.label != each.url and "evil" in each.url]
        assert [each for each in lies if not each.url.startswith("https://docs.example/")] == []


def test_many_long_footnotes_and_notes_still_fit():
    citations = tuple(
        replace(LEAVE, number=n, title="T" * 400, url="https://docs.example/" + "x" * 2000) for n in range(1, 40)
    )
    warnings = tuple(AnswerWarning("condition", "w" * 3000, ()) for _ in range(6))
    given = Answer("a", "x", (Sentence("Fine.", (1,)),), citations, warnings=warnings)
    for part in answer_messages(given, SHOW):
        check_blocks(json.loads(json.dumps(part.content)))


@pytest.mark.parametrize("length", [10, 5000, 40_000])
def test_what_experts_see_and_say_fits(length):
    question = "<!channel> " + "why & " * (length // 6)
    made = rendering.escalation_request(
        Escalation(
            "a", question, "slack:C1", "p", (question,), (CitedSection("d", "T", "T > <x>", "https://d.example"),)
        )
    )
    for message in (
        made,
        *rendering.reply_messages(question),
        rendering.reply_note(presentation.ACCEPT_OFFER, action="accept", value="17.5:abc", revision="r"),
        rendering.line(question),
    ):
        check_blocks(json.loads(json.dumps(message.content)))
        assert "<!channel>" not in json.dumps(message.content) + message.text
        assert len(message.text) < 4000


def block_answer(*sentences: Sentence) -> Answer:
    return Answer("a", "text", sentences, (LEAVE,))


def test_blocks_stand_apart_below_their_headings_and_tell_what_they_leave_out():
    link = "[\\[1\\]](https://docs.example/leave#c)"
    given = body(
        block_answer(
            Sentence("Five days.", (1,), starts=BlockStart("paragraph", "Carry *over*")),
            Sentence("You need:", (1,), starts=BlockStart("list")),
            Sentence("- a form", (1,), more=2),
        )
    )
    assert given == (
        f"**Carry \\*over\\***\n\nFive days. {link}\n\n"
        f"You need: {link}\n\n- a form {link}\n\n… and 2 more in the section"
    )


def test_rows_that_come_one_by_one_make_one_table():
    link = "[\\[1\\]](https://docs.example/leave#c)"
    rows = ("Grade | Days", "A | 5", "B | 6")
    starts = [BlockStart("table"), None, None]
    given = body(block_answer(*(Sentence(row, (1,), starts=start) for row, start in zip(rows, starts, strict=True))))
    assert given == f"| Grade | Days {link} |\n| --- | --- |\n| A | 5 {link} |\n| B | 6 {link} |"


def test_a_row_with_other_cells_than_the_head_is_no_row_of_the_table():
    rows = (Sentence("Grade | Days", (1,), starts=BlockStart("table")), Sentence("A | 5 | not more", (1,)))
    assert "\n- A | 5 | not more" in body(block_answer(*rows))


def test_words_that_lead_somewhere_are_a_link_and_a_dangerous_address_is_none():
    there, nowhere = (
        Sentence("Fill in the *claim* form.", (), (SentenceLink("*claim* form", url),))
        for url in ("https://forms.example/x?a=(1)", "javascript:alert(1)")
    )
    assert body(block_answer(there)) == "Fill in the [\\*claim\\* form](https://forms.example/x?a=%281%29)."
    assert body(block_answer(nowhere)) == "Fill in the \\*claim\\* form."


def marked(text: str) -> Answer:
    """An answer of one sentence as a model wrote it."""
    words, styles = styled_words(text, ())
    return replace(ANSWER, sentences=(Sentence(words, (1,), styles=styles),))


def test_what_a_model_marks_is_shown_as_such():
    text = body(marked("**Five days** may be *carried* over with `leave --carry`."))
    assert text.startswith("**Five days** may be *carried* over with `leave --carry`. ")
    assert "Five days may be carried over with leave --carry." in shown(
        marked("**Five days** may be *carried* over with `leave --carry`.")
    )


def test_what_begins_no_block_after_an_item_goes_on_with_it():
    assert body(said("- a form", "- a note", "Ask for it.")).splitlines()[-1].startswith("- a note [")
    assert "Ask for it." in body(said("- a form", "- a note", "Ask for it.")).splitlines()[-1]


def test_items_of_a_model_are_a_list_and_code_a_block():
    items = (
        Sentence("- Five days", (1,), starts=BlockStart("list"), styles=(TextStyle(2, 6, "strong"),)),
        Sentence("- Ten in Leeds", (1,)),
        Sentence("pip install x\n  | tee `log` <!channel>", (1,), styles=(TextStyle(0, 38, "block"),)),
        Sentence("That is all.", (1,), starts=BlockStart("paragraph")),
    )
    text = body(replace(ANSWER, sentences=items))
    assert text.startswith("- **Five** days [")
    assert "\n- Ten in Leeds" in text
    assert "\n\n```\npip install x\n  | tee 'log' ‹!channel›\n```\n\n[" in text
    assert "\n\nThat is all." in text
