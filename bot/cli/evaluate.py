from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from bot.cli.options import json_option, reserved_option
from bot.cli.output import Invocation, emit, note, say
from bot.cli.progress import progress
from retrieval.recipe import SWITCHES

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("evaluate")
@click.option("--questions", type=_file, required=True, help="Questions as JSON lines.")
@click.option("--qrels", type=_file, help="Which documents or sections answer which question.")
@click.option("--corpus", type=_file, help="The sections that the judgements name, in BEIR's corpus.jsonl.")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(list(SWITCHES)),
    metavar="INGREDIENT",
    help=f"Switch off one part of retrieval: {', '.join(SWITCHES)}. May be repeated.",
)
@click.option(
    "--calibrate",
    is_flag=True,
    help="First learn from these judged questions what a confidence means on these documents, and keep it.",
)
@json_option
@reserved_option("--model", "evaluate")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    questions: Path,
    *,
    qrels: Path | None,
    corpus: Path | None,
    without: tuple[str, ...],
    calibrate: bool,
    as_json: bool,
) -> None:
    """Measure retrieval and abstention on a judged question file.

    Reads the index as it is: sync the documents that the questions are about first.
    """
    if calibrate:
        if qrels is None:
            raise click.UsageError("--calibrate needs --qrels: which section answers which question.")
        learned = invocation.house.calibrate(questions, qrels=qrels, corpus=corpus)
        note(f"calibrated: slope {learned.slope:.2f}, shift {learned.shift:+.2f}; kept in the state folder")
    with progress() as advance:
        figures = invocation.house.evaluate(
            questions, qrels=qrels, corpus=corpus, without=frozenset(without), progress=advance
        )
    if as_json:
        emit(dict(figures))
    else:
        say(table(figures))


def table(figures: Mapping[str, Any]) -> str:
    """One line a figure, then one a threshold; what the files could not tell is a dash (pure)."""
    plain = {name: value for name, value in figures.items() if name != "thresholds"}
    width = max(map(len, plain), default=0)
    lines = [f"{name:<{width}}  {_shown(name, value)}" for name, value in plain.items()]
    if figures.get("thresholds"):
        lines += ["", "threshold  answered  wrongly answered"]
        lines += [
            f"{row['threshold']:>9.2f}  {row['answered']:>8.1%}  {row['wrongly_answered']:>16.1%}"
            for row in figures["thresholds"]
        ]
    return "\n".join(lines)


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    return f"{value:.1f}" if name.endswith("_ms") else f"{value:.4f}"
