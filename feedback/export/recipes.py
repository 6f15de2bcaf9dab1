"""Renders a ready configuration for the trainers of each format, with the lengths and weights of these very rows."""

from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Any

from feedback.export.folder import RECIPES

ENDING = ".template"


def render_recipes(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the path below the export and the content of each recipe of the formats in the manifest."""
    templates = sorted((files("feedback.export") / "templates").iterdir(), key=lambda each: each.name)
    return {
        f"{RECIPES}/{each.name.removesuffix(ENDING)}": Template(each.read_text(encoding="utf-8")).substitute(
            _template_values(manifest["formats"][each.name.split(".")[0]])
        )
        for each in templates
        if each.name.endswith(ENDING) and each.name.split(".")[0] in manifest["formats"]
    }


def recipe_paths(manifest: Mapping[str, Any], name: str) -> list[str]:
    """Return the paths of the recipes of a format."""
    return sorted(path for path in render_recipes(manifest) if path.split("/")[1].split(".")[0] == name)


def _template_values(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a template may name, from what the manifest says of its format."""
    tokens = summary["tokens"]
    counted = "counted with the tokenizer" if tokens["counted_by"] == "tokenizer" else "an estimate from characters"
    values: dict[str, Any] = {"max_length": tokens["recommended_max_length"], "counted_by": counted}
    if weights := summary.get("kto_weights"):
        values |= {"desirable": weights["desirable"], "undesirable": weights["undesirable"], **weights["recommended"]}
    return values
