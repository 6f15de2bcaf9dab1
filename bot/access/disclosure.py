"""Decides what readers may be shown at this moment. Every way out asks here, whatever a search has filtered before."""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from functools import cache

from cachetools import TTLCache

from feedback.ports import MayName
from feedback.records import Exchange, RetrievedPassage, StoredCitation
from retrieval.passages import readable_audiences

AudienceLookup = Callable[[Collection[str]], Mapping[str, frozenset[str]]]
"""Gives the audience of each of these documents at this moment; one that is not indexed is absent."""

CACHE_ENTRIES = 100_000


def unknown_version(document: str) -> str:
    """A lookup of versions for whoever has none: no citation has this one."""
    return ""


class DisclosureGate:
    """Compares the audience of documents at this moment with the groups of whoever is shown something of them.

    `version` gives a document's current version, empty for none. `remember` is for how many seconds an audience is
    taken for granted: 0 where people are shown something. May be used from any thread. Every method raises what the
    lookup raises while the index cannot be read: nothing may be shown then.
    """

    def __init__(
        self,
        lookup: AudienceLookup,
        *,
        version: Callable[[str], str] = unknown_version,
        remember: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lookup = lookup
        self._version = version
        self._known: TTLCache[str, frozenset[str] | None] = TTLCache(CACHE_ENTRIES, remember, timer=clock)
        self._lock = threading.Lock()

    def remembering(self, seconds: float) -> "DisclosureGate":
        """Return a gate that takes an audience for granted for so long: for one export, which asks of every record."""
        return DisclosureGate(self._lookup, version=self._version, remember=seconds)

    def readable(self, documents: Collection[str], groups: frozenset[str]) -> frozenset[str]:
        """Return those of these documents that readers of these groups may read; what is not indexed nobody may."""
        words = readable_audiences(groups)
        return frozenset(name for name, audience in self._audiences(documents).items() if audience & words)

    def may_read(self, documents: Collection[str], groups: frozenset[str]) -> bool:
        """Tell whether readers of these groups may read all of these documents; true of none."""
        return self.readable(documents, groups) >= set(documents)

    def naming(self, documents: Collection[str], groups: frozenset[str]) -> MayName:
        """Return what tells readers of these groups whether words from one of these documents may be shown to them.

        They need to be able to read it now, and the words must be of its current version or have been shown to groups
        that they have: who might read a past version nobody knows, and it may have been opened for what it says now.
        """
        readable, words, version = self.readable(documents, groups), readable_audiences(groups), cache(self._version)

        def may_name(words_of: StoredCitation | RetrievedPassage, shown_to: frozenset[str]) -> bool:
            if words_of.document not in readable:
                return False
            return readable_audiences(shown_to) <= words or words_of.version == version(words_of.document)

        return may_name

    def may_hear(self, exchange: Exchange, groups: frozenset[str]) -> bool:
        """Tell whether readers of these groups have those that the question of an exchange was asked in."""
        return readable_audiences(exchange.groups) <= readable_audiences(groups)

    def may_show(self, exchange: Exchange, groups: frozenset[str]) -> bool:
        """Tell whether readers of these groups may see the words of an exchange, of its question and its answer.

        They may where they have the groups that it was asked in, and may read every document that it cites. Of what
        its generator was shown besides, nothing may be closed to them; what was deleted since does not count.
        """
        if not self.may_hear(exchange, groups):
            return False
        words = readable_audiences(groups)
        cited = {each.document for each in exchange.citations}
        audiences = self._audiences(cited | {each.document for each in exchange.shown})
        return cited <= audiences.keys() and all(audience & words for audience in audiences.values())

    def _audiences(self, documents: Collection[str]) -> dict[str, frozenset[str]]:
        """Return the audience of each of these documents that is indexed."""
        names = set(documents)
        if not self._known.ttl:
            return dict(self._lookup(names)) if names else {}
        with self._lock:
            found = {name: self._known[name] for name in names if name in self._known}
        missing = names - found.keys()
        if missing:
            looked_up = self._lookup(missing)
            found |= {name: looked_up.get(name) for name in missing}
            with self._lock:
                for name in missing:
                    self._known[name] = found[name]
        return {name: audience for name, audience in found.items() if audience is not None}
