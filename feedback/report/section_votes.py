"""Which sections stand behind answers that did not help, and who owns them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from feedback.ports import KnowledgePort, MayName
from feedback.records import ReviewedExchange, StoredCitation
from feedback.report.citations import citation_state
from feedback.report.counts import NO_REASON, AnswerCounts, is_small_talk, most_frequent_first, rounded
from feedback.report.intervals import wilson

# A section is called failing from so many votes and so many people with a thumbs-down on (nobody does it alone), and
# if at least so much of the votes must be taken to fail.
FEWEST_VOTES = 3
FEWEST_PEOPLE = 2
LEAST_FAILURE = 0.1


@dataclass(slots=True)
class _CitedSection:
    """The votes on answers that cite a section; `down_voters` are numbers of people.

    `citations` are its last ones by the groups that saw them, the newest at the end.
    """

    place: tuple[str, str]  # the document and the anchor
    citations: dict[frozenset[str], StoredCitation] = field(default_factory=dict)
    counts: AnswerCounts = field(default_factory=AnswerCounts)
    votes: int = 0
    down_voters: set[int] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)

    def cite(self, citation: StoredCitation, shown_to: frozenset[str]) -> None:
        """Remember a citation, the newest so far."""
        self.citations.pop(shown_to, None)
        self.citations[shown_to] = citation

    def named(self, may_name: MayName) -> StoredCitation | None:
        """Return the newest citation that it may be named after; None for none."""
        return next((each for to, each in reversed(self.citations.items()) if may_name(each, to)), None)

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


def _names(citation: StoredCitation) -> dict[str, Any]:
    """Return what a section is called in JSON."""
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
            section = self._sections.setdefault(place, _CitedSection(place))
            section.cite(citation, reviewed.exchange.groups)
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

    def count_closed(self, may_name: MayName) -> dict[str, int]:
        """Return how many sections with votes and failing ones may not be named, and documents without one that may."""
        closed = [each for each in self._sections.values() if each.named(may_name) is None]
        named = {each.place[0] for each in self._sections.values()} - {each.place[0] for each in closed}
        return {
            "documents": len({each.place[0] for each in closed} - named),
            "sections": sum(each.votes > 0 for each in closed),
            "failing": sum(each.is_failing for each in closed),
        }

    def list_voted(self, may_name: MayName, *, most: int) -> list[dict[str, Any]]:
        """Return the satisfaction with at most `most` sections that may be named, those with most votes first."""
        voted = self._named(may_name, (each for each in self._sections.values() if each.votes))
        voted.sort(key=lambda pair: (-pair[0].votes, -pair[0].counts.answers, *pair[0].place))
        return [
            {**_names(citation), "votes": section.votes, **section.counts.to_json()}
            for section, citation in voted[:most]
        ]

    def list_failing(self, knowledge: KnowledgePort | None, may_name: MayName, *, most: int) -> list[dict[str, Any]]:
        """Return at most `most` failing sections that may be named, the worst first.

        They are ranked by the share of votes that are at least down (95 %). Without `knowledge` nothing is known of
        their owners.
        """
        failing = self._named(may_name, (each for each in self._sections.values() if each.is_failing))
        failing.sort(key=lambda pair: (-pair[0].failure[1], -pair[0].counts.down, *pair[0].place))
        return [_describe_failing(section, citation, knowledge) for section, citation in failing[:most]]

    def _named(
        self, may_name: MayName, sections: Iterable[_CitedSection]
    ) -> list[tuple[_CitedSection, StoredCitation]]:
        return [(each, citation) for each in sections if (citation := each.named(may_name))]


def count_section_votes(reviewed: Iterable[ReviewedExchange]) -> SectionVotes:
    """Return the votes on the sections of all documents, whoever may read them."""
    sections = SectionVotes()
    for each in reviewed:
        if not is_small_talk(each.exchange):
            sections.add(each)
    return sections


def list_owners(failing: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the owners of the failing sections, by the thumbs-down on them; those without an owner come last."""
    sections, down = Counter[str](), Counter[str]()
    for row in failing:
        sections[row["owner"]] += 1
        down[row["owner"]] += row["down"]
    ranked = sorted(sections, key=lambda owner: (not owner, -down[owner], owner))
    return [{"owner": owner, "sections": sections[owner], "down": rounded(down[owner])} for owner in ranked]


def _describe_failing(
    section: _CitedSection, citation: StoredCitation, knowledge: KnowledgePort | None
) -> dict[str, Any]:
    share, low, high = section.failure
    current = knowledge.current_section(*section.place) if knowledge else None
    return {
        **_names(citation),
        "owner": current.owner if current else "",
        "since": citation_state(citation, current) if knowledge else None,
        "votes": section.votes,
        "people": len(section.down_voters),
        "up": rounded(section.counts.up),
        "down": rounded(section.counts.down),
        "failure": {"share": rounded(share), "low": rounded(low), "high": rounded(high)},
        "reasons": most_frequent_first(section.reasons),
    }
