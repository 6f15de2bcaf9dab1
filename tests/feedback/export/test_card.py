"""What is told of the rows: lengths, weights, readiness, the card, and what differs between two exports."""

import re
from dataclasses import replace

import pytest
import yaml

from feedback.errors import ExportRefused
from feedback.export.diff import compare_exports
from feedback.export.readiness import kto_weights, readiness_level
from feedback.export.token_lengths import RowLength, TokenLengths, estimate_tokens
from retrieval.ranking.configuration import RankingConfiguration
from retrieval.search import OWN_SHARE
from tests.feedback.export.samples import curated, example, many, pair, retrieval


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


def test_refusals_and_the_ratio_of_lengths_are_told(write):
    made = write(many(90), "trl-sft", "trl-dpo")
    formats = made.manifest["formats"]
    assert formats["trl-sft"]["refusals"] == {"rows": 10, "share": round(10 / 75, 4)}
    assert formats["trl-dpo"]["length_ratio"] > 1


def test_the_card_has_front_matter_that_names_every_file_and_the_words_that_matter(write):
    made = write(many(120))
    _, front, body = (made.place / "README.md").read_text("utf-8").split("---\n", 2)
    card = yaml.safe_load(front)
    assert card["language"] == ["en"]
    assert card["size_categories"] == ["n<1K"]
    for configuration in card["configs"]:
        for file in configuration["data_files"]:
            assert (made.place / file["path"]).stat().st_size > 0
    assert "Behaviour, not facts" in body
    for title in (
        "What it teaches",
        "How it was collected and curated",
        "Personal data",
        "Limits and biases",
        "How to train",
    ):
        assert f"\n## {title}\n" in body
    assert "125 exchanges were read, 120 are in rows, 5 were left out" in body
    assert "| agreement | disputed | 5 |" in body
    assert "People's names were not looked for" in body
    assert "assistant_only_loss" in body
    for path in re.findall(r"`(recipes/[^`]+)`", body):
        assert (made.place / path).is_file()


def test_recipes_are_programs_with_the_lengths_and_weights_of_these_rows(write):
    made = write(many(120))
    summary = made.manifest["formats"]["trl-kto"]
    recipe = (made.place / "recipes" / "trl-kto.py").read_text("utf-8")
    assert f"\nMAX_LENGTH = {summary['tokens']['recommended_max_length']}\n" in recipe
    assert f"\nUNDESIRABLE_WEIGHT = {summary['kto_weights']['recommended']['undesirable_weight']}\n" in recipe
    for path in (made.place / "recipes").glob("*.py"):
        compile(path.read_text("utf-8"), str(path), "exec")
    for path in (made.place / "recipes").glob("*.yaml"):
        assert isinstance(yaml.safe_load(path.read_text("utf-8")), dict)
    assert [path.name for path in (write(many(60), "trl-sft", force=True).place / "recipes").iterdir()] == [
        "trl-sft.py"
    ]


def test_the_retrievers_recipe_compares_as_search_does(write):
    recipe = (write(many(60), "sentence-transformers").place / "recipes" / "sentence-transformers.py").read_text(
        "utf-8"
    )
    assert f"\nOWN_SHARE, HEADING = {OWN_SHARE}, {RankingConfiguration().heading_vector}\n" in recipe
    shares = f"{RankingConfiguration().dense:.1} and {RankingConfiguration().dense_follow_up:.1}".replace("0.", ".")
    assert f"the stock model's are {shares}" in recipe


def test_two_exports_are_compared_by_exchange(write, tmp_path):
    old = write(many(60), place=tmp_path / "old", min_agreement=0.7)
    now = [
        *(example(n) for n in range(20)),
        example(20, label=True),
        *(example(n, label=n != 23) for n in range(21, 70)),
    ]
    new = write(
        curated(
            examples=now,
            pairs=map(pair, range(12)),
            retrievals=[*map(retrieval, range(29)), retrieval(30, split="test")],
        ),
        place=tmp_path / "new",
        min_agreement=0.9,
    )
    comparison = compare_exports(old.place, new.place)
    assert comparison["settings"] == {"min_agreement": {"old": 0.7, "new": 0.9}}
    kto = comparison["formats"]["trl-kto"]
    assert kto["added"] == [f"answer-{n:05}" for n in range(60, 70)]
    assert {"exchange": "answer-00005", "old": ["false"], "new": ["true"]} in kto["relabelled"]
    assert "answer-00004" not in [each["exchange"] for each in kto["relabelled"]]
    assert (
        "answer-00059" in comparison["formats"]["sentence-transformers"]["removed"]
        or "answer-00058" in (comparison["formats"]["sentence-transformers"]["removed"])
    )
    moved = comparison["formats"]["beir"]["moved"]
    assert moved == [{"exchange": "answer-00030", "old": ["train"], "new": ["test"]}]
    assert {"exchange": "answer-00060", "old": "agreement: disputed", "new": None} in comparison["rejected"]


def test_an_export_does_not_differ_from_itself(write):
    made = write(many(60))
    comparison = compare_exports(made.place, made.place)
    assert comparison["settings"] == {}
    assert comparison["rejected"] == []
    for changes in comparison["formats"].values():
        assert not any(changes[kind] for kind in ("added", "removed", "changed", "moved"))
        assert changes["unchanged"] > 0


def test_what_is_no_export_or_is_damaged_is_not_compared(write, tmp_path):
    made = write(many(60), "trl-sft")
    with pytest.raises(ExportRefused, match="is no export of Footnote's"):
        compare_exports(made.place, tmp_path)
    (made.place / "lineage.jsonl").write_text('{"format": "trl-sft"}\n')
    with pytest.raises(ExportRefused, match="is damaged"):
        compare_exports(made.place, made.place)


def test_a_correction_gives_an_exchange_a_row_of_each_label(write):
    both = [example(1), replace(example(1, label=False), split="train")]
    made = write(curated(examples=[*both, *(example(n, label=n % 2 == 0) for n in range(20, 50))]), "trl-kto")
    assert made.manifest["exchanges"]["used"] == 31
    assert made.manifest["formats"]["trl-kto"]["rows"] == 32
