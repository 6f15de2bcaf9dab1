"""Ready configurations for trainers."""

import yaml

from retrieval.query_analyzer import OWN_SHARE
from retrieval.ranking.configuration import RankingConfiguration
from tests.feedback.export.samples import many


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
    shares = f"{RankingConfiguration().dense:g} and {RankingConfiguration().dense_follow_up:g}".replace("0.", ".")
    assert f"the stock model's are {shares}" in recipe
