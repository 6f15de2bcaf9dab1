import numpy as np
import pytest

from retrieval.embedding.vectors import normalise, text_key


def test_unit_vectors_have_length_one_and_nothing_stays_nothing():
    vectors = normalise(np.array([[3, 4], [0, 0]], np.float32))
    assert vectors.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]


def test_texts_have_different_keys_and_the_same_text_the_same():
    texts = ["leave", "Leave", "leave ", "", "\ud800"]
    assert len({text_key(text) for text in texts}) == len(texts)
    assert text_key("leave") == text_key("leave")
