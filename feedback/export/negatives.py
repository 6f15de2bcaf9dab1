"""Finds a section that does not answer for each question that curation found none for."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from feedback.curation.dataset import EmbeddedSection, RetrievalExample
from feedback.export.blob_file import BlobFile
from feedback.texts.hashing import hash_to_number

# So many documents, and sections of each, are tried for one question before there is none.
TRIES = 100


@dataclass(frozen=True, slots=True)
class _StoredSection:
    """A section in the file of blobs: the position where it begins, and the hash of its id."""

    start: int
    id_hash: int


class NegativeSampler:
    """Samples far sections: they answer a question of another cluster, and lie in another document.

    Reads all retrieval examples once when it is made, and keeps sections in the file `path`. Only what answers
    questions of the training split is sampled, so that nothing else is learned from. `complete` is true when there are
    questions and each has a negative.
    """

    def __init__(self, examples: Callable[[], Iterable[RetrievalExample]], path: Path, *, seed: str) -> None:
        self._seed = seed
        self._blobs = BlobFile(path)
        self._by_document: dict[str, list[_StoredSection]] = defaultdict(list)
        self._answers: set[tuple[int, int]] = set()
        known: set[int] = set()
        lacking: list[tuple[str, int, int]] = []
        count = 0
        for each in examples():
            count += 1
            section, cluster = hash_to_number(each.positive.id), hash_to_number(each.cluster)
            self._answers.add((cluster, section))
            if each.split == "train" and section not in known:
                known.add(section)
                self._store(each.positive, section)
            if not each.negatives:
                lacking.append((_document(each.positive), cluster, self._draw(each)))
        self._documents = list(self._by_document)
        self.complete = count > 0 and all(self._find_far_section(*each) is not None for each in lacking)

    def sample(self, example: RetrievalExample) -> EmbeddedSection | None:
        """Return the question's own hard negative, else a far section; None when there is none."""
        if example.negatives:
            return example.negatives[0]
        own, cluster = _document(example.positive), hash_to_number(example.cluster)
        found = self._find_far_section(own, cluster, self._draw(example))
        if found is None:
            return None
        parts = self._blobs.read(found.start, 3)
        return EmbeddedSection(*(part.decode("utf-8", "surrogatepass") for part in parts))

    def close(self) -> None:
        """Close the file."""
        self._blobs.close()

    def _store(self, section: EmbeddedSection, id_hash: int) -> None:
        parts = [part.encode("utf-8", "surrogatepass") for part in (section.id, section.title, section.text)]
        self._by_document[_document(section)].append(_StoredSection(self._blobs.add(*parts), id_hash))

    def _draw(self, example: RetrievalExample) -> int:
        return hash_to_number(f"{self._seed}|{example.origin.exchange}|{example.positive.id}")

    def _find_far_section(self, own_document: str, cluster: int, draw: int) -> _StoredSection | None:
        """Return a section of another document that answers no question of the cluster; where to begin is drawn."""
        for attempt in range(min(TRIES, len(self._documents)) if self._documents else 0):
            name = self._documents[(draw + attempt) % len(self._documents)]
            if name == own_document:
                continue
            sections = self._by_document[name]
            for turn in range(min(TRIES, len(sections))):
                section = sections[(draw // 7 + turn) % len(sections)]
                if (cluster, section.id_hash) not in self._answers:
                    return section
        return None


def _document(section: EmbeddedSection) -> str:
    """Return the document that the section is in: its id without the anchor."""
    return section.id.rpartition("#")[0] or section.id
