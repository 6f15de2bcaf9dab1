"""What each thumbs-down is about: one case for every rule."""

from dataclasses import replace

import pytest

from feedback.records import AnswerSentence
from feedback.report.diagnosis import CLASSES, RULES, DiagnosisCase, find_rule
from tests import ROOT
from tests.feedback.report.samples import (
    LEAVE,
    citation,
    correction,
    exchange,
    fake_knowledge,
    passage,
    refusal,
    reviewed,
)

THRESHOLD = 0.6
SIX = "Six days of leave may be carried over into the next year."


def put_six(fake_knowledge):
    fake_knowledge.put("handbook/leave.md", "carry", SIX, version="v2")


def put_elsewhere(fake_knowledge):
    fake_knowledge.put("handbook/bonus.md", "more", f"{SIX} It was agreed in May.")


def put_bicycle(fake_knowledge):
    fake_knowledge.put("handbook/bicycle.md", "park", "Where do I park my bicycle? In the yard.")


def nothing(_):
    """The documents are as they were."""


CORRECTED = [correction(SIX)]
WITHOUT_WORDS = exchange(pruned=True, question="", answer="")
INVENTED = (AnswerSentence("Nine weeks may be carried over.", (1,)),)
# What is asked, corrections, reason, what happens to the documents afterwards; the number of the rule.
CASES = [
    pytest.param(exchange(), (), "tone", nothing, 0, id="tone"),
    pytest.param(exchange(), (), "unclear", put_six, 0, id="unclear"),
    pytest.param(exchange(), (), "outdated", nothing, 1, id="said-to-be-outdated"),
    pytest.param(exchange(shown=(passage(), passage(SIX))), CORRECTED, "wrong", nothing, 2, id="right-was-shown"),
    pytest.param(exchange(), CORRECTED, "wrong", put_six, 3, id="right-in-a-newer-version"),
    pytest.param(exchange(), CORRECTED, "wrong", put_elsewhere, 4, id="right-elsewhere"),
    pytest.param(exchange(), (), "wrong", put_six, 5, id="changed"),
    pytest.param(exchange(citations=(citation(anchor="gone"),)), (), "", nothing, 5, id="gone"),
    pytest.param(exchange(), CORRECTED, "wrong", nothing, 6, id="right-nowhere"),
    pytest.param(
        replace(WITHOUT_WORDS, shown=(), sentences=(), citations=(citation(quote=""),)),
        (), "wrong", nothing, 7, id="pruned",
    ),
    pytest.param(refusal(), (), "", nothing, 8, id="refused-and-still-nothing"),
    pytest.param(
        exchange(question="Who pays for the yearly gala?", sentences=INVENTED), (), "wrong", nothing, 8, id="invented"
    ),
    pytest.param(refusal(), (), "", put_bicycle, 9, id="refused-and-found-now"),
    pytest.param(refusal(question="May leave be carried over?"), (), "", nothing, 10, id="refused-though-shown"),
    pytest.param(
        exchange(sentences=(AnswerSentence("Call before ten.", (1,)),), question="Call when you are ill?"),
        (), "wrong", nothing, 11, id="supported-by-what-was-not-shown",
    ),
    pytest.param(exchange(question="Call before ten when ill?"), (), "wrong-source", nothing, 12, id="better-now"),
    pytest.param(exchange(), (), "incomplete", nothing, 13, id="incomplete"),
    pytest.param(exchange(sentences=INVENTED), (), "", nothing, 13, id="invented-over-the-right-passage"),
    pytest.param(exchange(), (), "", nothing, 14, id="nothing-to-tell-by"),
]  # fmt: skip


@pytest.mark.parametrize(("about", "corrections", "reason", "happens", "rule"), CASES)
def test_the_first_rule_that_holds_decides(about, corrections, reason, happens, rule):
    documents = fake_knowledge()
    happens(documents)
    case = DiagnosisCase(reviewed(about, corrections=corrections), documents, threshold=THRESHOLD)
    assert find_rule(case, reason) == rule
    assert len(documents.searches) <= 1


def test_every_rule_has_its_case():
    assert {case.values[4] for case in CASES} == set(range(len(RULES)))


def test_a_section_that_still_says_what_was_quoted_has_not_changed():
    documents = fake_knowledge()
    documents.put("handbook/leave.md", "carry", f"New in May.  {LEAVE}", version="v2")
    assert not DiagnosisCase(reviewed(), documents, threshold=THRESHOLD).has_changed


def test_an_accepted_correction_comes_first_and_a_rejected_one_never():
    given = [correction("Old.", accepted=True), correction("Newest."), correction("Wrong.", accepted=False)]
    assert DiagnosisCase(reviewed(corrections=given), fake_knowledge(), threshold=THRESHOLD).correction == "Old."
    assert DiagnosisCase(reviewed(corrections=given[1:]), fake_knowledge(), threshold=THRESHOLD).correction == "Newest."
    assert DiagnosisCase(reviewed(corrections=given[2:]), fake_knowledge(), threshold=THRESHOLD).correction == ""


def test_reasons_of_form_and_age_ask_nothing_of_the_documents():
    documents = fake_knowledge()
    case = DiagnosisCase(reviewed(), documents, threshold=THRESHOLD)
    assert [find_rule(case, reason) for reason in ("tone", "unclear", "outdated")] == [0, 0, 1]
    assert documents.searches == []


def test_the_guide_has_every_class_and_rule():
    guide = (ROOT / "deploy" / "guides" / "report.md").read_text(encoding="utf-8")
    missing = [each.repair for each in CLASSES if each.repair not in guide]
    missing += [rule.when for rule in RULES if f"| {rule.when} | `{rule.result}` |" not in guide]
    assert missing == []
