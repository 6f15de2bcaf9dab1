"""Documents that answer for the report, and exchanges about them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from feedback.ports import CurrentSection, FoundSection, Message
from feedback.records import (
    AnswerSentence,
    Correction,
    Decision,
    Exchange,
    Reason,
    RetrievedPassage,
    ReviewedExchange,
    StoredCitation,
    Vote,
)
from feedback.report.gaps import COMMON
from feedback.texts.words import split_words

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def question_terms(text: str) -> list[str]:
    """The words of a question that tell something; all of them where none does."""
    found = split_words(text)
    return [word for word in found if word not in COMMON] or found


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


@dataclass
class FakeKnowledge:
    """A `KnowledgePort` over sections kept by document and anchor.

    A sentence is supported by a text that holds all its words; a search finds by the share of the question's words.
    """

    sections: dict[tuple[str, str], CurrentSection] = field(default_factory=dict)
    searches: list[Exchange] = field(default_factory=list)

    def put(self, document: str, anchor: str, text: str, *, version: str = "v1", owner: str = "") -> None:
        self.sections[document, anchor] = CurrentSection(version, text, frozenset({"everyone"}), owner)

    def current_section(self, document: str, anchor: str) -> CurrentSection | None:
        return self.sections.get((document, anchor))

    def supports(self, sentence: str, texts: Sequence[str]) -> bool:
        return any(words(sentence) <= words(text) for text in texts)

    def cite_sentences(self, text: str, passages: Sequence[str]) -> Sequence[AnswerSentence]:
        sentences = [each for each in re.split(r"(?<=\.)\s+", text.strip()) if each]
        return [
            AnswerSentence(
                each, tuple(n for n, passage in enumerate(passages, 1) if self.supports(each, [passage]))[:1]
            )
            for each in sentences
        ]

    def is_refusal(self, text: str) -> bool:
        raise AssertionError("a report reads no correction")

    def search(self, exchange: Exchange) -> Sequence[FoundSection]:
        self.searches.append(exchange)
        asked = words(exchange.question)
        scored = [
            (len(asked & words(section.text)) / len(asked), place, section) for place, section in self.sections.items()
        ]
        best = max((score for score, _, _ in scored), default=0.0)
        ranked = sorted(scored, key=lambda each: (-each[0], each[1]))[:3]
        return [FoundSection(*place, section.version, section.text, score, best) for score, place, section in ranked]

    def sections_supporting(self, text: str, groups: frozenset[str]) -> Sequence[FoundSection]:
        raise AssertionError("a report looks for no section by an answer")

    def prompt(self, exchange: Exchange, shown: Sequence[RetrievedPassage]) -> Sequence[Message]:
        return [("user", exchange.question), *(("system", each.text) for each in shown)]

    def completion(self, sentences: Sequence[AnswerSentence]) -> str:
        return " ".join(sentence.text for sentence in sentences)


LEAVE = "Five days of leave may be carried over into the next year."


def fake_knowledge() -> FakeKnowledge:
    made = FakeKnowledge()
    made.put("handbook/leave.md", "carry", LEAVE, owner="People")
    made.put("handbook/ill.md", "call", "Call before ten when you are ill.", owner="Health")
    return made


def passage(
    text: str = LEAVE, *, document: str = "handbook/leave.md", anchor: str = "carry", version: str = "v1"
) -> RetrievedPassage:
    return RetrievedPassage(document, anchor, "Leave > Carry-over", "Leave", version, text, 0.9)


def citation(
    *, document: str = "handbook/leave.md", anchor: str = "carry", version: str = "v1", quote: str = LEAVE
) -> StoredCitation:
    return StoredCitation(1, document, "Leave", "Leave > Carry-over", anchor, "", quote, version)


def exchange(number: int = 0, **changes) -> Exchange:
    """An answer about carrying days over that the documents support."""
    made = Exchange(
        id=f"answer-{number:05}",
        at=MONDAY + timedelta(hours=number),
        question="How many days of leave may be carried over?",
        answer=f"{LEAVE} [1]",
        asker=f"asker-{number}",
        platform="slack",
        shown=(passage(),),
        sentences=(AnswerSentence(LEAVE, (1,)),),
        citations=(citation(),),
        confidence=0.8,
        generator="extractive",
    )
    return replace(made, **changes)


def refusal(number: int = 0, question: str = "Where do I park my bicycle?", **changes) -> Exchange:
    """A question that was not answered, though something was looked at."""
    nothing = {"answer": "I could not find this in the documents.", "sentences": (), "citations": (), "abstained": True}
    return exchange(number, question=question, **{**nothing, **changes})


def down(voter: str = "ada", reason: Reason = "", *, at: datetime = MONDAY) -> Vote:
    return Vote(f"down-{voter}", "", voter, at, "down", reason)


def up(voter: str = "ada", *, at: datetime = MONDAY) -> Vote:
    return Vote(f"up-{voter}", "", voter, at, "up")


def correction(text: str, *, accepted: bool | None = None) -> Correction:
    return Correction("correction", "", "ada", MONDAY, text, accepted)


def decision(verdict: str) -> Decision:
    return Decision("decision", "", "reviewer", MONDAY, verdict)  # type: ignore[arg-type]


def reviewed(
    about: Exchange | None = None,
    *votes: Vote,
    corrections: Sequence[Correction] = (),
    decisions: Sequence[Decision] = (),
) -> ReviewedExchange:
    return ReviewedExchange(about or exchange(), votes, tuple(corrections), tuple(decisions))
