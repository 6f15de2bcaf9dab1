"""The dataset card, and what the manifest says of rows."""

import re
from dataclasses import replace

import yaml

from tests.feedback.export.samples import curated, example, many


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


def test_a_correction_gives_an_exchange_a_row_of_each_label(write):
    both = [example(1), replace(example(1, label=False), split="train")]
    made = write(curated(examples=[*both, *(example(n, label=n % 2 == 0) for n in range(20, 50))]), "trl-kto")
    assert made.manifest["exchanges"]["used"] == 31
    assert made.manifest["formats"]["trl-kto"]["rows"] == 32
