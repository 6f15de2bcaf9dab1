"""Stand-ins that behave: the same protocol, the same promises, none of the weight."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.access.disclosure import DisclosureGate
from bot.answering.answers import Answer, Done, Event, Question, SentenceReady, Status
from feedback.errors import FeedbackUnavailable
from retrieval.embedding.protocol import QueryToken, TextProgress
from retrieval.embedding.vectors import Encoded, Vector, normalise
from retrieval.index.protocols import SkippedFile, StoredDocument
from retrieval.passages import EVERYONE, Document, Passage
from retrieval.ranking.analysis import fold

PIECE = re.compile(r"\w+")
DIMENSIONS = 64
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class FakeEmbedder:
    """An `Embedder` without a model: every word has a direction of its own, drawn from its hash.

    Texts that share words are near, texts that share none are about orthogonal, and the same text gives the same
    vectors in every process. A word piece is a word; `passage_texts` and `query_texts` are what it was asked to embed.
    """

    def __init__(self, name: str = "fake/64", *, window: int = 254) -> None:
        self._name = name
        self._window = window
        self.passage_texts: list[str] = []
        self.query_texts: list[str] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimensions(self) -> int:
        return DIMENSIONS

    @property
    def window(self) -> int:
        return self._window

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(PIECE.findall(text)) for text in texts]

    def encode_passages(self, texts: Sequence[str], *, progress: TextProgress = lambda done: None) -> list[Encoded]:
        self.passage_texts += texts
        made = [_encoded(text) for text in texts]
        if texts:
            progress(len(texts))
        return made

    def encode_query(self, text: str) -> tuple[Vector, list[QueryToken]]:
        self.query_texts.append(text)
        found = list(PIECE.finditer(text))[: self._window]
        tokens = [QueryToken(word.start(), word.end(), direction(word.group())) for word in found]
        return _mean([token.vector for token in tokens]), tokens

    def token_spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        return [[word.span() for word in PIECE.finditer(text)] for text in texts]


@lru_cache(maxsize=100_000)
def direction(word: str) -> Vector:
    """Return the unit vector of a word, the same for `Leave`, `leave` and in every process."""
    digest = hashlib.sha256(fold(word).encode("utf-8", "surrogatepass")).digest()
    vector = np.random.default_rng(int.from_bytes(digest[:8], "big")).standard_normal(DIMENSIONS)
    made: NDArray[np.float32] = normalise(vector.astype(np.float32))
    made.flags.writeable = False
    return made


def _encoded(text: str) -> Encoded:
    vectors = [direction(word) for word in PIECE.findall(text)]
    tokens = np.stack(vectors) if vectors else np.zeros((0, DIMENSIONS), np.float32)
    return Encoded(_mean(vectors), np.round(tokens * 127).astype(np.int8))


def _mean(vectors: Sequence[Vector]) -> Vector:
    """Return the mean of unit length; a text without words has the direction of the empty word."""
    return normalise(np.sum(vectors, axis=0, dtype=np.float32) if vectors else direction(""))


class FakeReader:
    """An `IndexReader` without a search: documents with their passages, and older versions of some.

    Handed to `bootstrap` it stands for a whole index, of which it is the reader, and a writer that has skipped nothing.
    `counts` raises `failure` if there is one.
    """

    def __init__(self, *held: tuple[Document, Sequence[Passage]], older: Sequence[Document] = ()) -> None:
        self._held = {document.id: (document, list(passages)) for document, passages in held}
        self._older = {(document.id, document.version): document for document in older}
        self.failure: Exception | None = None

    @property
    def reader(self) -> "FakeReader":
        return self

    @property
    def writer(self) -> "FakeReader":
        return self

    def skips(self, source: str) -> Mapping[str, SkippedFile]:
        return {}

    def document(self, document: str, *, version: str | None = None) -> Document | None:
        current = self._held.get(document)
        if current and version in {None, current[0].version}:
            return current[0]
        return self._older.get((document, version or ""))

    def audiences(self, documents: Collection[str]) -> Mapping[str, frozenset[str]]:
        return {each: self._held[each][0].audience for each in documents if each in self._held}

    def sections(self, document: str) -> list[Passage]:
        return self._held[document][1] if document in self._held else []

    def stored(self, source: str) -> Mapping[str, StoredDocument]:
        documents = [document for document, _ in self._held.values() if document.source == source]
        return {document.id: StoredDocument(document.id, document.version, "") for document in documents}

    def sources(self) -> Mapping[str, str]:
        return {document.source: f"/folders/{document.source}" for document, _ in self._held.values()}

    def counts(self) -> tuple[int, int]:
        if self.failure:
            raise self.failure
        return len(self._held), sum(len(passages) for _, passages in self._held.values())


def gate(closed: Mapping[str, Collection[str]] | None = None, *, gone: Collection[str] = ()) -> DisclosureGate:
    """Return the gate over an index where every document is everyone's, but for the `closed` and those that are gone.

    `closed` gives their audiences.
    """
    audiences = closed or {}
    return DisclosureGate(
        lambda documents: {
            each: frozenset(audiences.get(each, {EVERYONE})) for each in documents if each not in set(gone)
        }
    )


class ScriptedPipeline:
    """An `AnsweringPipeline` that gives the answers of a test in turn; `questions` are those that it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.questions: list[Question] = []
        self.failure: Exception | None = None

    def answer(self, question: Question) -> Answer:
        *_, done = self.stream(question)
        assert isinstance(done, Done)
        return done.answer

    def stream(
        self, question: Question, *, prepare: Callable[[Question], Question] | None = None, check: object = None
    ) -> Iterator[Event]:
        """Yield an answer sentence by sentence; raises `failure` where a test set one."""
        yield Status("searching")
        self.questions.append(prepare(question) if prepare else question)
        if self.failure:
            raise self.failure
        answer = self.answers.pop(0)
        for sentence in answer.sentences:
            yield SentenceReady(sentence, tuple(each for each in answer.citations if each.number in sentence.citations))
        yield Done(answer)


class UnavailableFeedback:
    """A `FeedbackStore` that cannot be reached: each of its methods raises `FeedbackUnavailable`."""

    def __init__(self, why: str) -> None:
        self._why = why

    def __getattr__(self, name: str) -> Any:
        def fail(*_: Any, **__: Any) -> Any:
            raise FeedbackUnavailable(self._why)

        return fail
