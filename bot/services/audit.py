"""Keeps who reviewed, accepted, exported, forgot, dumped, loaded or changed what, and when: no words, for two years."""

import json
import logging
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from bot.errors import BotError
from bot.state.protocol import StateStore
from feedback.errors import FeedbackError

logger = logging.getLogger(__name__)

PREFIX = "audit:"
KEPT = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What somebody did: `by` is a keyed hash, empty where nobody is named or whoever it was has been forgotten.

    `about` is the id of an answer or an export, the name of a source or generation, or a number; never a text that
    somebody wrote, nor a person.
    """

    at: str
    by: str
    action: str
    about: str = ""


class AuditTrail:
    """Adds and lists entries; may be used from any thread. An entry that cannot be kept is told in the log.

    `operator` names who is at the keyboard, for what is done without a name.
    """

    def __init__(
        self,
        state: Callable[[], StateStore],
        *,
        pseudonym: Callable[[str], str],
        operator: Callable[[], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._state = state
        self._pseudonym = pseudonym
        self._operator = operator
        self._clock = clock

    def record(self, action: str, *, by: str | None = None, about: str = "") -> None:
        """Add an entry; `by` is a person as they vote, None for whoever is at the keyboard, empty for nobody."""
        now = self._clock()
        try:
            person = self._pseudonym(self._operator() if by is None else by)
        except (BotError, FeedbackError) as error:
            logger.warning("the audit does not know who it was: %s", error)
            person = ""
        entry = AuditEntry(now.isoformat(), person, action, about)
        try:
            key = f"{PREFIX}{now:%Y-%m-%dT%H:%M:%S.%f}:{uuid.uuid4().hex[:8]}"
            self._state().put(key, json.dumps(asdict(entry)), expires=now + KEPT)
        except BotError as error:
            logger.warning("what was done (%s) is not in the audit: %s", action, error)

    def entries(self) -> Iterator[AuditEntry]:
        """Yield all entries, oldest first; raises `StateUnavailable`."""
        for _, value in self._state().values(PREFIX, now=self._clock()):
            entry = parse_entry(value)
            if entry:
                yield entry


def no_audit(*_: str, **__: str) -> None:
    """Keep nothing."""


def parse_entry(value: str) -> AuditEntry | None:
    """Return the entry that the state store holds; None for a damaged one."""
    try:
        entry = AuditEntry(**json.loads(value))
        datetime.fromisoformat(entry.at)
    except (ValueError, TypeError):
        return None
    return entry
