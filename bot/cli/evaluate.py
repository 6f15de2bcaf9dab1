import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from bot.cli.invocation import Invocation
from bot.cli.options import json_option, new_file_option, page_option
from bot.cli.output import can_print, print_json, print_note, print_text, write_page
from bot.cli.progress import progress_line
from bot.reports.evaluation_text import evaluation_text
from retrieval.ranking.configuration import SWITCHES

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
EXTRACTIVE = "extractive"


def _check_models(_: click.Context, parameter: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name != EXTRACTIVE and not re.fullmatch(r"[a-z][a-z0-9_-]*:\S+", name):
            raise click.BadParameter(
                f"{name!r}: give `provider:name` such as `openai:gpt-4.1-mini`, or `{EXTRACTIVE}`.", param=parameter
            )
    if len(set(names)) < len(names):
        raise click.BadParameter("give each model once.", param=parameter)
    return names


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
@click.option(
    "--model",
    "models",
    multiple=True,
    callback=_check_models,
    metavar="MODEL",
    help="Let this model answer in place of the configured one. Repeat it to put models side by side; "
    f"`{EXTRACTIVE}` is the answer without a model.",
)
@click.option("--no-answers", is_flag=True, help="Look up only: no answers, no model.")
@new_file_option(
    "--out", "Also write one line of JSON for each answer, as it is given, in place of what the file holds."
)
@page_option("Also write the figures, with the trade-off drawn, as one page.")
@json_option
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
    models: tuple[str, ...],
    no_answers: bool,
    out: Path | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Measure retrieval, abstention and answers on a judged question file.

    Reads the index as it is: sync the documents that the questions are about first.
    """
    if calibrate and qrels is None:
        raise click.UsageError("--calibrate needs --qrels: which section answers which question.")
    if no_answers and models:
        raise click.UsageError("Give either --model or --no-answers.")
    if no_answers and out:
        raise click.UsageError("Give either --out or --no-answers: it has a line for each answer.")
    if out and out.resolve() in {each.resolve() for each in (questions, qrels, corpus, html) if each}:
        raise click.UsageError("--out needs a file of its own.")
    if calibrate and qrels:
        learned = invocation.app.evaluation.calibrate(questions, qrels=qrels, corpus=corpus)
        print_note(f"calibrated: slope {learned.slope:.2f}, shift {learned.shift:+.2f}; kept in the state folder")
    with progress_line() as advance:
        figures = invocation.app.evaluation.evaluate(
            questions,
            qrels=qrels,
            corpus=corpus,
            without=frozenset(without),
            models=None if no_answers else models,
            out=out,
            progress=advance,
        )
    _note_failed_models(figures)
    if out:
        print_note(f"written: {out}")
    if html:
        from bot.reports.evaluation_page import evaluation_page

        write_page(html, evaluation_page(figures))
    if as_json:
        print_json(dict(figures))
    else:
        print_text(evaluation_text(figures, plain=not can_print("█")))


def _note_failed_models(figures: Mapping[str, Any]) -> None:
    for name, answers in (figures.get("answers") or {}).items():
        if answers["gave_up"]:
            print_note(f"{name} failed too often in a row and was not asked any further ({answers['gave_up']})")
