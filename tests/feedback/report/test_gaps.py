"""What people ask and the documents do not answer."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from feedback.report.gaps import UnansweredQuestion, find_gaps
from tests.feedback.report.samples import question_terms


def asked(text: str, *askers: str, week: str = "2026-W10", refused: bool = True) -> list[UnansweredQuestion]:
    return [UnansweredQuestion(text, asker, week, refused) for asker in askers]


def gaps_of(questions, *, min_askers=2, most=50) -> dict[str, Any]:
    return find_gaps(questions, min_askers=min_askers, most=most, terms=question_terms)


def test_near_equal_questions_are_one_gap_ranked_by_different_people():
    many_times = asked("When does the canteen open?", "ada", "bob", *["ada"] * 20)
    by_many = asked("Where can I park my bicycle?", "ada", "bob") + asked("Where do I park a bicycle?", "cy", "dee")
    found = gaps_of(many_times + by_many)["gaps"]
    assert [(gap["askers"], gap["questions"]) for gap in found] == [(4, 4), (2, 22)]
    assert "park" in found[0]["question"]
    assert found[1]["question"] == "When does the canteen open?"


def test_questions_about_different_things_stay_apart():
    questions = asked("Where can I park my bicycle?", "ada", "bob") + asked("Where can I park my car?", "ada", "bob")
    assert len(gaps_of(questions)["gaps"]) == 2


def test_what_one_person_asks_is_counted_and_not_quoted():
    found = gaps_of(asked("Is my colleague Jane Doe pregnant?", *["ada"] * 5))
    assert found["gaps"] == []
    assert found["rarer"] == {"gaps": 1, "questions": 5}
    assert "Jane" not in str(found)


def test_of_a_question_only_words_that_enough_people_used_are_quoted():
    questions = asked("How do I get a parking permit for Jane Doe?", "ada") + asked(
        "How do I get a parking permit?", "bob"
    )
    alone = asked("How do I get a parking permit for Zoe, zoe@example.com?", "cy")
    for given_questions in (questions, [*questions, *alone]):
        (gap,) = gaps_of(given_questions)["gaps"]
        assert gap["question"].startswith("How do I get a parking permit")
        assert not {"Jane", "Doe", "Zoe"} & set(gap["question"].replace("?", " ").replace(",", " ").split())
        assert "@" not in gap["question"]


def test_people_without_a_name_are_one_person():
    assert gaps_of(asked("Where is the gym?", "", "", ""))["gaps"] == []


def test_one_asker_is_enough_where_that_is_asked_for():
    assert gaps_of(asked("Where is the gym?", ""), min_askers=1)["gaps"][0]["question"] == "Where is the gym?"


def test_what_is_left_off_the_list_is_counted():
    words = "bicycle canteen laptop pension holiday".split()
    found = gaps_of([each for word in words for each in asked(f"{word}?", "ada", "bob")], most=2)
    assert (len(found["gaps"]), found["more"]) == (2, {"gaps": 3, "questions": 6})


def test_weeks_and_kinds_are_told():
    questions = asked("gym?", "ada", week="2026-W12") + asked("gym?", "bob", week="2026-W10", refused=False)
    (gap,) = gaps_of(questions)["gaps"]
    assert (gap["first"], gap["last"], gap["refused"], gap["down"]) == ("2026-W10", "2026-W12", 1, 1)


question = st.builds(
    UnansweredQuestion,
    st.one_of(st.text(max_size=30), st.sampled_from(["gym?", "Where is the gym?", "…", "?", "park a car"])),
    st.sampled_from(["", "ada", "bob", "cy"]),
    st.just("2026-W10"),
    st.booleans(),
)


@given(st.lists(question, max_size=15), st.integers(1, 3), st.randoms(use_true_random=False))
def test_every_question_is_counted_once_and_the_order_they_come_in_does_not_matter(questions, min_askers, random):
    found = gaps_of(questions, min_askers=min_askers)
    assert sum(gap["questions"] for gap in found["gaps"]) + found["rarer"]["questions"] == len(questions)
    shuffled = list(questions)
    random.shuffle(shuffled)
    again = gaps_of(shuffled, min_askers=min_askers)
    assert sorted((gap["askers"], gap["questions"]) for gap in again["gaps"]) == sorted(
        (gap["askers"], gap["questions"]) for gap in found["gaps"]
    )
