"""A section that does not answer, for each question that curation found none for."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from feedback.curation.values import Retrieval, Section
from feedback.export.dataset_writer import Spool

# Sections that are looked at for one question before it is said that there is none.
TRIES = 100


@dataclass(frozen=True, slots=True)
class _Known:
    begin: int
    section: int


class Negatives:
    """Far sections: they answer a question of another cluster, and lie in another document.

    Only what answers questions of the training split is taken, so that nothing else is learned from.
    """

    def __init__(self, retrievals: Callable[[], Iterable[Retrieval]], spool: Path, *, seed: str) -> None:
        self._seed = seed
        self._spool = Spool(spool)
        self._by_document: dict[str, list[_Known]] = defaultdict(list)
        self._answers: set[tuple[int, int]] = set()
        known: set[int] = set()
        lacking: list[tuple[str, int, int]] = []
        self.rows = 0
        for each in retrievals():
            self.rows += 1
            section, cluster = _number(each.positive.id), _number(each.cluster)
            self._answers.add((cluster, section))
            if each.split == "train" and section not in known:
                known.add(section)
                self._keep(each.positive, section)
            if not each.negatives:
                lacking.append((document(each.positive), cluster, self._draw(each)))
        self._documents = list(self._by_document)
        self.complete = self.rows > 0 and all(self._found(*row) is not None for row in lacking)

    def __call__(self, retrieval: Retrieval) -> Section | None:
        """The question's own hard negative, else a far section; None when there is none."""
        if retrieval.negatives:
            return retrieval.negatives[0]
        found = self._found(document(retrieval.positive), _number(retrieval.cluster), self._draw(retrieval))
        if found is None:
            return None
        return Section(*(part.decode("utf-8", "surrogatepass") for part in self._spool.read(found.begin, 3)))

    def close(self) -> None:
        self._spool.close()

    def _keep(self, section: Section, number: int) -> None:
        parts = [part.encode("utf-8", "surrogatepass") for part in (section.id, section.title, section.text)]
        self._by_document[document(section)].append(_Known(self._spool.add(*parts), number))

    def _draw(self, retrieval: Retrieval) -> int:
        return _number(f"{self._seed}|{retrieval.source.exchange}|{retrieval.positive.id}")

    def _found(self, own: str, cluster: int, draw: int) -> _Known | None:
        for attempt in range(min(TRIES, len(self._documents)) if self._documents else 0):
            name = self._documents[(draw + attempt) % len(self._documents)]
            if name == own:
                continue
            sections = self._by_document[name]
            for turn in range(min(TRIES, len(sections))):
                known = sections[(draw // 7 + turn) % len(sections)]
                if (cluster, known.section) not in self._answers:
                    return known
        return None


def document(section: Section) -> str:
    """The document that the section is in: its id without the anchor."""
    return section.id.rpartition("#")[0] or section.id


def _number(text: str) -> int:
    return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:8])
