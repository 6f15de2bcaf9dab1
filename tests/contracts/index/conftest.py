"""The index of a contract test is each implementation in turn."""

from tests.retrieval.conftest import alias, index, opener

__all__ = ["alias", "index", "opener"]
