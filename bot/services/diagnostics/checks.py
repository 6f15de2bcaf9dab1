"""Checks the configuration and everything that Footnote needs; each check is one line with what mends it.

A check that did not pass is either wrong (`ok` is false) or worth a note (`ok`, with a mend).
"""

import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.answering.writing.prompts import Prompt
from bot.config.settings import FILE, Settings, Source, load
from bot.errors import BotError, GenerationFailed, SettingsError, StateUnavailable
from bot.services.diagnostics.check import Check
from feedback.errors import FeedbackError
from retrieval.errors import RetrievalError, SearchUnavailable

if TYPE_CHECKING:
    from bot.app import App
    from feedback.stores.journal.file import Counts
    from feedback.stores.redis.store import Keeping
    from retrieval.index.protocols import SearchIndex

DISTRIBUTION = "footnote-bot"
OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 35, 0)  # RETURNING
FREE_BYTES = 500_000_000
LANGUAGE_SAMPLE = 25  # documents of each source

FOLDER = "see that the state folder can be written"
SERVER = "see that the server runs and that `redis_url` is right"

GREETING = Prompt("Reply with one word.", "Say yes.", "")
# A model that fails in these ways has been reached.
REPLIED = frozenset({"truncated", "refused", "empty"})
WRONG_KEY = "does not accept the key", "set `model_api_key` to a key that may use this model"
# What an HTTP status says is wrong, and what mends it.
STATUSES: Mapping[int, tuple[str, str]] = {
    401: WRONG_KEY,
    403: WRONG_KEY,
    404: ("is not known there", "correct the name in `model`, or `model_base_url`"),
    429: ("takes no more requests at present", "wait, or raise the limit of your account"),
}
NOT_TAKEN = "does not take the request", "see that `model` names a chat model, and that `model_base_url` is complete"
SERVER_FAILED = "has a failing server", "look at its server's log, or try again later"
UNREACHABLE = (
    "cannot be reached",
    "see that its server runs, that this machine reaches it, and that `model_base_url` is its address",
)
TOO_SLOW = "is too slow", "take a faster model, raise `model_timeout`, or see that this machine reaches its server"


def examine(home: Path | None, *, build: Callable[[Settings], "App"]) -> Iterator[Check]:
    """All findings, cheapest first; without readable settings only those that need none."""
    yield python_version()
    yield sqlite_version()
    yield installation()
    try:
        settings = load(home)
    except SettingsError as error:
        for problem in error.problems:
            yield Check("settings", ok=False, detail=problem, mend=f"correct it in {FILE} or in the environment")
        return
    yield Check("settings", ok=True, detail=f"{FILE} is read" if FILE.is_file() else f"no {FILE}; defaults")
    yield state_folder(settings.home)
    yield from (source_folder(source) for source in settings.sources)
    yield embedding(settings.embedding_model)
    if settings.synonyms:
        yield synonyms(settings.synonyms)
    if settings.elasticsearch_url or settings.elasticsearch_cloud_id:
        yield from elasticsearch(settings)
    yield from _rooms(settings, build)
    if settings.model:
        yield chat_model(settings)
    if settings.has_slack:
        yield from slack(settings)


def python_version() -> Check:
    shown = ".".join(map(str, sys.version_info[:3]))
    fine = sys.version_info >= OLDEST_PYTHON
    return Check("python", ok=fine, detail=shown, mend="" if fine else "install Python 3.11 or newer")


def sqlite_version() -> Check:
    fine = sqlite3.sqlite_version_info >= OLDEST_SQLITE
    mend = "" if fine else "use a Python whose SQLite is 3.35 or newer"
    return Check("sqlite", ok=fine, detail=sqlite3.sqlite_version, mend=mend)


def installation() -> Check:
    """Whether the `bot` that runs is ours: the name is common, and another distribution could overwrite it."""
    import bot

    running = Path(bot.__file__).resolve().parent
    mend = f"install {DISTRIBUTION} into an environment of its own, and run `footnote` from there"
    try:
        installed = distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return Check("installation", ok=False, detail=f"{DISTRIBUTION} is not installed; running {running}", mend=mend)
    if running not in _folders(installed):
        return Check("installation", ok=False, detail=f"{running} is not from {DISTRIBUTION}", mend=mend)
    return Check("installation", ok=True, detail=f"{DISTRIBUTION} {installed.version} in {running}")


