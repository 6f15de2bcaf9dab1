"""`footnote evaluate` on questions that say what must be shown: shares with intervals, and a line for each answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bot.cli.command_line import error_line, json_lines, printed_json
from tests.bot.services.evaluation.evaluating import GOOD, LIAR, line, run, run_without_judgements, write_questions
from tests.scripted_app import numbered
from tests.servers.openai_server import Reply

CARRY: dict[str, Any] = {
    "id": "carry",
    "text": "How many days of leave may be carried over?",
    "kind": "number",
    "phrases": [["six days of leave", "FIVE days, of **leave**"], ["used by 31 March"]],
}
GYM: dict[str, Any] = {"id": "gym", "text": "Is there a gym for staff?", "kind": "absent", "answerable": False}


def ask(place: Any, questions: list[dict[str, Any]], *arguments: str, threshold: float = 0.0) -> Any:
    """Return the figures of `extractive` on these questions."""
    write_questions(place.folder, questions)
    return run_json(place, *arguments, threshold=threshold)["answers"]["extractive"]


def run_json(place: Any, *arguments: str, model: str = "", threshold: float = 0.0) -> Any:
    return printed_json(run_without_judgements(place, *arguments, "--json", model=model, threshold=threshold))


def parts(shares: Any) -> dict[str, tuple[int, int]]:
    return {name: (share["part"], share["of"]) for name, share in shares.items()}


def test_an_answer_that_shows_every_thing_is_whole_and_another_is_not(place):
    missing = {**CARRY, "id": "none", "phrases": [["five days of leave"], ["unused days are paid out"]]}
    figures = ask(place, [CARRY, missing])
    assert parts(figures["shares"]) == {
        "whole": (1, 2), "first": (1, 2), "right_kind": (2, 2), "wrongly_not_found": (0, 2)
    }  # fmt: skip
    whole = figures["shares"]["whole"]
    assert whole == pytest.approx({"part": 1, "of": 2, "share": 0.5, "low": 0.0945, "high": 0.9055}, abs=1e-4)
    assert figures["words"] <= figures["words_p90"]


def test_what_comes_late_is_whole_and_not_first(place):
    write_questions(place.folder, [{**CARRY, "phrases": [["used by 31 March"]]}])
    assert parts(run_json(place, model=GOOD)["answers"][GOOD]["shares"])["first"] == (0, 1)
    write_questions(place.folder, [CARRY])
    assert parts(run_json(place, model=GOOD)["answers"][GOOD]["shares"])["first"] == (1, 1), (
        "one of two things is half of them"
    )


def test_below_the_threshold_what_has_an_answer_is_wrongly_not_found_and_what_has_none_is_right(place):
    figures = ask(place, [CARRY, GYM], threshold=1.0)
    assert parts(figures["shares"]) == {
        "whole": (0, 1), "first": (0, 1), "wrongly_answered": (0, 1), "wrongly_not_found": (1, 1)
    }  # fmt: skip


def test_above_it_an_answer_to_what_has_none_is_told_by_its_kind(place):
    figures = ask(place, [CARRY, GYM, {"id": "plain", "text": "May part-time staff carry over days?"}])
    assert parts(figures["shares"])["wrongly_answered"] == (1, 1)
    assert {kind: list(shares) for kind, shares in figures["kinds"].items()} == {
        "number": ["whole", "first", "right_kind", "wrongly_not_found"],
        "absent": ["wrongly_answered"],
    }


def test_an_answer_without_a_number_is_not_of_the_kind_that_was_asked_for(place, server):
    server.models["good"] = Reply(numbered("Managers may not shorten this period [{leave}]."))
    write_questions(place.folder, [{"id": "n", "text": "How many days of leave may be carried over?"}])
    assert parts(run_json(place, model=GOOD)["answers"][GOOD]["shares"]) == {"right_kind": (0, 1)}


def test_the_number_of_a_step_is_no_count_and_a_phrase_may_run_over_items(place):
    place.write(
        "badge.md", "# Badge requests\n\n1. Ask the front desk for a badge form.\n2. Hand it to your manager.\n"
    )
    question = {
        "id": "badge",
        "text": "How many badge requests at the front desk?",
        "phrases": [["for a badge form. Hand it to your manager"], ["2. Hand it"]],
    }
    shares = parts(ask(place, [question])["shares"])
    assert (shares["whole"], shares["right_kind"]) == ((1, 1), (0, 1))


def test_an_address_that_words_lead_to_is_shown(place):
    place.write("travel.md", "# Travel claims\n\nFill in the [travel claim form](https://intranet.example/claim).\n")
    question = {"id": "t", "text": "Where is the travel claim form?", "phrases": [["https://intranet.example/claim"]]}
    assert parts(ask(place, [question])["shares"])["whole"] == (1, 1)


def test_where_no_line_says_what_is_right_nothing_is_told_of_it(place):
    write_questions(place.folder, [{"id": "plain", "text": "May part-time staff carry over days of leave?"}])
    assert "shares" not in run_without_judgements(place, model="").stdout
    assert run_json(place)["answers"]["extractive"]["shares"] == {}


def test_people_see_shares_with_their_intervals_and_by_kind_for_each_model(place):
    write_questions(place.folder, [CARRY, GYM])
    result = run_without_judgements(place, "--model", GOOD, "--model", LIAR)
    assert line(result.stdout, "whole").split("  ")[-2:] == ["1/1 100% (21% to 100%)"] * 2
    assert line(result.stdout, "absent: wrongly_answered").count("/1 ") == 2
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_models_are_compared_in_what_they_show(place, server):
    server.models["liar"] = Reply(numbered("Five days of leave may be carried over into the next year [{leave}]."))
    write_questions(place.folder, [CARRY])
    figures = run_json(place, "--model", GOOD, "--model", LIAR, model=GOOD)
    (whole,) = [row for row in figures["differences"] if row["figure"] == "whole"]
    assert whole["difference"] == -1.0


def test_each_answer_is_a_line_of_the_file(place):
    (place.folder / "out.jsonl").write_text("what an earlier run wrote", encoding="utf-8")
    missing = {**CARRY, "id": "none", "phrases": [["unused days are paid out", "paid out in May"]]}
    ask(place, [CARRY, missing, {"id": 3, "text": "Thanks!"}], "--out", "out.jsonl")
    first, second, third = json_lines((place.folder / "out.jsonl").read_text(encoding="utf-8"))
    assert first.pop("confidence") > 0
    assert first.pop("words") > 10
    assert first == {
        "id": "carry", "text": CARRY["text"], "kind": "number", "model": "extractive", "answerable": True,
        "answered": True, "abstained": False, "whole": True, "first": True, "right_kind": True, "missing": [],
        "citations": [{"document": "docs/leave.md", "section": "Leave > Carry-over", "anchor": "carry-over"}],
    }  # fmt: skip
    assert (second["whole"], second["missing"]) == (False, missing["phrases"])
    assert (third["id"], third["kind"], third["answered"], third["abstained"]) == ("3", None, False, False)
    assert (third["whole"], third["first"], third["right_kind"], third["answerable"]) == (None,) * 4


def test_each_model_has_its_own_lines(place):
    run(place, "--model", GOOD, "--model", LIAR, "--out", "out.jsonl")
    lines = json_lines((place.folder / "out.jsonl").read_text(encoding="utf-8"))
    assert sorted((each["id"], each["model"]) for each in lines) == [
        (name, model) for name in ("carry", "march", "part") for model in (GOOD, LIAR)
    ]


def test_a_run_that_breaks_off_keeps_the_lines_that_it_has(place, server):
    write_questions(place.folder, [{**CARRY, "id": str(number)} for number in range(9)])
    error_line(run_without_judgements(place, "--model", "openai:gone", "--out", "out.jsonl"), 1)
    lines = json_lines((place.folder / "out.jsonl").read_text(encoding="utf-8"))
    assert [each["id"] for each in lines] == ["0", "1", "2", "3", "4"], "the model was given up after five"


def test_questions_that_cannot_be_read_leave_the_file_as_it_was(place):
    (place.folder / "out.jsonl").write_text("{}", encoding="utf-8")
    write_questions(place.folder, [{**CARRY, "phrases": ["five days"]}])
    assert "line 1: `phrases` must be a list" in error_line(run_without_judgements(place, "--out", "out.jsonl"), 1)
    assert (place.folder / "out.jsonl").read_text(encoding="utf-8") == "{}"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        pytest.param(["--out", "gone/out.jsonl"], "does not exist", id="no-folder"),
        pytest.param(["--out", "docs"], "is a directory", id="folder"),
        pytest.param(["--out", "q.jsonl"], "--out needs a file of its own", id="the-questions"),
        pytest.param(["--out", "./e.html", "--html", "e.html"], "--out needs a file of its own", id="the-page"),
        pytest.param(["--out", "out.jsonl", "--no-answers"], "either --out or --no-answers", id="no-answers"),
    ],
)
def test_a_file_that_makes_no_sense_is_bad_usage_before_anything_is_asked(place, server, arguments, why):
    questions = (place.folder / "q.jsonl").read_text(encoding="utf-8")
    result = run_without_judgements(place, *arguments, model=GOOD)
    assert (result.exit_code, result.stdout, server.requests) == (2, "", [])
    assert why in " ".join(result.stderr.split())
    assert (place.folder / "q.jsonl").read_text(encoding="utf-8") == questions


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_ends_the_command_in_one_line(place):
    write_questions(place.folder, [CARRY])
    told = error_line(run_without_judgements(place, "--out", "/dev/full", model=""), 1)
    assert told == "'/dev/full' cannot be written (No space left on device); name another with --out"


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs a folder that nobody may write in")
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_asked(place, server):
    result = run_without_judgements(place, "--out", "/proc/out.jsonl", model=GOOD)
    assert (result.exit_code in {1, 2}, result.stdout, server.requests) == (True, "", [])
    assert "cannot be written" in result.stderr


def test_half_a_character_in_a_phrase_does_not_end_the_run(place):
    ask(place, [{**CARRY, "phrases": [["a\ud800b"]]}], "--out", "out.jsonl")
    (read,) = map(json.loads, (place.folder / "out.jsonl").read_text(encoding="utf-8").splitlines())
    assert read["missing"] == [["a\ud800b"]]
