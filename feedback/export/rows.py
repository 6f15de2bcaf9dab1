"""Turns curated rows into those of each format (pure). Every row of a format has the same keys, and no others."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from feedback.curation.dataset import EmbeddedSection, Example, PreferencePair, RetrievalExample
from feedback.export.formats import ROW_KINDS, Format
from feedback.ports import Message

Row = Mapping[str, Any]

# Half a character is no UTF-8; what some readers take for the end of a line must not stand in one.
_HALVES = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029]")
# What every one of these has in its UTF-8: found much faster than they are, in long texts that have none.
_SIGNS = (b"\x7f", b"\xc2", b"\xe2\x80\xa8", b"\xe2\x80\xa9")


def encode_row(row: Row) -> bytes:
    """Return a row of texts, whole numbers and truth values as one line of JSON in UTF-8, without its newline."""
    try:
        line = orjson.dumps(row)
    except TypeError:
        line = _HALVES.sub("\ufffd", json.dumps(row, ensure_ascii=False, separators=(",", ":"))).encode()
    if any(sign in line for sign in _SIGNS):
        return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", line.decode()).encode()
    return line


def example_row(name: Format, example: Example) -> Row:
    """Return the row of a format that is made of examples."""
    prompt, completion = _messages(example.prompt), [_assistant(example.completion)]
    if name == "openai-chat":
        return {"messages": prompt + completion}
    if name == "trl-sft":
        return {"prompt": prompt, "completion": completion}
    return {"prompt": prompt, "completion": completion, "label": example.label}


def pair_row(name: Format, pair: PreferencePair) -> Row:
    """Return the row of a format that is made of pairs."""
    chosen, rejected = [_assistant(pair.chosen)], [_assistant(pair.rejected)]
    if name == "openai-preference":
        return {
            "input": {"messages": _messages(pair.prompt)},
            "preferred_output": chosen,
            "non_preferred_output": rejected,
        }
    return {"prompt": _messages(pair.prompt), "chosen": chosen, "rejected": rejected}


def retrieval_row(example: RetrievalExample, negative: EmbeddedSection | None) -> Row:
    """Return a triplet, or without a negative a pair."""
    row = {"anchor": example.question, "positive": embedded_text(example.positive)}
    return row | {"negative": embedded_text(negative)} if negative else row


def embedded_text(section: EmbeddedSection) -> str:
    """Return the section as the retriever reads it, its heading once."""
    if not section.title or section.text.startswith(section.title):
        return section.text
    return f"{section.title}\n{section.text}"


def section_body(section: EmbeddedSection) -> str:
    """Return the section's text without the heading in `title`; all of it where nothing else is left."""
    return section.text.removeprefix(section.title).lstrip("\n") or section.text if section.title else section.text


def _messages(prompt: Sequence[Message]) -> list[dict[str, str]]:
    """Return a prompt in the form that all chat formats share."""
    return [{"role": role, "content": content} for role, content in prompt]


def _assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def find_flaw(name: Format, row: Example | PreferencePair | RetrievalExample) -> str:
    """Return why the format cannot use a curated row of its kind; empty when it can."""
    return _FLAWS[ROW_KINDS[name]](name, row)


def _example_flaw(name: Format, example: Example) -> str:
    if name != "trl-kto" and not example.label:
        return "not-desirable"
    return _chat_flaw(example.prompt, example.completion)


def _pair_flaw(_: Format, pair: PreferencePair) -> str:
    if pair.chosen.strip() == pair.rejected.strip():
        return "identical"
    return _chat_flaw(pair.prompt, pair.chosen, pair.rejected)


def _retrieval_flaw(_: Format, example: RetrievalExample) -> str:
    return "" if example.question.strip() and example.positive.text.strip() else "empty"


def _chat_flaw(prompt: Sequence[Message], *answers: str) -> str:
    """Return what is wrong; trainers want a system message or none, then turns that alternate and end with the user."""
    if not all(text.strip() for text in (*answers, *(content for _, content in prompt))):
        return "empty"
    turns = [role for role, _ in prompt]
    turns = turns[1:] if turns[:1] == ["system"] else turns
    proper = [("user", "assistant")[number % 2] for number in range(len(turns))]
    return "" if turns and len(turns) % 2 and turns == proper else "roles"


_FLAWS: Mapping[str, Callable[[Format, Any], str]] = {
    "examples": _example_flaw,
    "pairs": _pair_flaw,
    "retrievals": _retrieval_flaw,
}
