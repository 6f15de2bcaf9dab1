"""Checks an Elasticsearch server: version, privileges, health, disk; what is wrong comes with its remedy."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from elastic_transport import TransportError
from elasticsearch import ApiError, AuthorizationException, Elasticsearch, NotFoundError

from retrieval.errors import IndexNotReady, SearchUnavailable
from retrieval.index.elastic.admin.generations import GenerationIndices
from retrieval.index.elastic.client import Connection, connect, reason
from retrieval.index.generations import IndexFingerprint

OLDEST, NEWEST_LINE = (8, 16), 9
# Privileges on the indices of whoever syncs, and of whoever only answers.
WRITE_PRIVILEGES = ("read", "write", "manage")
READ_PRIVILEGES = ("read", "view_index_metadata")
MONITOR_MEND = "give its key or user the cluster privilege `monitor` if `footnote doctor` is to tell"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """The result of one check: failed (`ok` is false), worth a note (`ok` with a `mend`), or well."""

    what: str
    ok: bool
    detail: str
    mend: str = ""


def examine(connection: Connection, alias: str) -> Iterator[HealthCheck]:
    """All checks, the most basic first; none after one whose failure makes the others pointless."""
    try:
        client = connect(connection)
    except SearchUnavailable as error:
        yield _failed("server", str(error))
        return
    try:
        yield _version(client, connection.place)
        yield from _privileges(client, alias)
        yield from _index(client, alias)
    except (ApiError, TransportError) as error:
        yield _failed("server", f"Elasticsearch at {connection.place} {reason(error)}")
    finally:
        client.close()


def _failed(what: str, text: str) -> HealthCheck:
    """A failed check from an error message, which has its remedy after the last colon."""
    detail, _, mend = text.rpartition(": ")
    return HealthCheck(what, ok=False, detail=detail or mend, mend=mend if detail else "")


def _version(client: Elasticsearch, place: str) -> HealthCheck:
    try:
        number = str(client.info()["version"]["number"])
    except AuthorizationException:
        return HealthCheck(
            "server", ok=True, detail=f"{place} answers; it does not tell its version", mend=MONITOR_MEND
        )
    found = tuple(int(part) for part in re.findall(r"\d+", number)[:2])
    if found < OLDEST:
        mend = f"upgrade it to {OLDEST[0]}.{OLDEST[1]} or newer"
        return HealthCheck("server", ok=False, detail=f"{place} is Elasticsearch {number}, which is too old", mend=mend)
    newer = found[0] > NEWEST_LINE
    mend = f"Footnote is tested up to {NEWEST_LINE}.x: watch the first searches" if newer else ""
    return HealthCheck("server", ok=True, detail=f"{place}, Elasticsearch {number}", mend=mend)


def _privileges(client: Elasticsearch, alias: str) -> Iterator[HealthCheck]:
    """No check where security is off."""
    names = [alias, f"{alias}-*"]
    try:
        response = client.security.has_privileges(
            index=[{"names": names, "privileges": sorted({*WRITE_PRIVILEGES, *READ_PRIVILEGES})}]
        )
    except (ApiError, TransportError) as error:
        if isinstance(error, ApiError) and error.status_code in {400, 404, 405}:
            return
        raise
    missing = {right for each in names for right, may in response["index"][each].items() if not may}
    if lacking := [right for right in READ_PRIVILEGES if right in missing]:
        mend = f"give the key or user {' and '.join(f'`{right}`' for right in lacking)} on {alias!r} and '{alias}-*'"
        yield HealthCheck("privileges", ok=False, detail="it may not search", mend=mend)
    elif lacking := [right for right in WRITE_PRIVILEGES if right in missing]:
        mend = f"whoever runs `footnote sync` also needs {' and '.join(f'`{right}`' for right in lacking)} there"
        yield HealthCheck("privileges", ok=True, detail="it may search and not sync", mend=mend)
    else:
        yield HealthCheck("privileges", ok=True, detail="it may search and sync")


def _index(client: Elasticsearch, alias: str) -> Iterator[HealthCheck]:
    """No check while there is no index."""
    try:
        found = GenerationIndices(client, alias, IndexFingerprint(0, "", "")).current()
    except IndexNotReady as error:
        yield _failed("alias", str(error))
        return
    if found is None:
        return
    name = found[0]
    yield from _blocked(client, name)
    yield _health(client, name)


def _blocked(client: Elasticsearch, name: str) -> Iterator[HealthCheck]:
    try:
        settings = client.indices.get_settings(index=name, name="index.blocks.*", flat_settings=True)
    except NotFoundError:
        return
    blocks = settings.get(name, {}).get("settings", {})
    if "index.blocks.read_only_allow_delete" in blocks:
        yield HealthCheck(
            "disk",
            ok=False,
            detail=f"{name} is read-only, because a disk reached its flood-stage watermark",
            mend="free space on that node or add one; the block then goes by itself",
        )


def _health(client: Elasticsearch, name: str) -> HealthCheck:
    try:
        health = client.cluster.health(index=name, timeout="1s")
    except AuthorizationException:
        return HealthCheck("health", ok=True, detail=f"{name}: not told", mend=MONITOR_MEND)
    status, unassigned = health["status"], health["unassigned_shards"]
    if status == "red":
        mend = "start the nodes that are missing, or see `GET _cluster/allocation/explain`; else sync into a new alias"
        return HealthCheck("health", ok=False, detail=f"{name} is red: a part of it is missing", mend=mend)
    if status == "yellow":
        mend = "add or start a node, so that the loss of one costs nothing"
        return HealthCheck("health", ok=True, detail=f"{name} is yellow: {unassigned} copies have no place", mend=mend)
    return HealthCheck("health", ok=True, detail=f"{name} is {status}")
