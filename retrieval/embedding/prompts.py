"""The prompts that a model wants before questions and documents, and what else its folder says of its vectors.

sentence-transformers keeps prompts in `config_sentence_transformers.json`. Many well-known models were published before
it did, and name theirs on their card alone; `missing_prompts` knows some of these.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.embedding.model_files import weights_digest
from retrieval.errors import EmbeddingUnavailable

CONFIGURATION = "config_sentence_transformers.json"
DOCUMENT_NAMES = ("document", "passage", "corpus")
SIMILARITIES = {"dot": "dot product", "euclidean": "Euclidean distance", "manhattan": "Manhattan distance"}

INSTRUCTION = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: "
SEARCH = "Represent this sentence for searching relevant passages: "
# What the cards of these families say; the first pattern that a model's name holds counts.
FAMILIES = (
    (r"e5-mistral|e5-\w+-instruct|gte-qwen", (INSTRUCTION, "")),
    (r"\be5-(?:small|base|large)", ("query: ", "passage: ")),
    (r"\bbge-(?:small|base|large)-en", (SEARCH, "")),
    (r"nomic-embed-text", ("search_query: ", "search_document: ")),
    (r"arctic-embed-(?:xs|s|m|l)(?:$|-v1)", (SEARCH, "")),
    (r"arctic-embed-\w+-v2", ("query: ", "")),
    (r"mxbai-embed-large", (SEARCH, "")),
)


@dataclass(frozen=True, slots=True)
class Prompts:
    """What is put before a question and before a document, each empty for nothing."""

    query: str = ""
    document: str = ""


def choose_prompts(named: Mapping[str, str | None], default: str | None = None) -> Prompts:
    """The prompts of a model among all that it names, as `encode_query` and `encode_document` choose them.

    A model that names none for either has `default`, the name of the prompt for every text. An empty prompt is none:
    sentence-transformers writes one for `document` into a model that calls its own `passage`.
    """
    query = named.get("query") or ""
    document = next((named[name] for name in DOCUMENT_NAMES if named.get(name)), None) or ""
    if not query and not document and default:
        query = document = named.get(default) or ""
    return Prompts(query, document)


def load_prompts(folder: Path) -> Prompts:
    """The prompts in a model's folder; raises `EmbeddingUnavailable` for a file that cannot be read."""
    configuration = _read(folder / CONFIGURATION, {})
    return choose_prompts(configuration.get("prompts") or {}, configuration.get("default_prompt_name"))


def configuration_digest(folder: Path) -> str:
    """A digest in hex of what makes other vectors of the same weights: prompts, pooling, layers after it.

    Empty for a folder that says nothing of them. Raises `EmbeddingUnavailable` for a file that cannot be read.
    """
    prompts = load_prompts(folder)
    modules = [
        (module.get("type", "").rpartition(".")[2], path, _read(path / "config.json", {}), weights_digest(path))
        for module in _read(folder / "modules.json", [])
        if (path := folder / module.get("path", "")) != folder
    ]
    if prompts == Prompts() and not modules:
        return ""
    told = [(kind, sorted(settings.items()), weights) for kind, _, settings, weights in modules]
    return digest(prompts, told)


def digest(prompts: Prompts, modules: Any) -> str:
    """A digest in hex of prompts and of what the modules after the transformer say of themselves."""
    return hashlib.sha256(json.dumps([prompts.query, prompts.document, modules], default=str).encode()).hexdigest()


def missing_prompts(model: str, folder: Path) -> Prompts | None:
    """The prompts that the family of this model is known for, when its folder declares none; None when all is well.

    Raises `EmbeddingUnavailable` for a file that cannot be read.
    """
    if load_prompts(folder) != Prompts():
        return None
    names = f"{model}\n{folder.name}\n{_read(folder / 'config.json', {}).get('_name_or_path', '')}".lower()
    return next((Prompts(*prompts) for pattern, prompts in FAMILIES if re.search(pattern, names, re.MULTILINE)), None)


def other_similarity(folder: Path) -> str:
    """The measure, in words, by which a model's vectors are meant to be compared, where it is not the cosine.

    Empty for the cosine, and where the model gives unit vectors, for which all measures give one order.
    """
    name = _read(folder / CONFIGURATION, {}).get("similarity_fn_name") or ""
    is_unit = any(module.get("type", "").endswith("Normalize") for module in _read(folder / "modules.json", []))
    return "" if is_unit else SIMILARITIES.get(name, "")


def lowers_case(folder: Path) -> bool:
    """Whether a model wants its text in lower case, which its tokenizer's own file does not say."""
    return bool(_read(folder / "sentence_bert_config.json", {}).get("do_lower_case"))


def _read(path: Path, absent: Any) -> Any:
    """The JSON in a file, of the same kind as `absent`, which stands for a missing file."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return absent
    except (OSError, ValueError) as error:
        raise EmbeddingUnavailable(f"{path} cannot be read as JSON: fetch the model anew") from error
    if not isinstance(found, type(absent)):
        raise EmbeddingUnavailable(f"{path} does not hold what sentence-transformers writes: fetch the model anew")
    return found
