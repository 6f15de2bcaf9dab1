"""Records, changes and withdraws votes on answers, one by one or many at once."""

import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from bot.errors import UsageProblem
from bot.services.retention import Retention
from feedback.codec import check_key, check_record
from feedback.errors import FeedbackError, FeedbackUnavailable, UnknownExchange
from feedback.records import Correction, Reason, Record, Vote, WriteResult
from feedback.stores.protocol import FeedbackStore

Choice = Literal["up", "down", "none"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REASONS: tuple[Reason, ...] = tuple(reason for reason in get_args(Reason) if reason)

# Of a comment or a correction: more than anybody types, less than what fills a disk.
MAX_CHARACTERS = 10_000
# How far ahead of ours the clock may be that gave a vote its time, and how far ours may go back to be a mere step.
AHEAD = timedelta(minutes=5)
LATEST_HOLDS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class VoteRequest:
    """A vote on an answer; `none` withdraws the one before. A reason and a correction are allowed with `down` alone."""

    answer: str
    vote: Choice
    user: str
    reason: Reason = ""
    comment: str = ""
    correction: str = ""


@dataclass(frozen=True, slots=True)
class BatchVote:
    """A vote from a file; `key` makes it idempotent, `at` is when it was made, None where that is unknown."""

    key: str
    request: VoteRequest
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CurrentVote:
    """The vote of one person that counts for an answer, and their newest correction.

    The vote is `none` where none counts; a correction stays when the vote is withdrawn. One that `waits` is kept on
    this machine until the store can be reached, which alone knows whether there is such an answer.
    """

    vote: Vote
    correction: str = ""
    waits: bool = False


class VoteService:
    """Records and returns votes; may be used from any thread."""

    def __init__(
        self,
        *,
        feedback: FeedbackStore,
        retention: Retention,
        pseudonym: Callable[[str], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._feedback = feedback
        self._retention = retention
        self._pseudonym = pseudonym
        self._clock = clock
        self._lock = threading.Lock()
        self._latest = EPOCH

    def vote(self, request: VoteRequest, *, key: str | None = None, at: datetime | None = None) -> CurrentVote:
        """Record a vote with its correction, and return what counts of this person now.

        `key` names the click: one that is delivered again changes nothing. `at` is when it was made by the platform's
        clock, so that the last of several counts in whatever order they arrive; None, and a time that is far ahead of
        ours, is now. Raises `UsageProblem` for a request that makes no sense, and `FeedbackError`.
        """
        voter = self._pseudonym(request.user)
        made = at if at and at <= self._clock() + AHEAD else self._now()
        vote, correction = vote_records(request, voter=voter, key=key or uuid.uuid4().hex, at=made)
        self._feedback.vote(vote)
        if correction:
            self._feedback.correct(correction)
        self._retention.prune_if_due()
        current = current_vote(vote, self._feedback.votes(request.answer), self._feedback.corrections(request.answer))
        return replace(current, waits=self._waits(request.answer))

    def vote_many(self, votes: Sequence[BatchVote]) -> list[WriteResult]:
        """Record several votes at once, and return the result of each, in order; raises `FeedbackError`.

        Of votes without a time the later in this order is the later. A `waiting` one is kept on this machine until the
        store can be reached, which alone knows whether there is such an answer.
        """
        voters = [self._pseudonym(each.request.user) for each in votes]
        pairs = [
            vote_records(each.request, voter=voter, key=each.key, at=each.at or self._now())
            for each, voter in zip(votes, voters, strict=True)
        ]
        records: list[Record] = [record for pair in pairs for record in pair if record is not None]
        try:
            results = self._feedback.write_many(records)
        except FeedbackUnavailable:  # one by one they may wait in the journal
            results = [self._write(record) for record in records]
        self._retention.prune_if_due()
        return [result for record, result in zip(records, results, strict=True) if isinstance(record, Vote)]

    def current(self, answer: str, *, user: str) -> CurrentVote:
        """Return what counts of a person's votes on an answer; raises `FeedbackError`."""
        none = Vote("", answer, self._pseudonym(user), self._clock(), "none")
        return current_vote(none, self._feedback.votes(answer), self._feedback.corrections(answer))

    def _now(self) -> datetime:
        """Return the time, each later than the one before, also where the clock goes back by less than a day."""
        with self._lock:
            now = self._clock()
            if timedelta(0) <= self._latest - now < LATEST_HOLDS:
                now = self._latest + timedelta(microseconds=1)
            self._latest = now
            return now

    def _write(self, record: Any) -> WriteResult:
        write = self._feedback.vote if isinstance(record, Vote) else self._feedback.correct
        try:
            added = write(record)
        except UnknownExchange:
            return "unknown-answer"
        if self._waits(record.answer):
            return "waiting"
        return "added" if added else "known"

    def _waits(self, answer: str) -> bool:
        """Whether what was just said of an answer waits for a store that cannot be asked whether there is one."""
        try:
            self._feedback.exchange(answer)
        except FeedbackUnavailable:
            return True
        except FeedbackError:  # damaged, or gone since
            return False
        return False


def vote_records(request: VoteRequest, *, voter: str, key: str, at: datetime) -> tuple[Vote, Correction | None]:
    """Return the records of a vote; raises `UsageProblem` for a request that makes no sense."""
    comment, correction = request.comment.strip(), request.correction.strip()
    _check(request, voter=voter, comment=comment, correction=correction)
    vote = Vote(key, request.answer, voter, at, request.vote, request.reason, comment)
    return vote, Correction(key, request.answer, voter, at, correction) if correction else None


def parse_batch_vote(row: Any) -> BatchVote:
    """Parse a line of a vote file; raises `UsageProblem`, which says what is wrong with it."""
    if not isinstance(row, dict):
        raise UsageProblem("a line must be a JSON object")
    key, answer, user = (_required_text(row, name) for name in ("key", "answer", "user"))
    vote, reason = row.get("vote"), row.get("reason") or ""
    if vote not in CHOICES:
        raise UsageProblem(f"`vote` must be one of {', '.join(CHOICES)}")
    if reason and reason not in REASONS:
        raise UsageProblem(f"`reason` must be one of {', '.join(REASONS)}")
    comment, correction = (_text(row, name) for name in ("comment", "correction"))
    request = VoteRequest(answer, vote, user, reason, comment, correction)
    _check(request, voter=user, comment=comment, correction=correction)
    at = _time(row.get("at"))
    if at and at > datetime.now(UTC) + AHEAD:
        raise UsageProblem(f"`at` is {at.isoformat()}, a time that has not come yet")
    record = Vote(key, answer, "", at or EPOCH, vote, reason, comment)
    try:
        check_record(record)
        check_key(record)
    except ValueError as error:
        raise UsageProblem(str(error).replace("`vote.", "`")) from error
    return BatchVote(key, request, at)


def current_vote(vote: Vote, votes: Sequence[Vote], corrections: Sequence[Correction]) -> CurrentVote:
    """Return what counts of the voter of this vote; `votes` and `corrections` of the answer are oldest first (pure)."""
    own = [each for each in votes if each.voter == vote.voter]
    newest = [correction.text for correction in corrections if correction.author == vote.voter][-1:]
    return CurrentVote(own[0] if own else replace(vote, vote="none", reason="", comment=""), "".join(newest))


def _check(request: VoteRequest, *, voter: str, comment: str, correction: str) -> None:
    if not voter:
        raise UsageProblem("a vote needs a person: say who votes")
    down_only = {"reason": request.reason, "correction": correction}
    for name in (name for name, value in down_only.items() if value and request.vote != "down"):
        raise UsageProblem(f"a {name} goes with `down`, not with `{request.vote}`")
    if comment and request.vote == "none":
        raise UsageProblem("a comment goes with `up` or `down`, not with `none`, which withdraws a vote")
    for name, text in (("comment", comment), ("correction", correction)):
        if len(text) > MAX_CHARACTERS:
            raise UsageProblem(f"the {name} has {len(text)} characters; at most {MAX_CHARACTERS} are kept")


def _required_text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise UsageProblem(f"`{name}` must be a text that is not empty")
    return value.strip()


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageProblem(f"`{name}` must be a text")
    return (value or "").strip()


def _time(value: Any) -> datetime | None:
    """Return the time in UTC; one without an offset is taken to be in UTC already."""
    if value is None:
        return None
    with suppress(TypeError, ValueError, OverflowError):
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    raise UsageProblem("`at` must be a time in ISO 8601, such as 2026-03-02T12:00:00Z")
