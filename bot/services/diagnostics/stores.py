"""Checks the index, the feedback store and the state store by opening them."""

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
from retrieval.index.protocols import IndexReader, IndexWriter

if TYPE_CHECKING:
    from feedback.stores.journal.file import JournalCounts
    from feedback.stores.redis.durability import ServerDurability

SAMPLED_DOCUMENTS = 25  # of each source, for their language
NAMED_DOCUMENTS = 3  # of those that nobody may read
FOLDER = "see that the state folder can be written"
SERVER = "see that the server runs and that `redis_url` is right"


def check_index(open_index: Callable[[], IndexReader]) -> Check:
    """Check that the index can be opened and read, and count what it contains."""
    try:
        documents, passages = open_index().counts()
    except SearchUnavailable as error:
        detail, _, mend = str(error).rpartition(": ")
        return Check("index", ok=False, detail=detail or mend, mend=mend)
    except RetrievalError as error:
        return Check("index", ok=False, detail=str(error), mend="run `footnote sync`")
    detail = f"{documents} documents, {passages} passages"
    return Check("index", ok=True, detail=detail, mend="" if documents else "run `footnote sync FOLDER`")


def check_hidden(open_index: Callable[[], IndexReader], open_writer: Callable[[], IndexWriter]) -> Iterator[Check]:
    """Yield a check for each source with documents that nobody may read; nothing where they cannot be read."""
    try:
        known = {name: open_writer().skips(name).values() for name in open_index().sources()}
    except RetrievalError:
        return
    for name, skipped in known.items():
        if hidden := [each for each in skipped if each.skipped.restricted]:
            named = "; ".join(f"{each.document}: {each.skipped.detail}" for each in hidden[:NAMED_DOCUMENTS])
            more = f"; and {len(hidden) - NAMED_DOCUMENTS} more" if len(hidden) > NAMED_DOCUMENTS else ""
            mend = "give each a header with `audience: GROUP` alone, then run `footnote sync`"
            yield Check(f"audience {name}", ok=True, detail=f"{len(hidden)} hidden: {named}{more}", mend=mend)


def check_language(open_index: Callable[[], IndexReader], name: str) -> Iterator[Check]:
    """Check that the documents are in this language; yields nothing where they cannot be read."""
    from retrieval.ranking.analysis import Analyzer, looks_foreign

    try:
        texts = list(_texts(open_index()))
    except RetrievalError:
        return
    if looks_foreign(Analyzer(name), texts):
        mend = f"set `language` in {FILE} to theirs; English is the tested one"
        yield Check("language", ok=True, detail=f"the documents do not look {name}", mend=mend)
    elif texts:
        yield Check("language", ok=True, detail=name)


def _texts(index: IndexReader) -> Iterator[str]:
    """Yield the beginning of some documents of every source."""
    for source in index.sources():
        for key in islice(index.stored(source), SAMPLED_DOCUMENTS):
            if document := index.document(key):
                yield document.text[:10_000]


def check_feedback_store(open_store: Callable[[], FeedbackStore], *, shared: bool) -> Iterator[Check]:
    """Check that the feedback store opens and keeps what it is given, and what its journal contains."""
    from feedback.stores.journal.store import JournaledFeedback
    from feedback.stores.redis.store import RedisFeedback

    try:
        store = open_store()
        if isinstance(store, JournaledFeedback):
            yield from check_journal(store.counts())
            store = store.store
        servers = store.durability() if isinstance(store, RedisFeedback) else []
    except FeedbackError as error:
        yield Check("feedback store", ok=False, detail=str(error), mend=SERVER if shared else FOLDER)
        return
    if not shared:
        yield Check("feedback store", ok=True, detail="opens")
    yield from (check_durability(server) for server in servers)


def check_state_store(open_store: Callable[[], StateStore], *, shared: bool) -> Check:
    """Check that the state store opens, and count the events that wait in it."""
    try:
        waiting = open_store().waiting()
    except StateUnavailable as error:
        return Check("state store", ok=False, detail=str(error), mend=SERVER if shared else FOLDER)
    return Check("state store", ok=True, detail=f"opens, questions that wait: {waiting}")


def check_journal(counts: "JournalCounts") -> Iterator[Check]:
    """Yield a check for the records that wait in the journal, and one for those that the store refused, if any."""
    name = "feedback journal"
    if counts.waiting:
        detail = f"{counts.waiting} records wait for the store"
        yield Check(name, ok=True, detail=detail, mend="see that the server runs: they are sent when it is back")
    if counts.refused:
        detail = f"{counts.refused} records were put aside: no answer is recorded for them"
        yield Check(name, ok=True, detail=detail, mend="see the log; they stay in `journal.db` of the state folder")


def check_durability(server: "ServerDurability") -> Check:
    """Check how safely a Redis server keeps records."""
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
