"""Builds the dataset card: what rows teach, where they come from, what was left out, how to train on them (pure)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from feedback.curation.dataset import SPLITS
from feedback.export.recipes import recipe_paths

Manifest = Mapping[str, Any]
Summary = Mapping[str, Any]
"""What the manifest says of one format."""

# Of languages that stemming knows, the code that dataset cards want.
LANGUAGE_CODES = {
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
SIZE_CATEGORIES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
TASK_CATEGORIES = {"examples": "text-generation", "pairs": "text-generation", "retrievals": "sentence-similarity"}
ROW_DESCRIPTIONS = {
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


def build_card(manifest: Manifest) -> str:
    """Return the README.md of an export, from its manifest without the files."""
    sections = [
        "# Feedback on answers, curated by Footnote",
        _teaching_section(manifest),
        _collection_section(manifest),
        _privacy_section(manifest),
        LIMITS,
        _training_section(manifest),
    ]
    return "\n".join(_front_matter(manifest)) + "\n" + "\n\n".join(sections) + "\n"


def _front_matter(manifest: Manifest) -> Iterator[str]:
    formats = manifest["formats"]
    yield "---"
    yield "pretty_name: Feedback on answers, curated by Footnote"
    if code := LANGUAGE_CODES.get(manifest["language"]):
        yield f"language:\n- {code}"
    yield "license: other\nlicense_name: internal"
    yield "task_categories:"
    yield from (f"- {task}" for task in sorted({TASK_CATEGORIES[summary["of"]] for summary in formats.values()}))
    yield "size_categories:\n- " + _size_category(max((summary["rows"] for summary in formats.values()), default=0))
    yield "tags:\n- footnote\n- rag\n- feedback\n- citations"
    yield "configs:"
    for name, summary in formats.items():
        yield from _beir_config_lines() if name == "beir" else _config_lines(name, summary)
    yield "---\n"


def _config_lines(name: str, summary: Summary) -> Iterator[str]:
    """Yield the lines of a format; splits without a row are not named: a loader cannot tell their columns."""
    yield f"- config_name: {name}"
    yield "  data_files:"
    for split in SPLITS:
        if summary["splits"][split]:
            yield f"  - split: {split}\n    path: {name}/{split}.jsonl"


def _beir_config_lines() -> Iterator[str]:
    for part in ("corpus", "queries"):
        yield f"- config_name: beir-{part}\n  data_files:\n  - split: {part}\n    path: beir/{part}.jsonl"


def _size_category(rows: int) -> str:
    return next((name for limit, name in SIZE_CATEGORIES if rows < limit), "1M<n<10M")


def _teaching_section(manifest: Manifest) -> str:
    rows = [
        [
            f"`{name}`",
            summary["rows"],
            *summary["splits"].values(),
            ROW_DESCRIPTIONS[name],
            summary["readiness"]["level"],
        ]
        for name, summary in manifest["formats"].items()
    ]
    return BEHAVIOUR + _table(["format", "rows", *SPLITS, "what a row is", "enough for"], rows)


def _collection_section(manifest: Manifest) -> str:
    exchanges = manifest["exchanges"]
    rejected = [
        [stage, reason, count]
        for stage, reasons in sorted(exchanges["rejected"].items())
        for reason, count in reasons.items()
    ]
    text = COLLECTED.format(
        exchanges["in"], exchanges["used"], sum(count for _, _, count in rejected), manifest["snapshot"]
    )
    return text + (_table(["step", "reason", "exchanges left out"], rejected) if rejected else "Nothing was left out.")


def _privacy_section(manifest: Manifest) -> str:
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
        f"{found}{_replaced_counts(manifest)}. {about} "
        "Exchanges with passwords, keys or tokens were dropped whole. Who asked and who voted is not in the rows; "
        "`footnote forget USER` names the exports that hold rows of somebody, by the sha256 of each row's line, so "
        "that they can be cut again. A model that was trained on them before does not forget by that."
    )


def _replaced_counts(manifest: Manifest) -> str:
    """Return how many of each kind were replaced; empty where curation counted none."""
    counts = manifest["steps"].get("secrets", {}).get("noted", {}).get("redacted", {})
    replaced = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    return f" (replaced in what was read: {replaced})" if replaced else ""


LIMITS = """\
## Limits and biases

Whoever votes chose to: votes are no sample of all questions, and friendly and long answers get more thumbs than they
are worth. Pairs are limited in how much longer the better answer may be; `length_ratio` in the manifest says what is
left of it. The rows come from one organisation and one style of prompt, whose version each exchange knows. Measure
what was tuned on the `test` split and on questions of your own before anybody uses it, and cut the export anew when
documents have changed: a row whose cited section has changed leaves."""


def _training_section(manifest: Manifest) -> str:
    lines = ["## How to train\n"]
    for name, summary in manifest["formats"].items():
        lines += [
            f"### {name}\n",
            f"{summary['readiness']['note']}.",
            *_length_notes(summary),
            *_format_notes(name, summary),
        ]
        if ready := recipe_paths(manifest, name):
            lines.append("\nReady to use: " + ", ".join(f"`{path}`" for path in ready) + ".")
        lines.append("")
    return "\n".join(lines).rstrip()


def _length_notes(summary: Summary) -> Iterator[str]:
    tokens = summary["tokens"]
    how = "counted with your tokenizer" if tokens["counted_by"] == "tokenizer" else "an estimate from characters"
    over = ", ".join(f"{count} over {limit}" for limit, count in tokens["rows_over"].items() if count)
    if summary["of"] == "retrievals":
        return
    yield (
        f"Tokens ({how}): half of the rows have at most {tokens['percentiles']['p50']}, 95 % at most "
        f"{tokens['percentiles']['p95']}, the longest has {tokens['longest']}{'; ' + over if over else ''}. Set "
        f"`max_length` to {tokens['recommended_max_length']}: trainers cut at 1024 unless told otherwise, and what "
        "they cut off is the answer."
    )


def _format_notes(name: str, summary: Summary) -> Iterator[str]:
    if name == "openai-chat":
        yield (
            "Rows of `messages` train on the passages too unless the loss is kept to the assistant's words: "
            "`assistant_only_loss=True` in TRL (with a template that marks them), `--mask-prompt` in mlx-lm, "
            "`train_on_inputs: false` in Axolotl. `trl-sft` holds the same rows in a form that needs no such setting."
        )
    if name == "trl-kto":
        weights = summary["kto_weights"]
        yield (
            f"To train on there are {weights['desirable']} answers voted up and {weights['undesirable']} voted down. "
            f"Either `desirable_weight` in {weights['either_desirable_weight']} or `undesirable_weight` in "
            f"{weights['or_undesirable_weight']}, not both. Do not shuffle, and put more than one row in a batch."
        )
    if name in {"trl-dpo", "openai-preference"} and "length_ratio" in summary:
        yield f"The better answer has on average {summary['length_ratio']} times the length of the worse."
    if "refusals" in summary and summary["refusals"]["rows"]:
        refusals = summary["refusals"]["rows"]
        yield f"{refusals} of the answers to be written say that the passages do not hold the answer."
    if name == "sentence-transformers":
        yield "The recipe writes the tuned model only when it is better on what was held back, and says how to go back."


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_table_cell(each) for each in line) + " |" for line in lines)


def _table_cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
