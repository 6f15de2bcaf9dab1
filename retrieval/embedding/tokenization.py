"""Texts to word pieces, told apart from the prompt before them and the special tokens around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.embedding.prompts import lowers_case

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """A text as it was read behind a prompt of `shift` characters, which took the first `skipped` word pieces."""

    encoding: Any  # what a `Tokenizer` returns
    shift: int = 0
    skipped: int = 0

    @property
    def prompt(self) -> Sequence[int]:
        """The ids of the prompt's word pieces."""
        return list(self.encoding.ids[: self.skipped]) if self.skipped else ()

    @property
    def ids(self) -> Sequence[int]:
        """The ids of the text's own word pieces."""
        return list(self.encoding.ids[self.skipped :])

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The span of the text that each of its word pieces stands for."""
        spans = list(self.encoding.offsets[self.skipped :])
        return [(max(0, start - self.shift), end - self.shift) for start, end in spans] if self.shift else spans


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """The ids that a model wants before and after every text."""

    first: tuple[int, ...]
    last: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.first) + len(self.last)


def load_tokenizer(folder: Path | None, *, otherwise: Callable[[], "Tokenizer"]) -> "Tokenizer":
    """The tokenizer in a model's folder, without limit and padding; `otherwise` makes one that no file holds."""
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json" if folder else None
    is_whole = folder is not None and path is not None and path.is_file() and not lowers_case(folder)
    tokenizer = Tokenizer.from_file(str(path)) if is_whole else otherwise()
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def special_tokens(tokenizer: "Tokenizer") -> SpecialTokens:
    """The special tokens that a tokenizer puts around a text."""
    encoding = tokenizer.encode("a")
    marks, ids = encoding.special_tokens_mask, encoding.ids
    start = marks.index(0)
    end = len(marks) - marks[::-1].index(0)
    return SpecialTokens(tuple(ids[:start]), tuple(ids[end:]))


def tokenize(tokenizer: "Tokenizer", texts: Sequence[str], *, prompt: str = "") -> list[TokenizedText]:
    """The word pieces of each text behind a prompt, with spans that count from the text's own beginning.

    Prompt and text are read together, as models are trained: a space at the end of the prompt may belong to the text's
    first word piece.
    """
    encodings = tokenizer.encode_batch([prompt + text for text in texts], add_special_tokens=False)
    if not prompt:
        return [TokenizedText(encoding) for encoding in encodings]
    end = len(prompt)
    return [
        TokenizedText(
            encoding, end, next((at for at, span in enumerate(encoding.offsets) if span[1] > end), len(encoding))
        )
        for encoding in encodings
    ]


def prompt_length(tokenizer: "Tokenizer", prompt: str) -> int:
    """How many tokens a mean without the prompt leaves out, counted as sentence-transformers does.

    The special tokens before the prompt are among them; 0 without a prompt.
    """
    if not prompt:
        return 0
    marks = tokenizer.encode(prompt).special_tokens_mask
    return len(marks) - marks[-1]
