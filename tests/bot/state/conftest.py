"""The servers on which the state store in Redis is tested."""

from tests.feedback.conftest import redis_url

__all__ = ["redis_url"]
