"""The sizes and times that bound writes (values)."""

from dataclasses import dataclass

from retrieval.index.elastic.client import WRITE_TIMEOUT


@dataclass(frozen=True, slots=True)
class WriteLimits:
    """Bounds of writes to an index; tests lower them.

    `request_bytes` is the size of a bulk request: its fixed cost must vanish, while any server must take it and memory
    hold several. A load is shown in steps of `commit_bytes`; a reader waits so long for the first of it. After one of
    `merge_bytes` or more segments are merged. `grace_ms` after its replacement no query can be reading an edition any
    more. `timeout` bounds a request, in seconds.
    """

    request_bytes: int = 6_000_000
    commit_bytes: int = 128_000_000
    merge_bytes: int = 128_000_000
    grace_ms: int = 30_000
    timeout: float = WRITE_TIMEOUT


WRITE_LIMITS = WriteLimits()
