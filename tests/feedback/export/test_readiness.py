"""What rows are enough for, and the weights of KTO."""

import pytest

from feedback.export.readiness import kto_weights, readiness_level


@pytest.mark.parametrize(
    ("rows", "name"), [(10, "smoke"), (49, "smoke"), (50, "measure"), (499, "measure"), (500, "viable")]
)
def test_what_rows_are_enough_for(rows, name):
    assert readiness_level(rows) == name


@pytest.mark.parametrize("counts", [(80, 20), (20, 80), (50, 50), (333, 7), (1, 1000)])
def test_the_recommended_weights_of_kto_satisfy_equation_8(counts):
    """As TRL checks it: one weight of the two is in its range, given the other."""
    weights = kto_weights(*counts)
    up, down = weights["recommended"]["desirable_weight"], weights["recommended"]["undesirable_weight"]
    desirable, undesirable = counts
    low, high = round(undesirable * down / desirable, 2), round(undesirable * down / desirable * 1.33, 2)
    below, above = round(desirable * up / undesirable / 1.33, 2), round(desirable * up / undesirable, 2)
    assert low <= up <= high or below <= down <= above
    assert 1.0 in {up, down}
