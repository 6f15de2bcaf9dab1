"""Selects what of a remembered conversation the person who asks now may know of (pure)."""

from collections.abc import Sequence

from feedback.records import Exchange
from retrieval.passages import Turn, readable_audiences


def visible_turns(exchanges: Sequence[Exchange], *, asker: str | None, groups: frozenset[str]) -> tuple[Turn, ...]:
    """Return the turns of these exchanges, oldest first, that a person of these groups may know of.

    A conversation's id is no secret. So an exchange counts only if the same person had it or nobody by name (`asker`
    None: whoever had it), and if it was answered from nothing but what `groups` may read now. Exchanges whose words
    were pruned are left out.
    """
    readable = readable_audiences(groups)
    theirs = [each for each in exchanges if asker is None or each.asker in {"", asker}]
    return tuple(
        turn
        for each in theirs
        if not each.pruned and readable_audiences(each.groups) <= readable
        for turn in (Turn("user", each.question, each.id), Turn("bot", each.answer, each.id))
    )
