"""Blocks of given scores: which are shown, in which order, and what is told of the rest."""

from bot.answering.understanding.asked_kinds import AskedKind
from bot.answering.writing.block_selection import ALL_WORDS, FIRST_WORDS, elsewhere, select_blocks
from bot.answering.writing.generator import Quote
from retrieval.passages import Passage
from retrieval.ranking.excerpts import Excerpt
from retrieval.sectioning.blocks import text_blocks

NOTHING: frozenset[AskedKind] = frozenset()


def passage(text: str, *, document: str = "d") -> Passage:
    return Passage(document, 0, ("H",), "h", "", text, 0, len(text), "v", "T", "", frozenset({"everyone"}))


def excerpts(text: str, *scores: float) -> list[Excerpt]:
    """Each block as a whole, its parts 4 below it, with these scores."""
    made = []
    for block, score in zip(text_blocks(text), scores, strict=True):
        last = len(block.parts) - 1
        made.append(Excerpt(block, 0, last, score))
        if block.kind != "paragraph":
            made += [Excerpt(block, at, at, score - 4) for at in range(last + 1) if last]
    return made


def shown(*found: tuple[str, tuple[float, ...]], asked=NOTHING) -> list[tuple[list[str], int]]:
    passages = [passage(text, document=f"d{rank}") for rank, (text, _) in enumerate(found)]
    selected = select_blocks(passages, [excerpts(text, *scores) for text, scores in found], asked)
    return [
        ([passages[block.passage].text[line.start : line.end] for line in block.lines], block.more)
        for block in selected
    ]


LONG = "a rule of the house that everybody who works here has to know by heart and keep"


def test_one_block_far_ahead_is_shown_alone():
    assert shown((f"It is {LONG}.\n\nIt is not {LONG}.", (1.0, 9.0))) == [([f"It is not {LONG}."], 0)]


def test_blocks_that_are_about_as_likely_are_shown_together_best_first():
    answer = shown((f"First {LONG}.", (5.0,)), (f"Second {LONG}.", (5.3,)))
    assert answer == [([f"Second {LONG}."], 0), ([f"First {LONG}."], 0)]


def test_no_block_is_added_that_a_person_would_not_read_any_more():
    wordy = "word " * ALL_WORDS + "end."
    assert len(shown((wordy, (5.0,)), (f"Other {wordy}", (5.0,)))) == 1


def test_a_list_is_shown_whole_with_its_opening():
    text = "You need:\n\n- a badge\n- a phone"
    assert shown((text, (5.0,))) == [(["You need:", "- a badge", "- a phone"], 0)]


def test_steps_that_are_too_long_are_cut_at_their_end_and_told():
    steps = [f"{number}. {'step ' * 40}on." for number in range(1, 6)]
    ((lines, more),) = shown(("\n".join(steps), (5.0,)), asked=frozenset({"steps"}))
    assert lines == steps[:2]
    assert more == 3
    assert sum(len(line.split()) for line in lines) <= FIRST_WORDS


def long_list(*scores: float) -> tuple[list[str], int]:
    """What is shown of a list of items of 41 words with these scores, as their numbers, and how many are left out."""
    text = "\n".join(f"- {'item ' * 40}{number}" for number in range(len(scores)))
    (block,) = text_blocks(text)
    whole = Excerpt(block, 0, len(scores) - 1, 9.0)
    given = [whole, *(Excerpt(block, at, at, score) for at, score in enumerate(scores))]
    (selected,) = select_blocks([passage(text)], [given], NOTHING)
    return [text[line.start : line.end].split()[-1] for line in selected.lines], selected.more


def test_of_a_long_list_the_first_items_are_shown_or_those_from_the_best_one_on():
    assert long_list(1.0, 2.0, 1.0, 1.0, 1.0) == (["0", "1"], 3)
    assert long_list(1.0, 1.0, 1.0, 2.0, 1.0) == (["3", "4"], 3)


def test_what_only_announces_or_is_a_heading_is_no_answer():
    for text in ("The ferry sails as follows.", "Please note:", "H"):
        assert shown((text, (5.0,))) == []


def test_a_short_answer_is_not_cited_from_a_section_that_answers_something_else():
    assert list(elsewhere([passage("No."), passage("No.")], Quote(0, 0, 3))) == []


def test_two_items_of_one_list_are_one_block():
    text = "You need:\n\n- a badge with a picture of you and your name\n- a phone\n- a pen that writes blue on paper"
    (block,) = text_blocks(text)
    given = [Excerpt(block, at, at, score) for at, score in enumerate((5.0, -9.0, 5.7))]
    (selected,) = select_blocks([passage(text)], [given], NOTHING)
    assert [at.start for at in selected.lines] == sorted(at.start for at in selected.lines)
    assert (len(selected.lines), selected.more) == (3, 1)


def test_a_block_of_a_section_that_is_shown_goes_next_to_it():
    one, two, other, more = (f"{word} {LONG}." for word in ("One", "Two", "Other", "More"))
    answer = shown((f"{one}\n\n{two}", (5.2, 5.45)), (other, (5.2,)), (more, (4.9,)))
    assert [lines[0] for lines, _ in answer] == [one, two, other]


def test_what_was_asked_for_is_preferred():
    text = f"You get {LONG}.\n\nYou get ten days, {LONG}."
    assert shown((text, (5.5, 5.0)))[0][0][0].startswith("You get a")
    assert shown((text, (5.5, 5.0)), asked=frozenset({"count"}))[0][0][0].startswith("You get ten")


def test_a_question_of_a_document_answers_nothing():
    assert shown(("Is it paid?", (5.0,))) == []


def test_words_that_stand_in_two_sections_are_shown_once_and_cited_from_both():
    text = f"It is {LONG}."
    assert shown((text, (5.0,)), (text, (5.0,))) == [([text], 0)]
    passages = [passage(text), passage(f"Note. {text}")]
    assert list(elsewhere(passages, Quote(0, 0, len(text)))) == [Quote(1, 6, 6 + len(text))]


def test_nothing_found_selects_nothing():
    assert select_blocks([], [], NOTHING) == []
    assert select_blocks([passage("")], [[]], NOTHING) == []
