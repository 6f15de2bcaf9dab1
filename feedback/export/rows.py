"""Curated values to the rows of each format (pure). Every row of a format has the same keys, and no others."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from feedback.curation.values import Example, Pair, Retrieval, Section
from feedback.export.values import Format
from feedback.ports import Message

Row = Mapping[str, Any]

# Half a character is no UTF-8; what some readers take for the end of a line must not stand in one.
_HALVES = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029]")
# What every one of these has in its UTF-8: found much faster than they are, in long texts that have none.
_SIGNS = (b"\x7f", b"\xc2", b"\xe2\x80\xa8", b"\xe2\x80\xa9")


def encoded(row: Row) -> bytes:
    """The row, which is of texts, whole numbers and truth values, as one line of JSON in UTF-8, without its newline."""
    try:
        line = orjson.dumps(row)
    except TypeError:
        line = _HALVES.sub("\ufffd", json.dumps(row, ensure_ascii=False, separators=(",", ":"))).encode()
    if any(sign in line for sign in _SIGNS):
        return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", line.decode()).encode()
    return line


def example_row(name: Format, example: Example) -> Row:
    """The row of this format, which is made of examples."""
    prompt, completion = messages(example.prompt), [_assistant(example.completion)]
    if name == "openai-chat":
        return {"messages": prompt + completion}
    if name == "trl-sft":
        return {"prompt": prompt, "completion": completion}
    return {"prompt": prompt, "completion": completion, "label": example.label}


def pair_row(name: Format, pair: Pair) -> Row:
    """The row of this format, which is made of pairs."""
    chosen, rejected = [_assistant(pair.chosen)], [_assistant(pair.rejected)]
    if name == "openai-preference":
        return {
            "input": {"messages": messages(pair.prompt)},
            "preferred_output": chosen,
            "non_preferred_output": rejected,
        }
    return {"prompt": messages(pair.prompt), "chosen": chosen, "rejected": rejected}


def retrieval_row(retrieval: Retrieval, negative: Section | None) -> Row:
    """A triplet, or without a negative a pair."""
    row = {"anchor": retrieval.question, "positive": embedded(retrieval.positive)}
    return row | {"negative": embedded(negative)} if negative else row


def embedded(section: Section) -> str:
    """The section as the retriever reads it, its heading once."""
    if not section.title or section.text.startswith(section.title):
        return section.text
    return f"{section.title}\n{section.text}"


def body(section: Section) -> str:
    """The section's text without the heading that `title` says already; all of it where nothing else is left."""
    return section.text.removeprefix(section.title).lstrip("\n") or section.text if section.title else section.text


def messages(prompt: Sequence[Message]) -> list[dict[str, str]]:
    """A prompt in the form that all chat formats share."""
    return [{"role": role, "content": content} for role, content in prompt]


def _assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def unfit_example(name: Format, example: Example) -> str:
    """Why the format cannot use the example; empty when it can."""
    if name != "trl-kto" and not example.label:
        return "not-desirable"
    return _unfit(example.prompt, example.completion)


def unfit_pair(_: Format, pair: Pair) -> str:
    """Why the format cannot use the pair; empty when it can."""
    if pair.chosen.strip() == pair.rejected.strip():
        return "identical"
    return _unfit(pair.prompt, pair.chosen, pair.rejected)


def unfit_retrieval(_: Format, retrieval: Retrieval) -> str:
    """Why the format cannot use the question; empty when it can."""
    return "" if retrieval.question.strip() and retrieval.positive.text.strip() else "empty"


def _unfit(prompt: Sequence[Message], *answers: str) -> str:
    """Trainers want a system message or none, then turns that alternate and end with the user's."""
    if not all(text.strip() for text in (*answers, *(content for _, content in prompt))):
        return "empty"
    turns = [role for role, _ in prompt]
    turns = turns[1:] if turns[:1] == ["system"] else turns
    proper = [("user", "assistant")[number % 2] for number in range(len(turns))]
    return "" if turns and len(turns) % 2 and turns == proper else "roles"


ROW: Mapping[str, Callable[[Format, Any], Row]] = {"examples": example_row, "pairs": pair_row}
UNFIT: Mapping[str, Callable[[Format, Any], str]] = {
    "examples": unfit_example,
    "pairs": unfit_pair,
    "retrievals": unfit_retrieval,
}
