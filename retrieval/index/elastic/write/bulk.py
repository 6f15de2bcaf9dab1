"""Bulk requests: batched by bytes, two at a time; what is turned away for now is sent again."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from elastic_transport import ConnectionError as Unreachable
from elastic_transport import ConnectionTimeout
from elasticsearch import ApiError

from retrieval.errors import SearchUnavailable
from retrieval.index.elastic.client import to_json
from retrieval.index.elastic.index_client import IndexClient
from retrieval.index.elastic.retries import BUSY, Busy
from retrieval.index.elastic.write.limits import WRITE_LIMITS

REQUESTS_AT_ONCE = 2

Line = tuple[bytes, bytes | None]
"""One action of a bulk request as JSON, and its record if it has one."""


def line(action: Mapping[str, Any], record: Mapping[str, Any]) -> Line:
    """Encode an action with a record."""
    return to_json(action), to_json(record)


def deletion(id_: str) -> Line:
    """Encode the deletion of a record."""
    return to_json({"delete": {"_id": id_}}), None


class BulkSender:
    """Sends actions to one index in the background; `finish` waits for all of them.

    Every action may be done twice without harm, so a request that was cut off is sent again, unless `fence` raises
    because another process may be writing by now. Raises `SearchUnavailable` for an action that is refused for good, at
    the next `add` or at `finish`.
    """

    def __init__(
        self,
        index: IndexClient,
        *,
        fence: Callable[[], None] = lambda: None,
        request_bytes: int = WRITE_LIMITS.request_bytes,
    ) -> None:
        self._index, self._fence, self._request_bytes = index, fence, request_bytes
        self._threads = ThreadPoolExecutor(REQUESTS_AT_ONCE, thread_name_prefix="bulk")
        self._requests: list[Future[None]] = []
        self._lines: list[Line] = []
        self._bytes = 0

    def add(self, lines: Sequence[Line]) -> None:
        """Send these actions, now or with the next ones."""
        for each in lines:
            self._lines.append(each)
            self._bytes += len(each[0]) + len(each[1] or b"")
            if self._bytes >= self._request_bytes:
                self._submit()

    def finish(self) -> None:
        """Send the rest and wait until everything that was added is done."""
        self._submit()
        self._wait(0)

    def close(self) -> None:
        """End the threads; what was not finished may or may not be done."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _submit(self) -> None:
        if self._lines:
            self._wait(REQUESTS_AT_ONCE - 1)
            self._requests.append(self._threads.submit(self._send, self._lines))
            self._lines, self._bytes = [], 0

    def _wait(self, left: int) -> None:
        """Wait until only so many requests are under way; raises the error of one that failed, once."""
        while len(self._requests) > left:
            self._requests.pop(0).result()

    def _send(self, lines: Sequence[Line]) -> None:
        def send() -> None:
            nonlocal lines
            lines, reason = self._send_once(lines)
            if lines:
                raise Busy(reason)

        retries = self._index.retries
        try:
            retries.write(send, fence=self._fence)
        except Busy as busy:
            raise SearchUnavailable(
                f"Elasticsearch would not take {len(lines)} records after {retries.tries} tries: {busy}"
            ) from None

    def _send_once(self, lines: Sequence[Line]) -> tuple[Sequence[Line], str]:
        """Those that have to be sent again, and why."""
        operations: list[Any] = [part for each in lines for part in each if part is not None]
        try:
            response = self._index.client.bulk(index=self._index.name, operations=operations)
        except (Unreachable, ConnectionTimeout) as error:
            return lines, type(error).__name__
        except ApiError as error:
            if error.status_code not in BUSY:
                raise
            return lines, f"status {error.status_code}"
        return refused(lines, response["items"]) if response["errors"] else ((), "")


def send_now(
    index: IndexClient,
    lines: Sequence[Line],
    *,
    fence: Callable[[], None],
    request_bytes: int = WRITE_LIMITS.request_bytes,
) -> None:
    """Do these actions and make them searchable; no lines, no request."""
    if not lines:
        return
    sender = BulkSender(index, fence=fence, request_bytes=request_bytes)
    try:
        sender.add(lines)
        sender.finish()
    finally:
        sender.close()
    index.refresh()


def refused(lines: Sequence[Line], items: Sequence[dict[str, Any]]) -> tuple[list[Line], str]:
    """The actions that were refused for now, and why; raises `SearchUnavailable` for one that is refused for good."""
    again, reason = [], ""
    for each, item in zip(lines, items, strict=True):
        ((action, result),) = item.items()
        status = result["status"]
        if status in BUSY:
            again.append(each)
            reason = result["error"].get("reason", "")
        elif "error" in result and not _is_settled(action, status):
            error = result["error"]
            raise SearchUnavailable(
                f"Elasticsearch refused the record {result['_id']!r}: {error.get('type')}: {error.get('reason')}"
            )
    return again, reason


def _is_settled(action: str, status: int) -> bool:
    """Whether what is to be created exists already, or what is to be deleted or updated is gone."""
    return (action, status) in {("create", 409), ("delete", 404), ("update", 404)}
