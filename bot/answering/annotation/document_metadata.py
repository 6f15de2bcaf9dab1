"""Caches the metadata of documents between questions."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from retrieval.passages import Document

CACHED_DOCUMENTS = 1000


class DocumentMetadataCache:
    """Looks documents up, and keeps them without their text, the least recently added dropped first.

    Who may read a document may change without a new version. So only a version that was found, which may be read, is
    kept; without one the document is always looked up.
    """

    def __init__(self, lookup: Callable[[str], Document | None]) -> None:
        self._lookup = lookup
        self._cached: OrderedDict[tuple[str, str], Document] = OrderedDict()

    def __call__(self, name: str, version: str = "") -> Document | None:
        """Return the document without its text; None when it is unknown. Raises what the lookup raises."""
        if cached := self._cached.get((name, version)):
            return cached
        document = self._lookup(name)
        if document is None:
            return None
        metadata = replace(document, text="", blocks=())
        if version and metadata.version == version:
            self._cached[name, version] = metadata
            if len(self._cached) > CACHED_DOCUMENTS:
                self._cached.popitem(last=False)
        return metadata
