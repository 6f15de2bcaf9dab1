"""The store for production: a Redis or Valkey server, or a cluster of them, of version 6.2 or later."""

from feedback.stores.redis.connection import TIMEOUT_SECONDS
from feedback.stores.redis.durability import ServerDurability, read_durability
from feedback.stores.redis.erasure import RedisEraser
from feedback.stores.redis.exports import RedisExportRegistry
from feedback.stores.redis.reader import RedisReader
from feedback.stores.redis.server import Server
from feedback.stores.redis.writer import RedisWriter


class RedisFeedback(RedisWriter, RedisReader, RedisExportRegistry, RedisEraser):
    """A `FeedbackStore` on a server; processes may share it. It connects when it is first used.

    What is acknowledged is on disk as soon as the server's `appendfsync` has it so.
    """

    def __init__(self, url: str, *, workspace: str, timeout: float = TIMEOUT_SECONDS) -> None:
        """Raise `FeedbackUnavailable` for a url that is none, or where the client is not installed."""
        super().__init__(Server(url, workspace=workspace, timeout=timeout))

    def durability(self) -> list[ServerDurability]:
        """Return how the server, or each primary of a cluster, stores what it acknowledges."""
        with self._server.client() as client:
            if not self._server.address.cluster:
                return [read_durability(client, {})]
            return [read_durability(client, {"target_nodes": node}) for node in client.get_primaries()]

    def close(self) -> None:
        """Close the connections; a second time changes nothing."""
        self._server.close()
