"""A whole export: what stands beside the rows agrees with them, and the folder appears whole or not at all."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from feedback.curation.dataset import CuratedDataset, Example
from feedback.errors import ExportRefused, FeedbackUnavailable
from feedback.export.formats import FORMATS
from tests import ROOT
from tests.feedback.export.conftest import AT, rows
from tests.feedback.export.samples import curated, example, many, pair, retrieval


def tree(place: Path) -> dict[str, bytes]:
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def curated_by(examples: Callable[[], Iterator[Example]]) -> CuratedDataset:
    return replace(many(60), examples=examples)


def test_lineage_names_for_every_row_its_line_and_where_it_comes_from(write):
    made = write(many(90))
    lines: Counter[tuple[str, str, int]] = Counter()
    for row in rows(made.place / "lineage.jsonl"):
        assert set(row) == {"format", "split", "row", "sha256", "exchange", "why"}
        lines[row["format"], row["split"], row["row"]] += 1
        folder = made.place / row["format"]
        if row["format"] == "beir":
            written = (folder / "qrels" / f"{row['split']}.tsv").read_bytes().split(b"\n")[1:][row["row"]]
        else:
            written = (folder / f"{row['split']}.jsonl").read_bytes().split(b"\n")[row["row"]]
        assert sha256(written).hexdigest() == row["sha256"]
    for name, summary in made.manifest["formats"].items():
        assert sum(1 for line in lines if line[0] == name) == summary["rows"]
        assert {count for line, count in lines.items() if line[0] == name} == {2 if summary["of"] == "pairs" else 1}


def test_every_exchange_is_either_in_a_row_or_rejected_for_one_reason(write):
    made = write(many(60), "trl-dpo")
    used = {row["exchange"] for row in rows(made.place / "lineage.jsonl")}
    rejected = [row["exchange"] for row in rows(made.place / "rejected.jsonl")]
    assert len(rejected) == len(set(rejected))
    assert used.isdisjoint(rejected)
    assert used | set(rejected) == {f"answer-{n:05}" for n in range(65)}
    exchanges = made.manifest["exchanges"]
    assert exchanges == {
        "in": 65,
        "used": 10,
        "rejected": {"agreement": {"disputed": 5}, "format": {"no-row-of-these-formats": 50}},
    }


def test_the_manifest_vouches_for_every_file_and_holds_the_counts_of_every_step(write):
    made = write(many(60), min_agreement=0.8)
    manifest = json.loads((made.place / "manifest.json").read_bytes())
    assert manifest == json.loads(json.dumps(made.manifest))
    files = tree(made.place)
    del files["manifest.json"]
    assert {path: summary["sha256"] for path, summary in manifest["files"].items()} == {
        path: sha256(content).hexdigest() for path, content in files.items()
    }
    assert {path: summary["bytes"] for path, summary in manifest["files"].items()} == {
        path: len(content) for path, content in files.items()
    }
    for path, summary in manifest["files"].items():
        if path.endswith(".jsonl"):
            assert summary["rows"] == len(rows(made.place / path))
    assert manifest["settings"] == {"min_agreement": 0.8}
    assert manifest["steps"] == {"agreement": {"in": 65, "out": 60, "left": {"disputed": 5}}}
    for summary in manifest["formats"].values():
        assert summary["in"] == summary["rows"] + sum(summary["left_out"].values())
        assert sum(summary["splits"].values()) == summary["rows"]


def test_the_same_rows_give_the_same_bytes_in_every_process(write, tmp_path):
    made = write(many(60))
    code = """
import sys
from pathlib import Path
from feedback.export.exporter import write_export
from feedback.export.formats import FORMATS
from feedback.export.request import ExportRequest
from tests.feedback.export.conftest import AT
from tests.feedback.export.samples import Registry, many
write_export(lambda _: many(60), ExportRequest(tuple(reversed(FORMATS)), tool="footnote 1", language="english"),
     Path(sys.argv[1]), store=Registry(), name="another", at=AT.replace(year=2030))
