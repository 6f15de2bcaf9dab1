"""Which sections stand behind answers that did not help, and who owns them."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from feedback.ports import KnowledgePort
from feedback.records import ReviewedExchange, StoredCitation
from feedback.report.citations import citation_state
from feedback.report.counts import NO_REASON, AnswerCounts, is_small_talk, most_frequent_first, rounded
from feedback.report.intervals import wilson

# A section is called failing from so many votes and so many people with a thumbs-down on (nobody does it alone), and
# if at least so much of the votes must be taken to fail.
FEWEST_VOTES = 3
FEWEST_PEOPLE = 2
LEAST_FAILURE = 0.1
# Of a list that its readers see only parts of.
MOST_SECTIONS = 5000


@dataclass(slots=True)
class _CitedSection:
    """The votes on answers that cite a section, with its last citation; `down_voters` are numbers of people."""

    citation: StoredCitation
    counts: AnswerCounts = field(default_factory=AnswerCounts)
    votes: int = 0
    down_voters: set[int] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def place(self) -> tuple[str, str]:
        """The document and the anchor."""
        return self.citation.document, self.citation.anchor

    @property
    def failure(self) -> tuple[float, float, float]:
        """The share of votes that are down, and its interval."""
        votes = self.counts.up + self.counts.down
        return (self.counts.down / votes, *wilson(self.counts.down, votes))

    @property
    def is_failing(self) -> bool:
        """Whether enough people voted, and enough of them surely down."""
        enough = self.votes >= FEWEST_VOTES and len(self.down_voters) >= FEWEST_PEOPLE
        return enough and self.failure[1] >= LEAST_FAILURE

    def names(self) -> dict[str, Any]:
        """Return what it is called in JSON."""
        citation = self.citation
        return {
            "document": citation.document,
            "anchor": citation.anchor,
            "title": citation.title,
            "section": citation.section,
        }


class SectionVotes:
    """Votes by cited section; an answer that cites k sections counts for each of them as 1/k."""

    def __init__(self) -> None:
        self._sections: dict[tuple[str, str], _CitedSection] = {}
        self._people: dict[str, int] = {}

    def add(self, reviewed: ReviewedExchange) -> None:
        """Count an answer and its votes for every section that it cites."""
        citations = {(each.document, each.anchor): each for each in reviewed.exchange.citations}
        for place, citation in citations.items():
            section = self._sections.setdefault(place, _CitedSection(citation))
            section.citation = citation
            section.counts.add(reviewed, part=1 / len(citations))
            section.votes += len(reviewed.votes)
            for vote in reviewed.votes:
                if vote.vote == "down":
                    section.down_voters.add(self._people.setdefault(vote.voter, len(self._people)))
                    section.reasons[vote.reason or NO_REASON] += 1

    @property
    def documents(self) -> frozenset[str]:
        """The documents of all sections."""
        return frozenset(document for document, _ in self._sections)

    def count_closed(self, readable: Collection[str]) -> dict[str, int]:
        """Return how many documents, voted sections and failing ones belong to no readable document."""
        closed = [each for each in self._sections.values() if each.citation.document not in readable]
        return {
            "documents": len({each.citation.document for each in closed}),
            "sections": sum(each.votes > 0 for each in closed),
            "failing": sum(each.is_failing for each in closed),
        }

    def list_voted(self, readable: Collection[str], *, most: int) -> list[dict[str, Any]]:
        """Return the satisfaction with at most `most` sections of readable documents, those with most votes first."""
        voted = [each for each in self._sections.values() if each.votes and each.citation.document in readable]
        voted.sort(key=lambda each: (-each.votes, -each.counts.answers, *each.place))
        return [{**section.names(), "votes": section.votes, **section.counts.to_json()} for section in voted[:most]]

    def list_failing(
        self, knowledge: KnowledgePort | None, readable: Collection[str], *, most: int
    ) -> list[dict[str, Any]]:
        """Return at most `most` failing sections of readable documents, the worst first.

        They are ranked by the share of votes that are at least down (95 %). Without `knowledge` nothing is known of
        their owners.
        """
        failing = [each for each in self._sections.values() if each.is_failing and each.citation.document in readable]
        failing.sort(key=lambda each: (-each.failure[1], -each.counts.down, *each.place))
        return [_describe_failing(section, knowledge) for section in failing[:most]]


def list_failing_sections(reviewed: Iterable[ReviewedExchange]) -> list[dict[str, Any]]:
    """Return the failing sections of all documents, the worst first, for a caller that asks who may read which."""
    sections = SectionVotes()
    for each in reviewed:
        if not is_small_talk(each.exchange):
            sections.add(each)
    return sections.list_failing(None, sections.documents, most=MOST_SECTIONS)


def list_owners(failing: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the owners of the failing sections, by the thumbs-down on them; those without an owner come last."""
    sections, down = Counter[str](), Counter[str]()
    for row in failing:
        sections[row["owner"]] += 1
        down[row["owner"]] += row["down"]
    ranked = sorted(sections, key=lambda owner: (not owner, -down[owner], owner))
    return [{"owner": owner, "sections": sections[owner], "down": rounded(down[owner])} for owner in ranked]


def _describe_failing(section: _CitedSection, knowledge: KnowledgePort | None) -> dict[str, Any]:
    share, low, high = section.failure
    current = knowledge.current_section(*section.place) if knowledge else None
    return {
        **section.names(),
        "owner": current.owner if current else "",
        "since": citation_state(section.citation, current) if knowledge else None,
        "votes": section.votes,
        "people": len(section.down_voters),
        "up": rounded(section.counts.up),
        "down": rounded(section.counts.down),
        "failure": {"share": rounded(share), "low": rounded(low), "high": rounded(high)},
        "reasons": most_frequent_first(section.reasons),
    }
