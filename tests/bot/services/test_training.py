"""`footnote export` over a real index and store: documents, questions and votes in, training data out."""

import json
import os
import stat
from typing import Any

import pytest

from tests.bot.cli.command_line import error_line
from tests.bot.local_app import run, run_json
from tests.feedback.export.conftest import rows

THINGS = "kettles ladders passports gardens invoices windows engines bicycles lanterns markets tunnels violins".split()
SECRET = "---\naudience: [board]\n---\n# Salaries\n\nThe salaries of the board are paid in March.\n"


def page(thing: str, days: int) -> str:
    return f"# {thing.title()}\n\n## Lending of {thing}\n\nThe {thing} are lent for {days} days at the most.\n"


@pytest.fixture(autouse=True)
def voted(folder, monkeypatch) -> dict[str, str]:
    """A document for each thing, a question about each, and everybody's vote; the id of each answer."""
    monkeypatch.setenv("FOOTNOTE_CONFIDENCE_THRESHOLD", "0")
    (folder / "handbook").mkdir()
    for days, thing in enumerate(THINGS, start=3):
        (folder / "handbook" / f"{thing}.md").write_text(page(thing, days), encoding="utf-8")
    (folder / "handbook" / "board.md").write_text(SECRET, encoding="utf-8")
    run_json("sync", "handbook", "--json")
    answers = {thing: run_json("ask", f"How long are the {thing} lent?", "--json")["id"] for thing in THINGS}
    board = run_json("ask", "When are the salaries of the board paid?", "--group", "board", "--json")
    answers["board"] = board["id"]
    for number, answer in enumerate(answers.values()):
        run_json("vote", answer, "up", "--user", f"person-{number}@example.com", "--json")
    return answers


def export(name: str, *options: str) -> Any:
    return run_json("export", "--format", "trl-sft", "--format", "beir", "--out", name, "--json", *options)


def test_votes_become_rows_whose_exchanges_are_the_answers(folder, voted):
    report = export("first")
    assert report["exchanges"]["in"] == len(voted)
    lineage = rows(folder / "first" / "lineage.jsonl")
    assert {row["exchange"] for row in lineage} == {voted[thing] for thing in THINGS}
    (sample,) = [row for row in lineage if row["exchange"] == voted["kettles"] and row["format"] == "trl-sft"]
    row = rows(folder / "first" / "trl-sft" / f"{sample['split']}.jsonl")[sample["row"]]
    assert "The kettles are lent for 3 days at the most [" in row["completion"][0]["content"]
    assert report["settings"]["min_agreement"] == 0.75


def test_what_only_a_group_may_read_stays_out_unless_it_is_for_them(folder, voted):
    export("all")
    for path in (folder / "all").rglob("*"):
        assert path.is_dir() or b"salaries" not in path.read_bytes().lower(), path
    export("board", "--group", "board")
    assert voted["board"] in {row["exchange"] for row in rows(folder / "board" / "lineage.jsonl")}


def test_a_changed_section_takes_its_row_along(folder, voted):
    export("before")
    (folder / "handbook" / "kettles.md").write_text(page("kettles", 30), encoding="utf-8")
    run_json("sync", "handbook", "--json")
    export("after")
    changes = run_json("export", "--diff", "before", "after", "--json")
    assert changes["formats"]["trl-sft"]["removed"] == [voted["kettles"]]
    assert changes["formats"]["trl-sft"]["added"] == []
    assert [change["exchange"] for change in changes["rejected"]] == [voted["kettles"]]


def test_the_same_votes_give_the_same_files_also_later(folder):
    export("first")
    export("second")
    for path in (folder / "first").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (folder / "second" / path.relative_to(folder / "first")).read_bytes()


def test_questions_of_an_evaluation_are_not_trained_on(folder, voted):
    line = {"id": "1", "text": "How long are the kettles lent?"}
    (folder / "questions.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    export("out", "--evaluation", "questions.jsonl")
    rejected = {row["exchange"]: row["reason"] for row in rows(folder / "out" / "rejected.jsonl")}
    assert rejected[voted["kettles"]] == "evaluation-question"


def test_a_time_without_answers_is_refused_with_what_is_missing(folder):
    result = run("export", "--format", "trl-sft", "--out", "out", "--until", "2020-01-01", debug=False)
    assert "trl-sft has 0 rows and needs 10: 10 more answers" in error_line(result, 1)
    assert not (folder / "out").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes; run it on Linux or macOS")
def test_an_export_is_for_its_owners_eyes(folder):
    export("out")
    assert stat.S_IMODE((folder / "out").stat().st_mode) == 0o700


def test_forgetting_somebody_names_the_exports_that_hold_their_rows(folder, voted):
    export("out")
    forgotten = run_json("forget", "person-0@example.com", "--yes", "--json")
    (held,) = forgotten["exports"]
    assert held["place"] == str(folder / "out")
    own = {row["sha256"] for row in rows(folder / "out" / "lineage.jsonl") if row["exchange"] == voted["kettles"]}
    assert set(held["rows"]) == own != set()
