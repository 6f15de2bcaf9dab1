"""A text as the check reads it: lines of items, each a word that carries meaning or a value (pure, remembered)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Literal

from bot.answering.verification.amounts import MONTH, Amount, Found, amounts
from bot.answering.verification.negation import NEGATORS, PLAIN, Mark, Stances, scan
from bot.answering.verification.tokenizer import Token, tokens
from retrieval.sectioning.sentences import sentences

# Passages of some hundred answers; a passage is read once for all sentences that cite it.
REMEMBERED = 2048


# Words that only announce a name or number.
LABELS = frozenset(
    """form forms section sections clause clauses paragraph paragraphs article articles chapter part rule rules annex
    appendix schedule page table figure pdf""".split()
)
# Where a sentence that is true so far may go on with something else.
JOINTS = frozenset(", ; : ( ) and but or so while because which plus then also".split())
# Words that say nothing themselves but turn what others say.
TURNING = NEGATORS | {"always"}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a line says; `before` is what the small words since the last one do to it.

    `exact` is true of codes and links. `capital` is true of any capital letter, `name` of one where none is due,
    `opens` of one where a sentence or list begins, which may be a name. A `marker` numbers the line.
    """

    key: str
    shown: str
    mark: Mark = PLAIN
    before: Mark = PLAIN
    amount: Amount | None = None
    exact: Literal["", "code", "link"] = ""
    capital: bool = False
    name: bool = False
    opens: bool = False
    marker: bool = False

    @property
    def is_value(self) -> bool:
        """Whether it must be right rather than be said in some way."""
        return self.amount is not None or self.name or self.exact != "" or self.opens


NOTHING = Item("", "")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a word of negation or modality reaches: places in the line's items, the nearest first."""

    word: str
    negates: bool
    conditional: bool
    items: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence or list item; `clauses` are the places of the items between its joints.

    `orders` is true of a sentence that begins with a word of its own, as an instruction does with its verb; never of
    what may be the item of a list, which its opening may allow.
    """

    items: tuple[Item, ...]
    keys: frozenset[str]
    scopes: tuple[Scope, ...]
    opens_list: bool
    after: Mark
    valued: tuple[int, ...]
    named: tuple[range, ...]
    clauses: tuple[range, ...]
    orders: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole text; `plain` is its words between single spaces, a space at either end, `starts` where lines begin."""

    lines: tuple[Line, ...]
    keys: frozenset[str]
    plain: str
    starts: tuple[int, ...]


def read(text: str, language: str = "english") -> Reading:
    """The text's lines in reading order; reading passages while a model still thinks makes their check quick."""
    return _read(text, language)


@lru_cache(maxsize=REMEMBERED)
def _read(text: str, language: str) -> Reading:
    cut = [tokens(text[start:end], language=language) for start, end in sentences(text)]
    lines: list[Line] = []
    listed = False
    for each in cut:
        lines.append(_line(each, listed=listed))
        listed = listed or lines[-1].opens_list
    keys = frozenset[str]().union(*(line.keys for line in lines))
    words = [" ".join(token.text for token in line if token.kind != "mark") for line in cut]
    kept = [each for each in words if each]
    starts = tuple(accumulate((len(each) + 1 for each in kept), initial=0))
    return Reading(tuple(lines), keys, f" {' '.join(kept)} ", starts)


def _line(said: Sequence[Token], *, listed: bool) -> Line:
    stances = scan(said)
    found = {each.start: each for each in amounts(said)}
    items: list[Item] = []
    place: dict[int, int] = {}
    joints = [0]
    at = until = 0
    while at < len(said):
        value = found.get(at)
        end = value.end if value else at + 1
        if value or (said[at].key and said[at].text not in TURNING):
            before = _between(stances, until, at)
            item = _value(said, value, stances.marks[at], before) if value else _word(said, at, stances, before)
            place.update(dict.fromkeys(range(at, end), len(items)))
            items.append(item)
            until = end
        elif said[at].text in JOINTS and len(items) > joints[-1]:
            joints.append(len(items))
        at = end
    reached = ((cue, tuple(dict.fromkeys(place[at] for at in cue.targets if at in place))) for cue in stances.cues)
    return Line(
        tuple(items),
        frozenset(item.key for item in items),
        tuple(Scope(cue.word, cue.negates, cue.conditional, reach) for cue, reach in reached if reach),
        opens_list=bool(said) and said[-1].text == ":",
        after=_between(stances, until, len(said)),
        valued=tuple(at for at, item in enumerate(items) if item.amount),
        named=tuple(_runs(items)),
        clauses=tuple(range(*ends) for ends in pairwise((*joints, len(items)))),
        orders=not listed and len(said) > 1 and bool(said[0].key) and said[0].capital and said[-1].text == ".",
    )


def _value(said: Sequence[Token], found: Found, mark: Mark, before: Mark) -> Item:
    shown = " ".join(each.shown or each.text for each in said[found.start : found.end])
    marker = found.start == 0 and found.end < len(said) and said[found.end].text in {".", ")"}
    return Item(found.amount.key, shown, mark, before, found.amount, marker=marker)


def _word(said: Sequence[Token], at: int, stances: Stances, before: Mark) -> Item:
    token = said[at]
    name = token.capital and _is_name(said, at)
    return Item(
        token.key,
        token.shown,
        stances.marks[at],
        before,
        exact=token.kind if token.kind == "code" or token.kind == "link" else "",  # noqa: PLR1714 - narrows the type
        capital=token.capital,
        name=name,
        opens=token.capital and not name,
    )


def _between(stances: Stances, start: int, end: int) -> Mark:
    """What the words between two items do: deny, or not; and bind."""
    if not stances.denials and not stances.forces:
        return PLAIN
    here = range(stances.opened(start, end), end)
    forces = [stances.forces[at] for at in here if at in stances.forces]
    return Mark(forces[-1] if forces else "", sum(at in stances.denials for at in here) % 2 == 1)


def _runs(items: Sequence[Item]) -> Iterator[range]:
    """Names of several words as one."""
    start = -1
    for at, item in enumerate((*items, NOTHING)):
        if item.name and start < 0:
            start = at
        elif not item.name and start >= 0:
            yield range(start, at)
            start = -1


def _is_name(said: Sequence[Token], at: int) -> bool:
    """Whether the capital means something: not at the beginning, unless it goes on or is all capitals."""
    shown = said[at].shown
    if (at > 0 and said[at - 1].text not in {":", ".", "("}) or (shown.isupper() and len(shown) > 1):
        return True
    return any(
        following.capital and following.key and following.text not in MONTH for following in said[at + 1 : at + 2]
    )
