"""Finds where a sentence says other than its place in the text who does what to whom (pure)."""

from collections.abc import Iterable, Sequence
from typing import Literal

from bot.answering.verification.frames import Frame
from bot.answering.verification.parsing import Item, Line, ParsedText
from bot.answering.verification.similarity import Window
from bot.answering.verification.thesaurus import is_verb, may_replace, negatives, opposites

Problem = tuple[Literal["meaning", "role"], str]

# Items on either side that say what a word is said of, in the sentence and in the text.
CONTEXT = 4
TEXT_CONTEXT = 6
# Words of somebody or something that is compared with another.
MOST_WORDS = 3


def find_other_statement(line: Line, place: Window, texts: Sequence[ParsedText]) -> Problem | None:
    """Return the first word of the sentence for which the text has its opposite, another deed, or another doer."""
    lines = _nearest(line, place, texts)
    given = frozenset[str]().union(*(each.meanings for each in lines))
    known = frozenset[str]().union(*(each.meanings for each in texts))
    opposite = next((found for each in lines if (found := _find_opposite(line, each, given))), "")
    if opposite:
        return "meaning", opposite
    frames = [frame for each in place.lines for frame in each.frames]
    for claimed in line.frames:
        same = [frame for frame in frames if frame.verb == claimed.verb]
        if not same and len(texts) > 1:
            every = (frame for text in texts for each in text.lines for frame in each.frames)
            same = [frame for frame in every if frame.verb == claimed.verb]
        if not same and _is_other_deed(claimed, line, frames, given):
            return "meaning", claimed.verb
        role = _other_role(claimed, same, known) if same else ""
        if role:
            return "role", role
    return None


def _nearest(line: Line, place: Window, texts: Sequence[ParsedText]) -> list[Line]:
    """Return the lines of the place, and all others that hold as much of the sentence as the best of them does."""
    most = max((len(line.meanings & each.meanings) for each in place.lines), default=0)
    others = (each for text in texts for each in text.lines if len(line.meanings & each.meanings) >= max(most, 1))
    return list(dict.fromkeys((*place.lines, *others)))


def _find_opposite(line: Line, there: Line, given: frozenset[str]) -> str:
    """Return a word of the sentence for which the text has one that excludes it, said of the same."""
    others = there.meanings - line.meanings
    for at, item in enumerate(line.items):
        if item.meaning in given or item.is_value:
            continue
        excluded = (opposites(item.meaning) & given) - line.meanings
        excluded |= negatives(item.key, others)
        for other in excluded:
            around = _around(line.items, at, CONTEXT)
            if any(
                each.meaning == other
                and each.modality.negated == item.modality.negated
                and around & _around(there.items, position, TEXT_CONTEXT)
                for position, each in enumerate(there.items)
            ):
                return item.shown
    return ""


def _around(items: Sequence[Item], at: int, distance: int) -> frozenset[str]:
    return frozenset(each.meaning for each in items[max(at - distance, 0) : at + distance + 1]) - {items[at].meaning}


def _is_other_deed(claimed: Frame, line: Line, frames: Iterable[Frame], nearby: frozenset[str]) -> bool:
    """Whether the text says that something else is done to the same: "published" where it says "deleted"."""
    if not is_verb(claimed.verb) or claimed.verb in nearby:
        return False
    of_same = [frame for frame in frames if frame.objects & claimed.objects or not claimed.objects | frame.objects]
    return any(is_verb(frame.verb) and frame.verb not in line.meanings for frame in of_same) and not any(
        may_replace(claimed.verb, frame.verb) for frame in of_same
    )


def _other_role(claimed: Frame, same: Sequence[Frame], known: frozenset[str]) -> str:
    """Return who does what in the text is done to them, or by another; empty for nobody."""
    shared = [len(claimed.words & frame.words) for frame in same]
    found = ""
    for given in (frame for frame, count in zip(same, shared, strict=True) if count == max(shared)):
        found = _swapped(claimed, given) or _replaced(claimed, given, known)
        if not found:
            return ""
    return found


def _swapped(claimed: Frame, given: Frame) -> str:
    if claimed.agents & given.agents:
        return ""
    turned = (claimed.agents & given.receivers) - given.objects | (claimed.receivers & given.agents) - claimed.objects
    if turned:
        return min(turned)
    if not claimed.agents or not given.agents:
        return ""
    return next(iter(sorted(claimed.agents & (given.objects | given.others))), "")


def _replaced(claimed: Frame, given: Frame, known: frozenset[str]) -> str:
    for own, other in ((claimed.agents, given.agents), (claimed.objects, given.objects)):
        is_other = own and other and not own & other and not own & given.words
        shares = (claimed.words - own) & (given.words - other) or claimed.words == claimed.agents
        if is_other and shares and len(own) <= MOST_WORDS and own <= known:
            return min(own)
    return ""
