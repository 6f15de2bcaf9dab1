from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from bot.cli.options import json_option, moment
from bot.cli.output import Invocation, emit, note, say
from bot.cli.progress import progress

# As feedback.export has them, which is not imported for the sake of `--help`.
FORMATS = "trl-sft trl-dpo trl-kto openai-chat openai-preference sentence-transformers beir".split()
CHANGES = ("added", "removed", "changed", "relabelled", "moved")
# Exchanges of a kind of change that are named to people; all of them are in the JSON.
NAMED = 10

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
@click.option("--since", metavar="D", callback=moment, help="Only answers from this day on, such as 2026-03-01.")
@click.option("--until", metavar="D", callback=moment, help="Only answers before this day.")
@click.option(
    "--min-agreement",
    type=click.FloatRange(0.5, 1),
    default=0.75,
    show_default=True,
    metavar="A",
    help="The share of an answer's votes that must say the same; below it, it is disputed.",
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="GROUP",
    help="A group that may see the rows, beside everyone; what others alone may read is left out. May be repeated.",
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
    if since and until and since >= until:
        raise click.UsageError("--since must lie before --until.")
    with progress() as advance:
        made = invocation.app.training.export(
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
        emit({"id": made.id, "out": str(made.place), **made.manifest})
    else:
        say(summary(made.manifest))
        note(f"written: {made.place}; {made.place / 'README.md'} says how to train")


def summary(manifest: Mapping[str, Any]) -> str:
    """What was written and what was left out, for people."""
    exchanges = manifest["exchanges"]
    lines = [f"{exchanges['in']} exchanges, {exchanges['used']} of them in rows"]
    for stage, reasons in exchanges["rejected"].items():
        lines += [f"  {count} left out: {stage}, {reason}" for reason, count in reasons.items()]
    for name, told in manifest["formats"].items():
        lines.append(f"{name}: {told['readiness']['note']}")
        tokens = told["tokens"]
        if told["of"] != "retrievals":
            how = "counted" if tokens["counted_by"] == "tokenizer" else "estimated; --tokenizer counts them"
            lines.append(f"  max_length {tokens['recommended_max_length']} ({how})")
    return "\n".join(lines)


def _compare(old: Path, new: Path, *, as_json: bool) -> None:
    from feedback.export.diff import compare_exports

    told = compare_exports(old, new)
    if as_json:
        emit(told)
    else:
        say(differences(told))


def differences(told: Mapping[str, Any]) -> str:
    """What differs, for people: counts, and the first exchanges of each."""
    lines = [f"{key}: {each['old']} before, now {each['new']}" for key, each in told["settings"].items()]
    for name, changes in told["formats"].items():
        counts = [f"{len(changes[kind])} {kind}" for kind in CHANGES if changes.get(kind)]
        lines.append(f"{name}, exchanges: {', '.join([*counts, str(changes['unchanged']) + ' unchanged'])}")
        for kind in CHANGES:
            lines += _named(kind, changes.get(kind, []))
    lines.append(f"left or came back: {len(told['rejected'])}")
    lines += _named("", told["rejected"])
    return "\n".join(lines)


def _named(kind: str, changes: list[Any]) -> list[str]:
    lines = [f"  {kind} {_one(each)}".replace("   ", "  ") for each in changes[:NAMED]]
    return [*lines, f"  and {len(changes) - NAMED} more"] if len(changes) > NAMED else lines


def _one(change: Any) -> str:
    if isinstance(change, str):
        return change
    return f"{change['exchange']} ({_side(change['old'])} before, now {_side(change['new'])})"


def _side(value: Any) -> str:
    if value is None:
        return "not left out"
    return ", ".join(value) if isinstance(value, list) else str(value)
