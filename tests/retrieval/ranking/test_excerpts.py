"""Excerpts of passages, scored by vectors that are given by hand."""

import numpy as np
import pytest

from retrieval.passages import Passage
from retrieval.ranking.candidates import PassageTokens
from retrieval.ranking.excerpts import WHOLE_WORDS, EmbeddedPassage, EmbeddedQuestion, score_excerpts

ASKED, OTHER = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
QUESTION = EmbeddedQuestion(np.array([ASKED], np.float32), np.ones(1, np.float32), np.array(ASKED, np.float32))


def int8(*rows: tuple[float, ...]):
    return np.round(np.array(rows, np.float32).reshape(-1, 3) * 127).astype(np.int8)


def passage(
    text: str, *, about: str = "", score: float = 1.0, blocks=(), heading=OTHER, lead: str = ""
) -> EmbeddedPassage:
    """A passage of which the words in `about` are near to the question and no others are."""
    made = Passage("d", 0, ("H",), "h", "", text, 0, len(text), "v", "T", "", frozenset({"everyone"}), lead)
    spans, at = [], 0
    for word in made.embedded_text.split():
        at = made.embedded_text.index(word, at)
        spans.append((at, at + len(word)))
        at += len(word)
    tokens = [ASKED if made.embedded_text[start:end].strip(".") in about.split() else OTHER for start, end in spans]
    return EmbeddedPassage(made, score, PassageTokens(int8(heading), int8(*tokens), int8(*blocks)), spans)


def best(*found: EmbeddedPassage) -> tuple[int, str]:
    scored = score_excerpts(found, QUESTION)
    rank, excerpt = max(
        ((rank, each) for rank, own in enumerate(scored.by_passage) for each in own), key=lambda pair: pair[1].score
    )
    parts = excerpt.block.parts[excerpt.first : excerpt.last + 1]
    return rank, found[rank].passage.text[parts[0][0] : parts[-1][1]]


def test_the_block_that_holds_the_asked_word_scores_best():
    assert best(passage("Leave is long.\n\nPay is late.", about="Pay")) == (0, "Pay is late.")


def test_a_passage_far_below_the_best_one_loses_with_the_same_words():
    assert best(passage("Pay is late.", about="Pay"), passage("Pay comes.", about="Pay", score=0.2))[0] == 0


def test_the_vector_of_a_block_decides_where_words_do_not():
    assert best(passage("Leave is long.\n\nPay is late.", blocks=(OTHER, ASKED))) == (0, "Pay is late.")


def test_vectors_that_do_not_belong_to_the_blocks_count_for_nothing():
    scored = score_excerpts([passage("Leave is long.\n\nPay is late.", blocks=(ASKED,))], QUESTION)
    assert scored.cosine == 0.0


def test_items_and_rows_are_excerpts_beside_their_whole_list():
    (own,) = score_excerpts([passage("You need:\n\n- a badge\n- a phone", about="badge")], QUESTION).by_passage
    assert [(each.first, each.last, each.is_whole) for each in own] == [(0, 1, True), (0, 0, False), (1, 1, False)]
    assert own[1].score > own[2].score


def test_a_long_paragraph_gives_runs_of_neighbouring_sentences():
    sentence = "One of the rules says " + "more " * 20 + "than that."
    text = " ".join([sentence] * 6)
    (own,) = score_excerpts([passage(text)], QUESTION).by_passage
    assert len(own) > 1
    for each in own:
        assert (
            0
            < sum(len(text[slice(*span)].split()) for span in each.block.parts[each.first : each.last + 1])
            <= WHOLE_WORDS
        )
    assert own[0].first == 0
    assert own[-1].last == 5


def test_a_run_does_not_begin_with_a_sentence_that_leans_on_the_one_before():
    long = "A rule " + "of some length " * 15 + "holds."
    (own,) = score_excerpts([passage(f"{long} It ends here. {long} {long}")], QUESTION).by_passage
    assert 1 not in [each.first for each in own]


def test_the_head_of_a_table_in_an_earlier_passage_shifts_no_token():
    (own,) = score_excerpts([passage("A | 5\nB | 6", about="6", lead="Grade | Days")], QUESTION).by_passage
    whole, first, second = (each.score for each in own)
    assert whole == second > first


def test_nothing_found_has_no_excerpts():
    scored = score_excerpts([], QUESTION)
    assert (scored.by_passage, scored.cosine, scored.least_met) == ((), 0.0, 0.0)


def test_a_passage_without_vectors_has_excerpts_all_the_same():
    empty = passage("Leave is long.")
    bare = EmbeddedPassage(empty.passage, 1.0, PassageTokens(int8(), int8()), [])
    assert [each.is_whole for each in score_excerpts([bare], QUESTION).by_passage[0]] == [True]


def test_the_word_that_is_met_least_tells_how_much_is_missing():
    both = EmbeddedQuestion(np.array([ASKED, OTHER], np.float32), np.ones(2, np.float32), np.array(ASKED, np.float32))
    near, far = (passage("Pay is late.", about=about, heading=ASKED) for about in ("", "Pay is late"))
    assert score_excerpts([near], both).least_met == pytest.approx(1.0, abs=0.01)
    assert score_excerpts([far], both).least_met == pytest.approx(0.0, abs=0.01)
