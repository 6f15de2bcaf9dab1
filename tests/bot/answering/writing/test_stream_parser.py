"""A model's stream becomes sentences with their citations, the same however it is split."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.writing.generator import Draft
from bot.answering.writing.stream_parser import StreamParser

Cut = list[tuple[str, tuple[int, ...]]]


def drafts(*pieces: str, closed: bool = True) -> list[Draft]:
    parser = StreamParser()
    found = [draft for piece in pieces for draft in parser.feed(piece)]
    return [*found, *parser.close()] if closed else found


def cut(*pieces: str, closed: bool = True) -> Cut:
    return [(draft.text, draft.claimed) for draft in drafts(*pieces, closed=closed)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Five days [1]. Ten in Leeds [2].", [("Five days.", (0,)), ("Ten in Leeds.", (1,))], id="before"),
        pytest.param("Five days. [1] Ten in Leeds.[2]", [("Five days.", (0,)), ("Ten in Leeds.", (1,))], id="after"),
        pytest.param("Five days [1] or ten [2] in Leeds.", [("Five days or ten in Leeds.", (0, 1))], id="inside"),
        pytest.param("Five days [1][3].", [("Five days.", (0, 2))], id="several"),
        pytest.param("Five days [1, 3].", [("Five days.", (0, 2))], id="list"),
        pytest.param("Five days [2-4].", [("Five days.", (1, 2, 3))], id="range"),
        pytest.param("Five days【2†source】. Ten [^1].", [("Five days.", (1,)), ("Ten.", (0,))], id="foreign-marks"),
        pytest.param("Five days [passage 2].", [("Five days.", (1,))], id="named"),
        pytest.param("Five days (see [1]).", [("Five days (see).", (0,))], id="bracketed"),
        pytest.param("Say “yes.” Then go [1].", [("Say “yes.”", ()), ("Then go.", (0,))], id="quotation"),
        pytest.param("Five days. Ten in Leeds.", [("Five days.", ()), ("Ten in Leeds.", ())], id="uncited"),
        pytest.param("It is 3.5 days [1].", [("It is 3.5 days.", (0,))], id="decimal"),
        pytest.param("Approx. 5 days, e.g. in Leeds [1].", [("Approx. 5 days, e.g. in Leeds.", (0,))], id="short"),
        pytest.param("Ask Dr. Lee [1].", [("Ask Dr. Lee.", (0,))], id="title"),
        pytest.param("See No. 5 [1]. No. May not.", [("See No. 5.", (0,)), ("No.", ()), ("May not.", ())], id="no"),
        pytest.param("Ask HR. They know [1].", [("Ask HR.", ()), ("They know.", (0,))], id="capitals"),
        pytest.param("Really? Yes! [1]", [("Really?", ()), ("Yes!", (0,))], id="other-stops"),
        pytest.param("Five days...[1]. Ten.", [("Five days...", (0,)), ("Ten.", ())], id="dots"),
        pytest.param("One line [1]\nanother [2]\n", [("One line", (0,)), ("another", (1,))], id="lines"),
        pytest.param("Five days.\n[1]", [("Five days.", (0,))], id="mark-on-the-next-line"),
        pytest.param("Days\n\nFive [1].", [("Days", ()), ("Five.", (0,))], id="heading"),
        pytest.param("1. Five [1].\n2. Ten [2].", [("1. Five.", (0,)), ("2. Ten.", (1,))], id="numbered"),
        pytest.param("The [draft] rule [1].", [("The [draft] rule.", (0,))], id="no-mark"),
        pytest.param("五天。[1]十天。", [("五天。", (0,)), ("十天。", ())], id="wide"),
        pytest.param("<think>No [1]. Wait.</think>\nFive [2].", [("Five.", (1,))], id="thinking"),
        pytest.param("Five <think> days [1].", [("Five <think> days.", (0,))], id="no-thinking"),
        pytest.param("NOT FOUND", [("NOT FOUND", ())], id="not-found"),
        pytest.param("  \n [1] \n --- \n", [], id="nothing-said"),
        pytest.param("", [], id="nothing"),
        pytest.param("Five days [", [("Five days [", ())], id="open-bracket"),
    ],
)
def test_sentences_and_what_they_cite(text, expected):
    assert cut(text) == expected


def test_an_item_is_read_with_what_opens_its_list():
    text = "You may not [1]:\n- smoke\n- drive [2]\n\nYou may sleep [3]."
    assert cut(text) == [
        ("You may not: smoke", (0,)),
        ("You may not: drive", (1,)),
        ("You may sleep.", (2,)),
    ]


@pytest.mark.parametrize("opening", ["Here is what the passages say:", "Carry-over [2]:", "**Answer:**"])
def test_an_opening_that_only_announces_a_sentence_goes_without_it(opening):
    assert cut(f"{opening}\nFive days may be carried over [1].\nTen in Leeds [2].") == [
        ("Five days may be carried over.", (0,)),
        ("Ten in Leeds.", (1,)),
    ]


def test_an_opening_that_turns_what_follows_is_read_with_it():
    assert cut("You must never do this:\nShare a password [1].") == [
        ("You must never do this: Share a password.", (0,)),
    ]


def test_a_number_in_brackets_that_is_a_value_is_no_citation():
    assert cut("Tell the police within [72] hours [2].") == [("Tell the police within [72] hours.", (1,))]


@pytest.mark.parametrize("text", ["5", "2.", "**3**\n", "1, 4"])
def test_a_number_alone_is_no_sentence(text):
    assert cut(text) == []


@pytest.mark.parametrize(("text", "expected"), [("5 [2]", ("5", (1,))), ("20%.", ("20%.", ())), ("€ 5", ("€ 5", ()))])
def test_a_value_with_a_citation_or_a_unit_is_one(text, expected):
    assert cut(text) == [expected]


def test_an_opening_that_nothing_follows_is_no_sentence():
    assert cut("You may not:") == []


def test_another_mark_after_the_sentence_gives_it_out_again():
    assert drafts("Five days. [1] [2] Ten.") == [
        Draft("Five days.", (0,)),
        Draft("Five days.", (0, 1), again=True),
        Draft("Ten.", same_line=True),
    ]


@pytest.mark.parametrize(
    "text", ["Five days may be carried over [1].", "Five days may be carried over. [1]", "Five [1]\n"]
)
def test_a_cited_sentence_is_given_out_at_its_last_character(text):
    assert cut(text[:-1], closed=False) == []
    assert len(cut(text, closed=False)) == 1


def test_what_broke_off_is_not_given_out():
    assert cut("Five days [1]. Ten in Lee", closed=False) == [("Five days.", (0,))]
    assert cut("It is 3.", closed=False) == []


WORDS = [
    "Five days",
    "Ten",
    " may",
    ". ",
    ".",
    "[1]",
    "[2, 3]",
    " [4]",
    "\n",
    "\n\n",
    "- ",
    "1. ",
    ":",
    "e.g. ",
    "“",
    "”",
]
MORE = [
    "?",
    "!",
    "[x",
    "]",
    "[",
    "*",
    "<think>",
    "</think>",
    "。",
    " ",
    "3.5",
    "NOT FOUND",
    "(",
    ")",
    "é",
    "[9](http://a.b)",
]


@given(st.lists(st.sampled_from(WORDS + MORE), max_size=40).map("".join) | st.text(max_size=80), st.data())
def test_any_split_of_the_stream_gives_the_same_sentences(text, data):
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]
    assert drafts(*pieces) == drafts(text) == drafts(*text)


@given(st.lists(st.sampled_from(WORDS + MORE), max_size=40).map("".join))
def test_no_sentence_is_empty_and_no_mark_is_left_in_it(text):
    for draft in drafts(text):
        assert any(character.isalnum() for character in draft.text)
        assert "[1]" not in draft.text
        assert all(number >= 0 for number in draft.claimed)


@pytest.mark.parametrize("part", ["x", "[", "a. ", "(", "1. ", "\n- ", "a b:\n"])
def test_senseless_text_is_cut_in_no_time(part):
    started = time.perf_counter()
    assert all(len(draft.text) <= 3100 for draft in drafts(part * (20_000 // len(part))))
    assert time.perf_counter() - started < 10, "its length squared"


def test_an_item_of_a_list_names_its_marker_and_a_name_does_not():
    text = "* Five [1].\n+ Six [1].\n(2) Seven [2].\nA. Smith decides [2].\nIn No. 5 [1]."
    assert [draft.marker for draft in drafts(text)] == ["-", "-", "2.", "", ""]


CODE = "pip install footnote\n  --upgrade | tee log"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            f"Run this [1]:\n```sh\n{CODE}\n```\nThat is all [2].", [(CODE, (0,)), ("That is all.", (1,))], id="it"
        ),
        pytest.param(f"```\n{CODE}\n```\n[2]", [(CODE, ()), (CODE, (1,))], id="cited-below"),
        pytest.param(f"Five [1].\n   ```\n{CODE}", [("Five.", (0,)), (CODE, ())], id="no-end"),
        pytest.param(f"```\n{CODE}\n```", [(CODE, ())], id="end-without-a-line"),
        pytest.param("```pip install``` does it [1].", [("```pip install``` does it.", (0,))], id="within-a-line"),
        pytest.param("``` [1]\n---\n```\nFive [1].", [("Five.", (0,))], id="nothing-in-it"),
        pytest.param("Say `` ` `` here [1].", [("Say `` ` `` here.", (0,))], id="a-backtick"),
    ],
)
def test_code_between_fences_is_one_piece_whose_lines_stay(text, expected):
    assert cut(text) == expected
    assert cut(*text) == expected
    assert [draft.is_code for draft in drafts(text)] == [CODE in draft.text for draft in drafts(text)]
