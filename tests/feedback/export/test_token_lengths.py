"""How long rows are, counted or estimated."""

import pytest

from feedback.errors import ExportRefused
from feedback.export.token_lengths import RowLength, TokenLengths, estimate_tokens
from tests.feedback.export.samples import many


def test_lengths_are_told_by_percentile_and_by_limit():
    lengths = TokenLengths()
    for whole in range(1, 101):
        lengths.add(RowLength(prompt=whole * 50, whole=whole * 100))
    summary = lengths.summary()
    assert summary["percentiles"] == {"p50": 5000, "p90": 9000, "p95": 9500, "p99": 9900}
    assert summary["rows_over"] == {"1024": 90, "2048": 80, "4096": 60, "8192": 19}
    assert summary["prompts_of_at_least"] == {"1024": 80, "2048": 60, "4096": 19, "8192": 0}
    assert (summary["longest"], summary["recommended_max_length"]) == (10000, 10112)


def test_an_estimate_is_called_one_and_is_not_below_what_english_takes(write):
    made = write(many(60), "trl-sft")
    assert made.manifest["formats"]["trl-sft"]["tokens"]["counted_by"] == "estimate"
    assert "an estimate from characters" in (made.place / "README.md").read_text("utf-8")
    words = "Employees may carry over five days of annual leave into the next calendar year. "
    assert estimate_tokens([("user", words * 10)]) >= 15 * 10


def test_a_tokenizer_that_is_none_is_refused_before_anything_is_written(write, tmp_path):
    (tmp_path / "model").mkdir()
    with pytest.raises(ExportRefused, match="holds no tokenizer"):
        write(many(60), "trl-sft", tokenizer=tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
