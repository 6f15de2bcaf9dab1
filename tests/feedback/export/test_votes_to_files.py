"""From votes in the store to files, and back to a person who wants to be forgotten."""

import json
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from feedback.curation.options import CurationOptions
from feedback.curation.pipeline import curate
from feedback.export.exporter import write_export
from feedback.export.formats import FORMATS
from feedback.export.request import ExportRequest
from feedback.ports import CurrentSection
from feedback.records import AnswerSentence, Correction, Decision, StoredCitation, Vote
from feedback.stores.sqlite.store import SqliteFeedback
from tests.fakes import gate
from tests.feedback.curation.samples import OPEN, FakeKnowledge, exchange, passage, refusal
from tests.feedback.export.conftest import AT, rows
from tests.feedback.export.test_exporter import tree

COUNT = 90
WORDS = "kettle ladder passport garden invoice window engine bicycle lantern market tunnel orchard violin".split()


def document(number: int) -> str:
    return f"handbook/part-{number % 9}.md"


def text(number: int) -> str:
    return f"Form {number} takes {number + 2} days."


def asked(number: int):
    """An answer from a section of its own; every tenth is a refusal."""
    drawn = random.Random(number)
    question = f"What about {' '.join(drawn.sample(WORDS, 3))} {number * 7919}?"
    section = replace(passage(text(number), f"form-{number}"), document=document(number))
    if number % 10 == 0:
        return refusal(number, question, shown=(section,))
    cited = StoredCitation(1, document(number), "Leave", "Leave", f"form-{number}", "", text(number), "v1")
    return exchange(number, question, text(number), shown=(section,), citations=(cited,))


@pytest.fixture
def kept(tmp_path):
    """A store with votes up and down, and corrections of what was voted down that somebody accepted."""
    store = SqliteFeedback(tmp_path / "feedback.db")
    for number in range(COUNT):
        given = asked(number)
        wrong = number % 3 == 1
        answer = "That takes quite long."
        if wrong and number % 10:
            given = replace(given, answer=f"{answer} [1]", sentences=(AnswerSentence(answer, (1,)),))
        store.record(given)
        later = given.at + timedelta(seconds=1)
        store.vote(Vote(f"v{number}", given.id, f"voter-{number % 40}", later, "down" if wrong else "up"))
        if wrong:
            store.correct(Correction(f"c{number}", given.id, f"author-{number}", later, text(number)))
            store.decide(Decision(f"d{number}", given.id, "reviewer", later, "accept", f"c{number}"))
    yield store
    store.close()


@pytest.fixture
def knowledge() -> FakeKnowledge:
    return FakeKnowledge(
        {(document(number), f"form-{number}"): CurrentSection("v1", text(number), OPEN) for number in range(COUNT)},
    )


def test_votes_become_files_and_a_person_finds_their_rows(kept, knowledge, tmp_path):
    options = CurationOptions(person_share=1.0)

    def export(name: str):
        return write_export(
            lambda work: curate(kept.reviewed_exchanges(), knowledge, gate(), options, work=work),
            ExportRequest(FORMATS),
            tmp_path / name,
            store=kept,
            name=name,
            at=AT,
        )

    first, second = export("first"), export("second")
    assert tree(first.place) == tree(second.place)
    exchanges = first.manifest["exchanges"]
    left = sum(sum(reasons.values()) for reasons in exchanges["rejected"].values())
    assert exchanges["in"] == COUNT == exchanges["used"] + left
    lineage = rows(first.place / "lineage.jsonl")
    assert len({row["exchange"] for row in lineage}) == exchanges["used"]
    assert len(rows(first.place / "rejected.jsonl")) == left

    pairs = rows(first.place / "trl-dpo" / "train.jsonl")
    assert any("quite long" in json.dumps(pair["rejected"]) for pair in pairs)
    assert all("quite long" not in json.dumps(pair["chosen"]) for pair in pairs)

    person = asked(2).asker
    expected = {row["sha256"] for row in lineage if row["exchange"] == asked(2).id}
    forgotten = kept.forget(person)
    assert [held.export.place for held in forgotten.exports] == [str(first.place), str(second.place)]
    assert {row for held in forgotten.exports for row in held.rows} == expected != set()
    third = export("third")
    assert asked(2).id not in (third.place / "lineage.jsonl").read_text("utf-8")