def _folders(installed: Any) -> set[Path]:
    """Where the distribution's `bot` may lie: beside its metadata, or where an editable install points to."""
    folders = {Path(installed.locate_file("bot")).resolve()}
    for file in installed.files or ():
        if file.suffix == ".pth":
            lines = Path(installed.locate_file(file)).read_text(encoding="utf-8").splitlines()
            folders |= {(Path(line) / "bot").resolve() for line in lines}
    return folders


def state_folder(home: Path) -> Check:
    mend = "give a folder of your own with `footnote --home DIR` or FOOTNOTE_HOME"
    above = next((folder for folder in (home, *home.parents) if folder.exists()), home)
    try:
        with tempfile.TemporaryFile(dir=above):
            pass
    except OSError as error:
        return Check("state folder", ok=False, detail=f"{home} cannot be written ({error.strerror})", mend=mend)
    free = shutil.disk_usage(above).free
    detail = f"{home}, {free / 1e9:.1f} GB free"
    if free < FREE_BYTES:
        return Check("state folder", ok=False, detail=detail, mend="free some space: an index needs about 0.5 GB")
    return Check("state folder", ok=True, detail=detail)


def source_folder(source: Source) -> Check:
    check = f"source {source.name}"
    if not source.path.exists():
        return Check(check, ok=False, detail=f"{source.path} does not exist", mend=f"correct its path in {FILE}")
    if not os.access(source.path, os.R_OK | (os.X_OK if source.path.is_dir() else 0)):
        mend = "let this user read it"
        return Check(check, ok=False, detail=f"{source.path} cannot be read", mend=mend)
    if source.path.is_dir() and not any(source.path.iterdir()):
        return Check(check, ok=True, detail=f"{source.path} is empty", mend="put documents there, or remove it")
    return Check(check, ok=True, detail=str(source.path))


def embedding(name: str) -> Check:
    from retrieval.embedding.sentence_transformers import model_folder, verify
    from retrieval.ranking.configuration import RankingConfiguration, recipe_of

    try:
        detail, recipe = verify(name), recipe_of(model_folder(name))
    except RetrievalError as error:
        return Check("embedding model", ok=False, detail=str(error), mend="reinstall it, or set `embedding_model`")
    if recipe != RankingConfiguration():
        detail += f"; its vectors count {recipe.dense:.0%}, {recipe.dense_follow_up:.0%} for a follow-up"
    return Check("embedding model", ok=True, detail=detail)


def synonyms(file: Path) -> Check:
    from retrieval.ranking.synonyms import load

    try:
        known = load(file)
    except RetrievalError as error:
        mend = "correct it; until then questions are understood without it, or as it was before"
        return Check("synonyms", ok=False, detail=str(error), mend=mend)
    return Check("synonyms", ok=True, detail=f"{file}, {len(known)} words and phrases")


def elasticsearch(settings: Settings) -> Iterator[Check]:
    try:
        from retrieval.index.elastic.admin.health import examine as looked_at
    except ImportError:
        mend = "pip install 'footnote-bot[elasticsearch]'"
        yield Check("elasticsearch", ok=False, detail="its client is not installed", mend=mend)
        return
    from bot.app import elastic_connection

    for found in looked_at(elastic_connection(settings), settings.elasticsearch_alias):
        yield Check(f"elasticsearch {found.what}", ok=found.ok, detail=found.detail, mend=found.mend)


def slack(settings: Settings) -> Iterator[Check]:
    """Tokens, scopes and the socket; Slack is asked."""
    try:
        from bot.channels.slack.checks import examine as looked_at
    except ImportError:
        mend = "pip install 'footnote-bot[slack]'"
        yield Check("slack", ok=False, detail="its packages are not installed", mend=mend)
        return
    yield from looked_at(settings)


def chat_model(settings: Settings) -> Check:
    """Whether the model that writes answers replies; it is sent one request of a few words."""
    from bot.answering.writing.chat_model import with_retries
    from bot.app import chat_model as opened

    started = time.perf_counter()
    try:
        model = opened(settings)
        for _ in with_retries(partial(model.stream, GREETING), replace(model.limits, attempts=2)):
            pass
    except GenerationFailed as error:
        if error.kind not in REPLIED:
            complaint, mend = _complaint(error)
            return Check("model", ok=False, detail=f"{settings.model} {complaint}", mend=mend)
    except BotError as error:
        detail, _, mend = str(error).partition(": ")
        return Check("model", ok=False, detail=detail, mend=mend)
    return Check("model", ok=True, detail=f"{settings.model} replies, {time.perf_counter() - started:.1f} s")


