"""Checks for `/readyz`: cheap, read-only probes of everything that an answer needs."""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

from bot.errors import BotError
from bot.state.protocol import StateStore
from feedback.errors import FeedbackError
from feedback.stores.protocol import FeedbackStore
from retrieval.embedding.protocol import Embedder
from retrieval.errors import RetrievalError
from retrieval.ranking.reranker import Reranker

# Returns a few words on the state of one part; raises `BotError` with one line when it cannot be used just now.
ReadinessCheck = Callable[[], str]

# Votes wait for the feedback store in the journal, and without the chat model the sections are quoted.
OPTIONAL = frozenset({"store", "model"})

CONNECT_SECONDS = 1.5


class NotReady(BotError):
    """Raised when a part is reached, but cannot be used yet or any longer."""


def readiness_checks(
    *,
    index_counts: Callable[[], tuple[int, int]],
    embedder: Embedder,
    reranker: Reranker | None,
    feedback: FeedbackStore,
    state: StateStore,
    model: str,
    model_base_url: str,
) -> Mapping[str, ReadinessCheck]:
    """Return one check for each part; those named in `OPTIONAL` may fail while questions are still answered.

    `index_counts` returns the numbers of documents and passages. `feedback` is the store itself, not the journal
    before it. `model` is `provider:name`, or empty for none; `model_base_url` is empty where the provider has its own
    address.
    """
    return {
        "index": partial(check_index, index_counts),
        "embedding": partial(check_embedder, embedder),
        **({"reranker": partial(check_reranker, reranker)} if reranker else {}),
        "state": partial(check_state, state),
        "store": partial(check_feedback, feedback),
        "model": partial(check_model, model, base_url=model_base_url),
    }


@contextmanager
def _reported() -> Iterator[None]:
    """Raise `NotReady` with the text of an error of the index, the embedder or the feedback store."""
    try:
        yield
    except (RetrievalError, FeedbackError) as error:
        raise NotReady(str(error)) from error


@_reported()
def check_index(counts: Callable[[], tuple[int, int]]) -> str:
    """Return how much is indexed; raises `NotReady` when nothing is."""
    documents, passages = counts()
    if not documents:
        raise NotReady("nothing is indexed: run `footnote sync`")
    return f"{documents} documents, {passages} passages"


@_reported()
def check_embedder(embedder: Embedder) -> str:
    """Return the embedder's name; the first call loads its weights, so that no question waits for them."""
    embedder.encode_query("ready")
    return embedder.name


@_reported()
def check_reranker(reranker: Reranker) -> str:
    """Return the reranker's name; the first call loads its weights, so that no question waits for them."""
    reranker.score("ready", ["ready"])
    return reranker.name


def check_state(state: StateStore) -> str:
    """Return how many events wait in the state store."""
    return f"{state.waiting()} events wait"


@_reported()
def check_feedback(feedback: FeedbackStore) -> str:
    """Return that the feedback store answers; raises `NotReady` when it does not."""
    feedback.conversation("ready", limit=1)
    return "answers"


def check_model(model: str, *, base_url: str) -> str:
    """Return the model's name; raises `NotReady` when the server at its base URL takes no connection.

    The model is sent no request.
    """
    if not model:
        return "none: sections are quoted"
    if base_url:
        _connect(base_url)
    return model


def _connect(url: str) -> None:
    try:
        parts = urlsplit(url)
        address = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection(address, timeout=CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise NotReady("the model's server takes no connection; sections are quoted until it does") from error
