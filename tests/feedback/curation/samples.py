"""Documents, exchanges and what is said of them, for the tests of curation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from feedback.curation.dataset import CuratedDataset
from feedback.curation.options import CurationOptions
from feedback.curation.pipeline import curate
from feedback.ports import AudiencePort, CurrentSection, FoundSection, Message
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
from tests.fakes import gate

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CARRY = "Five days may be carried over. Ask your manager first."
ILLNESS = "Call your manager before ten when you are ill."
OPEN = frozenset({"everyone"})


@dataclass
class FakeKnowledge:
    """A `KnowledgePort` over a few sections; a sentence is supported by a text that holds all its words."""

    sections: dict[tuple[str, str], CurrentSection] = field(default_factory=dict)
    found: list[FoundSection] = field(default_factory=list)
    searched: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    sought: list[tuple[str, frozenset[str]]] = field(default_factory=list)

    def current_section(self, document: str, anchor: str) -> CurrentSection | None:
        return self.sections.get((document, anchor))

    def supports(self, sentence: str, texts: Sequence[str]) -> bool:
        self.checked.append(sentence)
        return any(set(sentence.lower().split()) <= set(text.lower().split()) for text in texts)

    def cite_sentences(self, text: str, passages: Sequence[str]) -> list[AnswerSentence]:
        made = []
        for sentence in (each.strip() + "." for each in text.split(".") if each.strip()):
            number = next((at for at, each in enumerate(passages, start=1) if sentence in each), 0)
            made.append(AnswerSentence(sentence, (number,) if number else ()))
        return made

    def is_refusal(self, text: str) -> bool:
        return text.rstrip(".") in {"NOT FOUND", "The documents do not say"}

    def search(self, exchange: Exchange) -> list[FoundSection]:
        self.searched.append(exchange.question)
        return self.found

    def sections_supporting(self, text: str, groups: frozenset[str]) -> list[FoundSection]:
        self.sought.append((text, groups))
        return [each for each in self.found if text in each.text]

    def prompt(self, exchange: Exchange, shown: Sequence[RetrievedPassage]) -> list[Message]:
        passages = "\n".join(f"{each.title} {each.section}: {each.text}" for each in shown)
        history = "\n".join(text for _, text in exchange.history)
        return [("system", "Answer."), ("user", f"{passages}\n{history}\n{exchange.question}")]

    def completion(self, sentences: Sequence[AnswerSentence]) -> str:
        marked = [f"{each.text[:-1]} {''.join(f'[{n}]' for n in each.citations)}." for each in sentences]
        return " ".join(marked) or "NOT FOUND"


def fake_knowledge() -> FakeKnowledge:
    return FakeKnowledge(
        {
            ("handbook/leave.md", "carry"): CurrentSection("v1", CARRY, OPEN),
            ("handbook/leave.md", "ill"): CurrentSection("v1", ILLNESS, OPEN),
        }
    )


def passage(text: str = CARRY, anchor: str = "carry", **changes: Any) -> RetrievedPassage:
    return replace(RetrievedPassage("handbook/leave.md", anchor, "Leave > Rules", "Leave", "v1", text, 0.9), **changes)


def exchange(number: int, question: str, answer: str = "Five days may be carried over.", **changes: Any) -> Exchange:
    """An answer of one sentence that cites the first section; a higher number is a later one."""
    made = Exchange(
        f"answer-{number:05}",
        NOON + timedelta(minutes=number),
        question,
        f"{answer} [1]",
        groups=OPEN,
        asker=f"asker-{number}",
        shown=(passage(), passage(ILLNESS, "ill")),
        sentences=(AnswerSentence(answer, (1,)),),
        citations=(StoredCitation(1, "handbook/leave.md", "Leave", "Leave > Rules", "carry", "", CARRY[:30], "v1"),),
        generator="openai:stand-in",
    )
    return replace(made, **changes)


def refusal(number: int, question: str, **changes: Any) -> Exchange:
    made: dict[str, Any] = {"answer": "I could not find this.", "sentences": (), "citations": (), "abstained": True}
    return replace(exchange(number, question), **(made | changes))


def reviewed(
    given: Exchange, votes: str = "+", *, reason: Reason = "", comment: str = "", **more: Any
) -> ReviewedExchange:
    """An exchange with a vote of a person of its own for each `+` and `-`."""
    made = tuple(
        Vote(
            f"{given.id}-{place}",
            given.id,
            f"voter-{given.id}-{place}",
            given.at + timedelta(seconds=place),
            "up" if sign == "+" else "down",
            reason if sign == "-" else "",
            comment,
        )
        for place, sign in enumerate(votes)
    )
    return ReviewedExchange(given, made, **more)


def correction(given: Exchange, text: str, *, accepted: bool | None = True, minute: int = 1) -> Correction:
    at = given.at + timedelta(minutes=minute)
    return Correction(f"{given.id}-correction-{minute}", given.id, "author", at, text, accepted)


def decision(given: Exchange, verdict: Any, *, correction: str = "", minute: int = 2) -> Decision:
    at = given.at + timedelta(minutes=minute)
    return Decision(f"{given.id}-decision-{minute}", given.id, "reviewer", at, verdict, correction)


def curated(
    given: Iterable[ReviewedExchange],
    folder: Path,
    *,
    knowledge: FakeKnowledge | None = None,
    audience: AudiencePort | None = None,
    options: CurationOptions | None = None,
) -> CuratedDataset:
    return curate(given, knowledge or fake_knowledge(), audience or gate(), options or CurationOptions(), work=folder)


def reasons(made: CuratedDataset) -> dict[str, str]:
    """Why each exchange left."""
    return {each.exchange: f"{each.stage}:{each.reason}" for each in made.rejected_exchanges()}
