"""Decides whether an exchange may be in rows, and the turns before it: each as if it were an exchange of its own."""

from collections.abc import Iterator
from itertools import product, zip_longest
from typing import Literal

from feedback.ports import AudiencePort
from feedback.records import Exchange
from feedback.texts.hashing import hash_text

AudienceState = Literal["", "restricted", "history-restricted", "history-unknown"]


class ExchangeAudience:
    """Is told of every exchange, oldest first, and of each says whether readers of `groups` may see it whole.

    A turn is looked up by the exchange that it is from. Records of before that was kept are found by their words among
    the earlier exchanges of the same conversation. Without a conversation nothing is remembered: whoever asked gave
    the turns with the question, and they are as open as it is, unless an exchange with these words is closed. Grows
    with the number of exchanges, not with their texts.
    """

    def __init__(self, audience: AudiencePort, groups: frozenset[str]) -> None:
        self._audience = audience
        self._groups = groups
        self._exchanges: dict[str, bool] = {}  # whether each may be seen
        self._turns: dict[bytes, bool] = {}

    def check(self, exchange: Exchange) -> AudienceState:
        """Return why an exchange or its history may not be in rows, empty where they may; remembers the exchange.

        What cannot be told counts as `history-unknown`: the exchange of a turn is gone, or never was recorded.
        """
        states = list(self._states(exchange))
        if not self._remember(exchange):
            return "restricted"
        if False in states:
            return "history-restricted"
        return "history-unknown" if None in states else ""

    def _states(self, exchange: Exchange) -> Iterator[bool | None]:
        """Yield for each turn whether it may be seen, None where that is not known."""
        for (role, text), origin in zip_longest(exchange.history, exchange.history_exchanges[: len(exchange.history)]):
            if origin:
                yield self._exchanges.get(origin)
            else:
                given = None if exchange.conversation else True
                yield self._turns.get(_turn_key(exchange.conversation, role, text), given)

    def _remember(self, exchange: Exchange) -> bool:
        """Return whether the exchange itself may be seen."""
        is_visible = self._audience.may_show(exchange, self._groups)
        self._exchanges[exchange.id] = is_visible
        if not exchange.pruned:
            turns = (("user", exchange.question), ("bot", exchange.answer))
            for conversation, (role, text) in product({exchange.conversation, ""}, turns):
                key = _turn_key(conversation, role, text)
                # What was said twice is as closed as the more closed of the two.
                self._turns[key] = self._turns.get(key, True) and is_visible
        return is_visible


def _turn_key(conversation: str, role: str, text: str) -> bytes:
    return hash_text(f"{conversation}\0{role}\0{text}")[:16]
