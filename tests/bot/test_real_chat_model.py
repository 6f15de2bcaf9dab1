"""Questions about real handbooks, answered by a real instruction model through the product.

The model is small. What is asserted must hold whatever a model writes; how often it is right is printed.
"""

import json
import re
import runpy
from collections import Counter, defaultdict
from collections.abc import Iterator
from hashlib import sha256
from itertools import chain, zip_longest
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.bot.cli.command_line import footnote, json_lines, printed_json
from tests.servers.elastic.processes import setting

DATA = Path(setting("DATA") or "/nowhere")
SET = DATA / "handbook_qa"
# So many take about a quarter of an hour on two cores; 60 were chosen to be asked when there is time.
ASKED = int(setting("QUESTIONS") or 24)
# The end of the note that tells why quotes stand in for the model's sentences, or beside them.
FALLBACK = re.compile(r"\((\S+)\)\.$")

Row = dict[str, Any]


@pytest.fixture
def questions() -> list[Row]:
    """Two that a handbook answers, then one that it does not, and so on; each kind has its turn."""
    if not SET.is_dir():
        pytest.skip("set FOOTNOTE_TEST_DATA to a folder that holds handbook_qa/, questions about handbooks")
    every = json_lines((SET / "questions.jsonl").read_text("utf-8"))
    answered = in_turn([each for each in every if each["answerable"]])
    absent = in_turn([each for each in every if not each["answerable"]])
    return list(chain.from_iterable(zip(answered, absent, answered, strict=False)))[:ASKED]


def in_turn(questions: list[Row]) -> Iterator[Row]:
    """One question of each kind after the other, in an order within the kind that nobody chose."""
    kinds = defaultdict(list)
    for question in sorted(questions, key=lambda each: sha256(each["id"].encode()).digest()):
        kinds[question["kind"] if question["answerable"] else question.get("near_miss", False)].append(question)
    for turn in zip_longest(*(kinds[kind] for kind in sorted(kinds))):
        yield from filter(None, turn)


@pytest.mark.full
@pytest.mark.timeout(4 * 3600)
def test_whatever_a_real_model_writes_every_sentence_is_cited_and_every_quote_stands_in_its_document(  # noqa: PLR0917 - fixtures
    questions, folder, chat_model_url, caplog, capsys, pytestconfig
):
    caplog.set_level("INFO", logger="bot.answering.pipeline")
    settings = {"model": "openai:qwen", "model_base_url": chat_model_url, "model_timeout": 600}
    (folder / "footnote.toml").write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in settings.items()), "utf-8")
    answers: list[Row] = []
    for handbook in sorted({each["handbook"] for each in questions}):
        answers += ask(handbook, [each for each in questions if each["handbook"] == handbook])
    assert {each["query_id"] for each in answers} == {each["id"] for each in questions}
    proposals = [record.args for record in caplog.records if "dropped" in record.msg]
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    with capsys.disabled():
        for line in ("", *table(questions, answers), *dropped(proposals)):
            reporter.write_line(line)


def ask(handbook: str, questions: list[Row]) -> list[Row]:
    """The answers from an index of this handbook alone; each is checked."""
    place = next(path for path in (SET / "handbooks" / handbook, DATA / "handbooks" / handbook) if path.is_dir())
    printed_json(footnote("--home", handbook, "sync", str(place), "--json"))
    lines = [{key: each[key] for key in ("id", "text", "history") if key in each} for each in questions]
    Path("asked.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    asked = footnote("--home", handbook, "ask", "--from", "asked.jsonl")
    assert asked.exit_code == 0, asked.output
    answers = json_lines(asked.stdout)
    texts = {
        document: printed_json(footnote("--home", handbook, "show", document, "--json"))["text"]
        for document in {citation["document"] for answer in answers for citation in answer["citations"]}
    }
    for answer in answers:
        assert_sound(answer, texts)
    return answers


def assert_sound(answer: Row, texts: dict[str, str]) -> None:
    assert "error" not in answer, answer
    assert answer["text"].strip(), answer
    assert answer["abstained"] == (not answer["sentences"]), answer
    numbers = {citation["number"] for citation in answer["citations"]}
    for sentence in answer["sentences"]:
        assert sentence["citations"], sentence
        assert numbers.issuperset(sentence["citations"]), sentence
        assert sentence["text"] in answer["text"]
        assert "NOT FOUND" not in sentence["text"]
    for citation in answer["citations"]:
        assert citation["quote"].strip(), citation
        assert citation["quote"] in texts[citation["document"]], citation


def table(questions: list[Row], answers: list[Row]) -> Iterator[str]:
    """How many answers of each outcome were written by whom, each answer, and how long they took."""
    judge_one = runpy.run_path(str(SET / "judge_handbook.py"))["judge_one"]
    by_id = {answer["query_id"]: answer for answer in answers}
    counts: Counter[tuple[str, str]] = Counter()
    for question in questions:
        answer = by_id[question["id"]]
        outcome, writer = outcome_of(judge_one(question, answer, with_quotes=True)), writer_of(answer)
        counts[outcome, writer] += 1
        seconds = answer["timings"]["total"]
        yield f"{question['id']:<10} {question['kind']:<12} {outcome:<16} {writer:<18} {seconds:6.1f} s"
    yield ""
    for (outcome, writer), count in sorted(counts.items()):
        yield f"{count:>4}  {outcome:<16} {writer}"
    times = sorted(answer["timings"]["total"] for answer in answers)
    yield f"{median(times):.1f} s in the median, {times[int(0.9 * len(times))]:.1f} s at the 90th percentile"


def outcome_of(judged: Row) -> str:
    """Right is an answer whose text or quotes show every phrase that the question needs."""
    if judged["answerable"]:
        return "right" if judged["shown"] else "wrongly refused" if judged["abstained"] else "wrong"
    return "rightly refused" if judged["abstained"] else "answered"


def writer_of(answer: Row) -> str:
    if answer["fallback"]:
        found = FALLBACK.search(answer["fallback"])
        assert found, answer["fallback"]
        return f"quotes, {found[1]}"
    return "nobody asked" if answer["abstained"] and answer["generator"] == "extractive" else "model"


def dropped(proposals: list[Any]) -> Iterator[str]:
    yield f"{sum(each[1] for each in proposals)} sentences proposed, {sum(each[2] for each in proposals)} dropped"
