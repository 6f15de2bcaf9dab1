"""What is remembered of Slack in the state store: where an answer stands, which threads go on, whose votes there are.

Nothing here holds what anybody wrote. Everything expires.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from bot.state.protocol import StateStore, person_prefix

KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class AnswerLocation:
    """Where the answer to a message stands: its own messages by `ts`, the first one first, and the answer's id."""

    thread: str
    ts: tuple[str, ...]
    answer: str


class ThreadState:
    """Reads and writes it; raises `StateUnavailable`."""

    def __init__(self, state: StateStore, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._state = state
        self._now = now

    def stands(self, team: str, channel: str, question: str, place: AnswerLocation) -> None:
        """Remember where the answer to a message stands."""
        self._put(f"answer:{team}:{channel}:{question}", json.dumps(asdict(place)))
        for ts in place.ts if place.answer else ():
            self._put(f"message:{team}:{channel}:{ts}", place.answer)

    def where(self, team: str, channel: str, question: str) -> AnswerLocation | None:
        """Where the answer to a message stands, if there is one."""
        found = self._get(f"answer:{team}:{channel}:{question}")
        if found is None:
            return None
        row = json.loads(found)
        return AnswerLocation(row["thread"], tuple(row["ts"]), row["answer"])

    def answer_at(self, team: str, channel: str, ts: str) -> str | None:
        """The id of the answer that this message of ours shows."""
        return self._get(f"message:{team}:{channel}:{ts}")

    def goes_on(self, team: str, channel: str, thread: str, user: str) -> None:
        """Remember that somebody was answered in a thread."""
        self._put(f"thread:{team}:{channel}:{thread}", "1")
        self._put(f"asker:{team}:{channel}:{thread}:{_short(user)}", "1")

    def is_known(self, team: str, channel: str, thread: str) -> bool:
        """Whether anybody was answered in this thread."""
        return self._get(f"thread:{team}:{channel}:{thread}") is not None

    def has_asked(self, team: str, channel: str, thread: str, user: str) -> bool:
        """Whether this person was."""
        return self._get(f"asker:{team}:{channel}:{thread}:{_short(user)}") is not None

    def take_turn(self, team: str, channel: str, *, per_hour: int) -> bool:
        """Take one of so many answers of this hour in a channel; False when all are taken."""
        now = self._now()
        prefix = f"slack:turn:{team}:{channel}:{now:%Y%m%d%H}:"
        taken = len(self._state.keys(prefix, now=now))
        ends = now + timedelta(hours=1)
        return any(self._state.add(f"{prefix}{n}", "1", expires=ends, now=now) for n in range(taken, per_hour))

    def once(self, name: str, *, lasts: timedelta) -> bool:
        """Whether this is the first time within so long."""
        now = self._now()
        return self._state.add(f"slack:once:{name}", "1", expires=now + lasts, now=now)

    def voted(self, person: str, answer: str) -> None:
        """Remember that a person (keyed hash) has voted on an answer."""
        at = self._now()
        self._state.put(f"{_voted(person)}{answer}", f"{at:%Y-%m-%dT%H:%M:%S}", expires=at + KEPT)

    def votes(self, person: str, *, most: int) -> list[str]:
        """The answers that a person voted on last, newest first."""
        prefix = _voted(person)
        found = {key: self._state.get(key, now=self._now()) or "" for key in self._state.keys(prefix, now=self._now())}
        return [key.removeprefix(prefix) for key in sorted(found, key=lambda key: found[key], reverse=True)[:most]]

    def keep(self, name: str, value: str, *, lasts: timedelta = KEPT) -> None:
        """Keep a value of one's own."""
        self._state.put(f"slack:{name}", value, expires=self._now() + lasts)

    def kept(self, name: str) -> str | None:
        return self._get(name)

    def _put(self, name: str, value: str) -> None:
        self._state.put(f"slack:{name}", value, expires=self._now() + KEPT)

    def _get(self, name: str) -> str | None:
        return self._state.get(f"slack:{name}", now=self._now())


def _voted(person: str) -> str:
    return f"{person_prefix(person)}slack:voted:"


def _short(user: str) -> str:
    """Not the id itself: who asked is nobody's business here."""
    return hashlib.sha256(user.encode()).hexdigest()[:16]
