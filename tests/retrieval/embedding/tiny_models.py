"""Models of a few thousand weights drawn by chance: in folders like those of published ones, and loaded in no time."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retrieval.embedding.prompts import CONFIGURATION

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
WORDS = "query passage leave days five carried over travel train class second book holiday pay month".split()
POOLING = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens", "lasttoken": "lasttoken"}
DIMENSIONS = 32
LONGEST = 48


def bert_encoder(folder: Path, *, lower_case: bool = True, classes: int = 0) -> None:
    """Write a BERT of two layers with its tokenizer; with `classes` one that scores pairs of texts."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(7)
    tokenizer = word_pieces(lower_case=lower_case)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=LONGEST,
        **dict(zip(["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"], SPECIAL, strict=True)),
    )
    fast.save_pretrained(folder)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=DIMENSIONS,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.5,  # so that every word moves the vector
        num_labels=classes or 2,
    )
    (BertForSequenceClassification if classes else BertModel)(config).save_pretrained(folder)


def word_pieces(*, lower_case: bool) -> Any:
    """A tokenizer of some words and all small letters that puts two special tokens around a text."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces = [*SPECIAL, *WORDS, *LETTERS, *":.,?", *(f"##{letter}" for letter in LETTERS)]
    made = Tokenizer(models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=lower_case)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made


def embedding_model(
    folder: Path,
    *,
    pooling: str = "mean",
    prompts: Mapping[str, str] | None = None,
    default_prompt: str | None = None,
    normalized: bool = True,
    similarity: str | None = None,
    lower_case: bool = False,
    **extra: Any,
) -> Path:
    """Write an embedding model into a folder, in the form of most published ones, and return the folder.

    With `lower_case` the folder says that its text is to be lowered, and its tokenizer's file does not.
    """
    bert_encoder(folder, lower_case=not lower_case)
    pooled = {f"pooling_mode_{name}": kind == pooling for kind, name in POOLING.items()}
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": DIMENSIONS, **pooled, **extra})
    kinds = ["Transformer", "Pooling", *(["Normalize"] if normalized else [])]
    modules = [
        {
            "idx": at,
            "name": str(at),
            "path": f"{at}_{kind}" if at else "",
            "type": f"sentence_transformers.models.{kind}",
        }
        for at, kind in enumerate(kinds)
    ]
    write(folder / "modules.json", modules)
    write(folder / "sentence_bert_config.json", {"max_seq_length": LONGEST, "do_lower_case": lower_case})
    write(folder / CONFIGURATION, {})
    declare(folder, prompts=dict(prompts or {}), default_prompt_name=default_prompt, similarity_fn_name=similarity)
    return folder


def declare(folder: Path, **settings: Any) -> None:
    """Change what a model's folder says of its prompts."""
    file = folder / CONFIGURATION
    write(file, json.loads(file.read_text("utf-8")) | settings)


def write(file: Path, value: Any) -> None:
    """Write a value as JSON, in a folder that is made if need be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value), encoding="utf-8")
