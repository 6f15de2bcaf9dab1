"""The dataset card: what the rows teach, where they come from, what was left out, and how to train on them (pure)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from feedback.curation.values import SPLITS
from feedback.export.recipes import names

Manifest = Mapping[str, Any]

# Of languages that stemming knows, the code that dataset cards want.
CODES = {
    "arabic": "ar",
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "finnish": "fi",
    "french": "fr",
    "german": "de",
    "greek": "el",
    "hungarian": "hu",
    "italian": "it",
    "norwegian": "no",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "spanish": "es",
    "swedish": "sv",
    "turkish": "tr",
}
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
TASKS = {"examples": "text-generation", "pairs": "text-generation", "retrievals": "sentence-similarity"}
TEACHES = {
    "trl-sft": "answers to be written: prompt and completion, for supervised tuning (TRL)",
    "trl-dpo": "a better and a worse answer to the same prompt (TRL's DPO)",
    "trl-kto": "single answers with a label, interleaved (TRL's KTO)",
    "openai-chat": "the answers of `trl-sft` as messages, for services and trainers that read OpenAI's form",
    "openai-preference": "the pairs of `trl-dpo` in OpenAI's form",
    "sentence-transformers": "questions, the section that answers, one that does not (for the model that searches)",
    "beir": "the same as corpus, queries and judgements, to measure retrieval with",
}


BEHAVIOUR = """\
## What it teaches

Behaviour, not facts: to answer from the passages in the prompt and from nothing else, to name the passage behind every
sentence, and to say so when they do not hold the answer. Each prompt holds the passages that its answer rests on. What
the documents say changes; it belongs in the index, not into a model.

"""
COLLECTED = """\
## How it was collected and curated

People asked questions about their organisation's documents in a chat and voted on the answers, or wrote the answer that
would be right. {} exchanges were read, {} are in rows, {} were left out, each for one reason (`rejected.jsonl`). Every
row names its exchange in `lineage.jsonl`, where rows count from 0 (the head of a table in `beir/qrels` is not counted).
The counts of every step and the settings are in `manifest.json`, snapshot `{}`. Near-equal questions are of one split,
and a question stays in its split when data grows.

"""


def card(manifest: Manifest) -> str:
    """The whole README.md."""
    sections = [
        "# Feedback on answers, curated by Footnote",
        _teaching(manifest),
        _collecting(manifest),
        _people(manifest),
        LIMITS,
        _training(manifest),
    ]
    return "\n".join(_front_matter(manifest)) + "\n" + "\n\n".join(sections) + "\n"


def _front_matter(manifest: Manifest) -> Iterator[str]:
    formats = manifest["formats"]
    yield "---"
    yield "pretty_name: Feedback on answers, curated by Footnote"
    if code := CODES.get(manifest["language"]):
        yield f"language:\n- {code}"
    yield "license: other\nlicense_name: internal"
    yield "task_categories:"
    yield from (f"- {task}" for task in sorted({TASKS[told["of"]] for told in formats.values()}))
    yield "size_categories:\n- " + _size(max((told["rows"] for told in formats.values()), default=0))
    yield "tags:\n- footnote\n- rag\n- feedback\n- citations"
    yield "configs:"
    for name, told in formats.items():
        yield from _beir_configs() if name == "beir" else _config(name, told)
    yield "---\n"


def _config(name: str, told: Manifest) -> Iterator[str]:
    """Splits without a row are not named: a loader cannot tell their columns."""
    yield f"- config_name: {name}"
    yield "  data_files:"
    for split in SPLITS:
        if told["splits"][split]:
            yield f"  - split: {split}\n    path: {name}/{split}.jsonl"


def _beir_configs() -> Iterator[str]:
    for part in ("corpus", "queries"):
        yield f"- config_name: beir-{part}\n  data_files:\n  - split: {part}\n    path: beir/{part}.jsonl"


def _size(rows: int) -> str:
    return next((name for limit, name in SIZES if rows < limit), "1M<n<10M")


def _teaching(manifest: Manifest) -> str:
    rows = [
        [f"`{name}`", told["rows"], *told["splits"].values(), TEACHES[name], told["readiness"]["level"]]
        for name, told in manifest["formats"].items()
    ]
    return BEHAVIOUR + _table(["format", "rows", *SPLITS, "what a row is", "enough for"], rows)


def _collecting(manifest: Manifest) -> str:
    exchanges = manifest["exchanges"]
    rejected = [
        [stage, reason, count]
        for stage, reasons in sorted(exchanges["rejected"].items())
        for reason, count in reasons.items()
    ]
    told = COLLECTED.format(
        exchanges["in"], exchanges["used"], sum(count for _, _, count in rejected), manifest["snapshot"]
    )
    return told + (_table(["step", "reason", "exchanges left out"], rejected) if rejected else "Nothing was left out.")


def _people(manifest: Manifest) -> str:
    kinds = [kind for kind in manifest["recognisers"] if kind != "NAME"]
    found = ", ".join(f"`{kind}`" for kind in kinds) or "none"
    by_name = "NAME" in manifest["recognisers"]
    about = (
        "People's names were looked for with a model, which misses some."
        if by_name
        else "People's names were not looked for: that takes a model, and none was set. They may stand in questions, "
        "answers and passages."
    )
    return (
        "## Personal data\n\n"
        "Looked for by pattern and check digits and replaced by placeholders such as `<EMAIL_1>`: "
        f"{found}{_replaced(manifest)}. {about} "
        "Exchanges with passwords, keys or tokens were dropped whole. Who asked and who voted is not in the rows; "
        "`footnote forget USER` names the exports that hold rows of somebody, by the sha256 of each row's line, so "
        "that they can be cut again. A model that was trained on them before does not forget by that."
    )


def _replaced(manifest: Manifest) -> str:
    """How many of each kind were replaced, where curation has counted them."""
    counts = manifest["steps"].get("secrets", {}).get("noted", {}).get("redacted", {})
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    return f" (replaced in what was read: {told})" if told else ""


LIMITS = """\
## Limits and biases

