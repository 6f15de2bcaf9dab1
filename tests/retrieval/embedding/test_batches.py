from hypothesis import given
from hypothesis import strategies as st

from retrieval.embedding.batches import batch_by_size, split_windows


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 10))
def test_windows_follow_each_other_and_lose_nothing(ids, window):
    parts = split_windows(ids, window)
    assert [piece for part in parts for piece in part] == ids
    assert parts
    assert all(len(part) <= window for part in parts)


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 100))
def test_batches_hold_every_item_once_within_the_budget(sizes, budget):
    batches = list(batch_by_size(sizes, size=lambda item: item, budget=budget))
    assert sorted(item for batch in batches for item in batch) == sorted(sizes)
    assert all(len(batch) == 1 or max(batch) * len(batch) <= budget for batch in batches)
