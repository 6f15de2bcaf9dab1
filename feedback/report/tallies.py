"""Counts of answers and votes: of the whole, by platform, generator, week and document. Grows with names, not rows."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from feedback.records import Exchange, ReviewedExchange
from feedback.report.intervals import busiest_tenth, by_person, wilson

# The generator of greetings and thanks: neither a question nor an answer.
SMALL_TALK = "conversation"
NO_REASON = "none"


@dataclass(slots=True)
class Tally:
    """Answers and votes; fractions where an answer counts for several documents in equal parts."""

    answers: float = 0
    refusals: float = 0
    fallbacks: float = 0
    voted: float = 0
    up: float = 0
    down: float = 0

    def add(self, judged: ReviewedExchange, *, part: float = 1) -> None:
        ups = sum(vote.vote == "up" for vote in judged.votes)
        downs = sum(vote.vote == "down" for vote in judged.votes)
        self.answers += part
        self.refusals += part * judged.exchange.abstained
        self.fallbacks += part * (judged.exchange.fallback is not None)
        self.voted += part * (ups + downs > 0)
        self.up += part * ups
        self.down += part * downs

    def figures(self) -> dict[str, Any]:
        """The counts, the response rate, and the satisfaction with its interval, which is null without a vote."""
        return {
            "answers": neat(self.answers),
            "refusals": neat(self.refusals),
            "fallbacks": neat(self.fallbacks),
            "voted": neat(self.voted),
            "response_rate": neat(self.voted / self.answers) if self.answers else None,
            "up": neat(self.up),
            "down": neat(self.down),
            "satisfaction": share(self.up, self.up + self.down),
        }


@dataclass(slots=True)
class Tallies:
    """All of it; of people only how many there are and how each of them votes."""

    whole: Tally = field(default_factory=Tally)
    platforms: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    generators: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    weeks: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    documents: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    reasons: Counter[str] = field(default_factory=Counter)
    askers: set[str] = field(default_factory=set)
    voters: dict[str, tuple[int, int]] = field(default_factory=dict)
    small_talk: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def add(self, judged: ReviewedExchange) -> None:
        exchange = judged.exchange
        if is_small_talk(exchange):
            self.small_talk += 1
            return
        self.first, self.last = self.first or exchange.at, exchange.at
        self.askers.add(exchange.asker)
        for tally in (
            self.whole,
            self.platforms[exchange.platform],
            self.generators[exchange.generator],
            self.weeks[week(exchange.at)],
        ):
            tally.add(judged)
        documents = sorted({cited.document for cited in exchange.citations})
        for document in documents:
            self.documents[document].add(judged, part=1 / len(documents))
        self._add_votes(judged)

    def _add_votes(self, judged: ReviewedExchange) -> None:
        for vote in judged.votes:
            up, down = self.voters.get(vote.voter, (0, 0))
            self.voters[vote.voter] = (up + (vote.vote == "up"), down + (vote.vote == "down"))
            if vote.vote == "down":
                self.reasons[vote.reason or NO_REASON] += 1

    def figures(self, *, most: int) -> dict[str, Any]:
        """What the report tells of the whole, and by each name at most so many, those with most answers first."""
        whole = self.whole.figures()
        people = by_person(self.voters.values())
        if whole["satisfaction"]:
            low, high = people or (None, None)
            whole["satisfaction"] |= {"people_low": neat(low), "people_high": neat(high)}
        return {
            "first": self.first.date().isoformat() if self.first else None,
            "last": self.last.date().isoformat() if self.last else None,
            **whole,
            "askers": len(self.askers - {""}),
            "voters": len(self.voters),
            "busiest_tenth": neat(busiest_tenth(self.voters.values())),
            "small_talk": self.small_talk,
            "reasons": dict(sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))),
            "weeks": [{"name": name, **tally.figures()} for name, tally in sorted(self.weeks.items())],
            "platforms": _most(self.platforms, most),
            "generators": _most(self.generators, most),
            "documents": _most(self.documents, most),
        }


def is_small_talk(exchange: Exchange) -> bool:
    """Whether nothing was asked and nothing looked up."""
    return exchange.generator == SMALL_TALK


def week(at: datetime) -> str:
    """The ISO week, such as 2026-W09."""
    year, number, _ = at.isocalendar()
    return f"{year}-W{number:02}"


def share(part: float, whole: float) -> dict[str, Any] | None:
    """A share with its interval; None of nothing."""
    if whole <= 0:
        return None
    low, high = wilson(part, whole)
    return {"share": neat(part / whole), "low": neat(low), "high": neat(high)}


def neat(number: float | None) -> Any:
    """A number as JSON is to hold it: whole ones as such, others to four places."""
    return None if number is None else int(number) if float(number).is_integer() else round(number, 4)


def _most(tallies: dict[str, Tally], most: int) -> list[dict[str, Any]]:
    ranked = sorted(tallies.items(), key=lambda item: (-item[1].up - item[1].down, -item[1].answers, item[0]))[:most]
    return [{"name": name, **tally.figures()} for name, tally in ranked]
