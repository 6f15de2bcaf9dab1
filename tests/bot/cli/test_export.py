"""`footnote export`: what the service is called with, what is printed of the rows, and what is refused."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.cli.export import FORMATS as OFFERED
from feedback.export.exporter import write_export
from feedback.export.formats import FORMATS
from feedback.export.request import ExportRequest
from tests.bot.cli.command_line import error_line
from tests.feedback.export.samples import Registry, many

AT = datetime(2026, 3, 2, tzinfo=UTC)
COUNT = 60


class SamplingTraining:
    """A `TrainingService` that writes sample rows for real; `calls` are the options that it was called with."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self._registry: Any = Registry()

    def export(self, formats: Any, out: Path, *, force: bool, progress: Any, **options: Any) -> Any:
        self.calls.append({"formats": formats, **options})
        wanted = ExportRequest(formats, settings={"min_agreement": options["min_agreement"]}, tool="footnote 1")
        return write_export(
            lambda _: many(COUNT + len(self.calls) * 2),
            wanted,
            out,
            store=self._registry,
            name="export-1",
            at=AT,
            force=force,
            progress=progress,
        )


@pytest.fixture
def training() -> SamplingTraining:
    return SamplingTraining()


@pytest.fixture
def app(training) -> SimpleNamespace:
    return SimpleNamespace(training=training)


def test_the_formats_are_those_of_the_package():
    assert tuple(OFFERED) == FORMATS


def test_rows_are_written_and_counted_with_what_they_are_enough_for(run, training, folder):
    result = run("export", "--format", "trl-sft", "--format", "beir", "--out", "out")
    assert result.exit_code == 0, result.output
    assert training.calls == [
        {
            "formats": ("trl-sft", "beir"),
            "since": None,
            "until": None,
            "min_agreement": 0.75,
            "groups": frozenset(),
            "evaluation": None,
            "tokenizer": None,
        }
    ]
    assert result.stderr == "written: out; out/README.md says how to train\n"
    lines = result.stdout.splitlines()
    assert lines[0] == "67 exchanges, 52 of them in rows"
    assert "  5 left out: agreement, disputed" in lines
    assert "  10 left out: format, not-desirable" in lines
    assert lines[-3].startswith("trl-sft: 52 rows, 42 of them to train on: enough for style: tune, and measure")
    assert lines[-2] == "  max_length 128 (estimated; --tokenizer counts them)"
    assert lines[-1].startswith("beir: 42 rows, 34 of them to train on: enough to see that a trainer runs")
    assert (folder / "out" / "trl-sft" / "train.jsonl").is_file()


def test_the_json_is_the_manifest_with_id_and_place(run, folder):
    result = run("export", "--format", "trl-kto", "--out", "out", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    manifest = json.loads(result.stdout)
    assert (manifest.pop("id"), manifest.pop("out")) == ("export-1", "out")
    assert manifest == json.loads((folder / "out" / "manifest.json").read_bytes())


def test_every_option_reaches_the_service(run, training, folder):
    (folder / "model").mkdir()
    (folder / "questions.jsonl").write_text("")
    options = "--since 2026-03-01 --until 2026-04-01T12:00+02:00 --min-agreement 0.9 --group hr --group finance"
    files = "--evaluation questions.jsonl --tokenizer model"
    result = run("export", "--format", "trl-sft", "--out", "out", *options.split(), *files.split())
    assert result.exit_code == 0, result.output
    assert training.calls == [
        {
            "formats": ("trl-sft",),
            "since": datetime(2026, 3, 1, tzinfo=UTC),
            "until": datetime(2026, 4, 1, 10, tzinfo=UTC),
            "min_agreement": 0.9,
            "groups": frozenset({"hr", "finance"}),
            "evaluation": Path("questions.jsonl"),
            "tokenizer": Path("model"),
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--out", "out"], "Give --format F and --out DIR"),
        (["--format", "trl-sft"], "Give --format F and --out DIR"),
        (["--format", "csv", "--out", "out"], "'csv' is not one of 'trl-sft'"),
        (["--format", "trl-sft", "--out", "out", "--since", "yesterday"], "give a day such as 2026-03-01"),
        (["--format", "trl-sft", "--out", "o", "--since", "2026-03-02", "--until", "2026-03-02"], "must lie before"),
        (["--format", "trl-sft", "--out", "out", "--min-agreement", "0.2"], "0.2 is not in the range"),
        (["--format", "trl-sft", "--diff", ".", "."], "either --diff OLD NEW or"),
        (["--diff", ".", "nowhere"], "'nowhere' does not exist"),
    ],
)
def test_what_makes_no_sense_is_refused_with_status_2(run, training, arguments, reason):
    result = run("export", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in result.stderr
    assert training.calls == []


def test_a_folder_of_somebody_else_is_refused_in_one_line(run, folder):
    (folder / "out").mkdir()
    (folder / "out" / "thesis.txt").write_text("years of work")
    line = error_line(run("export", "--format", "trl-sft", "--out", "out", "--force"), 1)
    assert line == f"{str(folder / 'out')!r} is there already and is no export of Footnote's: name a new folder"


def test_an_export_is_replaced_only_with_force(run):
    assert run("export", "--format", "trl-sft", "--out", "out").exit_code == 0
    assert "replace it with --force" in error_line(run("export", "--format", "trl-sft", "--out", "out"), 1)
    assert run("export", "--format", "trl-sft", "--out", "out", "--force").exit_code == 0


def test_two_exports_are_compared(run):
    run("export", "--format", "trl-sft", "--out", "old")
    run("export", "--format", "trl-sft", "--out", "new", "--min-agreement", "0.9")
    result = run("export", "--diff", "old", "new")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "min_agreement: 0.75 before, now 0.9"
    assert lines[1] == "trl-sft, exchanges: 2 added, 52 unchanged"
    assert "  added answer-00063" in lines
    assert "  answer-00062 (agreement: disputed before, now not left out)" in lines
    changes = json.loads(run("export", "--diff", "old", "new", "--json").stdout)
    assert changes["formats"]["trl-sft"]["added"] == ["answer-00062", "answer-00063"]


def test_what_is_no_export_is_refused_in_one_line(run, folder):
    assert error_line(run("export", "--diff", str(folder), str(folder)), 1) == (
        f"{str(folder)!r} is no export of Footnote's: name the folder that --out was given"
    )
