"""Asks a server how it stores what it acknowledges."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ServerDurability:
    """How a server stores what it acknowledges; None where this user may not ask.

    `eviction` is what it does when its memory is full, `fsync` when the append-only file reaches the disk.
    """

    server: str
    eviction: str | None = None
    append_only: bool | None = None
    fsync: str | None = None


def read_durability(client: Any, node: dict[str, Any]) -> ServerDurability:
    """Ask the server, or the node of a cluster that `target_nodes` names; raises what its client raises."""
    from redis.exceptions import ResponseError

    client.ping(**node)
    try:
        info = {**client.info("server", **node), **client.info("memory", **node), **client.info("persistence", **node)}
    except ResponseError:  # by its rights, or by the service that runs it
        return ServerDurability("a server that does not say what it is")
    try:
        fsync = client.config_get("appendfsync", **node).get("appendfsync")
    except ResponseError:
        fsync = None
    name = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info.get('redis_version', '?')}"
    append_only = info.get("aof_enabled")
    return ServerDurability(
        name, info.get("maxmemory_policy"), None if append_only is None else bool(append_only), fsync
    )
