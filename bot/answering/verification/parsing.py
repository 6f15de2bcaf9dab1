"""Parses a text into lines of items, each a word that carries meaning or a value (pure, cached)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Literal

from bot.answering.languages import word_lists
from bot.answering.verification.amount_parser import find_amounts
from bot.answering.verification.amounts import MONTHS, Amount, AmountMatch
from bot.answering.verification.frames import ARTICLES, Frame, find_frames
from bot.answering.verification.marks import Mark, find_marks
from bot.answering.verification.modality import PLAIN, Modality
from bot.answering.verification.negation import NEGATORS, CueScan, scan_cues
from bot.answering.verification.thesaurus import meaning
from bot.answering.verification.tokenizer import Token, tokenize
from retrieval.sectioning.sentences import sentences

_ENGLISH = word_lists("parsing")
LABELS = _ENGLISH.words("labels")
CLAUSE_JOINTS = _ENGLISH.words("clause_joints")
RESTRICTING = word_lists("circumstances").words("restricting")
TURNING_WORDS = NEGATORS | _ENGLISH.words("turning")
ADDRESSING = _ENGLISH.words("addressing")

# Passages of some hundred answers; a passage is parsed once for all sentences that cite it.
CACHED_TEXTS = 2048
# A line of more is no sentence: it supports nothing but its own words, and comparing each with each would take long.
MAX_TOKENS = 600


Pairing = tuple[str, str]
"""The keys of two neighbouring items."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a line states.

    `modality` is how it stands itself, `preceding` what the small words between the item before and this one do.
    `exact` is set for codes and links. `capital` is true of any capital letter, `name` of one where none is due,
    `opens` of one where a sentence or list begins, which may be a name. A `marker` numbers the line.
    """

    key: str
    shown: str
    meaning: str
    modality: Modality = PLAIN
    preceding: Modality = PLAIN
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


@dataclass(frozen=True, slots=True)
class Scope:
    """What a cue of negation or modality reaches: positions among the line's items, the nearest first."""

    word: str
    negates: bool
    conditional: bool
    items: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence or list item.

    `trailing` is what the small words after its last item do. `amounts` and `names` are the positions of items, those
    of a name of several words as one range; `clauses` are ranges of the items between joints. `instructs` is true of a
    sentence that begins with a word of its own, as an instruction does with its verb; never of what may be the item of
    a list, which its opening may allow. `addresses` is true of one that speaks to whoever reads it. `words` are the
    meanings of its tokens, empty for those that carry none, and `meanings` the set of them; `restricts` says of each
    token whether the next may narrow it, `negations` are the positions of those that deny, and `marks` and `frames` say
    how all hang together.
    """

    items: tuple[Item, ...]
    keys: frozenset[str]
    scopes: tuple[Scope, ...]
    opens_list: bool
    trailing: Modality
    amounts: tuple[int, ...]
    names: tuple[range, ...]
    clauses: tuple[range, ...]
    has_date: bool
    instructs: bool
    addresses: bool
    words: tuple[str, ...]
    restricts: tuple[bool, ...]
    negations: frozenset[int]
    meanings: frozenset[str]
    marks: tuple[Mark, ...]
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class ParsedText:
    """A whole text.

    `small` are the words without a capital, each with the one after it. `plain` is all words between single spaces, a
    space at either end, and `starts` where lines begin in it. `is_read` is false where a line is too long to be looked
    at; it says nothing then.
    """

    lines: tuple[Line, ...]
    keys: frozenset[str]
    meanings: frozenset[str]
    small: frozenset[Pairing]
    plain: str
    starts: tuple[int, ...]
    is_read: bool = True


@lru_cache(maxsize=CACHED_TEXTS)
def parse_text(text: str, language: str) -> ParsedText:
    """Parse a text into its lines in reading order.

    Results are cached: parsing passages while a model still thinks makes the verification of its sentences quick.
    """
    tokens_of_lines = [tokenize(text[start:end], language=language) for start, end in sentences(text)]
    lines: list[Line] = []
    in_list = False
    for tokens in tokens_of_lines:
        lines.append(_parse_line(tokens if len(tokens) <= MAX_TOKENS else (), in_list=in_list))
        in_list = in_list or lines[-1].opens_list
    keys = frozenset[str]().union(*(line.keys for line in lines))
    meanings = frozenset[str]().union(*(line.meanings for line in lines))
    pairs = (pair for line in lines for pair in pairwise(line.items))
    small = frozenset((item.key, following.key) for item, following in pairs if not item.capital)
    words = [" ".join(token.text for token in line if token.kind != "punctuation") for line in tokens_of_lines]
    kept = [each for each in words if each]
    starts = tuple(accumulate((len(each) + 1 for each in kept), initial=0))
    is_read = all(len(tokens) <= MAX_TOKENS for tokens in tokens_of_lines)
    return ParsedText(tuple(lines), keys, meanings, small, f" {' '.join(kept)} ", starts, is_read)


def _parse_line(tokens: Sequence[Token], *, in_list: bool) -> Line:
    cues = scan_cues(tokens)
    matches = {match.start: match for match in find_amounts(tokens)}
    items: list[Item] = []
    item_at: dict[int, int] = {}
    joints = [0]
    words = tuple(meaning(token.text, token.key) if token.key else "" for token in tokens)
    at = until = 0
    while at < len(tokens):
        match = matches.get(at)
        end = match.end if match else at + 1
        if match or (tokens[at].key and tokens[at].text not in TURNING_WORDS):
            preceding = _modality_between(cues, until, at)
            modality = cues.modalities[at]
            item = (
                _amount_item(tokens, match, modality, preceding)
                if match
                else _word_item(tokens, at, words[at], modality, preceding)
            )
            item_at.update(dict.fromkeys(range(at, end), len(items)))
            items.append(item)
            until = end
        elif tokens[at].text in CLAUSE_JOINTS and len(items) > joints[-1]:
            joints.append(len(items))
        at = end
    return Line(
        tuple(items),
        frozenset(item.key for item in items),
        tuple(_scopes(cues, item_at)),
        opens_list=bool(tokens) and tokens[-1].text == ":",
        trailing=_modality_between(cues, until, len(tokens)),
        amounts=tuple(at for at, item in enumerate(items) if item.amount),
        names=tuple(_name_ranges(items)),
        clauses=tuple(range(*ends) for ends in pairwise((*joints, len(items)))),
        has_date=any(item.amount is not None and item.amount.kind == "date" for item in items),
        instructs=not in_list and _begins_like_instruction(tokens),
        addresses=any(token.text in ADDRESSING for token in tokens) or _orders(tokens),
        words=words,
        negations=cues.negations,
        restricts=tuple(following.text in RESTRICTING for following in tokens[1:]) + (False,) * bool(tokens),
        meanings=frozenset(words) - {""},
        marks=tuple(find_marks(tokens)),
        frames=tuple(find_frames(tokens, words)),
    )


def _amount_item(tokens: Sequence[Token], match: AmountMatch, modality: Modality, preceding: Modality) -> Item:
    shown = " ".join(each.shown or each.text for each in tokens[match.start : match.end])
    marker = match.start == 0 and match.end < len(tokens) and tokens[match.end].text in {".", ")"}
    return Item(match.amount.key, shown, match.amount.key, modality, preceding, match.amount, marker=marker)


def _word_item(tokens: Sequence[Token], at: int, meant: str, modality: Modality, preceding: Modality) -> Item:
    token = tokens[at]
    name = token.capital and _is_name(tokens, at)
    return Item(
        token.key,
        token.shown,
        meant,
        modality,
        preceding,
        exact=token.kind if token.kind == "code" or token.kind == "link" else "",  # noqa: PLR1714 - narrows the type
        capital=token.capital,
        name=name,
        opens=token.capital and not name,
    )


def _is_name(tokens: Sequence[Token], at: int) -> bool:
    """Whether a capital means something: not at the beginning, unless it goes on or is all capitals."""
    shown = tokens[at].shown
    if (at > 0 and tokens[at - 1].text not in {":", ".", "("}) or (shown.isupper() and len(shown) > 1):
        return True
    return any(
        following.capital and following.key and following.text not in MONTHS for following in tokens[at + 1 : at + 2]
    )


def _modality_between(cues: CueScan, start: int, end: int) -> Modality:
    """Return what the tokens between two items do: negate, or not; and bind."""
    if not cues.negations and not cues.forces:
        return PLAIN
    positions = range(cues.clause_start(start, end), end)
    forces = [cues.forces[at] for at in positions if at in cues.forces]
    return Modality(forces[-1] if forces else "", sum(at in cues.negations for at in positions) % 2 == 1)


def _scopes(cues: CueScan, item_at: dict[int, int]) -> Iterator[Scope]:
    """Yield the scopes of cues that reach an item."""
    for cue in cues.cues:
        items = tuple(dict.fromkeys(item_at[at] for at in cue.targets if at in item_at))
        if items:
            yield Scope(cue.word, cue.negates, cue.conditional, items)


def _name_ranges(items: Sequence[Item]) -> Iterator[range]:
    start = -1
    for at, is_name in enumerate((*(item.name for item in items), False)):
        if is_name and start < 0:
            start = at
        elif not is_name and start >= 0:
            yield range(start, at)
            start = -1


def _orders(tokens: Sequence[Token]) -> bool:
    """Whether a line begins with a verb and its object: "Bring the report"."""
    return len(tokens) > 1 and bool(tokens[0].key) and tokens[1].text in ARTICLES


def _begins_like_instruction(tokens: Sequence[Token]) -> bool:
    return len(tokens) > 1 and bool(tokens[0].key) and tokens[0].capital and tokens[-1].text == "."
