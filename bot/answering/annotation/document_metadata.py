"""What documents say of themselves, without their text, kept between questions while they stay as they are."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from retrieval.passages import Document

KEPT = 1000


class DocumentMetadataCache:
    """Looks a document up; the version that a passage was found in is read once, not for each question again.

    Who may read it may change without a new version. So only what was found, which may be read, is asked for with
    its version; without one the document is always looked up.
    """

    def __init__(self, lookup: Callable[[str], Document | None]) -> None:
        self._lookup = lookup
        self._kept: OrderedDict[tuple[str, str], Document] = OrderedDict()

    def __call__(self, name: str, version: str = "") -> Document | None:
        """The document without its text; None when it is unknown. Raises what the lookup raises."""
        if kept := self._kept.get((name, version)):
            return kept
        found = self._lookup(name)
        if found is None:
            return None
        said = replace(found, text="", blocks=())
        if version and said.version == version:
            self._kept[name, version] = said
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return said
