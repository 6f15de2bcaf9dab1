"""Checks of the index, the feedback store and the state store, which have to be opened for it."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from bot.config.settings import FILE
from bot.errors import StateUnavailable
from bot.services.diagnostics.check import Check
from bot.state.protocol import StateStore
from feedback.errors import FeedbackError
from feedback.stores.protocol import FeedbackStore
from retrieval.errors import RetrievalError, SearchUnavailable
from retrieval.index.protocols import IndexReader

if TYPE_CHECKING:
    from feedback.stores.journal.file import JournalCounts
    from feedback.stores.redis.durability import ServerDurability

SAMPLED_DOCUMENTS = 25  # of each source, for their language
FOLDER = "see that the state folder can be written"
SERVER = "see that the server runs and that `redis_url` is right"


def index(index: IndexReader) -> Check:
    try:
        documents, passages = index.counts()
    except SearchUnavailable as error:
        detail, _, mend = str(error).rpartition(": ")
        return Check("index", ok=False, detail=detail or mend, mend=mend)
    except RetrievalError as error:
        return Check("index", ok=False, detail=str(error), mend="run `footnote sync`")
    detail = f"{documents} documents, {passages} passages"
    return Check("index", ok=True, detail=detail, mend="" if documents else "run `footnote sync FOLDER`")


def language(index: IndexReader, name: str) -> Iterator[Check]:
    """Nothing when no index can be read, or too little to judge by."""
    from retrieval.ranking.analysis import Analyzer, looks_foreign

    try:
        texts = list(_texts(index))
    except RetrievalError:
        return
    if looks_foreign(Analyzer(name), texts):
        mend = f"set `language` in {FILE} to theirs; English is the tested one"
        yield Check("language", ok=True, detail=f"the documents do not look {name}", mend=mend)
    elif texts:
        yield Check("language", ok=True, detail=name)


def _texts(index: IndexReader) -> Iterator[str]:
    """What some documents of every source say."""
    for source in index.sources():
        for key in islice(index.stored(source), SAMPLED_DOCUMENTS):
            if document := index.document(key):
                yield document.text[:10_000]


def feedback_store(open_store: Callable[[], FeedbackStore], *, shared: bool) -> Iterator[Check]:
    from feedback.stores.journal.store import JournaledFeedback
    from feedback.stores.redis.store import RedisFeedback

    try:
        store = open_store()
        if isinstance(store, JournaledFeedback):
            yield from journal(store.counts())
            store = store.store
        servers = store.durability() if isinstance(store, RedisFeedback) else []
    except FeedbackError as error:
        yield Check("feedback store", ok=False, detail=str(error), mend=SERVER if shared else FOLDER)
        return
    if not shared:
        yield Check("feedback store", ok=True, detail="opens")
    yield from (durability(server) for server in servers)


def state_store(open_store: Callable[[], StateStore], *, shared: bool) -> Check:
    """Whether what a chat platform tells us could be kept until it is answered."""
    try:
        waits = open_store().waiting()
    except StateUnavailable as error:
        return Check("state store", ok=False, detail=str(error), mend=SERVER if shared else FOLDER)
    return Check("state store", ok=True, detail=f"opens, questions that wait: {waits}")


def journal(counts: "JournalCounts") -> Iterator[Check]:
    """What waits in the state folder for the store; nothing where nothing does."""
    name = "feedback journal"
    if counts.waiting:
        detail = f"{counts.waiting} records wait for the store"
        yield Check(name, ok=True, detail=detail, mend="see that the server runs: they are sent when it is back")
    if counts.refused:
        detail = f"{counts.refused} records were put aside: no answer is recorded for them"
        yield Check(name, ok=True, detail=detail, mend="see the log; they stay in `journal.db` of the state folder")


def durability(server: "ServerDurability") -> Check:
    """How safely a Redis server keeps votes."""
    name, detail = "feedback store", f"{server.server} answers"
    if server.eviction not in {None, "noeviction"}:
        detail = f"{server.server} drops records when its memory is full ({server.eviction})"
        return Check(name, ok=False, detail=detail, mend="set `maxmemory-policy noeviction`: votes would be lost")
    if server.append_only is False:
        return Check(name, ok=True, detail=f"{detail}, without an append-only file", mend="set `appendonly yes`")
    if server.eviction is None:
        mend = "give its user `+info +config|get`, so that this can tell how votes are kept"
        return Check(name, ok=True, detail=f"{detail}; how it keeps records may not be asked", mend=mend)
    if server.fsync != "always":
        mend = "set `appendfsync always`: otherwise up to a second of votes is lost when the server dies"
        return Check(name, ok=True, detail=detail, mend=mend)
    return Check(name, ok=True, detail=detail)
