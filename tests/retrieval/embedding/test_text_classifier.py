"""Texts of two kinds are told apart by examples, where the embedding model knows the difference at all."""

from retrieval.embedding.text_classifier import TextClassifier
from tests.fakes import FakeEmbedder

LEAVE = [f"how many days of leave may {who} carry over" for who in ("I", "we", "they", "you", "interns", "managers")]
LUNCH = [f"is {who} coming to lunch at noon today" for who in ("Ada", "Bob", "Mia", "Eve", "everybody", "somebody")]


def test_what_is_like_the_examples_gets_their_sign():
    classifier = TextClassifier(FakeEmbedder(), positive=LEAVE, negative=LUNCH)
    assert classifier.score("how many days of leave may contractors carry over") > 0.5
    assert classifier.score("is Gil coming to lunch") < -0.25


def test_a_model_that_cannot_tell_the_examples_apart_has_no_opinion():
    mixed = [*LEAVE[::2], *LUNCH[::2]], [*LEAVE[1::2], *LUNCH[1::2]]
    classifier = TextClassifier(FakeEmbedder(), positive=mixed[0], negative=mixed[1])
    assert classifier.score(LEAVE[0]) == classifier.score(LUNCH[0]) == 0.0


def test_a_text_without_a_word_is_of_neither_kind():
    assert TextClassifier(FakeEmbedder(), positive=LEAVE, negative=LUNCH).score(" ") == 0.0