"""
    for seed in ("1", "2"):
        place = tmp_path / seed
        subprocess.run(
            [sys.executable, "-c", code, str(place)], cwd=ROOT, env={"PYTHONHASHSEED": seed}, check=True, timeout=60
        )
        assert tree(place) == tree(made.place)


def test_the_registry_learns_whose_rows_are_where(write, store):
    made = write(many(60), "trl-sft")
    ((export, held),) = store.registered
    assert (export.id, export.at, export.place, export.rows) == (
        "export-1",
        AT,
        str(made.place),
        made.manifest["formats"]["trl-sft"]["rows"],
    )
    hashes = {row["sha256"] for row in rows(made.place / "lineage.jsonl")}
    assert len(held) == 7
    assert {each for person in held.values() for each in person} == hashes


def test_a_store_that_is_down_leaves_no_export(write, store, tmp_path):
    store.failure = FeedbackUnavailable("the store is down")
    with pytest.raises(FeedbackUnavailable, match="the store is down"):
        write(many(60), "trl-sft")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_somebody_else_is_never_touched(write, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    for force in (False, True):
        with pytest.raises(ExportRefused, match="is no export of Footnote's: name a new folder"):
            write(many(60), force=force)
    assert tree(out) == {"thesis.txt": b"years of work"}


def test_a_file_in_its_place_is_refused(write, tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(ExportRefused, match="name a new folder"):
        write(many(60), force=True)


def test_an_export_is_replaced_only_when_that_is_asked_for(write, tmp_path):
    write(many(60), "trl-sft")
    before = tree(tmp_path / "out")
    with pytest.raises(ExportRefused, match="replace it with --force"):
        write(many(70), "trl-kto")
    assert tree(tmp_path / "out") == before
    write(many(70), "trl-kto", force=True)
    assert not (tmp_path / "out" / "trl-sft").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_somebody_put_into_an_export_is_not_thrown_away(write, tmp_path):
    place = write(many(60), "trl-sft").place
    (place / "tuned").mkdir()
    (place / "tuned" / "model").write_text("weeks of work")
    with pytest.raises(ExportRefused, match="and 'tuned', which is none of it: move that away"):
        write(many(70), "trl-sft", force=True)
    assert (place / "tuned" / "model").read_text() == "weeks of work"


def test_an_empty_folder_and_missing_parents_are_taken(write, tmp_path):
    (tmp_path / "empty").mkdir()
    write(many(60), "trl-sft", place=tmp_path / "empty")
    write(many(60), "trl-sft", place=tmp_path / "a" / "b")
    assert tree(tmp_path / "empty") == tree(tmp_path / "a" / "b")


def test_a_place_that_cannot_be_written_is_told(write, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ExportRefused, match="could not be written"):
        write(many(60), "trl-sft", place=tmp_path / "file" / "out")


def test_an_error_while_rows_are_read_leaves_the_old_export(write, tmp_path):
    write(many(60), "trl-sft")
    before = tree(tmp_path / "out")

    def broken():
        yield example(1)
        raise FeedbackUnavailable("gone")

    with pytest.raises(FeedbackUnavailable):
        write(curated_by(broken), "trl-sft", force=True)
    assert tree(tmp_path / "out") == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


KILLED = """
import sys, time
from dataclasses import replace
from pathlib import Path
from feedback.export.exporter import write_export
from feedback.export.request import ExportRequest
from tests.feedback.export.conftest import AT
from tests.feedback.export.samples import Registry, example, many
def slow():
    yield from map(example, range(30))
    print("half", flush=True)
    time.sleep(60)
write_export(lambda _: replace(many(60), examples=slow), ExportRequest(("trl-sft",)), Path(sys.argv[1]),
             store=Registry(), name="x", at=AT, force=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL; run it on Linux or macOS")
def test_a_kill_in_the_middle_leaves_the_old_export_and_the_next_one_cleans_up(write, tmp_path):
    write(many(60), "trl-sft")
    before = tree(tmp_path / "out")
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "out")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "half\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert tree(tmp_path / "out") == before
    assert len(list(tmp_path.iterdir())) == 2, "the killed one left its half behind"
    write(many(70), "trl-sft", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_two_exports_to_one_place_at_once_do_not_clean_each_other_away(write, tmp_path):
    def nested():
        write(many(60), "trl-sft", place=tmp_path / "out")
        yield from map(example, range(60))

    with pytest.raises(ExportRefused, match="holds an export already"):
        write(curated_by(nested), "trl-sft", place=tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("rows_given", "name", "said"),
    [
        pytest.param({"examples": map(example, range(9))}, "trl-sft", "9 rows and needs 10: 1 more answers", id="nine"),
        pytest.param({}, "trl-dpo", "0 rows and needs 10: 10 more questions with a better and a worse", id="no-pairs"),
        pytest.param(
            {"examples": map(example, range(40))},
            "trl-kto",
            "no answer to train on that is voted down: at least 1",
            id="one-sided",
        ),
        pytest.param(
            {"examples": (example(n, label=False) for n in range(40))},
            "trl-kto",
            "no answer to train on that is voted up, corrected or approved: at least 1 is missing",
            id="other-side",
        ),
        pytest.param(
            {"pairs": (pair(n, split="test") for n in range(12))}, "trl-dpo", "no row to train on", id="no-train"
        ),
        pytest.param(
            {"retrievals": map(retrieval, range(3))}, "beir", "7 more answers voted up that cite a section", id="beir"
        ),
    ],
)
def test_too_few_or_one_sided_rows_are_refused_with_what_is_missing(write, tmp_path, rows_given, name, said):
    with pytest.raises(ExportRefused, match=said):
        write(curated(**rows_given), name)
    assert list(tmp_path.iterdir()) == []


def test_all_formats_that_lack_rows_are_named_at_once(write):
    with pytest.raises(ExportRefused) as refused:
        write(curated(examples=map(example, range(30))))
    assert "\n" not in str(refused.value)
    for name in set(FORMATS) - {"trl-sft", "openai-chat"}:
        assert name in str(refused.value)


def test_ten_rows_are_enough_and_an_empty_split_is_a_file(write):
    made = write(curated(examples=(example(n, split="train") for n in range(10))), "trl-sft")
    assert (made.place / "trl-sft" / "validation.jsonl").read_bytes() == b""


def test_counts_that_do_not_reconcile_are_an_error_and_leave_nothing(write, tmp_path):
    with pytest.raises(RuntimeError, match="66 exchanges went in"):
        write(replace(many(60), exchanges=66), "trl-sft")
    assert list(tmp_path.iterdir()) == []
