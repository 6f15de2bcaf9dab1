"""Counts of answers and votes: of all, by platform, generator, week and document. Grows with names, not with rows."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from feedback.records import Exchange, ReviewedExchange
from feedback.report.intervals import busiest_tenth, by_person, wilson

# The generator of greetings and thanks: neither a question nor an answer.
SMALL_TALK = "conversation"
NO_REASON = "none"


@dataclass(slots=True)
class AnswerCounts:
    """How many answers and votes there are; fractions where an answer counts for several documents in equal parts."""

    answers: float = 0
    refusals: float = 0
    fallbacks: float = 0
    voted: float = 0
    up: float = 0
    down: float = 0

    def add(self, reviewed: ReviewedExchange, *, part: float = 1) -> None:
        """Count an answer and its votes, each as `part` of one."""
        ups = sum(vote.vote == "up" for vote in reviewed.votes)
        downs = sum(vote.vote == "down" for vote in reviewed.votes)
        self.answers += part
        self.refusals += part * reviewed.exchange.abstained
        self.fallbacks += part * (reviewed.exchange.fallback is not None)
        self.voted += part * (ups + downs > 0)
        self.up += part * ups
        self.down += part * downs

    def to_json(self) -> dict[str, Any]:
        """Return the counts, the response rate, and the satisfaction with its interval; null without a vote."""
        return {
            "answers": rounded(self.answers),
            "refusals": rounded(self.refusals),
            "fallbacks": rounded(self.fallbacks),
            "voted": rounded(self.voted),
            "response_rate": rounded(self.voted / self.answers) if self.answers else None,
            "up": rounded(self.up),
            "down": rounded(self.down),
            "satisfaction": share_with_interval(self.up, self.up + self.down),
        }


CountsByName = defaultdict[str, AnswerCounts]


@dataclass(slots=True)
class ReportCounts:
    """All counts of a report; of people only how many there are and how each of them votes."""

    total: AnswerCounts = field(default_factory=AnswerCounts)
    platforms: CountsByName = field(default_factory=lambda: defaultdict(AnswerCounts))
    generators: CountsByName = field(default_factory=lambda: defaultdict(AnswerCounts))
    weeks: CountsByName = field(default_factory=lambda: defaultdict(AnswerCounts))
    documents: CountsByName = field(default_factory=lambda: defaultdict(AnswerCounts))
    reasons: Counter[str] = field(default_factory=Counter)
    askers: set[str] = field(default_factory=set)
    voters: dict[str, tuple[int, int]] = field(default_factory=dict)
    small_talk: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def add(self, reviewed: ReviewedExchange) -> None:
        """Count an exchange everywhere it belongs; exchanges come oldest first. Small talk is only counted as such."""
        exchange = reviewed.exchange
        if is_small_talk(exchange):
            self.small_talk += 1
            return
        self.first, self.last = self.first or exchange.at, exchange.at
        self.askers.add(exchange.asker)
        for counts in (
            self.total,
            self.platforms[exchange.platform],
            self.generators[exchange.generator],
            self.weeks[iso_week(exchange.at)],
        ):
            counts.add(reviewed)
        documents = sorted({citation.document for citation in exchange.citations})
        for document in documents:
            self.documents[document].add(reviewed, part=1 / len(documents))
        for vote in reviewed.votes:
            up, down = self.voters.get(vote.voter, (0, 0))
            self.voters[vote.voter] = (up + (vote.vote == "up"), down + (vote.vote == "down"))
            if vote.vote == "down":
                self.reasons[vote.reason or NO_REASON] += 1

    def to_json(self, readable: Collection[str], *, most: int) -> dict[str, Any]:
        """Return the counts of all, and of each kind of name at most `most`, those with most votes first.

        Only `readable` documents are named.
        """
        total = self.total.to_json()
        people = by_person(self.voters.values())
        if total["satisfaction"]:
            low, high = people or (None, None)
            total["satisfaction"] |= {"people_low": rounded(low), "people_high": rounded(high)}
        return {
            "first": self.first.date().isoformat() if self.first else None,
            "last": self.last.date().isoformat() if self.last else None,
            **total,
            "askers": len(self.askers - {""}),
            "voters": len(self.voters),
            "busiest_tenth": rounded(busiest_tenth(self.voters.values())),
            "small_talk": self.small_talk,
            "reasons": most_frequent_first(self.reasons),
            "weeks": [{"name": name, **counts.to_json()} for name, counts in sorted(self.weeks.items())],
            "platforms": _list_most_voted(self.platforms, most),
            "generators": _list_most_voted(self.generators, most),
            "documents": _list_most_voted(
                {name: counts for name, counts in self.documents.items() if name in readable}, most
            ),
        }


def is_small_talk(exchange: Exchange) -> bool:
    """Return whether nothing was asked and nothing looked up."""
    return exchange.generator == SMALL_TALK


def iso_week(at: datetime) -> str:
    """Return the ISO week, such as 2026-W09."""
    year, number, _ = at.isocalendar()
    return f"{year}-W{number:02}"


def share_with_interval(part: float, whole: float) -> dict[str, Any] | None:
    """Return a share with its interval of 95 %; None of nothing."""
    if whole <= 0:
        return None
    low, high = wilson(part, whole)
    return {"share": rounded(part / whole), "low": rounded(low), "high": rounded(high)}


def rounded(number: float | None) -> Any:
    """Return a number as JSON is to hold it: whole ones as such, others to four places; None stays None."""
    return None if number is None else int(number) if float(number).is_integer() else round(number, 4)


def most_frequent_first(counts: Counter[str]) -> dict[str, int]:
    """Return the counts, the largest first, ties by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _list_most_voted(by_name: Mapping[str, AnswerCounts], most: int) -> list[dict[str, Any]]:
    ranked = sorted(by_name.items(), key=lambda item: (-item[1].up - item[1].down, -item[1].answers, item[0]))[:most]
    return [{"name": name, **counts.to_json()} for name, counts in ranked]
