"""Fusion, late interaction, the switches of the configuration and confidence: pure functions from values to values."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import EmbeddingUnavailable
from retrieval.ranking.candidates import Candidate, Candidates
from retrieval.ranking.confidence import Calibration, Signals
from retrieval.ranking.configuration import RANKING, SWITCHES, RankingConfiguration, load_configuration, switch_off
from retrieval.ranking.fusion import divide_by_best, fuse, max_sim, min_max, score_column, total_score

SCORE = st.none() | st.floats(0, 10)
CANDIDATES = st.lists(st.tuples(SCORE, SCORE, SCORE), max_size=6).map(
    lambda scores: Candidates([Candidate(key, "d", *each) for key, each in enumerate(scores)], crowded=True)
)


def keys(ranked) -> list[object]:
    return [candidate.key for candidate, _ in ranked]


@given(CANDIDATES, st.booleans())
def test_every_candidate_is_ranked_once_by_its_total(candidates, follow_up):
    ranked = fuse(candidates, RankingConfiguration(), follow_up=follow_up, lexical=1.0)
    assert sorted(map(str, keys(ranked))) == [str(each.key) for each in candidates.found]
    totals = [total_score(parts) for _, parts in ranked]
    assert totals == sorted(totals, reverse=True)
    assert all(0 <= part <= 1 for _, parts in ranked for part in parts.values())


def test_ties_keep_the_order_of_the_index():
    candidates = Candidates([Candidate(key, "d", 1.0, 0.5, 0.0) for key in (3, 1, 2)])
    assert keys(fuse(candidates, RankingConfiguration(), follow_up=False, lexical=1.0)) == [3, 1, 2]


def test_nothing_found_is_nothing_ranked():
    assert fuse(Candidates([]), RankingConfiguration(), follow_up=False, lexical=1.0) == []


def test_each_list_can_decide():
    words, near = Candidate("words", "d", 2.0, 0.1), Candidate("near", "d", 0.0, 0.9)
    found = Candidates([words, near])
    assert keys(fuse(found, replace(RankingConfiguration(), dense=0.0), follow_up=False, lexical=1.0)) == [
        "words",
        "near",
    ]
    assert keys(fuse(found, replace(RankingConfiguration(), dense=1.0), follow_up=False, lexical=1.0)) == [
        "near",
        "words",
    ]
    assert keys(
        fuse(found, replace(RankingConfiguration(), dense=0.0, dense_follow_up=1.0), follow_up=True, lexical=1.0)
    ) == [
        "near",
        "words",
    ]


def test_context_counts_only_where_documents_hold_several_passages():
    found = [Candidate("a", "d", 1.0, 0.5, 0.0), Candidate("b", "e", 1.0, 0.5, 3.0)]
    assert keys(fuse(Candidates(found, crowded=True), RankingConfiguration(), follow_up=False, lexical=1.0)) == [
        "b",
        "a",
    ]
    assert keys(fuse(Candidates(found, crowded=False), RankingConfiguration(), follow_up=False, lexical=1.0)) == [
        "a",
        "b",
    ]


def test_a_list_that_does_not_hold_a_candidate_gives_it_its_lowest_score():
    assert score_column(
        [Candidate(1, "d", dense=0.4), Candidate(2, "d"), Candidate(3, "d", dense=0.2)], "dense"
    ).tolist() == [
        0.4,
        0.2,
        0.2,
    ]
    assert score_column([Candidate(1, "d")], "dense").tolist() == [0.0]


@pytest.mark.parametrize(("scores", "expected"), [([], []), ([0, 0], [0, 0]), ([2, 1], [1, 0.5])])
def test_over_best(scores, expected):
    assert divide_by_best(np.array(scores, np.float64)).tolist() == expected


@pytest.mark.parametrize(("scores", "expected"), [([], []), ([0.3, 0.3], [0, 0]), ([-1, 0, 1], [0, 0.5, 1])])
def test_min_max(scores, expected):
    assert min_max(np.array(scores, np.float64)).tolist() == expected


def tokens(*rows: tuple[float, float]) -> np.ndarray:
    return np.round(np.array(rows, np.float32).reshape(-1, 2) * 127).astype(np.int8)


QUESTION = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
EVEN = np.ones(2, np.float32)


def test_late_interaction_takes_the_nearest_token_for_each_of_the_question():
    assert max_sim(QUESTION, EVEN, tokens((1, 0), (0, 1))) == pytest.approx(1.0)
    assert max_sim(QUESTION, EVEN, tokens((1, 0))) == pytest.approx(0.5)
    assert max_sim(QUESTION, EVEN, tokens((0.6, 0.8))) == pytest.approx(0.5, abs=0.01)


def test_late_interaction_counts_a_token_by_its_weight():
    weights = np.array([3.0, 1.0], np.float32)
    assert max_sim(QUESTION, weights, tokens((1, 0))) == pytest.approx(0.75)
    assert max_sim(QUESTION, np.zeros(2, np.float32), tokens((1, 0))) == 0.0


def test_late_interaction_of_nothing_is_nothing():
    assert max_sim(QUESTION, EVEN, tokens()) == 0.0
    assert max_sim(QUESTION[:0], EVEN[:0], tokens((1, 0))) == 0.0


def test_more_tokens_never_lower_late_interaction():
    few = tokens((0.6, 0.8))
    more = np.concatenate([few, tokens((-1, 0), (0, 1))])
    assert max_sim(QUESTION, EVEN, more) >= max_sim(QUESTION, EVEN, few)


@pytest.mark.parametrize("ingredient", SWITCHES)
def test_every_ingredient_can_be_switched_off(ingredient):
    configuration = switch_off(RankingConfiguration(), ingredient)
    assert configuration != RankingConfiguration()
    assert {name: getattr(configuration, name) for name in SWITCHES[ingredient]} == SWITCHES[ingredient]
    assert replace(RankingConfiguration(), **SWITCHES[ingredient]) == configuration


def test_every_weight_has_a_switch():
    switched = {name for values in SWITCHES.values() for name in values}
    assert switched == {field.name for field in fields(RankingConfiguration)}


def test_several_ingredients_are_switched_off_at_once_and_an_unknown_one_is_refused():
    assert switch_off(RankingConfiguration(), "bigrams", "context") == replace(
        RankingConfiguration(), bigrams=0.0, context=0.0, context_follow_up=0.0
    )
    assert switch_off(RankingConfiguration()) == RankingConfiguration()
    with pytest.raises(KeyError):
        switch_off(RankingConfiguration(), "salt")


@pytest.mark.parametrize("shares", [{}, {"dense": 0.6}, {"dense": 0, "dense_follow_up": 1}])
def test_a_model_brings_along_how_much_its_vectors_count(shares, tmp_path):
    (tmp_path / RANKING).write_text(json.dumps(shares), "utf-8")
    assert load_configuration(tmp_path) == replace(RankingConfiguration(), **shares)


def test_a_model_that_brings_nothing_along_is_ranked_by_as_always(tmp_path):
    assert load_configuration(tmp_path) == load_configuration(None) == RankingConfiguration()


@pytest.mark.parametrize(
    "shares", ["", "{", "[0.6]", '{"dense": 1.1}', '{"dense": NaN}', '{"dense": true}', '{"title": 0}']
)
def test_what_is_no_share_is_refused_with_its_file(shares, tmp_path):
    (tmp_path / RANKING).write_text(shares, "utf-8")
    with pytest.raises(EmbeddingUnavailable, match=rf"{RANKING} .*: mend or delete it"):
        load_configuration(tmp_path)


SHARE = st.floats(0, 1)
SIGNALS = st.builds(Signals, **{field.name: SHARE for field in fields(Signals)})


@given(SIGNALS)
def test_confidence_is_a_probability(signals):
    assert 0.0 <= Calibration()(signals) <= 1.0


@given(SIGNALS, st.sampled_from([field.name for field in fields(Signals)]), SHARE)
def test_no_signal_counts_against_the_answer(signals, name, share):
    low, high = sorted([getattr(signals, name), share])
    less, more = replace(signals, **{name: low}), replace(signals, **{name: high})
    assert Calibration()(less) <= Calibration()(more)
    assert Calibration().logit(less) <= Calibration().logit(more)


@given(SIGNALS, SIGNALS)
def test_calibration_does_not_reorder_questions(left, right):
    calibration = Calibration(slope=0.3, shift=-1.0)
    if calibration.logit(left) < calibration.logit(right):
        assert calibration(left) <= calibration(right)


def test_all_signals_give_more_confidence_than_none():
    everything = Signals(**{field.name: 1.0 for field in fields(Signals)})
    assert Calibration()(Signals()) < 0.5 < Calibration()(everything)
