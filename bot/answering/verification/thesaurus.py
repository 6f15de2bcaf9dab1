"""Which words mean the same, and which exclude each other (pure)."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import combinations

from bot.answering.languages import word_lists
from retrieval.ranking.analysis import Analyzer

_WORDS = word_lists("thesaurus")
NEGATIVE_PREFIXES = tuple(_WORDS.ordered("negative_prefixes"))


def meaning(word: str, stem: str) -> str:
    """Return what stands for the meaning of a word in lower case: one word for all synonyms; by itself its stem."""
    known = _meanings()
    return known.get(word) or known.get(stem, stem)


def is_verb(word: str) -> bool:
    """Whether this meaning is that of a verb that says something definite."""
    return word in _verbs()


def may_replace(word: str, other: str) -> bool:
    """Whether one of these verbs may stand for the other."""
    return word == other or frozenset((word, other)) in _akin()


@lru_cache(maxsize=50_000)
def opposites(word: str) -> frozenset[str]:
    """Return the meanings that exclude this one."""
    return frozenset(other for pair in _opposites() if word in pair for other in pair if other != word)


def negatives(word: str, others: frozenset[str]) -> frozenset[str]:
    """Return those meanings that are this one with a prefix that denies it, or without: "inactivated", "activated"."""
    forms = {form for prefix in NEGATIVE_PREFIXES for form in (prefix + word, word.removeprefix(prefix))}
    return others & (forms - {word})


@lru_cache(maxsize=1)
def _analyzer() -> Analyzer:
    return Analyzer("english")


@lru_cache(maxsize=1)
def _meanings() -> dict[str, str]:
    """Return meanings by word and by stem; a stem that two of them share stands for neither."""
    lines = [line.split() for name in ("verbs", "words") for line in _WORDS.texts(name)]
    by_word = {word: line[0] for line in lines for word in line}
    by_stem: dict[str, set[str]] = {}
    for word, head in by_word.items():
        for stem in _analyzer().terms(word):
            by_stem.setdefault(stem, set()).add(head)
    return {stem: heads.pop() for stem, heads in by_stem.items() if len(heads) == 1} | by_word


@lru_cache(maxsize=1)
def _verbs() -> frozenset[str]:
    return frozenset(line.split()[0] for line in _WORDS.texts("verbs")) - frozenset(_of(_WORDS.ordered("light")))


@lru_cache(maxsize=1)
def _akin() -> frozenset[frozenset[str]]:
    return frozenset(pair for line in _WORDS.texts("akin") for pair in _pairs(line.split()))


@lru_cache(maxsize=1)
def _opposites() -> frozenset[frozenset[str]]:
    pairs = {frozenset(_of(pair.split(":"))) for pair in _WORDS.ordered("opposites")}
    return frozenset(pairs.union(*(_pairs(line.split()) for line in _WORDS.texts("families"))))


def _pairs(words: Iterable[str]) -> Iterator[frozenset[str]]:
    return (frozenset(pair) for pair in combinations(_of(words), 2))


def _of(words: Iterable[str]) -> list[str]:
    """Return the meanings of these words."""
    return [meaning(word, "".join(_analyzer().terms(word)) or word) for word in words]
