"""Stand-ins that behave: the same protocol, the same promises, none of the weight."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.answering.answers import Answer, Done, Event, Question, SentenceReady, Status
from bot.services.votes import CurrentVote, VoteRequest, vote_records
from bot.state.protocol import StateStore
from feedback.errors import UnknownExchange
from retrieval.embedding.protocol import QueryToken, TextProgress
from retrieval.embedding.vectors import Encoded, Vector, normalise
from retrieval.index.protocols import StoredDocument
from retrieval.passages import Document, Passage, Query, Turn
from retrieval.ranking.analysis import fold
from retrieval.ranking.confidence import Signals
from retrieval.search import Results
from retrieval.sources.files import Source
from retrieval.sync import SyncReport

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
    """The unit vector of a word, the same for `Leave`, `leave` and in every process."""
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
    """Unit length; a text without words has the direction of none, so that it is a vector too."""
    return normalise(np.sum(vectors, axis=0, dtype=np.float32) if vectors else direction(""))


class FakeReader:
    """An `IndexReader` without a search: documents with their passages, and older versions of some.

    `counts` raises `failure` if there is one.
    """

    def __init__(self, *held: tuple[Document, Sequence[Passage]], older: Sequence[Document] = ()) -> None:
        self._held = {document.id: (document, list(passages)) for document, passages in held}
        self._older = {(document.id, document.version): document for document in older}
        self.failure: Exception | None = None

    def document(self, document: str, *, version: str | None = None) -> Document | None:
        current = self._held.get(document)
        if current and version in {None, current[0].version}:
            return current[0]
        return self._older.get((document, version or ""))

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


class FakeIndex:
    """An index that only has a reader; the arguments are those of `FakeReader`."""

    def __init__(self, *held: tuple[Document, Sequence[Passage]], older: Sequence[Document] = ()) -> None:
        self.reader = FakeReader(*held, older=older)


class FakeHouse:
    """What commands call, answered from what a test put in; `asked` is what was asked of it, in order."""

    def __init__(self, *, index: FakeIndex | None = None) -> None:
        self.index = index or FakeIndex()
        self.state: StateStore | None = None
        self.results = Results((), 0.0, Signals())
        self.report = SyncReport()
        self.figures: dict[str, Any] = {}
        self.answers: list[Answer] = []
        self.histories: dict[str, tuple[Turn, ...]] = {}
        self.recorded: list[tuple[Question, Answer]] = []
        self.votes: list[VoteRequest] = []
        self.recalled: list[tuple[str, str, frozenset[str]]] = []
        self.failure: Exception | None = None
        self.feedback_failure: Exception | None = None
        self.asked: list[dict[str, Any]] = []

    @property
    def feedback(self) -> None:
        """Opened when it is first asked for, which may fail."""
        if self.feedback_failure:
            raise self.feedback_failure

    def search(self, query: Query, *, top: int) -> Results:
        self._asked(query=query, top=top)
        return replace(self.results, hits=self.results.hits[:top])

    def ask(self, question: Question) -> Answer:
        """The next of `answers`."""
        self._asked(question=question)
        return self.answers.pop(0)

    def stream(self, question: Question) -> Iterator[Event]:
        """The same, sentence by sentence."""
        yield Status("searching")
        given = self.ask(question)
        for sentence in given.sentences:
            yield SentenceReady(sentence, tuple(each for each in given.citations if each.number in sentence.citations))
        yield Done(given)

    def history(self, conversation: str, *, user: str, groups: frozenset[str]) -> tuple[Turn, ...]:
        self.recalled.append((conversation, user, groups))
        if self.feedback_failure:
            raise self.feedback_failure
        return self.histories.get(conversation, ())

    def vote(self, opinion: VoteRequest) -> CurrentVote:
        """What was just said counts, if it is of an answer that was recorded."""
        if self.feedback_failure:
            raise self.feedback_failure
        if opinion.answer not in [answer.id for _, answer in self.recorded]:
            raise UnknownExchange(opinion.answer)
        vote, correction = vote_records(opinion, voter=opinion.user, key=str(len(self.votes)), at=NOON)
        self.votes.append(opinion)
        return CurrentVote(vote, correction.text if correction else "")

    def record(self, question: Question, answer: Answer) -> None:
        if self.feedback_failure:
            raise self.feedback_failure
        self.recorded.append((question, answer))

    def sync(
        self, sources: Sequence[Source], *, allow_empty: bool, progress: Callable[[str, int, int], None]
    ) -> SyncReport:
        self._asked(sources=list(sources), allow_empty=allow_empty)
        progress("reading", 1, 1)
        return self.report

    def remove(self, source: str) -> SyncReport:
        self._asked(remove=source)
        return self.report

    def evaluate(
        self,
        questions: Path,
        *,
        qrels: Path | None,
        corpus: Path | None,
        without: frozenset[str],
        models: Sequence[str] | None,
        progress: Callable[[str, int, int], None],
    ) -> Mapping[str, Any]:
        self._asked(questions=questions, qrels=qrels, corpus=corpus, without=without, models=models)
        progress("asking", 1, 1)
        return self.figures

    def _asked(self, **what: Any) -> None:
        self.asked.append(what)
        if self.failure:
            raise self.failure
