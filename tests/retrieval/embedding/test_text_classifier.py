"""Texts of two kinds are told apart by examples, where the embedding model knows the difference at all."""

from typing import cast

from retrieval.embedding.text_classifier import Sample, TextClassifier
from tests.fakes import FakeEmbedder

LEAVE = [f"how many days of leave may {who} carry over" for who in ("I", "we", "they", "you", "interns", "managers")]
LUNCH = [f"is {who} coming to lunch at noon today" for who in ("Ada", "Bob", "Mia", "Eve", "everybody", "somebody")]


def classifier(positive: list[str], negative: list[str], *, features: tuple[float, ...] = ()) -> TextClassifier:
    mirrored = tuple(-each for each in features)
    examples = [Sample(each, features) for each in positive], [Sample(each, mirrored) for each in negative]
    return TextClassifier(FakeEmbedder(), lambda: examples)


def test_what_is_like_the_examples_gets_their_sign():
    leave = classifier(LEAVE, LUNCH)
    assert cast("float", leave.score(Sample("how many days of leave may contractors carry over"))) > 0.5
    assert cast("float", leave.score(Sample("is Gil coming to lunch"))) < -0.25


def test_features_count_beside_the_vector():
    leave = classifier(LEAVE, LUNCH, features=(1.0,))
    text = "is Gil coming to lunch"
    assert cast("float", leave.score(Sample(text, (1.0,)))) > cast("float", leave.score(Sample(text, (-1.0,))))


def test_a_model_that_cannot_tell_the_examples_apart_has_no_opinion():
    mixed = classifier([*LEAVE[::2], *LUNCH[::2]], [*LEAVE[1::2], *LUNCH[1::2]], features=(1.0,))
    assert mixed.score(Sample(LEAVE[0], (1.0,))) is None
    assert mixed.score(Sample(LUNCH[0], (1.0,))) is None


def test_a_text_without_a_word_is_of_neither_kind():
    assert classifier(LEAVE, LUNCH).score(Sample(" ")) is None
