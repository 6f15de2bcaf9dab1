"""Finds the place in a text that a sentence is about, and pairs the items of both (pure)."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.answering.verification.modality import Modality
from bot.answering.verification.parsing import Item, Line, ParsedText, Scope

Pair = tuple[int, int]
"""The positions of an item in a sentence and in a text."""

# Neighbouring lines that one sentence may sum up.
MAX_LINES = 3
# How far beyond a sentence's first and last word a value may stand in the text.
VALUE_DISTANCE = 6
# A fact that stands in one line is better supported than one gathered from several.
LINE_COST = 0.03
# Share of a sentence's items from which its order is that of the text, and a word is paired with one place alone.
NEARLY_ALL = 0.75


@dataclass(frozen=True, slots=True)
class Window:
    """A few lines of a text that belong together, as one sequence of items.

    `line_ends` are the positions where a line ends, each with the `trailing` of that line; `instructions` those where
    an instruction begins. `coverage` is the share of the wanted keys that it holds, `score` the coverage less the cost
    of its lines.
    """

    items: tuple[Item, ...]
    scopes: tuple[Scope, ...]
    line_ends: dict[int, Modality]
    coverage: float
    score: float
    instructions: frozenset[int]
    lines: tuple[Line, ...]


def best_window(text: ParsedText, wanted: frozenset[str]) -> Window:
    """Return the lines that hold most of the wanted keys: up to three neighbours, or a list's item with its opening.

    The first of equals; a window without items where no line holds any. `wanted` must not be empty.
    """
    best: tuple[float, int, tuple[int, ...]] = (-1.0, 0, ())
    for positions in _candidates(text, wanted):
        covered = frozenset[str]().union(*(text.lines[at].keys & wanted for at in positions))
        score = len(covered) / len(wanted) - LINE_COST * (len(positions) - 1)
        if score > best[0]:
            best = (score, len(covered), positions)
    return _join([text.lines[at] for at in best[2]], best[1] / len(wanted), best[0])


def join_windows(windows: Sequence[Window], wanted: frozenset[str]) -> Window:
    """Return windows of several texts as one."""
    keys = frozenset(item.key for each in windows for item in each.items)
    coverage = len(keys & wanted) / len(wanted)
    return _join(windows, coverage, coverage)


def _join(parts: Sequence[Line | Window], coverage: float, score: float) -> Window:
    items: list[Item] = []
    scopes: list[Scope] = []
    line_ends: dict[int, Modality] = {}
    instructions: set[int] = set()
    lines: list[Line] = []
    for part in parts:
        shift = len(items)
        scopes += [replace(each, items=tuple(at + shift for at in each.items)) for each in part.scopes]
        items += part.items
        lines += [part] if isinstance(part, Line) else part.lines
        if isinstance(part, Line):
            line_ends[len(items)] = part.trailing
            instructions |= {shift} if part.instructs else set()
        else:
            line_ends |= {at + shift: modality for at, modality in part.line_ends.items()}
            instructions |= {at + shift for at in part.instructions}
    return Window(tuple(items), tuple(scopes), line_ends, coverage, score, frozenset(instructions), tuple(lines))


def _candidates(text: ParsedText, wanted: frozenset[str]) -> Iterator[tuple[int, ...]]:
    """Yield the positions of lines that may make a window; each holds a wanted key at either end."""
    relevant = [bool(line.keys & wanted) for line in text.lines]
    opening = -1
    for at, line in enumerate(text.lines):
        if relevant[at]:
            yield from (
                tuple(range(at, at + length))
                for length in range(1, MAX_LINES + 1)
                if at + length <= len(relevant) and relevant[at + length - 1]
            )
            if -1 < opening < at - 1:
                yield opening, at
        if line.opens_list:
            opening = at


def align(sentence: Sequence[Item], text: Sequence[Item]) -> list[Pair]:
    """Return pairs of positions with the same key, in the order of both: of words, then of values between those.

    So a value that stands elsewhere in the text never draws the sentence away from where its words stand.
    """
    words = [at for at, item in enumerate(sentence) if not item.is_value]
    anchors = _tighten(_longest_common_subsequence(sentence, words, text, range(len(text))), text)
    pairs: list[Pair] = []
    for here, there in gaps(anchors, len(sentence), len(text)):
        near = there
        if anchors and here.start == 0:
            near = range(max(there.start, there.stop - len(here) - VALUE_DISTANCE), there.stop)
        elif anchors and here.stop == len(sentence):
            near = range(there.start, min(there.stop, there.start + len(here) + VALUE_DISTANCE))
        inner = _longest_common_subsequence(sentence, here, text, near)
        pairs += inner if here.stop == len(sentence) else _tighten(inner, text, there.stop)
        pairs += [pair for pair in anchors if pair[0] == here.stop]
    return pairs


def _tighten(pairs: Sequence[Pair], text: Sequence[Item], end: int | None = None) -> list[Pair]:
    """Move the text's side of each pair as near to the next as it allows, and the last to the end if one is given."""
    tight: list[Pair] = []
    for here, there in reversed(pairs):
        later = range(end - 1, there, -1) if end is not None else ()
        end = next((at for at in later if text[at].key == text[there].key), there)
        tight.append((here, end))
    return tight[::-1]


def _longest_common_subsequence(
    sentence: Sequence[Item], here: Sequence[int], text: Sequence[Item], there: Sequence[int]
) -> list[Pair]:
    """Return the longest common subsequence of two ranges (Hunt and Szymanski)."""
    where: dict[str, list[int]] = {}
    for at in reversed(there):
        where.setdefault(text[at].key, []).append(at)
    ends: list[int] = []
    chains: list[tuple[int, int, object]] = []
    for at in here:
        for other in where.get(sentence[at].key, ()):
            length = bisect_left(ends, other)
            before = chains[length - 1] if length else None
            if length == len(ends):
                ends.append(other)
                chains.append((at, other, before))
            else:
                ends[length] = other
                chains[length] = (at, other, before)
    return _unwind(chains[-1] if chains else None)


def _unwind(chain: object) -> list[Pair]:
    pairs: list[Pair] = []
    while isinstance(chain, tuple):
        pairs.append((chain[0], chain[1]))
        chain = chain[2]
    return pairs[::-1]


def gaps(pairs: Sequence[Pair], sentence: int, text: int) -> Iterator[tuple[range, range]]:
    """Yield the ranges between neighbouring pairs on either side, the ends included.

    `sentence` and `text` are the lengths of the sequences.
    """
    before = (-1, -1)
    for pair in (*pairs, (sentence, text)):
        yield range(before[0] + 1, pair[0]), range(before[1] + 1, pair[1])
        before = pair
