"""Every place that can hold a person's words or id, each with how to find and erase them there.

Whoever adds a place in which something of a person is kept adds it here, and registers it in `bot.app`; the test of
forgetting writes through every door and searches every byte that is left.

| place | what may be there of a person |
|---|---|
| `FeedbackData` | exchanges, votes, corrections, decisions, also in the journal; turns in others' histories |
| `EventData` | events that are accepted and not finished: what they wrote, whoever asks it, their id, checkpoints |
| `SharedData` | who takes part in threads, voted or was welcomed, private answers to be shared, questions passed on,
|             | with who replied to them, and reminders of them |
| `DirectoryData` | what a platform tells of who is in which channel and user group, and who is a guest, by keyed hash |
| `AuditData` | who reviewed, exported, forgot: the entry stays, the name goes |

Exports lie where they were written: `forget` names them and the rows.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.access.directory import ACCOUNT, DIRECTORY, SHORT_NAME
from bot.services.audit import KEPT, PREFIX, parse_entry
from bot.services.escalation import ESCALATIONS
from bot.state.protocol import Event, StateStore, person_prefix, unkeyed_name
from feedback.records import ErasureResult, Exchange, Record, kind_of, turns_of, without_turns
from feedback.stores.protocol import FeedbackStore

NAME = re.compile(r"[\w.-]+")
# What adds to the members of a channel: their list, and that somebody has come or gone.
ADDITION = re.compile(r":(?:list|(?:moved|came):[^:]*)\Z")
# More than a conversation ever has.
ALL = 10**9


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as they are named (`PLATFORM:ID`, an e-mail address), their keyed hash, and the ids of their answers."""

    name: str
    pseudonym: str
    answers: frozenset[str] = frozenset()

    @property
    def platform_id(self) -> str:
        """The id on their platform; empty for other names."""
        return self.name.partition(":")[2]


class PersonalData(Protocol):
    """A place that can hold a person's words or id; both methods count by what it is, and raise where it is down."""

    def find(self, person: Person) -> Mapping[str, int]:
        """Count what is there of a person; nothing changes."""
        ...

    def erase(self, person: Person) -> Mapping[str, int]:
        """Erase what is there of a person, and count it; a second time there is nothing."""
        ...


class FeedbackData:
    """The feedback store, with the journal in front of it; `erased` is what the last erasure has returned."""

    def __init__(self, feedback: FeedbackStore) -> None:
        self._feedback = feedback
        self.erased = ErasureResult()

    def find(self, person: Person) -> Mapping[str, int]:
        """Count records by kind, and the exchanges of others that hold turns of theirs."""
        records = list(self._feedback.of_person(person.pseudonym))
        return {**Counter(f"{kind_of(type(each))}s" for each in records), **self.find_turns(records, person)}

    def find_turns(self, records: Sequence[Record], person: Person) -> Mapping[str, int]:
        """Count the exchanges of others that hold turns of theirs; `records` are all that are kept of them."""
        own = [each for each in records if isinstance(each, Exchange)]
        return _counted("turns in others' conversations", self._in_histories(own, person.pseudonym))

    def erase(self, person: Person) -> Mapping[str, int]:
        """Erase records, and turns in the histories of others."""
        self.erased = self._feedback.forget(person.pseudonym)
        return _counted("turns in others' conversations", self.erased.histories)

    def _in_histories(self, own: list[Exchange], pseudonym: str) -> int:
        """Count the exchanges of others that hold turns of these."""
        found: set[str] = set()
        for each in own:
            others = self._feedback.conversation(each.conversation, limit=ALL) if each.conversation else []
            turns = turns_of(each)
            found |= {it.id for it in others if it.asker != pseudonym and without_turns(it, turns) is not it}
        return len(found)


class EventData:
    """Events that are accepted and not finished; `people` gives the keyed hashes of those whose they are."""

    def __init__(
        self, state: StateStore, *, people: Callable[[Event], frozenset[str]], clock: Callable[[], datetime]
    ) -> None:
        self._state = state
        self._people = people
        self._clock = clock

    def find(self, person: Person) -> Mapping[str, int]:
        """Count the events of a person."""
        return _counted("waiting questions", len(self._theirs(person)))

    def erase(self, person: Person) -> Mapping[str, int]:
        """Discard the events of a person, also those that are being handled."""
        events = self._theirs(person)
        gone = sum(self._state.discard(each, now=self._clock()) for each in events)
        return _counted("waiting questions", gone)

    def _theirs(self, person: Person) -> list[Event]:
        return [each for each in self._state.unfinished() if person.pseudonym in self._people(each)]


