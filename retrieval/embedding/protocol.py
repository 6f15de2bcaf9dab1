"""What retrieval asks of an embedding model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from retrieval.embedding.vectors import Encoded, Vector

TextProgress = Callable[[int], None]
"""Called with how many more texts (or windows of them) were embedded."""


def ignore_texts(count: int) -> None:
    """The `TextProgress` that does nothing."""


@dataclass(frozen=True, slots=True)
class QueryToken:
    """One word piece of a question: its unit vector, shape (t,), and the span of the text that it stands for."""

    start: int
    end: int
    vector: Vector


class Embedder(Protocol):
    """Gives vectors to passages and questions; `name` changes whenever its vectors would.

    Raises `EmbeddingUnavailable` when the model cannot be loaded.
    """

    @property
    def name(self) -> str:
        """Identifies model and token projection."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    @property
    def window(self) -> int:
        """How many word pieces of a text one vector can stand for."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text, without special tokens and without limit; 0 for an empty text."""
        ...

    def encode_passages(self, texts: Sequence[str], *, progress: TextProgress = ignore_texts) -> list[Encoded]:
        """One `Encoded` a text, in order; a text beyond the window is embedded by windows and averaged."""
        ...

    def encode_query(self, text: str) -> tuple[Vector, list[QueryToken]]:
        """The question's unit vector and its tokens; a text beyond the window is cut."""
        ...

    def token_spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """For each text the places of its token vectors, in order."""
        ...
