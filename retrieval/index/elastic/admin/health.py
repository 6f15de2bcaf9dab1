"""How an Elasticsearch does, as far as one may ask: version, rights, health, disk; each finding with its mend."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from elastic_transport import TransportError
from elasticsearch import ApiError, AuthorizationException, Elasticsearch, NotFoundError

from retrieval.errors import IndexNotReady, SearchUnavailable
from retrieval.index.elastic.admin.generations import Generations
from retrieval.index.elastic.client import Connection, connect, reason
from retrieval.index.generations import IndexFingerprint

OLDEST, NEWEST_LINE = (8, 16), 9
# What whoever syncs must be allowed on the indices, and whoever only answers.
WRITING = ("read", "write", "manage")
READING = ("read", "view_index_metadata")
TELLING = "give its key or user the cluster privilege `monitor` if `footnote doctor` is to tell"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found: wrong (`ok` is false), worth a note (`ok` with a mend), or well."""

    what: str
    ok: bool
    detail: str
    mend: str = ""


def examine(connection: Connection, alias: str) -> Iterator[Finding]:
    """All findings, the most basic first; nothing more after one that makes the others pointless."""
    try:
        client = connect(connection)
    except SearchUnavailable as error:
        yield _failed("server", str(error))
        return
    try:
        yield _version(client, connection.place)
        yield from _rights(client, alias)
        yield from _index(client, alias)
    except (ApiError, TransportError) as error:
        yield _failed("server", f"Elasticsearch at {connection.place} {reason(error)}")
    finally:
        client.close()


def _failed(what: str, text: str) -> Finding:
    """A finding from one line of ours, which says after its last colon what mends it."""
    detail, _, mend = text.rpartition(": ")
    return Finding(what, ok=False, detail=detail or mend, mend=mend if detail else "")


def _version(client: Elasticsearch, place: str) -> Finding:
    try:
        number = str(client.info()["version"]["number"])
    except AuthorizationException:
        return Finding("server", ok=True, detail=f"{place} answers; it does not tell its version", mend=TELLING)
    found = tuple(int(part) for part in re.findall(r"\d+", number)[:2])
    if found < OLDEST:
        mend = f"upgrade it to {OLDEST[0]}.{OLDEST[1]} or newer"
        return Finding("server", ok=False, detail=f"{place} is Elasticsearch {number}, which is too old", mend=mend)
    newer = found[0] > NEWEST_LINE
    mend = f"Footnote is tested up to {NEWEST_LINE}.x: watch the first searches" if newer else ""
    return Finding("server", ok=True, detail=f"{place}, Elasticsearch {number}", mend=mend)


def _rights(client: Elasticsearch, alias: str) -> Iterator[Finding]:
    """Nothing where security is off."""
    names = [alias, f"{alias}-*"]
    try:
        asked = client.security.has_privileges(index=[{"names": names, "privileges": sorted({*WRITING, *READING})}])
    except (ApiError, TransportError) as error:
        if isinstance(error, ApiError) and error.status_code in {400, 404, 405}:
            return
        raise
    allowed = {right for each in names for right, may in asked["index"][each].items() if not may}
    if lacking := [right for right in READING if right in allowed]:
        mend = f"give the key or user {' and '.join(f'`{right}`' for right in lacking)} on {alias!r} and '{alias}-*'"
        yield Finding("privileges", ok=False, detail="it may not search", mend=mend)
    elif lacking := [right for right in WRITING if right in allowed]:
        mend = f"whoever runs `footnote sync` also needs {' and '.join(f'`{right}`' for right in lacking)} there"
        yield Finding("privileges", ok=True, detail="it may search and not sync", mend=mend)
    else:
        yield Finding("privileges", ok=True, detail="it may search and sync")


def _index(client: Elasticsearch, alias: str) -> Iterator[Finding]:
    """Nothing while there is no index."""
    try:
        found = Generations(client, alias, IndexFingerprint(0, "", "")).current()
    except IndexNotReady as error:
        yield _failed("alias", str(error))
        return
    if found is None:
        return
    name = found[0]
    yield from _blocked(client, name)
    yield _health(client, name)


def _blocked(client: Elasticsearch, name: str) -> Iterator[Finding]:
    try:
        settings = client.indices.get_settings(index=name, name="index.blocks.*", flat_settings=True)
    except NotFoundError:
        return
    blocks = settings.get(name, {}).get("settings", {})
    if "index.blocks.read_only_allow_delete" in blocks:
        yield Finding(
            "disk",
            ok=False,
            detail=f"{name} is read-only, because a disk reached its flood-stage watermark",
            mend="free space on that node or add one; the block then goes by itself",
        )


def _health(client: Elasticsearch, name: str) -> Finding:
    try:
        health = client.cluster.health(index=name, timeout="1s")
    except AuthorizationException:
        return Finding("health", ok=True, detail=f"{name}: not told", mend=TELLING)
    status, unassigned = health["status"], health["unassigned_shards"]
    if status == "red":
        mend = "start the nodes that are missing, or see `GET _cluster/allocation/explain`; else sync into a new alias"
        return Finding("health", ok=False, detail=f"{name} is red: a part of it is missing", mend=mend)
    if status == "yellow":
        mend = "add or start a node, so that the loss of one costs nothing"
        return Finding("health", ok=True, detail=f"{name} is yellow: {unassigned} copies have no place", mend=mend)
    return Finding("health", ok=True, detail=f"{name} is {status}")
