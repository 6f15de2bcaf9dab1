"""Checks the machine, the installation and the paths that settings name; opens no store."""

import json
import os
import shutil
import sqlite3
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.config.settings import FILE, Source
from bot.services.diagnostics.check import Check
from retrieval.errors import RetrievalError
from retrieval.sources.nesting import is_inside

if TYPE_CHECKING:
    from retrieval.ranking.reranker import Reranker

DISTRIBUTION = "footnote-bot"
OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 35, 0)  # RETURNING
FREE_BYTES = 500_000_000
SAMPLE_QUESTION = "How many days of leave do I get?"
SAMPLE_TEXTS = ("Everybody has 26 days of leave a year.", "The kitchen is cleaned at noon.")


def check_python(*, oldest: tuple[int, ...] = OLDEST_PYTHON) -> Check:
    """Check the version of Python."""
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= oldest
    return Check("python", ok=ok, detail=version, mend="" if ok else "install Python 3.11 or newer")


def check_sqlite(*, oldest: tuple[int, ...] = OLDEST_SQLITE) -> Check:
    """Check the version of SQLite."""
    ok = sqlite3.sqlite_version_info >= oldest
    mend = "" if ok else "use a Python whose SQLite is 3.35 or newer"
    return Check("sqlite", ok=ok, detail=sqlite3.sqlite_version, mend=mend)


def check_installation() -> Check:
    """Check that the `bot` that runs is ours: the name is common, and another distribution could overwrite it."""
    import bot

    running = Path(bot.__file__).resolve().parent
    mend = f"install {DISTRIBUTION} into an environment of its own, and run `footnote` from there"
    try:
        installed = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return Check("installation", ok=False, detail=f"{DISTRIBUTION} is not installed; running {running}", mend=mend)
    if running not in _folders(installed):
        return Check("installation", ok=False, detail=f"{running} is not from {DISTRIBUTION}", mend=mend)
    return Check("installation", ok=True, detail=f"{DISTRIBUTION} {installed.version} in {running}")


def _folders(installed: Any) -> set[Path]:
    """Return where the distribution's `bot` may be: beside its metadata, or where an editable install points to."""
    folders = {Path(installed.locate_file("bot")).resolve()}
    for file in installed.files or ():
        if file.suffix == ".pth":
            lines = Path(installed.locate_file(file)).read_text(encoding="utf-8").splitlines()
            folders |= {(Path(line) / "bot").resolve() for line in lines}
    return folders


def check_state_folder(home: Path) -> Check:
    """Check that the state folder, or where it would be made, can be written and has free space; makes nothing."""
    mend = "give a folder of your own with `footnote --home DIR` or FOOTNOTE_HOME"
    existing = next((folder for folder in (home, *home.parents) if folder.exists()), home)
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return Check("state folder", ok=False, detail=f"{home} cannot be written ({error.strerror})", mend=mend)
    free = shutil.disk_usage(existing).free
    detail = f"{home}, {free / 1e9:.1f} GB free"
    if free < FREE_BYTES:
        return Check("state folder", ok=False, detail=detail, mend="free some space: an index needs about 0.5 GB")
    if home.is_dir() and _stays_open(home.stat()):
        mend = "give a folder that belongs to this user, or take from others what they may do with it"
        return Check("state folder", ok=True, detail=f"{detail}, open to other users of this machine", mend=mend)
    return Check("state folder", ok=True, detail=detail)


def _stays_open(folder: os.stat_result) -> bool:
    """Tell whether others may open a folder that is not made private when it is used: it is not ours, or is shared."""
    return bool(folder.st_mode & 0o077) and (folder.st_uid != os.geteuid() or bool(folder.st_mode & stat.S_ISVTX))


