"""Selects what of a remembered conversation the person who asks now, or who reads an exchange later, may know of."""

from collections.abc import Callable, Sequence
from dataclasses import replace

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


def without_closed_turns(exchange: Exchange, *, may_show: Callable[[str], bool]) -> Exchange:
    """Return an exchange without the earlier turns that its readers may not know of.

    `may_show` tells whether they may see the exchange with this id, from which a turn is. A turn of a conversation of
    which that is not known leaves; one that was given with a question that stands alone is as open as the question.
    """
    origins = exchange.history_exchanges or ("",) * len(exchange.history)
    turns = zip(exchange.history, origins, strict=False)
    kept = [(turn, origin) for turn, origin in turns if (may_show(origin) if origin else not exchange.conversation)]
    return replace(
        exchange,
        history=tuple(turn for turn, _ in kept),
        history_exchanges=tuple(origin for _, origin in kept),
    )
