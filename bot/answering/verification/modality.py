"""Whether a sentence denies, demands and allows what its place in the text does (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from bot.answering.verification.amounts import same
from bot.answering.verification.negation import INVITING, LEFT_FREE, OPPOSITES, Conflict, Mark, conflict
from bot.answering.verification.parsing import Item, Line, Scope
from bot.answering.verification.similarity import CLOSE, Pair, Window, gaps

Problem = tuple[Literal["negation", "modality"], str]

# Items either side that a changed wording may put between two that both have.
SHORT_GAP = 2
# Words after one that denies or binds, either of which may be the one that it is about.
HEADS = 2
# Verbs that give leave; "you can report it" is said of what one must do as well.
LEAVE = frozenset({"may", "might"})


@dataclass(frozen=True, slots=True)
class Turn:
    """How sentence and text differ between two words that both have, and whether the sentence denies there."""

    reason: Conflict
    denied: bool = False


def stance_conflict(line: Line, place: Window, pairs: Sequence[Pair]) -> Problem | None:
    """The first word of negation or modality, of the sentence or the text, that the other does not bear out."""
    close = len(pairs) >= CLOSE * len(line.items)
    found = _turned(line, place, pairs) or _left_free(line, place)
    if found:
        return found
    forth, back = dict(pairs), {there: here for here, there in pairs}
    for scope in line.scopes:
        found = _unborne(scope, line.items, place, forth) or _weakened(scope, line, place, forth)
        if found:
            return found
    for scope in place.scopes:
        if scope.negates and _dropped(scope, line, place, back, close=close):
            return "negation", scope.word
    return None


def _turned(line: Line, place: Window, pairs: Sequence[Pair]) -> Problem | None:
    """The first place where sentence and text agree on either side, and deny or bind differently between.

    A denial that only stands one word further ("not normally", "normally not") is the same.
    """
    turned, word = Turn(""), ""
    for here, there in gaps(pairs, len(line.items), len(place.items)):
        now = _turn(here, there, line, place)
        if turned.reason and not (turned.reason == now.reason == "negation" and turned.denied != now.denied):
            return turned.reason, word
        turned = Turn("") if turned.reason else now
        word = line.items[min(here.stop, len(line.items) - 1)].shown
    return (turned.reason, word) if turned.reason else None


def _turn(here: range, there: range, line: Line, place: Window) -> Turn:
    if max(len(here), len(there)) > SHORT_GAP:
        return Turn("")
    opposite = _opposite([line.items[at] for at in here], [place.items[at] for at in there])
    if opposite:
        return Turn(opposite)
    if not _same_edge(here, there, line, place):
        return Turn("")
    ends = here.stop == len(line.items)
    claimed = [*(line.items[at].before for at in here), line.after if ends else line.items[here.stop].before]
    given = [
        *(place.items[at].before for at in there),
        place.ends[there.stop] if ends else place.items[there.stop].before,
    ]
    reason = conflict(_joint(claimed), _joint(given))
    if len(here) != len(there):  # what one side alone says may have a negation of its own
        reason = reason and conflict(claimed[-1], given[-1])
    return Turn(reason, _joint(claimed).negated)


def _opposite(claimed: Sequence[Item], given: Sequence[Item]) -> Conflict:
    """How two attributes exclude each other; "not mandatory" and "optional" do not."""
    for one, other in product(claimed, given):
        alike = (one.mark.negated and other.mark.negated) or one.mark.force == other.mark.force != ""
        if frozenset((one.key, other.key)) in OPPOSITES and not alike:
            return "modality" if one.mark.negated == other.mark.negated else "negation"
    return ""


def _same_edge(here: range, there: range, line: Line, place: Window) -> bool:
    """Whether a gap lies within one line of the text, and at its beginning or end where it does so in the sentence."""
    if here.stop == len(line.items):
        return here.start > 0 and there.stop in place.ends and len(here) == len(there)
    opens = not there and (there.start == 0 or there.start in place.ends)
    return (here.start > 0 or opens) and not any(at in place.ends for at in range(there.start + opens, there.stop + 1))


def _joint(marks: Sequence[Mark]) -> Mark:
    forces = [mark.force for mark in marks if mark.force]
    return Mark(forces[-1] if forces else "", sum(mark.negated for mark in marks) % 2 == 1)


def _unborne(scope: Scope, items: Sequence[Item], place: Window, forth: dict[int, int]) -> Problem | None:
    found = [
        (at, [conflict(items[at].mark, mark) for mark in _marks(items[at], place.items, forth.get(at))])
        for at in scope.items
    ]
    judged = [reasons for at, reasons in found[:HEADS] if reasons] or [reasons for _, reasons in found if reasons][:1]
    if judged:
        borne = not all(reason for reasons in judged for reason in reasons)
        return None if borne else (judged[0][0] or "negation", scope.word)
    bound = (scope.negates and not scope.conditional) or any(items[at].mark.force == "free" for at in scope.items[:1])
    return ("negation", scope.word) if bound and not any(_denies(each, place) for each in place.scopes) else None


def _left_free(line: Line, place: Window) -> Problem | None:
    """An attribute such as "optional" where the text has only such as "required", or the reverse."""
    given = {item.key for item in place.items}
    for item in line.items:
        opposites = {key for pair in OPPOSITES if item.key in pair for key in pair - {item.key}}
        named = item.key in LEFT_FREE or opposites & LEFT_FREE
        if named and item.key not in given and opposites & given and not (item.mark.negated or item.mark.force):
            return "modality", item.shown
    return None


def _weakened(scope: Scope, line: Line, place: Window, forth: dict[int, int]) -> Problem | None:
    """A "you may" of what the text instructs; what it only invites to ("Visit ...") one may do."""
    at = scope.items[0]
    item = line.items[at]
    there = forth.get(at, -1)
    if scope.word not in LEAVE or at > 0 or there < 0 or item.before.force != "may" or item.key in INVITING:
        return None
    return ("modality", scope.word) if there in place.orders else None


def _denies(scope: Scope, place: Window) -> bool:
    return scope.negates or any(place.items[at].mark.force == "free" for at in scope.items)


def _dropped(scope: Scope, line: Line, place: Window, back: dict[int, int], *, close: bool) -> bool:
    """Whether what the text denies is said without the denial."""
    if scope.conditional and not close:
        return False  # "if you do not, ..." denies nothing by itself
    head = next((at for at in scope.items[: HEADS if close else 1] if at in back), scope.items[0])
    said = [line.items[back[head]]] if head in back else _alike(place.items[head], line.items)
    if not said or (head not in back and scope.items[1:2] and not _alike(place.items[scope.items[1]], line.items)):
        return False
    others = [] if close and head in back else [each.mark for each in _alike(place.items[head], place.items)]
    borne = any(each.mark.negated or each.mark.force == "free" for each in said)
    return not borne and all(each.negated for each in others)


def _marks(item: Item, items: Sequence[Item], paired: int | None) -> list[Mark]:
    return [each.mark for each in ([items[paired]] if paired is not None else _alike(item, items))]


def _alike(item: Item, items: Sequence[Item]) -> list[Item]:
    return [
        each
        for each in items
        if each.key == item.key or (item.amount and each.amount and same(item.amount, each.amount))
    ]