def check_source(source: Source, sources: Sequence[Source] = ()) -> Check:
    """Check that the path of a source exists, can be read, is not empty, and how it lies to those of other sources."""
    name = f"source {source.name}"
    if not source.path.exists():
        return Check(name, ok=False, detail=f"{source.path} does not exist", mend=f"correct its path in {FILE}")
    if not os.access(source.path, os.R_OK | (os.X_OK if source.path.is_dir() else 0)):
        mend = "let this user read it"
        return Check(name, ok=False, detail=f"{source.path} cannot be read", mend=mend)
    if source.path.is_dir() and not any(source.path.iterdir()):
        return Check(name, ok=True, detail=f"{source.path} is empty", mend="put documents there, or remove it")
    around = [each.name for each in sources if each.name != source.name and is_inside(source.path, each.path)]
    same = [each.name for each in sources if each.name in around and is_inside(each.path, source.path)]
    if same:
        detail = f"{source.path} is the folder of {same[0]!r} too"
        return Check(name, ok=False, detail=detail, mend=f"keep one of them in {FILE}")
    nested = f", inside {', '.join(map(repr, around))}: its files belong to {source.name!r} alone" if around else ""
    return Check(name, ok=True, detail=f"{source.path}{nested}")


def check_embedding(name: str, *, verify: Callable[[str], str] | None = None) -> Check:
    """Check the weights of the embedding model with `verify`, and what its folder says of ranking and of prompts."""
    from retrieval.embedding.model_files import cached_folder, describe_model, model_folder
    from retrieval.embedding.prompts import CONFIGURATION, missing_prompts, other_similarity
    from retrieval.ranking.configuration import RankingConfiguration, load_configuration

    mend = ""
    try:
        detail = (verify or describe_model)(name)
        configuration = load_configuration(model_folder(name))
        folder = model_folder(name) or cached_folder(name)
        missing, similarity = (missing_prompts(name, folder), other_similarity(folder)) if folder else (None, "")
    except RetrievalError as error:
        return Check("embedding model", ok=False, detail=str(error), mend="reinstall it, or set `embedding_model`")
    if configuration != RankingConfiguration():
        detail += f"; its vectors count {configuration.dense:.0%}, {configuration.dense_follow_up:.0%} for a follow-up"
    if similarity:
        detail += f"; made for the {similarity}, compared by the cosine"
    if missing:
        detail += "; its family wants prompts, and its folder declares none"
        wanted = json.dumps({"query": missing.query, "document": missing.document})
        mend = f'compare its card, and give `"prompts": {wanted}` in {folder}/{CONFIGURATION}'
    return Check("embedding model", ok=True, detail=detail, mend=mend)


def check_reranker(reranker: "Reranker") -> Check:
    """Check that the cross-encoder loads, and that it scores a passage that answers above one that does not."""
    started = time.perf_counter()
    try:
        scores = reranker.score(SAMPLE_QUESTION, SAMPLE_TEXTS)
    except RetrievalError as error:
        detail, _, mend = str(error).rpartition(": ")
        return Check("reranker", ok=False, detail=detail, mend=mend)
    answer, other = (f"{score:.2f}" for score in scores)
    detail = f"{reranker.name} loads and scores in {time.perf_counter() - started:.1f} s"
    if scores[0] > scores[1]:
        return Check("reranker", ok=True, detail=detail)
    detail += f"; a passage that answers gets {answer}, another one {other}"
    return Check("reranker", ok=True, detail=detail, mend="see on its card that it is made for questions and passages")


def check_everyday_synonyms(language: str) -> Check:
    """Tell where the list of everyday synonyms lies, and count its entries."""
    from retrieval.ranking.synonyms import EverydaySynonyms, everyday_file

    known = EverydaySynonyms(language).known
    detail = (
        f"{everyday_file(language)}, {len(known)} words and phrases" if known else f"none come along for {language}"
    )
    return Check("everyday synonyms", ok=True, detail=detail)


def check_synonyms(file: Path) -> Check:
    """Check that the synonyms file can be read, and count its entries."""
    from retrieval.ranking.synonyms import load_synonyms

    try:
        known = load_synonyms(file)
    except RetrievalError as error:
        mend = "correct it; until then questions are understood without it, or as it was before"
        return Check("synonyms", ok=False, detail=str(error), mend=mend)
    return Check("synonyms", ok=True, detail=f"{file}, {len(known)} words and phrases")
