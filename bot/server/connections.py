"""Limits how many connections are open, by address and in all; a new one takes the place of one that waits."""

import asyncio
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

# Files that the process needs besides connections: stores, the index, connections to servers.
RESERVED_FILES = 256
LISTENERS = 2
FEWEST_CONNECTIONS = 16


class ConnectionLimit:
    """Admits connections up to `total`, and `per_address` of them from one address; all in the listener's loop.

    Beyond that one that waits for its caller is closed for a new one: of the same address, where that has too many,
    else of the address that has most; the one that has waited longest. So whoever opens many keeps nobody else out.
    Where all are being answered, the new one is refused.
    """

    def __init__(self, total: int, *, per_address: int) -> None:
        self._total = total
        self._per_address = per_address
        # By address: its open connections, the one that was answered longest ago first.
        self._open: dict[str, dict[H11Protocol, None]] = {}

    def admit(self, connection: H11Protocol) -> bool:
        """Take a new connection in; False, and it is not counted, where there is no room."""
        own = self._open.get(_address(connection), {})
        if len(own) >= self._per_address:
            has_room = self._close_waiting(own)
        elif sum(map(len, self._open.values())) >= self._total:
            has_room = any(map(self._close_waiting, sorted(self._open.values(), key=len, reverse=True)))
        else:
            has_room = True
        if has_room:
            self._open.setdefault(_address(connection), {})[connection] = None
        return has_room

    def answered(self, connection: H11Protocol) -> None:
        """Note that a connection has been answered just now; one that is not counted stays so."""
        own = self._open.get(_address(connection), {})
        if connection in own:
            del own[connection]
            own[connection] = None

    def release(self, connection: H11Protocol) -> None:
        """Count a connection no more; one that is not counted stays so."""
        address = _address(connection)
        own = self._open.get(address, {})
        own.pop(connection, None)
        if not own:
            self._open.pop(address, None)

    def _close_waiting(self, connections: dict[H11Protocol, None]) -> bool:
        """Close the first of these that waits for its caller; whether there was one."""
        waiting = next(filter(waits_for_caller, connections), None)
        if waiting is None:
            return False
        self.release(waiting)
        waiting.transport.abort()
        return True


def waits_for_caller(connection: H11Protocol) -> bool:
    """Whether a connection waits for a request, or for the rest of one."""
    cycle: RequestResponseCycle | None = connection.cycle  # None before the first request, whatever its type says
    return cycle is None or cycle.response_complete or cycle.more_body


def limited_protocol(limit: ConnectionLimit) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol for a listener whose connections are limited."""

    class LimitedProtocol(H11Protocol):
        """Refuses connections beyond the limit."""

        def connection_made(self, transport: Any) -> None:
            """Begin, or end at once."""
            super().connection_made(transport)
            if not limit.admit(self):
                transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            """End."""
            limit.release(self)
            super().connection_lost(exc)

        def on_response_complete(self) -> None:
            """Wait for the next request."""
            limit.answered(self)
            super().on_response_complete()

    return LimitedProtocol


def available_connections(wanted: int) -> int:
    """Return how many connections each listener may have: `wanted`, or as many as this process may open files for.

    The limit of the process is raised first as far as it may be.
    """
    try:
        import resource
    except ImportError:  # not on Windows, which has no such limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = LISTENERS * wanted + RESERVED_FILES
    if resource.RLIM_INFINITY not in {soft, hard}:
        needed = min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < needed:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
            soft = needed
    return wanted if soft == resource.RLIM_INFINITY else affordable_connections(wanted, files=soft)


def affordable_connections(wanted: int, *, files: int) -> int:
    """Return how many connections each listener may have where the process may open so many files."""
    return max(FEWEST_CONNECTIONS, min(wanted, (files - RESERVED_FILES) // LISTENERS))


def _address(connection: H11Protocol) -> str:
    """Return where a connection comes from; in IPv6 the network, as one caller has all addresses of it."""
    host = connection.client[0] if connection.client else ""
    with suppress(ValueError):
        found = ip_address(host.partition("%")[0])
        if isinstance(found, IPv6Address) and not found.ipv4_mapped:
            return found.exploded[:19]
    return host