def _complaint(error: GenerationFailed) -> tuple[str, str]:
    """What is wrong and what mends it, without what the server said: it may repeat the key."""
    if error.kind == "timeout":
        return TOO_SLOW
    if error.status is None:
        return UNREACHABLE
    complaint, mend = STATUSES.get(error.status, NOT_TAKEN if error.status < 500 else SERVER_FAILED)
    return f"{complaint} (status {error.status})", mend


def _rooms(settings: Settings, build: Callable[[Settings], "App"]) -> Iterator[Check]:
    """What can only be told by opening the index and the feedback store."""
    try:
        house = build(settings)
    except (BotError, RetrievalError, FeedbackError) as error:
        yield Check("wiring", ok=False, detail=str(error), mend="mend what stands above, then try again")
        return
    yield index(house)
    yield from language(house, settings.language)
    yield from feedback_store(house, shared=settings.redis_url is not None)
    if settings.has_slack:
        yield state_store(house, shared=settings.redis_url is not None)


def index(house: "App") -> Check:
    try:
        documents, passages = house.index.counts()
    except SearchUnavailable as error:
        detail, _, mend = str(error).rpartition(": ")
        return Check("index", ok=False, detail=detail or mend, mend=mend)
    except RetrievalError as error:
        return Check("index", ok=False, detail=str(error), mend="run `footnote sync`")
    detail = f"{documents} documents, {passages} passages"
    return Check("index", ok=True, detail=detail, mend="" if documents else "run `footnote sync FOLDER`")


def language(house: "App", name: str) -> Iterator[Check]:
    """Nothing when no index can be read, or too little to judge by."""
    from retrieval.ranking.analysis import Analyzer, foreign

    try:
        texts = list(_texts(house.index))
    except RetrievalError:
        return
    if foreign(Analyzer(name), texts):
        mend = f"set `language` in {FILE} to theirs; English is the tested one"
        yield Check("language", ok=True, detail=f"the documents do not look {name}", mend=mend)
    elif texts:
        yield Check("language", ok=True, detail=name)


def _texts(index: "SearchIndex") -> Iterator[str]:
    """What some documents of every source say."""
    for source in index.sources():
        for key in islice(index.stored(source), LANGUAGE_SAMPLE):
            if document := index.document(key):
                yield document.text[:10_000]


def feedback_store(house: "App", *, shared: bool) -> Iterator[Check]:
    from feedback.stores.journal.store import JournaledFeedback
    from feedback.stores.redis.store import RedisFeedback

    try:
        store = house.feedback
        if isinstance(store, JournaledFeedback):
            yield from waiting(store.counts())
            store = store.store
        servers = store.keeping() if isinstance(store, RedisFeedback) else []
    except FeedbackError as error:
        yield Check("feedback store", ok=False, detail=str(error), mend=SERVER if shared else FOLDER)
        return
    if not shared:
        yield Check("feedback store", ok=True, detail="opens")
    yield from (kept(server) for server in servers)


def state_store(house: "App", *, shared: bool) -> Check:
    """Whether what a chat platform tells us could be kept until it is answered."""
    try:
        waits = house.state.waiting()
    except StateUnavailable as error:
        return Check("state store", ok=False, detail=str(error), mend=SERVER if shared else FOLDER)
    return Check("state store", ok=True, detail=f"opens, questions that wait: {waits}")


def waiting(counts: "Counts") -> Iterator[Check]:
    """What waits in the state folder for the store; nothing where nothing does."""
    name = "feedback journal"
    if counts.waiting:
        detail = f"{counts.waiting} records wait for the store"
        yield Check(name, ok=True, detail=detail, mend="see that the server runs: they are sent when it is back")
    if counts.refused:
        detail = f"{counts.refused} records were put aside: no answer is recorded for them"
        yield Check(name, ok=True, detail=detail, mend="see the log; they stay in `journal.db` of the state folder")


def kept(server: "Keeping") -> Check:
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
