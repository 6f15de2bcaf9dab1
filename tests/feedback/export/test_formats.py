"""The files of each format: exactly the keys that its trainer takes, and nothing that it would choke on."""

import json
from itertools import pairwise
from typing import Any

import pytest

from feedback.curation.dataset import EmbeddedSection
from feedback.export.request import ExportResult
from tests.feedback.export.conftest import rows
from tests.feedback.export.samples import curated, example, many, pair, retrieval, section

SPLITS = ("train", "validation", "test")
MESSAGE = {"role", "content"}
KEYS = {
    "trl-sft": {"prompt", "completion"},
    "trl-dpo": {"prompt", "chosen", "rejected"},
    "trl-kto": {"prompt", "completion", "label"},
    "openai-chat": {"messages"},
    "openai-preference": {"input", "preferred_output", "non_preferred_output"},
    "sentence-transformers": {"anchor", "positive", "negative"},
}


def all_rows(made: ExportResult, name: str) -> list[Any]:
    return [row for split in SPLITS for row in rows(made.place / name / f"{split}.jsonl")]


@pytest.mark.parametrize("name", KEYS)
def test_every_row_has_exactly_the_keys_of_its_format(write, name):
    made = write(many(60), name)
    assert sorted(path.name for path in (made.place / name).iterdir()) == [
        "test.jsonl",
        "train.jsonl",
        "validation.jsonl",
    ]
    found = all_rows(made, name)
    assert len(found) == made.manifest["formats"][name]["rows"] >= 10
    assert {frozenset(row) for row in found} == {frozenset(KEYS[name])}


@pytest.mark.parametrize("name", ["trl-sft", "trl-kto"])
def test_a_prompt_ends_with_the_user_and_the_completion_is_one_answer(write, name):
    for row in all_rows(write(many(60), name), name):
        assert [message["role"] for message in row["prompt"]] == ["system", "user"]
        assert [message["role"] for message in row["completion"]] == ["assistant"]
        assert all(set(message) == MESSAGE and message["content"] for message in row["prompt"] + row["completion"])


def test_only_answers_to_be_written_are_in_supervised_formats(write):
    made = write(many(60), "trl-sft", "openai-chat")
    for name in ("trl-sft", "openai-chat"):
        assert "Nobody knows" not in "".join(map(json.dumps, all_rows(made, name)))
        summary = made.manifest["formats"][name]
        assert summary["left_out"] == {"not-desirable": 20}
        assert summary["in"] == summary["rows"] + 20
    supervised = [row["prompt"] + row["completion"] for row in all_rows(made, "trl-sft")]
    assert supervised == [row["messages"] for row in all_rows(made, "openai-chat")]


def test_kto_has_both_labels_as_booleans_and_never_the_same_prompt_twice_running(write):
    made = write(many(90), "trl-kto")
    for split in SPLITS:
        found = rows(made.place / "trl-kto" / f"{split}.jsonl")
        assert {type(row["label"]) for row in found} == {bool}
        prompts = [row["prompt"] for row in found]
        assert all(one != other for one, other in pairwise(prompts))
    labels = [row["label"] for row in rows(made.place / "trl-kto" / "train.jsonl")]
    share = sum(labels) / len(labels)
    for start in range(0, len(labels) - 12, 4):
        assert abs(sum(labels[start : start + 12]) - 12 * share) <= 3, "labels are not mixed"


def test_both_forms_of_pairs_say_the_same(write):
    made = write(many(90), "trl-dpo", "openai-preference")
    here, there = all_rows(made, "trl-dpo"), all_rows(made, "openai-preference")
    assert [(row["prompt"], row["chosen"], row["rejected"]) for row in here] == [
        (row["input"]["messages"], row["preferred_output"], row["non_preferred_output"]) for row in there
    ]
    assert {len(row["chosen"]) for row in here} == {1}
    assert all(set(row["input"]) == {"messages"} for row in there)


