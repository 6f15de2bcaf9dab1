"""The order of KTO's rows: labels mixed all along, rows of one prompt apart, nothing lost."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.export.row_order import APART, OrderKey, interleave_rows

places = st.lists(
    st.builds(
        lambda label, prompt, near, draw: OrderKey(label, prompt if near else prompt // 2, prompt, draw),
        st.booleans(),
        st.integers(0, 12),
        st.booleans(),
        st.integers(0, 2**64 - 1),
    ),
    max_size=80,
)


@given(places)
@settings(deadline=None)
def test_every_row_has_one_place_or_none_and_no_prompt_follows_itself(rows):
    order, left = interleave_rows(rows)
    assert sorted([*order, *left]) == list(range(len(rows)))
    assert all(rows[one].prompt != rows[other].prompt for one, other in pairwise(order))


@given(places)
@settings(deadline=None)
def test_a_row_is_left_out_only_where_its_prompt_has_half_of_all(rows):
    _, left = interleave_rows(rows)
    for number in left:
        same = sum(place.prompt == rows[number].prompt for place in rows)
        assert same > len(rows) - same


@given(places, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_is_that_of_the_rows_content_and_not_of_their_coming(rows, random):
    rows = [OrderKey(each.label, each.cluster, each.prompt, number) for number, each in enumerate(rows)]
    shuffled = random.sample(rows, len(rows))
    assert [rows[n] for n in interleave_rows(rows)[0]] == [shuffled[n] for n in interleave_rows(shuffled)[0]]


def spread(count: int) -> list[OrderKey]:
    """Each question twice, once with each label; one more down for every third."""
    step = 0x9E3779B97F4A7C15
    both = [OrderKey(label, n, n, (n * step + label) % 2**64) for n in range(count) for label in (True, False)]
    return both + [OrderKey(False, n, n, (n * step + 7) % 2**64) for n in range(0, count, 3)]


def test_rows_of_one_question_lie_farther_apart_than_a_batch_is_long():
    rows = spread(300)
    order, left = interleave_rows(rows)
    assert not left
    last: dict[int, int] = {}
    for place, number in enumerate(order):
        assert place - last.get(rows[number].cluster, -APART) >= APART
        last[rows[number].cluster] = place


def test_everywhere_there_is_about_the_share_of_labels_that_there_is_in_all():
    rows = spread(300)
    order, _ = interleave_rows(rows)
    labels = [rows[number].label for number in order]
    share = sum(labels) / len(labels)
    for start in range(len(labels) - 16):
        assert abs(sum(labels[start : start + 16]) - 16 * share) <= 2
