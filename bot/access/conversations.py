"""Selects what of a remembered conversation the person who asks now may know of."""

from collections.abc import Callable, Sequence

from feedback.records import Exchange
from retrieval.passages import Turn


def visible_turns(
    exchanges: Sequence[Exchange], *, asker: str | None, may_show: Callable[[Exchange], bool]
) -> tuple[Turn, ...]:
    """Return the turns of these exchanges, oldest first, that the person who asks now may know of.

    A conversation's id is no secret. So an exchange counts only if the same person had it or nobody by name (`asker`
    None: whoever had it), and if its words may be shown to them at this moment (`DisclosureGate.may_show`). Exchanges
    whose words were pruned are left out.
    """
    theirs = [each for each in exchanges if asker is None or each.asker in {"", asker}]
    return tuple(
        turn
        for each in theirs
        if not each.pruned and may_show(each)
        for turn in (Turn("user", each.question, each.id), Turn("bot", each.answer, each.id))
    )
