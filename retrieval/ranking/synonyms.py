"""A company's own words: what an abbreviation in a question stands for, from a file that may change at any time.

The file has Solr's form, which Elasticsearch and others read too: `PTO, paid time off` for words that mean the same,
`WFH => remote work` for one direction, `#` before a remark. It is looked at when a question is asked, so that a new
line needs neither a rebuild nor a restart.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from retrieval.errors import UnreadableSynonyms
from retrieval.ranking.analysis import fold

logger = logging.getLogger(__name__)

WORD = re.compile(r"[^\W_]+")
Phrase = tuple[str, ...]
Meanings = Mapping[Phrase, tuple[str, ...]]


class SynonymFile:
    """Spells out the abbreviations of a question; the file is read again when it has changed.

    A file that cannot be read costs no answer: what it said last stays, and a warning is logged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._meanings: Meanings = {}

    def __call__(self, text: str) -> str:
        """The text with what each known word stands for in brackets after it."""
        seen = self._state()
        if seen != self._seen:
            self._seen = seen
            try:
                self._meanings = load(self._path)
            except UnreadableSynonyms as error:
                logger.warning("synonyms: %s", error)
        return spelled_out(text, self._meanings)

    def _state(self) -> tuple[int, int]:
        try:
            stat = self._path.stat()
        except OSError:
            return 0, 0
        return stat.st_mtime_ns, stat.st_size


def load(path: Path) -> Meanings:
    """What the words of a file stand for; raises `UnreadableSynonyms`."""
    try:
        return meanings(path.read_text(encoding="utf-8-sig"), name=str(path))
    except OSError as error:
        raise UnreadableSynonyms(f"{str(path)!r} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UnreadableSynonyms(f"{str(path)!r} is not UTF-8") from error


def meanings(text: str, *, name: str) -> Meanings:
    """What each word or phrase of a synonym file stands for; `name` is the file's, for errors (pure)."""
    found: dict[Phrase, dict[str, None]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        rule = line.partition("#")[0].strip()
        if not rule:
            continue
        left, arrow, right = rule.partition("=>")
        said, meant = _listed(left), _listed(right if arrow else left)
        if not said or not meant or (not arrow and len(said) < 2):
            raise UnreadableSynonyms(f"{name!r}, line {number}: expected `PTO, paid time off` or `WFH => remote work`")
        for each in said:
            found.setdefault(_phrase(each), {}).update(dict.fromkeys(other for other in meant if other != each))
    return {phrase: tuple(others) for phrase, others in found.items()}


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if _phrase(part)]


def _phrase(text: str) -> Phrase:
    return tuple(fold(word) for word in WORD.findall(text))


def spelled_out(text: str, known: Meanings) -> str:
    """The text with what its words and phrases stand for, the longest first, each said once (pure)."""
    words = list(WORD.finditer(text))
    folded = [fold(word[0]) for word in words]
    pieces, end = [], 0
    for last, others in _found(folded, known):
        new = [other for other in others if not _holds(folded, _phrase(other))]
        if new:
            pieces += [text[end : words[last].end()], f" ({', '.join(new)})"]
            end = words[last].end()
    return "".join([*pieces, text[end:]])


def _found(folded: Sequence[str], known: Meanings) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Where each known phrase ends, and what it stands for; phrases do not overlap."""
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


def _holds(folded: Sequence[str], phrase: Phrase) -> bool:
    return any(tuple(folded[at : at + len(phrase)]) == phrase for at in range(len(folded) - len(phrase) + 1))
