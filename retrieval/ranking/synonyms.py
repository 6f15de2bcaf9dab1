"""Expands a company's own abbreviations in questions, by a file of synonyms that may change at any time.

The file has Solr's form, which Elasticsearch and others read too: `PTO, paid time off` for words that mean the same,
`WFH => remote work` for one direction, `#` before a remark. It is checked at each question, so that a new line needs
neither a rebuild nor a restart.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from retrieval.errors import UnreadableSynonyms
from retrieval.ranking.analysis import WORD, fold

logger = logging.getLogger(__name__)

Phrase = tuple[str, ...]
Synonyms = Mapping[Phrase, tuple[str, ...]]


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
        version = self._file_version()
        if version != self._version:
            self._version = version
            try:
                self._synonyms = load_synonyms(self._path)
            except UnreadableSynonyms as error:
                logger.warning("synonyms: %s", error)
        return expand(text, self._synonyms)

    def _file_version(self) -> tuple[int, int]:
        try:
            stat = self._path.stat()
        except OSError:
            return 0, 0
        return stat.st_mtime_ns, stat.st_size


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
    for last, others in _find_phrases(folded, known):
        new = [other for other in others if not _contains(folded, _phrase(other))]
        if new:
            pieces += [text[end : words[last].end()], f" ({', '.join(new)})"]
            end = words[last].end()
    return "".join([*pieces, text[end:]])


def _find_phrases(folded: Sequence[str], known: Synonyms) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Where each known phrase ends, and its synonyms; phrases do not overlap, a repeated one counts once."""
    longest = max(map(len, known), default=0)
    at, seen = 0, set()
    while at < len(folded):
        for length in range(min(longest, len(folded) - at), 0, -1):
            phrase = tuple(folded[at : at + length])
            if phrase in known:
                at += length - 1
                if phrase not in seen:
                    seen.add(phrase)
                    yield at, known[phrase]
                break
        at += 1


def _contains(folded: Sequence[str], phrase: Phrase) -> bool:
    return any(tuple(folded[at : at + len(phrase)]) == phrase for at in range(len(folded) - len(phrase) + 1))