Whoever votes chose to: votes are no sample of all questions, and friendly and long answers get more thumbs than they
are worth. Pairs are limited in how much longer the better answer may be; `length_ratio` in the manifest says what is
left of it. The rows come from one organisation and one style of prompt, whose version each exchange knows. Measure
what was tuned on the `test` split and on questions of your own before anybody uses it, and cut the export anew when
documents have changed: a row whose cited section has changed leaves."""


def _training(manifest: Manifest) -> str:
    lines = ["## How to train\n"]
    for name, told in manifest["formats"].items():
        lines += [f"### {name}\n", f"{told['readiness']['note']}.", *_lengths(told), *_notes(name, told)]
        if ready := names(manifest, name):
            lines.append("\nReady to use: " + ", ".join(f"`{path}`" for path in ready) + ".")
        lines.append("")
    return "\n".join(lines).rstrip()


def _lengths(told: Manifest) -> Iterator[str]:
    tokens = told["tokens"]
    how = "counted with your tokenizer" if tokens["counted_by"] == "tokenizer" else "an estimate from characters"
    over = ", ".join(f"{count} over {limit}" for limit, count in tokens["rows_over"].items() if count)
    if told["of"] == "retrievals":
        return
    yield (
        f"Tokens ({how}): half of the rows have at most {tokens['percentiles']['p50']}, 95 % at most "
        f"{tokens['percentiles']['p95']}, the longest has {tokens['longest']}{'; ' + over if over else ''}. Set "
        f"`max_length` to {tokens['recommended_max_length']}: trainers cut at 1024 unless told otherwise, and what "
        "they cut off is the answer."
    )


def _notes(name: str, told: Manifest) -> Iterator[str]:
    if name == "openai-chat":
        yield (
            "Rows of `messages` train on the passages too unless the loss is kept to the assistant's words: "
            "`assistant_only_loss=True` in TRL (with a template that marks them), `--mask-prompt` in mlx-lm, "
            "`train_on_inputs: false` in Axolotl. `trl-sft` holds the same rows in a form that needs no such setting."
        )
    if name == "trl-kto":
        weights = told["kto_weights"]
        yield (
            f"To train on there are {weights['desirable']} answers voted up and {weights['undesirable']} voted down. "
            f"Either `desirable_weight` in {weights['either_desirable_weight']} or `undesirable_weight` in "
            f"{weights['or_undesirable_weight']}, not both. Do not shuffle, and put more than one row in a batch."
        )
    if name in {"trl-dpo", "openai-preference"} and "length_ratio" in told:
        yield f"The better answer has on average {told['length_ratio']} times the length of the worse."
    if "refusals" in told and told["refusals"]["rows"]:
        yield f"{told['refusals']['rows']} of the answers to be written say that the passages do not hold the answer."
    if name == "sentence-transformers":
        yield "The recipe writes the tuned model only when it is better on what was held back, and says how to go back."


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(each) for each in line) + " |" for line in lines)


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
