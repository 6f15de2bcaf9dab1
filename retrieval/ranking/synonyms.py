"""Expands a company's own words in questions, by a file of synonyms that may change at any time, and everyday ones.

A company's file has Solr's form, which Elasticsearch and others read too: `PTO, paid time off` for words that mean the
same, `WFH => remote work` for one direction, `#` before a remark. It is checked at each question, so that a new line
needs neither a rebuild nor a restart. What it says is as good as asked, and is written into the question.

Everyday synonyms are a list in the same form that comes along. They are guesses, so they are searched for beside the
question's words and count less, and the question that is embedded stays as it was asked.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from retrieval.errors import UnreadableSynonyms
from retrieval.ranking.analysis import WORD, fold

logger = logging.getLogger(__name__)

Phrase = tuple[str, ...]
Synonyms = Mapping[Phrase, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Related:
    """A word or phrase of a question, and others that may stand for it in a document."""

    asked: str
    others: tuple[str, ...]


class SynonymFile:
    """Expands the abbreviations of a question; the file is read again when it has changed.

    While the file cannot be read, its last readable state stays in use and a warning is logged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: tuple[int, int] | None = None
        self._synonyms: Synonyms = {}

    def __call__(self, text: str) -> str:
        """The text with the synonyms of each known word in brackets after it."""
        return expand(text, self.known())

    def known(self) -> Synonyms:
        """The synonyms that the file holds now."""
        version = self._file_version()
        if version != self._version:
            self._version = version
            try:
                self._synonyms = load_synonyms(self._path)
            except UnreadableSynonyms as error:
                logger.warning("synonyms: %s", error)
        return self._synonyms

    def _file_version(self) -> tuple[int, int]:
        try:
            stat = self._path.stat()
        except OSError:
            return 0, 0
        return stat.st_mtime_ns, stat.st_size


class EverydaySynonyms:
    """Finds everyday synonyms for the words of a question; none in a language for which no list comes along.

    `defined` gives the words and phrases that the company's own file defines, which are left to that.
    """

    def __init__(self, language: str, *, defined: Callable[[], Collection[Phrase]] = tuple) -> None:
        self._language = language
        self._defined = defined

    @cached_property
    def known(self) -> Synonyms:
        """The synonyms in the list of the language."""
        file = everyday_file(self._language)
        return parse_synonyms(file.read_text(encoding="utf-8"), name=str(file)) if file.is_file() else {}

    def __call__(self, text: str) -> tuple[Related, ...]:
        """The words and phrases of a question that have synonyms which it does not hold itself, in order."""
        words = list(WORD.finditer(text))
        folded = [fold(word[0]) for word in words]
        defined = self._defined()
        return tuple(
            Related(text[words[first].start() : words[last].end()], new)
            for first, last, others in _find_phrases(folded, self.known)
            if (new := tuple(other for other in others if not _contains(folded, _phrase(other))))
            and tuple(folded[first : last + 1]) not in defined
        )


def everyday_file(language: str) -> Traversable:
    """Where the list of everyday synonyms of a language lies; there may be none."""
    return files("retrieval.ranking") / "everyday" / f"{language}.txt"


def load_synonyms(path: Path) -> Synonyms:
    """The synonyms in a file; raises `UnreadableSynonyms`."""
    try:
        return parse_synonyms(path.read_text(encoding="utf-8-sig"), name=str(path))
    except OSError as error:
        raise UnreadableSynonyms(f"{str(path)!r} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UnreadableSynonyms(f"{str(path)!r} is not UTF-8") from error


def parse_synonyms(text: str, *, name: str) -> Synonyms:
    """The synonyms of each word or phrase in a file's text; `name` is the file's, for errors (pure)."""
    found: dict[Phrase, dict[str, None]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        rule = line.partition("#")[0].strip()
        if not rule:
            continue
        left, arrow, right = rule.partition("=>")
        terms, synonyms = _split_list(left), _split_list(right if arrow else left)
        if not terms or not synonyms or (not arrow and len(terms) < 2):
            raise UnreadableSynonyms(f"{name!r}, line {number}: expected `PTO, paid time off` or `WFH => remote work`")
        for each in terms:
            found.setdefault(_phrase(each), {}).update(dict.fromkeys(other for other in synonyms if other != each))
    return {phrase: tuple(others) for phrase, others in found.items()}


def _split_list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if _phrase(part)]


def _phrase(text: str) -> Phrase:
    return tuple(fold(word) for word in WORD.findall(text))


def expand(text: str, known: Synonyms) -> str:
    """The text with the synonyms of its words and phrases, the longest phrase first, each once (pure)."""
    words = list(WORD.finditer(text))
    folded = [fold(word[0]) for word in words]
    pieces, end = [], 0
    for _, last, others in _find_phrases(folded, known):
        new = [other for other in others if not _contains(folded, _phrase(other))]
        if new:
            pieces += [text[end : words[last].end()], f" ({', '.join(new)})"]
            end = words[last].end()
    return "".join([*pieces, text[end:]])


def _find_phrases(folded: Sequence[str], known: Synonyms) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """The first and last word of each known phrase, and its synonyms; phrases do not overlap, each counts once."""
    longest = max(map(len, known), default=0)
    at, seen = 0, set()
    while at < len(folded):
        for length in range(min(longest, len(folded) - at), 0, -1):
            phrase = tuple(folded[at : at + length])
            if phrase in known:
                if phrase not in seen:
                    seen.add(phrase)
                    yield at, at + length - 1, known[phrase]
                at += length - 1
                break
        at += 1


def _contains(folded: Sequence[str], phrase: Phrase) -> bool:
    return any(tuple(folded[at : at + len(phrase)]) == phrase for at in range(len(folded) - len(phrase) + 1))
