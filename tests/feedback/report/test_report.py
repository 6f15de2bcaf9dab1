"""The whole report over exchanges and votes."""

import json
from datetime import timedelta
from typing import Any

import pytest

from feedback.records import AnswerSentence, ReviewedExchange
from feedback.report.report import build_report
from feedback.report.tuning_verdict import TrainingRowEstimate, judge_tuning
from tests.fakes import gate
from tests.feedback.report.samples import (
    MONDAY,
    citation,
    correction,
    decision,
    down,
    exchange,
    fake_knowledge,
    question_terms,
    refusal,
    reviewed,
    up,
)


def report_of(*rows, documents=None, min_askers=2, audience=None, groups=frozenset[str](), **limits) -> dict[str, Any]:
    return build_report(
        iter(rows),
        documents or fake_knowledge(),
        audience or gate(),
        groups=groups,
        threshold=0.6,
        min_askers=min_askers,
        terms=question_terms,
        **limits,
    )


def test_of_nothing_there_is_nothing_to_tell():
    figures = report_of()
    assert (figures["answers"], figures["satisfaction"], figures["first"]) == (0, None, None)
    assert figures["tuning"]["verdict"] == "too-early"
    json.dumps(figures, allow_nan=False)


def test_answers_votes_refusals_and_fallbacks_are_counted():
    figures = report_of(
        reviewed(exchange(0), up("ada"), down("bob", "wrong")),
        reviewed(exchange(1, fallback="too slow", asker="asker-0")),
        reviewed(refusal(2, asker="")),
        reviewed(exchange(3, generator="conversation", sentences=(), citations=())),
    )
    counted = {
        name: figures[name] for name in "answers askers voters up down voted refusals fallbacks small_talk".split()
    }
    assert counted == {
        "answers": 3, "askers": 1, "voters": 2, "up": 1, "down": 1, "voted": 1, "refusals": 1, "fallbacks": 1,
        "small_talk": 1,
    }  # fmt: skip
    assert figures["response_rate"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["satisfaction"]["share"] == 0.5
    assert figures["reasons"] == {"wrong": 1}


def test_everything_is_told_by_platform_generator_week_and_document():
    later = exchange(1, at=MONDAY + timedelta(weeks=1), platform="teams", generator="openai:x")
    figures = report_of(reviewed(exchange(0), up()), reviewed(later, down()))
    assert [(each["name"], each["up"], each["down"]) for each in figures["weeks"]] == [
        ("2026-W10", 1, 0), ("2026-W11", 0, 1),
    ]  # fmt: skip
    for name, names in (("platforms", ["slack", "teams"]), ("generators", ["extractive", "openai:x"])):
        assert [each["name"] for each in figures[name]] == names
    assert [(each["name"], each["answers"]) for each in figures["documents"]] == [("handbook/leave.md", 2)]


def test_an_answer_counts_for_each_section_it_cites_in_equal_parts():
    two = exchange(citations=(citation(), citation(document="handbook/ill.md", anchor="call"), citation()))
    figures = report_of(reviewed(two, down("ada"), down("bob"), up("cy")))
    assert [(each["anchor"], each["votes"], each["down"], each["up"]) for each in figures["sections"]] == [
        ("call", 3, 1, 0.5), ("carry", 3, 1, 0.5),
    ]  # fmt: skip
    assert sum(each["answers"] for each in figures["documents"]) == 1


def section(anchor, *votes, number=0) -> list[ReviewedExchange]:
    return [
        reviewed(exchange(number + at, citations=(citation(anchor=anchor),)), vote) for at, vote in enumerate(votes)
    ]


def test_the_section_that_fails_most_for_sure_comes_first_and_one_bad_vote_lists_nothing():
    documents = fake_knowledge()
    for anchor in ("sure", "often", "once", "alone"):
        documents.put("handbook/leave.md", anchor, "Text.", owner=f"owner of {anchor}")
    figures = report_of(
        *section("often", *(down(f"p{n}", "wrong") for n in range(2)), up(), number=0),
        *section("sure", *(down(f"p{n}", "wrong-source") for n in range(20)), *(up() for _ in range(10)), number=100),
        *section("once", down("p1"), number=200),
        *section("alone", *(down("grumbler") for _ in range(30)), number=300),
        documents=documents,
    )
    assert [(row["anchor"], row["owner"], row["people"]) for row in figures["failing"]] == [
        ("sure", "owner of sure", 20), ("often", "owner of often", 2),
    ]  # fmt: skip
    assert figures["failing"][0]["reasons"] == {"wrong-source": 20}
    assert figures["failing"][0]["failure"]["share"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["owners"][0] == {"owner": "owner of sure", "sections": 1, "down": 20}


def test_a_failing_section_says_whether_it_is_still_there():
    rows = section("carry", *(down(f"p{n}") for n in range(3))), section("lost", *(down(f"p{n}") for n in range(3)))
    documents = fake_knowledge()
    documents.put("handbook/leave.md", "carry", "Nine days.", version="v2")
    figures = report_of(*rows[0], *rows[1], documents=documents)
    assert {row["anchor"]: row["since"] for row in figures["failing"]} == {"carry": "changed", "lost": "gone"}


def test_every_thumbs_down_is_in_one_class_and_votes_on_decided_answers_are_set_aside():
    figures = report_of(
        reviewed(exchange(0), down("ada", "tone"), down("bob", "wrong"), up("cy")),
        reviewed(refusal(1), down()),
        reviewed(exchange(2), down("ada"), down("bob"), decisions=[decision("approve")]),
    )
    diagnosis = figures["diagnosis"]
    assert {each["class"]: each["down"] for each in diagnosis["classes"] if each["down"]} == {
        "not-in-documents": 1, "wrong-answer": 1, "tone-or-format": 1,
    }  # fmt: skip
    assert (diagnosis["knowledge"], diagnosis["behaviour"], diagnosis["unclear"]) == (1, 2, 0)
    assert (diagnosis["down"], diagnosis["diagnosed"], diagnosis["set_aside"], diagnosis["left_out"]) == (5, 3, 2, 0)
    assert sum(each["down"] for each in diagnosis["rules"]) == 3
    assert diagnosis["classes"][0]["at_most"] == pytest.approx(2 / 6, abs=1e-4)


def test_of_too_many_the_newest_are_diagnosed_with_one_search_each_and_a_note():
    documents = fake_knowledge()
    rows = [reviewed(refusal(number), down("ada"), down("bob", "incomplete")) for number in range(5)]
    figures = report_of(*rows, documents=documents, most_diagnosed=2, most_questions=3)
    assert [each.id for each in documents.searches] == ["answer-00003", "answer-00004"]
    assert (figures["diagnosis"]["diagnosed"], figures["diagnosis"]["left_out"]) == (4, 6)
    assert figures["gaps"]["questions"] == 3
    assert len(figures["notes"]) == 2


def test_gaps_hold_refusals_what_is_incomplete_and_what_is_not_in_the_documents():
    figures = report_of(
        reviewed(refusal(0, "Where is the gym?")),
        reviewed(exchange(1, question="Where is the gym?"), down("ada", "incomplete")),
        reviewed(
            exchange(2, question="Where is the gym?"), down("ada", "wrong"), corrections=[correction("In the cellar.")]
        ),
        reviewed(exchange(3, question="Where is the gym?"), down("ada", "tone")),
        reviewed(refusal(4, "", pruned=True), down("ada")),
    )
    (gap,) = figures["gaps"]["gaps"]
    assert (gap["askers"], gap["questions"], gap["refused"], gap["down"]) == (3, 3, 1, 2)


def test_a_short_follow_up_is_told_with_the_question_before_it():
    history = (("user", "Where is the gym?"), ("bot", "In Leeds."))
    rows = [reviewed(refusal(number, "And in Ghent?", history=history)) for number in range(2)]
    assert report_of(*rows)["gaps"]["gaps"][0]["question"] == "Where is the gym? And in Ghent?"


def test_nobody_is_named():
    names = ["ada", "bob", "cy", "dee", "eve", "fay"]
    rows = [
        reviewed(
            exchange(number, asker=f"asker-{name}"), down(f"voter-{name}"), corrections=[correction(f"Secret {name}.")]
        )
        for number, name in enumerate(names)
    ]
    text = json.dumps(report_of(*rows))
    assert "asker-" not in text
    assert "voter-" not in text
    assert "Secret" not in text


def rows_of(*given, documents=None) -> TrainingRowEstimate:
    rows = TrainingRowEstimate(documents or fake_knowledge())
    for each in given:
        rows.add(each)
    return rows


def test_rows_are_answers_that_people_agree_on_and_whose_sections_have_not_changed():
    rows = rows_of(
        reviewed(exchange(0, question="a"), up()),
        reviewed(exchange(1, question="A "), up()),
        reviewed(exchange(2, question="b"), up("ada"), down("bob")),
        reviewed(exchange(3, question="c"), down(), corrections=[correction("Six.", accepted=True)]),
        reviewed(exchange(4, question="d", citations=(citation(version="v0"),)), up()),
        reviewed(exchange(5, question="e"), up(), decisions=[decision("drop")]),
        reviewed(exchange(6, question="f"), down(), decisions=[decision("approve")]),
        reviewed(refusal(7, "g"), up()),
        reviewed(exchange(8, question="", pruned=True), up()),
    )
    assert rows.count == 4


def test_the_rate_is_that_of_the_last_eight_weeks():
    old = [reviewed(exchange(number, question=f"old {number}"), up()) for number in range(40)]
    new = [
        reviewed(
            exchange(100 + number, question=f"new {number}", at=MONDAY + timedelta(weeks=20, days=7 * number)), up()
        )
        for number in range(9)
    ]
    rows = rows_of(*old, *new)
    assert rows.per_week == pytest.approx(9 / 8)
    missing = {level["rows"]: (level["missing"], level["weeks"]) for level in judge_tuning({}, rows)["levels"]}
    assert missing == {10: (0, 0), 50: (1, 0.9), 500: (451, 400.9)}


@pytest.mark.parametrize(
    ("kinds", "count", "verdict"),
    [
        pytest.param({"knowledge": 5, "behaviour": 4, "unclear": 90}, 900, "too-early", id="few-complaints"),
        pytest.param({"knowledge": 90, "behaviour": 10}, 900, "not-now", id="knowledge"),
        pytest.param({"knowledge": 10, "behaviour": 90}, 49, "collect", id="few-rows"),
        pytest.param({"knowledge": 10, "behaviour": 90}, 50, "measure", id="some-rows"),
        pytest.param({"knowledge": 50, "behaviour": 50}, 900, "measure", id="undecided"),
        pytest.param({"knowledge": 10, "behaviour": 90}, 500, "worth-it", id="enough"),
    ],
)
def test_the_verdict_needs_complaints_about_behaviour_and_rows(kinds, count, verdict):
    rows = rows_of(*(reviewed(exchange(number, question=f"question {number}"), up()) for number in range(count)))
    assert judge_tuning(kinds, rows)["verdict"] == verdict


def test_the_same_exchanges_give_the_same_report():
    rows = [
        reviewed(
            exchange(number, sentences=(AnswerSentence("Nine weeks.", (1,)),) if number % 3 else ()),
            down(f"p{number % 7}", "wrong") if number % 2 else up(f"p{number % 5}"),
        )
        for number in range(60)
    ]
    assert json.dumps(report_of(*rows)) == json.dumps(report_of(*rows))
