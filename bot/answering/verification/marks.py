"""Finds small words that turn what a clause says: conditions, exceptions, order in time, quantities (pure)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.answering.languages import word_lists
from bot.answering.verification.amounts import UNITS
from bot.answering.verification.tokenizer import Token

_ENGLISH = word_lists("marks")
KINDS = (
    *("none", "before", "after", "if", "relative", "unless", "even", "only"),
    *("all", "any", "some", "most", "many", "one", "both", "either", "past", "future", "always", "sometimes", "at"),
    *("more", "less", "without_exception", "normally"),
)
PHRASES: dict[str, list[tuple[tuple[str, ...], str]]] = {}
for _kind in KINDS:
    for _phrase in _ENGLISH.texts(_kind):
        _words = tuple(_phrase.split())
        PHRASES.setdefault(_words[0], []).append((_words, _kind))
for _found in PHRASES.values():
    _found.sort(key=lambda each: -len(each[0]))

# "Within two hours of the report" is after it.
WITHIN = frozenset({"within"})
SPAN = 5
ASKING = word_lists("frames").words("asking")
# A line with more is a list, and comparing each with each would take long.
MAX_MARKS = 24
CLAUSE_ENDS = frozenset(",;:.()")


@dataclass(frozen=True, slots=True)
class Mark:
    """A word or two of one kind, and the tokens `[start, end)` that they are; their clause ends before `stop`."""

    kind: str
    shown: str
    start: int
    end: int
    stop: int


def find_marks(line: Sequence[Token]) -> list[Mark]:
    """Return the marks of a line in reading order; they never overlap."""
    if not any(token.text in PHRASES for token in line):
        return []
    stops = _clause_stops(line)
    marks = [Mark(kind, shown, at, end, stops[end - 1]) for kind, shown, at, end in _phrases(line)]
    after_spans = [
        Mark("after", "of", at, at + 1, stops[at])
        for at in range(2, len(line))
        if line[at].text == "of"
        and line[at - 1].text in UNITS
        and WITHIN & {each.text for each in line[max(at - SPAN, 0) : at]}
    ]
    return (marks + after_spans)[:MAX_MARKS]


def _phrases(line: Sequence[Token]) -> Iterator[tuple[str, str, int, int]]:
    at = 0
    while at < len(line):
        end = at + 1
        for words, kind in PHRASES.get(line[at].text, ()):
            if tuple(token.text for token in line[at : at + len(words)]) == words:
                end = at + len(words)
                if kind != "none" and not (kind in {"if", "even"} and at and line[at - 1].text in ASKING):
                    yield kind, " ".join(words), at, end
                break
        at = end


def _clause_stops(line: Sequence[Token]) -> list[int]:
    """Return for each token where the clause ends that it is in."""
    stops, stop = [0] * len(line), len(line)
    for at in range(len(line) - 1, -1, -1):
        if line[at].kind == "punctuation" and line[at].text in CLAUSE_ENDS:
            stop = at
        stops[at] = stop
    return stops
