"""The index of a contract test is each implementation in turn."""

from tests.retrieval.conftest import alias, index, opening

__all__ = ["alias", "index", "opening"]
