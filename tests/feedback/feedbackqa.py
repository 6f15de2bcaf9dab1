"""FeedbackQA's ratings as feedback: people read a question with a section of a page and said whether it helps.

Each (question, section) becomes an exchange: the answer is the section's first sentences, quoted, and beside the
section stand its neighbours on the page, as passages that were shown and not cited. `Excellent` and `Acceptable` are
votes up, `Could be Improved` and `Bad` votes down, each with the reason that its rater wrote. Everybody asked and voted
once. `python -m tests.feedback.feedbackqa DATA FOLDER` makes FOLDER/documents and, with the embedding model, a state
folder FOLDER/state that `footnote --home FOLDER/state export` and `report` work on.
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import bootstrap
from bot.config.settings import Settings
from feedback.records import AnswerSentence, Exchange, RetrievedPassage, StoredCitation, Vote
from feedback.stores.protocol import FeedbackStore
from retrieval.index.protocols import SearchIndex
from retrieval.passages import Passage
from retrieval.sectioning.sentences import sentences

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
UP = frozenset({"Excellent", "Acceptable"})
# An answer quotes so much of a section, and so many sections are shown.
QUOTED, SHOWN = 2, 8


@dataclass(frozen=True)
class RatedAnswer:
    """A question, the section that was given for it, and what its raters said."""

    question: str
    page: str
    section: str
    text: str
    name: str
    ratings: Sequence[str]
    reasons: Sequence[str]

    @property
    def document(self) -> str:
        return f"feedbackqa/{slug(self.page)}.md"


def read_ratings(folder: Path) -> list[RatedAnswer]:
    """All rows of all files, in the order of the files' names."""
    answers = []
    for path in sorted(folder.glob("*_feedback_*.json")):
        for row in json.loads(path.read_text(encoding="utf-8")):
            passage, reference = row["passage"], row["passage"]["reference"]
            name = f"{passage['source']}-{passage['passage_id']}"
            answers.append(
                RatedAnswer(
                    row["question"],
                    f"{passage['source']} {reference['page_title']}",
                    " ".join((reference["section_headers"] or [reference["page_title"]])[-1].split())[:80],
                    reference["section_content"],
                    name,
                    row["rating"],
                    row["feedback"],
                )
            )
    return answers


def write_documents(rows: Sequence[RatedAnswer], folder: Path) -> None:
    """The pages as Markdown, a section for each passage; its heading ends with the passage's name."""
    pages: dict[str, dict[str, RatedAnswer]] = {}
    for row in rows:
        pages.setdefault(row.document, {}).setdefault(row.name, row)
    for document, sections in pages.items():
        title = next(iter(sections.values())).page
        parts = [f"# {title}", *(f"## {each.section} {each.name}\n\n{each.text}" for each in sections.values())]
        path = folder / document
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def build_exchanges(rows: Sequence[RatedAnswer], index: SearchIndex) -> Iterator[tuple[Exchange, list[Vote]]]:
    """An exchange for each row, with its votes; the index holds the documents."""
    for number, row in enumerate(rows):
        passages = index.reader.sections(row.document)
        own = [each for each in passages if each.section.endswith(row.name)]
        made = _exchange(number, row, own[0], [*own, *(each for each in passages if each not in own)])
        yield (
            made,
            [
                Vote(
                    f"{made.id}-{rater}",
                    made.id,
                    f"rater-{number}-{rater}",
                    made.at + timedelta(minutes=rater + 1),
                    "up" if rating in UP else "down",
                    comment=reason,
                )
                for rater, (rating, reason) in enumerate(zip(row.ratings, row.reasons, strict=True))
            ],
        )


def record_all(rows: Sequence[RatedAnswer], index: SearchIndex, store: FeedbackStore) -> tuple[int, int]:
    """Record an exchange and its votes for each row; returns how many there were of both."""
    votes = 0
    for exchange, given in build_exchanges(rows, index):
        store.record(exchange)
        votes += sum(store.vote(vote) for vote in given)
    return len(rows), votes


def _exchange(number: int, row: RatedAnswer, cited: Passage, shown: Sequence[Passage]) -> Exchange:
    spans = sentences(cited.text)[:QUOTED]
    answer = tuple(AnswerSentence(" ".join(cited.text[start:end].split()), (1,)) for start, end in spans)
    quote = cited.text[spans[0][0] : spans[-1][1]]
    return Exchange(
        f"feedbackqa-{number:05}",
        START + timedelta(minutes=10 * number),
        row.question,
        " ".join(f"{each.text} [1]" for each in answer),
        groups=frozenset({"everyone"}),
        asker=f"asker-{number}",
        platform="web",
        shown=tuple(
            RetrievedPassage(
                each.document, each.anchor, each.section, each.title, each.version, each.embedded_text, 1 - rank / 10
            )
            for rank, each in enumerate(shown[:SHOWN])
        ),
        sentences=answer,
        citations=(
            StoredCitation(1, cited.document, cited.title, cited.section, cited.anchor, "", quote, cited.version),
        ),
        confidence=0.8,
        generator="extractive",
    )


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:80]


def main(data: str, folder: str) -> None:
    rows, place = read_ratings(Path(data)), Path(folder)
    write_documents(rows, place / "documents")
    app = bootstrap(Settings(home=place / "state"))
    app.ingestion.sync([place / "documents" / "feedbackqa"], allow_empty=True)
    exchanges, votes = record_all(rows, app.index, app.feedback)
    sys.stdout.write(f"{exchanges} exchanges, {votes} votes\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
