from datetime import datetime
from pathlib import Path

import click

from bot.cli.invocation import Invocation
from bot.cli.options import check_period, groups_option, json_option, parse_moment
from bot.cli.output import print_json, print_note, print_text
from bot.cli.progress import progress_line
from bot.reports.export_text import export_changes_text, export_text

# As feedback.export has them, which is not imported for the sake of `--help`.
FORMATS = "trl-sft trl-dpo trl-kto openai-chat openai-preference sentence-transformers beir".split()

_folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("export")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    metavar="F",
    help=f"What for: {', '.join(FORMATS)}. May be repeated.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="The folder to write; it appears whole or not at all."
)
@click.option("--force", is_flag=True, help="Replace an export that lies in this folder.")
@click.option("--since", metavar="D", callback=parse_moment, help="Only answers from this day on, such as 2026-03-01.")
@click.option("--until", metavar="D", callback=parse_moment, help="Only answers before this day.")
@click.option(
    "--min-agreement",
    type=click.FloatRange(0.5, 1),
    default=0.75,
    show_default=True,
    metavar="A",
    help="The share of an answer's votes that must say the same; below it, it is disputed.",
)
@groups_option(
    "A group that may see the rows, beside everyone; what others alone may read is left out. May be repeated."
)
@click.option(
    "--evaluation",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Questions that `footnote evaluate` measures with: nothing near them is trained on.",
)
@click.option(
    "--tokenizer", type=_folder, metavar="PATH", help="A model's folder, to count tokens with instead of an estimate."
)
@click.option("--diff", nargs=2, type=_folder, metavar="OLD NEW", help="Tell what differs between two exports.")
@json_option
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    formats: tuple[str, ...],
    out: Path | None,
    force: bool,
    since: datetime | None,
    until: datetime | None,
    min_agreement: float,
    groups: tuple[str, ...],
    evaluation: Path | None,
    tokenizer: Path | None,
    diff: tuple[Path, Path] | None,
    as_json: bool,
) -> None:
    """Write curated training data, or compare two exports.

    Only answers that people agreed on, that their passages support and whose documents still say the same; why the
    others are left out stands beside the rows.
    """
    if diff:
        if formats or out:
            raise click.UsageError("Give either --diff OLD NEW or --format F with --out DIR.")
        _compare(*diff, as_json=as_json)
        return
    if not formats or not out:
        raise click.UsageError(f"Give --format F and --out DIR; the formats are {', '.join(FORMATS)}.")
    check_period(since, until)
    with progress_line() as advance:
        export = invocation.app.training.export(
            formats,
            out,
            force=force,
            since=since,
            until=until,
            min_agreement=min_agreement,
            groups=frozenset(groups),
            evaluation=evaluation,
            tokenizer=tokenizer,
            progress=advance,
        )
    if as_json:
        print_json({"id": export.id, "out": str(export.place), **export.manifest})
    else:
        print_text(export_text(export.manifest))
        print_note(f"written: {export.place}; {export.place / 'README.md'} says how to train")


def _compare(old: Path, new: Path, *, as_json: bool) -> None:
    from feedback.export.diff import compare_exports

    changes = compare_exports(old, new)
    if as_json:
        print_json(changes)
    else:
        print_text(export_changes_text(changes))
