"""Tells whether a passage is what a judgement names (pure).

A judgement names a document, a `document#anchor`, or a section of a corpus, however the passages are cut. A section is
found by a hit of its document that holds half of its 3-word shingles, or that has at least 15 words and lies 80 %
inside it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import PurePosixPath

from retrieval.errors import UnreadableJudgements
from retrieval.evaluation.judgements import Section
from retrieval.parsing.registry import FORMATS
from retrieval.passages import Passage
from retrieval.ranking.analysis import WORD

SHINGLE = 3
LEAST_WORDS = 15

Matcher = Callable[[Passage], bool]
"""Whether a passage is what one judgement names."""


def matcher(name: str, corpus: Mapping[str, Section], documents: Mapping[str, frozenset[str]]) -> Matcher:
    """A matcher for a judgement's name; `documents` is what `documents_by_name` gives.

    Raises `UnreadableJudgements` when the name fits several documents.
    """
    if name in corpus:
        section = corpus[name]
        file, wanted = file_stem(section.document.replace("/", "__")), shingles(section.text)
        return lambda passage: file_stem(passage.document) == file and covers(wanted, passage.embedded_text)
    if name in documents or "#" not in name:
        document = _only_document(name, documents)
        return lambda passage: passage.document == document
    place, _, anchor = name.partition("#")
    document = _only_document(place, documents)
    return lambda passage: passage.document == document and anchor in {passage.anchor, passage.fragment}


def documents_by_name(documents: Iterable[str]) -> dict[str, frozenset[str]]:
    """The documents that each name may mean: an id means itself, else one without its source, its suffix, or both."""
    exact = set(documents)
    names: dict[str, set[str]] = {}
    for document in exact:
        inside = document.partition("/")[2]
        for name in (strip_suffix(document), inside, strip_suffix(inside)):
            if name and name not in exact:
                names.setdefault(name, set()).add(document)
    return {name: frozenset(meant) for name, meant in names.items()} | {each: frozenset({each}) for each in exact}


def _only_document(name: str, documents: Mapping[str, frozenset[str]]) -> str | None:
    """The document of this name; None when there is none."""
    meant = sorted(documents.get(name, ()))
    if len(meant) > 1:
        raise UnreadableJudgements(f"the judgement {name!r} fits {' and '.join(meant)}; name the one in full")
    return meant[0] if meant else None


def file_stem(name: str) -> str:
    """The file name alone, without the suffix of a format that is read."""
    return strip_suffix(name.rpartition("/")[2])


def strip_suffix(name: str) -> str:
    """The name without the suffix of a format that is read."""
    suffix = PurePosixPath(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in FORMATS else name


def covers(wanted: Counter[tuple[str, ...]], text: str) -> bool:
    """Whether the text holds half of a section's shingles, or has 15 words and lies 80 % inside it."""
    own = shingles(text)
    shared = (wanted & own).total()
    return shared >= 0.5 * wanted.total() or (len(words(text)) >= LEAST_WORDS and shared >= 0.8 * own.total())


@lru_cache(maxsize=1000)
def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Every run of three words with its count; a shorter text is one run. The result is shared: do not change it."""
    found = words(text)
    size = min(SHINGLE, max(1, len(found)))
    return Counter(tuple(found[start : start + size]) for start in range(max(1, len(found) - size + 1)))


def words(text: str) -> list[str]:
    """Lower-case words of letters and digits with their accents, as published judgements are compared."""
    return WORD.findall(text.lower())
