"""Real ratings end to end: documents, exchanges and votes through the command line, an export, and its trainers."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from bot.app import bootstrap
from bot.config.settings import Settings
from feedback.stores.sqlite.store import SqliteFeedback
from tests import ROOT
from tests.feedback import feedbackqa
from tests.trainers.environments import run

DATA = os.environ.get("FOOTNOTE_TEST_DATA", "")  # noqa: TID251 - FOOTNOTE_TEST_* belongs to the tests
HERE = Path(__file__).parent
FORMATS = ("trl-sft", "trl-kto", "openai-chat", "sentence-transformers", "beir")

pytestmark = [
    pytest.mark.full,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        not DATA or not (Path(DATA) / "feedbackqa").is_dir(),
        reason="set FOOTNOTE_TEST_DATA to a folder that holds feedbackqa/, questions with people's ratings",
    ),
]


@dataclass(frozen=True, slots=True)
class Exported:
    """Where it lies, what its manifest says, and how many exchanges went in."""

    place: Path
    manifest: dict[str, Any]
    exchanges: int
    home: Path


def footnote(home: Path, *arguments: str, status: int = 0) -> str:
    """What the command says on stdout, or where it is to fail its one line on stderr."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOOTNOTE_")}  # noqa: TID251
    command = [sys.executable, "-m", "bot", "--home", str(home), *arguments]
    done = subprocess.run(
        command,
        cwd=home.parent,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == status, done.stderr[-3000:]
    return done.stderr if status else done.stdout


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Exported:
    """Documents synced with the real model, votes loaded from a dump, all formats that these have rows for."""
    folder = tmp_path_factory.mktemp("feedbackqa")
    rows = feedbackqa.read_ratings(Path(DATA) / "feedbackqa")
    feedbackqa.write_documents(rows, folder / "documents")
    home, elsewhere, dump = folder / "state", folder / "elsewhere", folder / "dump.jsonl"
    synced = json.loads(footnote(home, "sync", str(folder / "documents" / "feedbackqa"), "--json"))
    assert not synced["skipped"]
    store = SqliteFeedback(elsewhere / "feedback.db")
    exchanges, votes = feedbackqa.record_all(rows, bootstrap(Settings(home=home)).index, store)
    store.close()
    footnote(elsewhere, "feedback", "dump", "--out", str(dump))
    loaded = json.loads(footnote(home, "feedback", "load", str(dump), "--json"))
    assert loaded == {"added": exchanges + votes, "known": 0, "refused": {}, "whole": True}
    wanted = [part for name in FORMATS for part in ("--format", name)]
    summary = json.loads(footnote(home, "export", *wanted, "--out", str(folder / "export"), "--json"))
    return Exported(folder / "export", summary, exchanges, home)


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_every_exchange_is_in_rows_or_left_out_for_a_reason(exported):
    lineage, rejected = objects(exported.place / "lineage.jsonl"), objects(exported.place / "rejected.jsonl")
    used, left = {each["exchange"] for each in lineage}, [each["exchange"] for each in rejected]
    assert len(left) == len(set(left))
    assert used.isdisjoint(left)
    assert len(used) + len(left) == exported.exchanges
    summary = exported.manifest["exchanges"]
    assert (summary["in"], summary["used"]) == (exported.exchanges, len(used))
    counted: dict[str, Counter[str]] = {}
    for each in rejected:
        counted.setdefault(each["stage"], Counter())[each["reason"]] += 1
    assert summary["rejected"] == counted
    assert len(used) > 500, "that is enough to tune on"


def test_every_row_has_its_lineage_and_every_lineage_its_row(exported):
    lines = Counter(
        (each["format"], each["split"], each["row"], each["sha256"])
        for each in objects(exported.place / "lineage.jsonl")
    )
    written: Counter[tuple[str, str, int, str]] = Counter()
    for name, summary in exported.manifest["formats"].items():
        rows = 0
        for path in sorted((exported.place / name).rglob("*.tsv" if name == "beir" else "*.jsonl")):
            found = path.read_bytes().splitlines()[name == "beir" :]
            written.update((name, path.stem, row, sha256(line).hexdigest()) for row, line in enumerate(found))
            rows += len(found)
        assert rows == summary["rows"] == sum(summary["splits"].values())
    assert lines == written


def test_where_nobody_answered_twice_there_are_no_pairs_and_it_says_so(exported):
    out = exported.place.with_name("pairs")
    said = footnote(exported.home, "export", "--format", "trl-dpo", "--out", str(out), status=1)
    assert re.search(r"nothing was written: trl-dpo has \d rows and needs 10: \d+ more questions", said), said
    assert not out.exists()


@pytest.mark.parametrize("name", ["trl-sft", "trl-kto"])
def test_trl_trains_on_it(trl, exported, tmp_path, name):
    tiny, out = tmp_path / "tiny", tmp_path / "tuned"
    run(trl, str(HERE / "tiny.py"), str(tiny), str(exported.place / "trl-sft" / "validation.jsonl"), cwd=tmp_path)
    cut(exported.place / name, tmp_path / "export" / name)
    recipe = copied(exported.place, name, tmp_path)
    run(trl, recipe, "--model", str(tiny), "--out", str(out), "--lora", "0", "--steps", "2", cwd=tmp_path)
    assert (out / "model.safetensors").stat().st_size > 0


def test_the_retrievers_recipe_runs_on_it(trl, exported, tmp_path):
    """Two batches teach little; whatever comes of it, it is measured on what was held back."""
    cut(exported.place / "sentence-transformers", tmp_path / "export" / "sentence-transformers")
    recipe, out = copied(exported.place, "sentence-transformers", tmp_path), tmp_path / "tuned"
    said = run(
        trl,
        "-c",
        "import runpy, sys\nsys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as ended: print('ENDED', ended.code)",
        *(recipe, "--out", str(out), "--steps", "2", "--batch", "8"),
        cwd=tmp_path,
    )
    gain = float(re.findall(r"gain ([+-][0-9.]+)", said)[0])
    assert out.exists() == ("ENDED" not in said)
    assert gain >= 0 or not out.exists()


def cut(of: Path, to: Path) -> None:
    """So many rows as two steps need, so that nobody waits for a measurement of all."""
    to.mkdir(parents=True)
    for path in sorted(of.glob("*.jsonl")):
        (to / path.name).write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:40]))


def copied(export: Path, name: str, folder: Path) -> str:
    """The recipe beside the rows that it is to read."""
    recipe = folder / "export" / "recipes" / f"{name}.py"
    recipe.parent.mkdir()
    recipe.write_bytes((export / "recipes" / recipe.name).read_bytes())
    return str(recipe)