class SharedData:
    """Values that replicas share: those kept under a person's name, and those about their answers."""

    def __init__(self, state: StateStore, *, clock: Callable[[], datetime]) -> None:
        self._state = state
        self._clock = clock

    def find(self, person: Person) -> Mapping[str, int]:
        """Count the values."""
        return _counted("values shared by replicas", sum(1 for _ in self._theirs(person)))

    def erase(self, person: Person) -> Mapping[str, int]:
        """Remove the values."""
        keys = list(self._theirs(person))
        for key in keys:
            self._state.remove(key)
        return _counted("values shared by replicas", len(keys))

    def _theirs(self, person: Person) -> Iterator[str]:
        prefix = person_prefix(person.pseudonym)
        # How earlier versions remembered who takes part in a thread.
        unkeyed = unkeyed_name(person.platform_id)
        for key, value in self._state.values("", now=self._clock()):
            if key.startswith((PREFIX, DIRECTORY)):
                continue
            is_theirs = key.startswith(prefix) or (person.platform_id and key.endswith(f":{unkeyed}"))
            names = set(NAME.findall(f"{key} {value}"))
            # The place of a question that was passed on privately is the asker.
            is_passed_on = key.startswith(ESCALATIONS) and person.platform_id in names
            # The account of whoever is forgotten by their e-mail address has its keyed hash.
            is_account = ACCOUNT in key and person.pseudonym in names
            if is_theirs or is_passed_on or is_account or names & person.answers:
                yield key


class DirectoryData:
    """What a platform tells of its people, by keyed hash; that of a person alone is in `SharedData`.

    What a person stands in is erased whole, and asked of the platform again when it is needed: a channel of which they
    were taken out would count as read by staff alone if they are a guest.
    """

    def __init__(self, state: StateStore, *, clock: Callable[[], datetime]) -> None:
        self._state = state
        self._clock = clock

    def find(self, person: Person) -> Mapping[str, int]:
        """Count the values that name a person."""
        return _counted("values of who is where", sum(1 for _ in self._theirs(person)))

    def erase(self, person: Person) -> Mapping[str, int]:
        """Remove the values, each after the one that it adds to."""
        keys = list(self._theirs(person))
        for key in keys:
            self._state.remove(ADDITION.sub("", key))
            self._state.remove(key)
        return _counted("values of who is where", len(keys))

    def _theirs(self, person: Person) -> Iterator[str]:
        short = person.pseudonym[:SHORT_NAME]
        for key, value in self._state.values(DIRECTORY, now=self._clock()):
            if short and (short in key or short in value):
                yield key


class AuditData:
    """The audit trail: what was done stays, and that somebody was forgotten; who it was and their answers go."""

    def __init__(self, state: StateStore, *, clock: Callable[[], datetime]) -> None:
        self._state = state
        self._clock = clock

    def find(self, person: Person) -> Mapping[str, int]:
        """Count the entries that name a person or an answer of theirs."""
        return _counted("entries of the audit", len(self._theirs(person)))

    def erase(self, person: Person) -> Mapping[str, int]:
        """Take the names out of the entries."""
        theirs = self._theirs(person)
        for key, value in theirs.items():
            entry = parse_entry(value)
            if entry is None:
                self._state.remove(key)
                continue
            by = "" if entry.by == person.pseudonym else entry.by
            about = "" if entry.about in person.answers else entry.about
            expires = datetime.fromisoformat(entry.at) + KEPT
            self._state.put(key, json.dumps(asdict(replace(entry, by=by, about=about))), expires=expires)
        return _counted("entries of the audit", len(theirs))

    def _theirs(self, person: Person) -> dict[str, str]:
        wanted = person.answers | {person.pseudonym}
        return {
            key: value
            for key, value in self._state.values(PREFIX, now=self._clock())
            if wanted & set(NAME.findall(value))
        }


def _counted(name: str, number: int) -> Mapping[str, int]:
    return {name: number} if number else {}
