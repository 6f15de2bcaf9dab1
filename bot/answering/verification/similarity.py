"""Where in a text a sentence stands, and which of its items answers to which there (pure)."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.answering.verification.negation import Mark
from bot.answering.verification.parsing import Item, Line, Reading, Scope

Pair = tuple[int, int]

LONGEST = 3
# How far beyond a sentence's first and last word a value may stand in the text.
NEAR = 6
# A fact that stands in one line is better supported than one gathered from several.
LINE_COST = 0.03
# Share of a sentence's items from which its order is that of the text, and a word answers to one place alone.
CLOSE = 0.75


@dataclass(frozen=True, slots=True)
class Window:
    """A few lines of a text that belong together, as one sequence of items, and how much of a sentence they hold.

    `ends` are the places where a line ends, with what stands after its last item, `orders` those where an instruction
    begins.
    """

    items: tuple[Item, ...]
    scopes: tuple[Scope, ...]
    ends: dict[int, Mark]
    covered: float
    score: float
    orders: frozenset[int]


def window(reading: Reading, wanted: frozenset[str]) -> Window:
    """The lines that hold most of the wanted keys: up to three neighbours, or a list's item with what opens it."""
    best: tuple[float, int, tuple[int, ...]] = (-1.0, 0, ())
    for places in _places(reading, wanted):
        held = frozenset[str]().union(*(reading.lines[at].keys & wanted for at in places))
        score = len(held) / len(wanted) - LINE_COST * (len(places) - 1)
        if score > best[0]:
            best = (score, len(held), places)
    return _window([reading.lines[at] for at in best[2]], best[1] / len(wanted), best[0])


def joined(windows: Sequence[Window], wanted: frozenset[str]) -> Window:
    """Windows of several texts as one."""
    keys = frozenset(item.key for each in windows for item in each.items)
    covered = len(keys & wanted) / len(wanted)
    return _window(windows, covered, covered)


def _window(parts: Sequence[Line | Window], covered: float, score: float) -> Window:
    items: list[Item] = []
    scopes: list[Scope] = []
    ends: dict[int, Mark] = {}
    orders: set[int] = set()
    for part in parts:
        shift = len(items)
        scopes += [replace(each, items=tuple(at + shift for at in each.items)) for each in part.scopes]
        items += part.items
        if isinstance(part, Line):
            ends[len(items)] = part.after
            orders |= {shift} if part.orders else set()
        else:
            ends |= {at + shift: mark for at, mark in part.ends.items()}
            orders |= {at + shift for at in part.orders}
    return Window(tuple(items), tuple(scopes), ends, covered, score, frozenset(orders))


def _places(reading: Reading, wanted: frozenset[str]) -> Iterator[tuple[int, ...]]:
    touched = [bool(line.keys & wanted) for line in reading.lines]
    opening = -1
    for at, line in enumerate(reading.lines):
        if touched[at]:
            yield from (
                tuple(range(at, at + length))
                for length in range(1, LONGEST + 1)
                if at + length <= len(touched) and touched[at + length - 1]
            )
            if -1 < opening < at - 1:
                yield opening, at
        if line.opens_list:
            opening = at


def align(sentence: Sequence[Item], text: Sequence[Item]) -> list[Pair]:
    """Pairs of places with the same key, in the order of both: first of words, then of values between those.

    A value that stands elsewhere in the text so never draws the sentence away from where its words stand.
    """
    words = [at for at, item in enumerate(sentence) if not item.is_value]
    anchors = _tightened(_longest(sentence, words, text, range(len(text))), text)
    pairs: list[Pair] = []
    for here, there in gaps(anchors, len(sentence), len(text)):
        near = there
        if anchors and here.start == 0:
            near = range(max(there.start, there.stop - len(here) - NEAR), there.stop)
        elif anchors and here.stop == len(sentence):
            near = range(there.start, min(there.stop, there.start + len(here) + NEAR))
        inner = _longest(sentence, here, text, near)
        pairs += inner if here.stop == len(sentence) else _tightened(inner, text, there.stop)
        pairs += [pair for pair in anchors if pair[0] == here.stop]
    return pairs


def _tightened(pairs: Sequence[Pair], text: Sequence[Item], end: int | None = None) -> list[Pair]:
    """The same pairs, each as near to the next as the text allows, and the last to the end if one is given."""
    tight: list[Pair] = []
    for here, there in reversed(pairs):
        later = range(end - 1, there, -1) if end is not None else ()
        end = next((at for at in later if text[at].key == text[there].key), there)
        tight.append((here, end))
    return tight[::-1]


def _longest(sentence: Sequence[Item], here: Sequence[int], text: Sequence[Item], there: Sequence[int]) -> list[Pair]:
    """The longest common sequence of two ranges (Hunt and Szymanski)."""
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
    return _unwound(chains[-1] if chains else None)


def _unwound(chain: object) -> list[Pair]:
    pairs: list[Pair] = []
    while isinstance(chain, tuple):
        pairs.append((chain[0], chain[1]))
        chain = chain[2]
    return pairs[::-1]


def gaps(pairs: Sequence[Pair], sentence: int, text: int) -> Iterator[tuple[range, range]]:
    """What stands on either side between neighbouring pairs, the ends included; lengths are those of the sequences."""
    before = (-1, -1)
    for pair in (*pairs, (sentence, text)):
        yield range(before[0] + 1, pair[0]), range(before[1] + 1, pair[1])
        before = pair
