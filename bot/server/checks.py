"""What `/readyz` looks at, and how: nothing that costs money, nothing that changes anything."""

import socket
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.errors import BotError
from bot.server.health import HealthCheck
from bot.state.protocol import StateStore
from feedback.errors import FeedbackError
from retrieval.errors import RetrievalError

if TYPE_CHECKING:
    from bot.app import App

CONNECT_SECONDS = 1.5


class NotReady(BotError):
    """Something that answers is not yet, or no longer, of use."""


def checks(house: "App", store: StateStore) -> Mapping[str, HealthCheck]:
    """The index, the embedding model and the state store are needed.

    Votes wait for the feedback store, and without the model that writes answers the sections are quoted.
    """
    return {
        "index": HealthCheck(partial(_index, house), (RetrievalError, BotError)),
        "embedding": HealthCheck(partial(_embedding, house), (RetrievalError,)),
        "state": HealthCheck(partial(_state, store), (BotError,)),
        "store": HealthCheck(partial(_feedback, house), (FeedbackError, BotError), needed=False),
        "model": HealthCheck(partial(_model, house), (BotError,), needed=False),
    }


def _index(house: "App") -> str:
    documents, passages = house.index.counts()
    if not documents:
        raise NotReady("nothing is indexed: run `footnote sync`")
    return f"{documents} documents, {passages} passages"


def _embedding(house: "App") -> str:
    """The first time this loads the model, so that no question has to wait for it."""
    house.embedder.query("ready")
    return house.embedder.name


def _state(store: StateStore) -> str:
    return f"{store.waiting()} events wait"


def _feedback(house: "App") -> str:
    from feedback.stores.journal.store import JournaledFeedback

    store = house.feedback
    (store.store if isinstance(store, JournaledFeedback) else store).conversation("ready", limit=1)
    return "answers"


def _model(house: "App") -> str:
    """Whether it is complete, and its server, where one is named, takes connections; it is not asked anything."""
    settings = house.settings
    if not settings.model:
        return "none: sections are quoted"
    _ = house.model
    if settings.model_base_url:
        _connect(settings.model_base_url)
    return settings.model


def _connect(url: str) -> None:
    try:
        parts = urlsplit(url)
        place = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection(place, timeout=CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise NotReady("the model's server takes no connection; sections are quoted until it does") from error
