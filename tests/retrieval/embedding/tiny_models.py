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


def bert_encoder(folder: Path, *, lower_case: bool = True) -> None:
    """Write a BERT of two layers with its tokenizer."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=save_tokenizer(folder, lower_case=lower_case),
        hidden_size=DIMENSIONS,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.5,  # so that every word moves the vector
    )
    BertModel(config).save_pretrained(folder)


def cross_encoder(folder: Path, *, classes: int = 1) -> Path:
    """Write a model that scores a text the higher, the greater the share of the word `five` in it; 0.05 without it.

    All of its weights are 0, but for those that carry the mean of one component of the words to the score.
    """
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    size = save_tokenizer(folder, lower_case=True, longest=400)
    config = BertConfig(
        vocab_size=size,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=400,
        layer_norm_eps=1.0,  # keeps what is small small
        num_labels=classes,
    )
    model = BertForSequenceClassification(config)
    weights = {name: torch.zeros_like(weight) for name, weight in model.state_dict().items()}
    for name, weight in weights.items():
        if name.endswith("LayerNorm.weight"):
            weight.fill_(1.0)
        elif name.endswith(("value.weight", "attention.output.dense.weight", "pooler.dense.weight")):
            weight.copy_(torch.eye(8))
    weights["bert.embeddings.word_embeddings.weight"][len(SPECIAL) + WORDS.index("five"), 0] = 20.0
    weights["classifier.weight"][:, 0] = 20.0
    weights["classifier.bias"].fill_(-3.0)
    model.load_state_dict(weights, strict=False)
    model.save_pretrained(folder)
    return folder


def save_tokenizer(folder: Path, *, lower_case: bool, longest: int = LONGEST) -> int:
    """Write the tokenizer of `word_pieces` into a folder, and return how many pieces it knows."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = word_pieces(lower_case=lower_case)
    special = dict(zip(["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"], SPECIAL, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=longest, **special).save_pretrained(folder)
    return int(tokenizer.get_vocab_size())


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
