import json
from pathlib import Path

import pytest

from retrieval.errors import RetrievalError
from retrieval.ranking.calibration import fit_platt, load_calibration, save_calibration
from retrieval.ranking.confidence import Calibration, Signals


def test_the_curve_is_sure_where_the_two_kinds_are_far_apart() -> None:
    slope, shift = fit_platt([3.0] * 30 + [-3.0] * 30, [True] * 30 + [False] * 30)
    calibration = Calibration(slope=slope, shift=shift, intercept=3.0)
    assert calibration(Signals()) > 0.9


def test_scores_that_say_nothing_give_even_odds() -> None:
    slope, shift = fit_platt([1.0, 2.0, 1.0, 2.0], [True, True, False, False])
    assert slope == pytest.approx(0, abs=1e-6)
    assert shift == pytest.approx(0, abs=1e-6)


def test_a_higher_score_never_lowers_the_confidence() -> None:
    slope, _ = fit_platt([-1.0, -2.0, 1.0, 2.0], [True, True, False, False])
    assert slope == 0


def test_what_is_kept_is_loaded_and_nothing_kept_is_the_shipped_one(tmp_path: Path) -> None:
    path = tmp_path / "home" / "calibration.json"
    assert load_calibration(path) == Calibration()
    save_calibration(Calibration(slope=0.7, shift=-0.2), path)
    assert (load_calibration(path).slope, load_calibration(path).shift) == (0.7, -0.2)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"slope": "x", "shift": 1}', json.dumps({"slope": 1})])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RetrievalError, match="calibration"):
        load_calibration(path)
