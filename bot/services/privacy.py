"""Erases a person everywhere, tells what is kept of them, and prunes what is older than the settings keep it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.services.audit import AuditTrail
from bot.services.personal_data import EventData, FeedbackData, Person, PersonalData
from bot.services.retention import Retention
from bot.state.protocol import StateStore
from feedback.records import Correction, Decision, ErasureResult, Exchange, ExportedRows, Record, Vote
from feedback.stores.protocol import FeedbackStore


@dataclass(frozen=True, slots=True)
class Erasure(ErasureResult):
    """What was erased of a person: records, and what was `elsewhere`, counted by what it is."""

    elsewhere: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeptOfPerson:
    """What is kept of a person: their records, the past exports that hold rows of theirs, and what is elsewhere."""

    records: Sequence[Record]
    exports: Sequence[ExportedRows]
    elsewhere: Mapping[str, int]


class PrivacyService:
    """Removes what is kept of people from every place that is registered, in this order; feedback comes last.

    What is elsewhere is found by what feedback knows of a person, so that an erasure that broke off is completed by the
    next.
    """

    def __init__(
        self,
        *,
        feedback: FeedbackStore,
        state: StateStore,
        elsewhere: Sequence[PersonalData],
        retention: Retention,
        audit: AuditTrail,
        pseudonym: Callable[[str], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._feedback = feedback
        self._state = state
        self._elsewhere = elsewhere
        self._retention = retention
        self._audit = audit
        self._pseudonym = pseudonym
        self._clock = clock

    def forget(self, user: str, *, by: str | None = "") -> Erasure:
        """Erase what is kept of a person, and return what it was and which exports hold rows of theirs.

        `by` is who asked for it: None for whoever is at the keyboard, empty for the person. Raises `FeedbackError` and
        `StateUnavailable`; it may then be called again, for it is idempotent.
        """
        elsewhere: Counter[str] = Counter()
        for place in self._elsewhere:  # looked up each time: while their events are handled, answers come
            elsewhere.update(place.erase(self._person(user)))
        feedback, person = FeedbackData(self._feedback), self._person(user)
        elsewhere.update(feedback.erase(person))
        # Whoever erases themselves is not named: only that it was done stays.
        self._audit.record("forgot", by=by)
        for place in self._elsewhere:  # what the entry itself names, and what was added meanwhile
            place.erase(person)
        self._state.scrub(now=self._clock())
        erased = feedback.erased
        return Erasure(
            erased.exchanges,
            erased.votes,
            erased.corrections,
            erased.decisions,
            erased.exports,
            erased.histories,
            dict(elsewhere),
        )

    def forget_rest(self, people: Collection[str], *, answer: str, since: datetime) -> None:
        """Erase what an event with this answer's id has left that was being handled while its person was forgotten.

        It was accepted at `since`. Where it is of several `people`, whoever has an older record was not forgotten, and
        loses nothing. Events that wait by now came later, and stay. Raises as `forget` does.
        """
        for user in people:
            person = self._person(user)
            if len(people) > 1 and self._has_older(person, answer=answer, than=since):
                continue
            person = replace(person, answers=person.answers | {answer})
            for place in self._elsewhere:
                if not isinstance(place, EventData):
                    place.erase(person)
            self._feedback.forget(person.pseudonym)
        self._state.scrub(now=self._clock())

    def _has_older(self, person: Person, *, answer: str, than: datetime) -> bool:
        return any(
            each.at < than
            for each in self._feedback.of_person(person.pseudonym)
            if isinstance(each, Vote | Correction | Decision) or (isinstance(each, Exchange) and each.id != answer)
        )

    def show(self, user: str) -> KeptOfPerson:
        """Return what is kept of a person; nothing changes. Raises `FeedbackError` and `StateUnavailable`."""
        pseudonym = self._pseudonym(user)
        records = list(self._feedback.of_person(pseudonym))
        person = _person_of(user, pseudonym, records)
        elsewhere: Counter[str] = Counter()
        for place in self._elsewhere:
            elsewhere.update(place.find(person))
        elsewhere.update(FeedbackData(self._feedback).find_turns(records, person))
        return KeptOfPerson(records, self._feedback.exported(person.pseudonym), dict(elsewhere))

    def prune(self) -> tuple[int, int]:
        """Prune now, and return how many exchanges lost their words and how many were removed.

        Pruning also happens once a day by itself, when a question or a vote is recorded.
        """
        return self._retention.prune()

    def _person(self, user: str) -> Person:
        pseudonym = self._pseudonym(user)
        return _person_of(user, pseudonym, self._feedback.of_person(pseudonym))


def _person_of(user: str, pseudonym: str, records: Iterable[Record]) -> Person:
    """Return a person with the ids of their answers, which stand in what is kept of them."""
    answers = frozenset(each.id for each in records if isinstance(each, Exchange)) - {""}
    return Person(user.strip(), pseudonym, answers)
