"""Which sections stand behind answers that did not help, and who owns them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from feedback.ports import KnowledgePort
from feedback.records import ReviewedExchange, StoredCitation
from feedback.report.citations import state
from feedback.report.intervals import wilson
from feedback.report.tallies import NO_REASON, Tally, neat

# A section is called failing from so many votes and so many people with a thumbs-down on (nobody does it alone), and
# if at least so much of the votes must be taken to fail.
FEWEST_VOTES = 3
FEWEST_PEOPLE = 2
LEAST_FAILURE = 0.1


@dataclass(slots=True)
class _Section:
    """What was said of answers that cite it, and as what it was cited last."""

    cited: StoredCitation
    tally: Tally = field(default_factory=Tally)
    votes: int = 0
    against: set[int] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def failure(self) -> tuple[float, float, float]:
        """The share of votes that are down, and its interval."""
        votes = self.tally.up + self.tally.down
        return (self.tally.down / votes, *wilson(self.tally.down, votes))

    @property
    def is_failing(self) -> bool:
        enough = self.votes >= FEWEST_VOTES and len(self.against) >= FEWEST_PEOPLE
        return enough and self.failure[1] >= LEAST_FAILURE


class Sections:
    """Votes by cited section; an answer that cites k sections counts for each of them as 1/k."""

    def __init__(self) -> None:
        self._sections: dict[tuple[str, str], _Section] = {}
        self._people: dict[str, int] = {}

    def add(self, judged: ReviewedExchange) -> None:
        cited = {(each.document, each.anchor): each for each in judged.exchange.citations}
        for place, citation in cited.items():
            section = self._sections.setdefault(place, _Section(citation))
            section.cited = citation
            section.tally.add(judged, part=1 / len(cited))
            section.votes += len(judged.votes)
            for vote in judged.votes:
                if vote.vote == "down":
                    section.against.add(self._people.setdefault(vote.voter, len(self._people)))
                    section.reasons[vote.reason or NO_REASON] += 1

    def voted(self, *, most: int) -> list[dict[str, Any]]:
        """The satisfaction with sections, at most so many, those with most votes first."""
        voted = [section for section in self._sections.values() if section.votes]
        voted.sort(key=lambda each: (-each.votes, -each.tally.answers, *_place(each)))
        return [{**_names(section), "votes": section.votes, **section.tally.figures()} for section in voted[:most]]

    def failing(self, sources: KnowledgePort | None, *, most: int) -> list[dict[str, Any]]:
        """Sections by the share of votes that are down at least, as sure as 95 %, the worst first.

        Without documents nothing is known of their owners.
        """
        failing = [section for section in self._sections.values() if section.is_failing]
        failing.sort(key=lambda each: (-each.failure[1], -each.tally.down, *_place(each)))
        return [_failing(section, sources) for section in failing[:most]]


def owners(failing: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Whose the failing sections are, by the thumbs-down on them; nobody's come last."""
    sections, down = Counter[str](), Counter[str]()
    for row in failing:
        sections[row["owner"]] += 1
        down[row["owner"]] += row["down"]
    ranked = sorted(sections, key=lambda owner: (not owner, -down[owner], owner))
    return [{"owner": owner, "sections": sections[owner], "down": neat(down[owner])} for owner in ranked]


def _failing(section: _Section, sources: KnowledgePort | None) -> dict[str, Any]:
    share, low, high = section.failure
    current = sources.current_section(section.cited.document, section.cited.anchor) if sources else None
    return {
        **_names(section),
        "owner": current.owner if current else "",
        "since": state(section.cited, current) if sources else None,
        "votes": section.votes,
        "people": len(section.against),
        "up": neat(section.tally.up),
        "down": neat(section.tally.down),
        "failure": {"share": neat(share), "low": neat(low), "high": neat(high)},
        "reasons": dict(sorted(section.reasons.items(), key=lambda item: (-item[1], item[0]))),
    }


def _place(section: _Section) -> tuple[str, str]:
    return section.cited.document, section.cited.anchor


def _names(section: _Section) -> dict[str, Any]:
    cited = section.cited
    return {"document": cited.document, "anchor": cited.anchor, "title": cited.title, "section": cited.section}