def test_pairs_that_do_not_differ_and_prompts_that_no_trainer_takes_are_counted_and_left_out(write):
    made = write(
        curated(
            pairs=[
                *map(pair, range(12)),
                pair(20, rejected="It is arranged by form 20 [1]. "),
                pair(21, prompt=(("user", "a"), ("user", "b"))),
                pair(22, prompt=(("user", "a"), ("assistant", "b"))),
                pair(23, prompt=()),
                pair(24, chosen=" \n"),
                pair(25, prompt=(("user", "a"), ("assistant", "b"), ("user", "c"))),
            ]
        ),
        "trl-dpo",
    )
    summary = made.manifest["formats"]["trl-dpo"]
    assert summary["left_out"] == {"empty": 1, "identical": 1, "roles": 3}
    assert (summary["in"], summary["rows"]) == (18, 13)
    rejected = {(row["exchange"], row["stage"], row["reason"]) for row in rows(made.place / "rejected.jsonl")}
    assert ("answer-00020", "format", "identical") in rejected
    assert len(rejected) == 5


def test_a_question_without_a_negative_gets_a_section_of_another_document(write):
    made = write(many(60), "sentence-transformers")
    lineage = {
        (row["split"], row["row"]): int(row["exchange"].removeprefix("answer-"))
        for row in rows(made.place / "lineage.jsonl")
    }
    answers = {f"{section(n).title}\n{section(n).text.split(chr(10))[1]}": section(n).id for n in range(2000)}
    for split in SPLITS:
        for number, row in enumerate(rows(made.place / "sentence-transformers" / f"{split}.jsonl")):
            asked = lineage[split, number]
            assert answers[row["positive"]] == section(asked).id
            if asked % 4 == 0:
                assert answers[row["negative"]] == section(asked + 1000).id, "its own hard negative"
            else:
                assert answers[row["negative"]].split("#")[0] != section(asked).id.split("#")[0]


def test_where_no_section_is_far_all_rows_are_pairs_of_one_schema(write):
    single = [
        retrieval(n, positive=EmbeddedSection(f"a.md#{n}", "A", f"Text {n}."), negatives=n % 2, split="train")
        for n in range(12)
    ]
    found = all_rows(write(curated(retrievals=single), "sentence-transformers"), "sentence-transformers")
    assert {frozenset(row) for row in found} == {frozenset({"anchor", "positive"})}
    assert found[0]["positive"] == "A\nText 0."


def test_beir_is_a_corpus_queries_and_judgements(write):
    made = write(many(60), "beir")
    corpus = rows(made.place / "beir" / "corpus.jsonl")
    queries = rows(made.place / "beir" / "queries.jsonl")
    assert {frozenset(row) for row in corpus} == {frozenset({"_id", "title", "text"})}
    assert {frozenset(row) for row in queries} == {frozenset({"_id", "text"})}
    assert len({row["_id"] for row in corpus}) == len(corpus)
    assert not corpus[0]["text"].startswith(corpus[0]["title"])
    judged = set()
    for name in ("train", "dev", "test"):
        head, *lines = (made.place / "beir" / "qrels" / f"{name}.tsv").read_text("utf-8").splitlines()
        assert head == "query-id\tcorpus-id\tscore"
        judged |= {tuple(line.split("\t")) for line in lines}
    assert {score for _, _, score in judged} == {"1"}
    assert {query for query, _, _ in judged} == {row["_id"] for row in queries}
    assert {answer for _, answer, _ in judged} <= {row["_id"] for row in corpus}


def test_ids_that_would_break_a_table_are_written_so_that_they_do_not(write):
    strange = [
        retrieval(n, positive=EmbeddedSection(f'we"ird\t{n}\n.md#a', "T", f"Text {n}."), split="train")
        for n in range(10)
    ]
    made = write(curated(retrievals=strange), "beir")
    lines = (made.place / "beir" / "qrels" / "train.tsv").read_text("utf-8").splitlines()
    assert lines[1] == "answer-00000\twe%22ird%090%0A.md#a\t1"
    assert rows(made.place / "beir" / "corpus.jsonl")[0]["_id"] == "we%22ird%090%0A.md#a"


@pytest.mark.parametrize(
    "text", ["half \ud83d a character", "two\u2028lines\u2029and\x85more", "nul\x00\x1b[31m", "“é” 日本 😀", '\\"\n']
)
def test_any_text_becomes_one_line_of_utf_8_that_says_the_same(write, text):
    made = write(curated(examples=[example(n, completion=f"{text} {n}") for n in range(12)]), "trl-sft")
    found = all_rows(made, "trl-sft")
    assert found[0]["completion"][0]["content"] == f"{text} 0".replace("\ud83d", "\ufffd")
    for split in SPLITS:
        path = made.place / "trl-sft" / f"{split}.jsonl"
        assert len(path.read_text("utf-8").splitlines()) == len(rows(path))
