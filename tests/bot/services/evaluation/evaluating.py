"""`footnote evaluate` over a small handbook, with scripted models to answer."""

import json
from pathlib import Path
from typing import Any

from click.testing import Result

from tests.bot.cli.command_line import footnote, printed_json
from tests.scripted_app import Place

GOOD, LIAR = "openai:good", "openai:liar"
QUESTIONS: list[dict[str, Any]] = [
    {"id": "carry", "text": "How many days of leave may be carried over?", "answer": "Five days of leave."},
    {"id": "march", "text": "When must carried over days of leave be used?", "answers": ["By 31 March.", "In March."]},
    {"id": "part", "text": "May part-time staff carry over days of leave?"},
]
QRELS = "carry\tleave#carry-over\t1\nmarch\tleave#carry-over\t1\npart\tleave#carry-over\t1\n"


def write_questions(folder: Path, questions: list[dict[str, Any]]) -> None:
    (folder / "q.jsonl").write_text("\n".join(map(json.dumps, questions)), encoding="utf-8")


def run(place: Place, *arguments: str, model: str = "openai:other", threshold: float = 0.0) -> Result:
    """Run `footnote evaluate` over the place's documents and judgements, with this model configured."""
    return run_without_judgements(place, "--qrels", "qrels.tsv", *arguments, model=model, threshold=threshold)


def run_without_judgements(
    place: Place, *arguments: str, model: str = "openai:other", threshold: float = 0.0
) -> Result:
    return footnote(
        *("evaluate", "--questions", "q.jsonl", *arguments),
        bootstrap=lambda _: place.app(model=model, threshold=threshold),
    )


def compare(place: Place, *names: str) -> Any:
    """Return the JSON of these models side by side."""
    return printed_json(run(place, *(part for name in names for part in ("--model", name)), "--json"))


def line(text: str, start: str) -> str:
    return next(each for each in text.splitlines() if each.startswith(start))
