"""Bulk requests that behave: batched by bytes, two at a time, what is refused for now is tried again."""

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from elastic_transport import ConnectionError as Unreachable
from elastic_transport import ConnectionTimeout
from elasticsearch import ApiError, Elasticsearch

from retrieval.errors import SearchUnavailable
from retrieval.index.elastic.retries import BUSY, TRIES, pause_after

# Large enough that a request's own cost vanishes, small enough for any server and for several in memory.
REQUEST_BYTES = 6_000_000
AT_ONCE = 2

Line = tuple[bytes, bytes | None]
"""One action of a bulk request as JSON, and its record if it has one."""


class Bulk:
    """Sends actions to one index in the background; `finish` waits for all of them.

    Every action may be done twice without harm, so a request that was cut off is sent again, unless `fence` refuses,
    because another may be writing by now. Raises
    `SearchUnavailable` for one that is refused for good, at the next `add` or at `finish`.
    """

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        *,
        fence: Callable[[], None] = lambda: None,
        pause: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client, self._index, self._fence = client, index, fence
        self._pause, self._jitter = pause, jitter
        self._senders = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="bulk")
        self._sent: list[Future[None]] = []
        self._lines: list[Line] = []
        self._bytes = 0

    def add(self, lines: Sequence[Line]) -> None:
        """Send these actions, now or with the next ones."""
        for line in lines:
            self._lines.append(line)
            self._bytes += len(line[0]) + len(line[1] or b"")
            if self._bytes >= REQUEST_BYTES:
                self._submit()

    def finish(self) -> None:
        """Everything that was added is done."""
        self._submit()
        self._wait(0)

    def close(self) -> None:
        """Let go of the threads; what was not finished may or may not be done."""
        self._senders.shutdown(wait=True, cancel_futures=True)

    def _submit(self) -> None:
        if self._lines:
            self._wait(AT_ONCE - 1)
            self._sent.append(self._senders.submit(self._send, self._lines))
            self._lines, self._bytes = [], 0

    def _wait(self, left: int) -> None:
        """So few requests are still under way; a failed one is told once."""
        while len(self._sent) > left:
            self._sent.pop(0).result()

    def _send(self, lines: Sequence[Line]) -> None:
        for attempt in range(TRIES):
            lines, why = self._tried(lines)
            if not lines:
                return
            if attempt + 1 < TRIES:
                self._pause(pause_after(attempt, self._jitter()))
                self._fence()
        raise SearchUnavailable(f"Elasticsearch would not take {len(lines)} records after {TRIES} tries: {why}")

    def _tried(self, lines: Sequence[Line]) -> tuple[Sequence[Line], str]:
        """Those that have to be sent again, and why."""
        operations: list[Any] = [part for line in lines for part in line if part is not None]
        try:
            answer = self._client.bulk(index=self._index, operations=operations)
        except (Unreachable, ConnectionTimeout) as error:
            return lines, type(error).__name__
        except ApiError as error:
            if error.status_code not in BUSY:
                raise
            return lines, f"status {error.status_code}"
        return refused(lines, answer["items"]) if answer["errors"] else ((), "")


def refused(lines: Sequence[Line], items: Sequence[dict[str, Any]]) -> tuple[list[Line], str]:
    """The actions that were refused for now; raises `SearchUnavailable` for one that is refused for good."""
    again, why = [], ""
    for line, item in zip(lines, items, strict=True):
        ((action, result),) = item.items()
        status = result["status"]
        if status in BUSY:
            again.append(line)
            why = result["error"].get("reason", "")
        elif "error" in result and not _is_settled(action, status):
            error = result["error"]
            raise SearchUnavailable(
                f"Elasticsearch refused the record {result['_id']!r}: {error.get('type')}: {error.get('reason')}"
            )
    return again, why


def _is_settled(action: str, status: int) -> bool:
    """What is to be made is there already, or what is to go or to change is gone."""
    return (action, status) in {("create", 409), ("delete", 404), ("update", 404)}
