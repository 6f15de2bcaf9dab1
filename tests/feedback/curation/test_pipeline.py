"""What becomes of judged exchanges: rows that are fit to train on, and a reason for all others."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from feedback.curation.dataset import CuratedDataset, Example
from feedback.curation.options import CurationOptions
from feedback.ports import CurrentSection, FoundSection
from tests.fakes import gate
from tests.feedback.curation.samples import (
    CARRY,
    ILLNESS,
    NOON,
    OPEN,
    correction,
    curated,
    decision,
    exchange,
    fake_knowledge,
    passage,
    reasons,
    refusal,
    reviewed,
)

QUESTION = "How many days of leave may be carried over?"
NOUNS = "kettle ladder passport garden invoice window engine bicycle lantern market tunnel orchard violin".split()


def question(number: int) -> str:
    """One that is near no other."""
    drawn = random.Random(number)
    return f"What about {' '.join(drawn.sample(NOUNS, 3))} {number * 7919}?"


def labels(made: CuratedDataset) -> list[tuple[str, bool, str]]:
    return [(each.origin.exchange, each.label, each.completion) for each in made.examples()]


def only(made: CuratedDataset) -> Example:
    (row,) = made.examples()
    return row


def reconciles(made: CuratedDataset) -> bool:
    """Whether all that came in is in exactly one place, and each step goes on with what the one before has left."""
    given = {each.origin.exchange for each in made.examples()}
    gone = [each.exchange for each in made.rejected_exchanges()]
    before = made.exchanges
    for step in made.counts.values():
        assert step["in"] == before
        assert step["out"] + sum(step["left"].values()) == step["in"]
        before = step["out"]
    assert before == len(given)
    assert len(gone) == len(set(gone)) == sum(sum(step["left"].values()) for step in made.counts.values())
    return given.isdisjoint(gone) and len(given) + len(gone) == made.exchanges


def test_an_answer_that_people_like_is_to_be_written(tmp_path):
    row = only(made := curated([reviewed(exchange(1, QUESTION))], tmp_path))
    assert (row.completion, row.label, row.refusal) == ("Five days may be carried over [1].", True, False)
    assert row.prompt[1][1].endswith(QUESTION)
    assert (row.origin.exchange, row.origin.why) == ("answer-00001", "1 up, 0 down")
    assert row.origin.people == ("asker-1", "voter-answer-00001-0")
    assert reconciles(made)


def test_an_answer_that_people_dislike_is_not_to_be_written_even_when_nothing_supports_it(tmp_path):
    given = exchange(1, QUESTION, "All of it may be sold.")
    assert labels(curated([reviewed(given, "-")], tmp_path)) == [("answer-00001", False, "All of it may be sold [1].")]


@pytest.mark.parametrize(
    ("given", "left"),
    [
        pytest.param(reviewed(exchange(1, QUESTION), ""), "judgement:unjudged", id="nobody-voted"),
        pytest.param(reviewed(exchange(1, QUESTION), "+-"), "judgement:disputed", id="as-many-up-as-down"),
        pytest.param(reviewed(exchange(1, QUESTION), "++-"), "judgement:disputed", id="too-little-agreement"),
        pytest.param(
            reviewed(exchange(1, QUESTION), "", corrections=(correction(exchange(1, QUESTION), CARRY, accepted=None),)),
            "judgement:correction-waits",
            id="nobody-accepted-the-correction",
        ),
        pytest.param(
            reviewed(exchange(1, QUESTION), "++", decisions=(decision(exchange(1, QUESTION), "drop"),)),
            "judgement:dropped",
            id="dropped-in-review",
        ),
        pytest.param(reviewed(exchange(1, QUESTION, pruned=True)), "eligibility:pruned", id="pruned"),
        pytest.param(reviewed(exchange(1, QUESTION, citations=())), "eligibility:no-answer", id="small-talk"),
        pytest.param(reviewed(refusal(1, QUESTION, shown=())), "eligibility:no-passages", id="nothing-found"),
        pytest.param(
            reviewed(exchange(1, QUESTION, groups=frozenset({"hr"}))), "audience:restricted", id="asked-in-a-group"
        ),
        pytest.param(reviewed(exchange(1, QUESTION, "Six days.")), "groundedness:unsupported", id="unsupported"),
        pytest.param(reviewed(refusal(1, QUESTION), "-"), "groundedness:refusal-not-disproved", id="refusal-disliked"),
        pytest.param(
            reviewed(exchange(1, "My password is hunter2xyz, how many days?")),
            "secrets:secret",
            id="secret-in-question",
        ),
        pytest.param(
            reviewed(exchange(1, QUESTION), "-", comment="AKIAIOSFODNN7EXAMPLE"),
            "secrets:secret",
            id="secret-in-comment",
        ),
    ],
)
def test_what_is_not_fit_leaves_for_a_reason(tmp_path, given, left):
    made = curated([given], tmp_path)
    assert reasons(made) == {"answer-00001": left}
    assert not labels(made)
    assert reconciles(made)


def test_enough_agreement_is_enough(tmp_path):
    assert only(curated([reviewed(exchange(1, QUESTION), "+++-")], tmp_path)).label
    lax = CurationOptions(min_agreement=0.6)
    assert only(curated([reviewed(exchange(1, QUESTION), "++-")], tmp_path, options=lax)).label


def test_a_review_outranks_votes_and_the_latest_counts(tmp_path):
    given = exchange(1, QUESTION)
    both = (decision(given, "drop", minute=2), decision(given, "approve", minute=3))
    row = only(curated([reviewed(given, "---", decisions=both)], tmp_path))
    assert (row.label, row.origin.why) == (True, "approved in review")
    assert "reviewer" in row.origin.people


def test_an_accepted_correction_takes_the_answers_place_and_is_preferred_to_it(tmp_path):
    given = exchange(1, QUESTION, "All of it may be sold.")
    right = correction(given, "Ask your manager first. [1]")
    made = curated([reviewed(given, "-", corrections=(right,))], tmp_path)
    assert labels(made) == [
        ("answer-00001", True, "Ask your manager first [1]."),
        ("answer-00001", False, "All of it may be sold [1]."),
    ]
    (pair,) = made.pairs()
    assert (pair.chosen, pair.rejected) == ("Ask your manager first [1].", "All of it may be sold [1].")
    assert "author" in pair.origins[0].people
    assert [each.positive.id for each in made.retrievals()] == ["handbook/leave.md#carry"]


def test_a_correction_that_the_passages_do_not_hold_is_never_taught(tmp_path):
    given = exchange(1, QUESTION)
    made = curated([reviewed(given, "-", corrections=(correction(given, "Nine days."),))], tmp_path)
    assert [label for _, label, _ in labels(made)] == [False]
    assert not list(made.pairs())
    assert made.counts["groundedness"]["noted"] == {"correction-unsupported": 1}


@pytest.mark.parametrize("answered", [exchange(1, QUESTION, "All of it may be sold."), refusal(1, QUESTION)])
@pytest.mark.parametrize("audience", [OPEN, frozenset({"board"})])
def test_the_section_that_holds_a_correction_is_to_be_found_though_it_was_not_shown(tmp_path, answered, audience):
    documents = fake_knowledge()
    documents.sections["handbook/sale.md", "sale"] = CurrentSection("v1", "Nine days. Ask first.", audience)
    documents.found = [
        FoundSection("handbook/sale.md", "sale", "v1", "Nine days. Ask first.", 0.9, 0.8, "Sale of leave")
    ]
    given = reviewed(answered, "-", corrections=(correction(answered, "Nine days."),))
    made = curated([given], tmp_path, knowledge=documents)
    assert not [row for row in labels(made) if row[1]], "what was not shown teaches nobody to answer"
    assert not [row for row in labels(made) if answered.abstained], "nor not to refuse"
    found = [(each.positive.id, each.positive.title, each.positive.text) for each in made.retrievals()]
    readable = audience == OPEN
    assert found == [("handbook/sale.md#sale", "Sale of leave", "Nine days. Ask first.")] * readable
    assert documents.sought == [("Nine days.", answered.groups)]
    assert bool(reasons(made)) == (answered.abstained and not readable)


def test_a_correction_that_nobody_accepted_is_not_taught(tmp_path):
    given = exchange(1, QUESTION, "All of it may be sold.")
    made = curated([reviewed(given, "-", corrections=(correction(given, CARRY, accepted=None),))], tmp_path)
    assert [label for _, label, _ in labels(made)] == [False]


def test_a_refusal_that_people_like_stays_one(tmp_path):
    row = only(curated([reviewed(refusal(1, QUESTION))], tmp_path))
    assert (row.completion, row.label, row.refusal) == ("NOT FOUND", True, True)


def test_a_refusal_is_outdone_by_a_correction_from_its_passages(tmp_path):
    given = refusal(1, QUESTION)
    made = curated([reviewed(given, "-", corrections=(correction(given, "Five days may be carried over."),))], tmp_path)
    assert [(each.chosen, each.rejected) for each in made.pairs()] == [
        ("Five days may be carried over [1].", "NOT FOUND")
    ]


def test_a_correction_that_refuses_in_other_words_is_taught_as_the_refusal(tmp_path):
    given = exchange(1, QUESTION, "All of it may be sold.")
    made = curated([reviewed(given, "-", corrections=(correction(given, "The documents do not say."),))], tmp_path)
    assert [(each.chosen, each.rejected) for each in made.pairs()] == [("NOT FOUND", "All of it may be sold [1].")]


def test_refusals_are_no_larger_a_share_than_in_earnest(tmp_path):
    answers = [reviewed(exchange(number, question(number)), "" if number < 30 else "+") for number in range(40)]
    refusals = [reviewed(refusal(number, question(number))) for number in range(50, 60)]
    made = curated([*answers, *refusals], tmp_path)
    rows = list(made.examples())
    # One in five was refused, and ten answers are left.
    assert (sum(each.refusal for each in rows), len(rows)) == (3, 13)
    assert made.counts["balance"]["left"] == {"refusals-over-share": 7}
    assert reconciles(made)


def test_too_few_refusals_are_told(tmp_path):
    refusals = [reviewed(refusal(number, question(number)), "") for number in range(50, 60)]
    made = curated([reviewed(exchange(1, question(1))), *refusals], tmp_path)
    assert "refusing" in made.counts["balance"]["noted"]["warning"]


def test_a_section_that_others_may_not_read_keeps_the_row_back_without_a_hint(tmp_path):
    documents = fake_knowledge()
    documents.sections["handbook/leave.md", "ill"] = CurrentSection("v1", ILLNESS, frozenset({"board"}))
    made = curated([reviewed(exchange(1, QUESTION))], tmp_path, knowledge=documents)
    assert reasons(made) == {"answer-00001": "audience:restricted"}


def test_rows_for_a_group_hold_what_it_reads(tmp_path):
    documents = fake_knowledge()
    documents.sections["handbook/leave.md", "ill"] = CurrentSection("v1", ILLNESS, frozenset({"hr"}))
    given = [reviewed(exchange(1, QUESTION, groups=frozenset({"hr"})))]
    assert labels(curated(given, tmp_path, knowledge=documents, options=CurationOptions(groups=frozenset({"hr"}))))


def test_rows_for_guests_hold_nothing_that_staff_asked(tmp_path):
    documents = fake_knowledge()
    for place, current in documents.sections.items():
        documents.sections[place] = replace(current, audience=frozenset({"public"}))
    guests = CurationOptions(groups=frozenset({"public"}))
    asked = [exchange(1, question(1), groups=frozenset()), exchange(2, question(2), groups=frozenset({"public"}))]
    public = gate({document: {"public"} for document, _ in documents.sections})
    made = curated(map(reviewed, asked), tmp_path, knowledge=documents, audience=public, options=guests)
    assert reasons(made) == {"answer-00001": "audience:restricted"}


@pytest.mark.parametrize(
    ("now", "left"),
    [
        pytest.param(CurrentSection("v2", "Six days may be carried over.", OPEN), "staleness:changed", id="changed"),
        pytest.param(CurrentSection("v2", f"{CARRY} Not in Leeds.", OPEN), "staleness:changed", id="added-to"),
        pytest.param(None, "staleness:deleted", id="deleted"),
    ],
)
def test_a_cited_section_that_is_not_what_it_was_takes_the_row_along(tmp_path, now, left):
    documents = fake_knowledge()
    documents.sections.pop(("handbook/leave.md", "carry"))
    if now:
        documents.sections["handbook/leave.md", "carry"] = now
    made = curated([reviewed(exchange(1, QUESTION))], tmp_path, knowledge=documents)
    assert reasons(made) == {"answer-00001": left}


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(CurrentSection("v2", CARRY, OPEN), id="other-sections-changed"),
        pytest.param(
            CurrentSection("v2", f"{CARRY} More.", OPEN, passages=(CARRY, "More.")), id="a-piece-of-a-long-section"
        ),
    ],
)
def test_a_new_version_with_the_same_section_is_not_stale(tmp_path, now):
    documents = fake_knowledge()
    documents.sections["handbook/leave.md", "carry"] = now
    assert labels(curated([reviewed(exchange(1, QUESTION))], tmp_path, knowledge=documents))


def test_a_passage_that_is_gone_and_was_not_cited_is_not_shown_to_the_model(tmp_path):
    documents = fake_knowledge()
    del documents.sections["handbook/leave.md", "ill"]
    row = only(curated([reviewed(exchange(1, QUESTION))], tmp_path, knowledge=documents))
    assert CARRY in row.prompt[1][1]
    assert ILLNESS not in row.prompt[1][1]


def test_what_is_personal_has_one_name_throughout_a_row(tmp_path):
    text = "Write to Ada.Byron@example.com or call +44 1632 960 001. Five days may be carried over (12.1.2)."
    documents = fake_knowledge()
    documents.sections["handbook/leave.md", "carry"] = CurrentSection("v1", text, OPEN)
    answer = "Write to Ada.Byron@example.com or call +44 1632 960 001."
    given = exchange(
        1,
        "I am ada.byron@example.com <@U024BE7LH>, and bob@example.com asked: whom do I write to?",
        answer,
        shown=(passage(text),),
        history=(("user", "bob@example.com said so on 2026-03-01"),),
        history_exchanges=("answer-00000",),
    )
    earlier = reviewed(exchange(0, given.history[0][1]), "")
    row = only(made := curated([earlier, reviewed(given)], tmp_path, knowledge=documents))
    prompt = row.prompt[1][1]
    assert row.completion.startswith("Write to <EMAIL_1> or call ")
    assert "I am <EMAIL_1> <CHAT_ID_1>, and <EMAIL_2> asked" in prompt
    assert "<EMAIL_2> said so on 2026-03-01" in prompt
    assert "(12.1.2)" in prompt
    assert "@example.com" not in prompt + row.completion
    assert made.counts["secrets"]["noted"]["redacted"]["EMAIL"] == 2
    assert not documents.checked, "what stands there word for word stands there when both are redacted"


def test_names_of_people_are_redacted_where_something_finds_them(tmp_path):
    def ada(text: str) -> list[tuple[int, int]]:
        return [(text.find("Ada"), text.find("Ada") + 3)] if "Ada" in text else []

    given = exchange(1, "Ada asks: how many days may be carried over?")
    row = only(curated([reviewed(given)], tmp_path, options=CurationOptions(names=ada)))
    assert "<NAME_1> asks" in row.prompt[1][1]


def test_near_equal_questions_and_answers_are_merged_into_the_best(tmp_path):
    given = [
        exchange(1, QUESTION),
        exchange(2, f"  {QUESTION.upper()}"),
        exchange(3, QUESTION.replace("How", "So, how")),
    ]
    made = curated([reviewed(given[0]), reviewed(given[1], "++"), reviewed(given[2])], tmp_path)
    row = only(made)
    assert row.origin.exchange == "answer-00002"
    assert row.origin.why == "2 up, 0 down; stands for answer-00001, answer-00003 too"
    assert set(reasons(made).values()) == {"duplicate:duplicate"}


def test_of_the_same_answer_liked_and_disliked_one_is_left(tmp_path):
    made = curated([reviewed(exchange(1, QUESTION), "++"), reviewed(exchange(2, QUESTION), "-")], tmp_path)
    assert only(made).label
    assert reasons(made) == {"answer-00002": "duplicate:contradicted"}


def test_one_asker_and_one_voter_have_no_more_than_their_share(tmp_path):
    asked = [reviewed(exchange(number, question(number), asker="ada")) for number in range(30)]
    made = curated(asked, tmp_path, options=CurationOptions(person_rows=10))
    assert made.counts["share"]["left"] == {"person-over-share": 20}
    one = [replace(each, votes=(replace(each.votes[0], voter="bob"),)) for each in asked]
    one = [replace(each, exchange=replace(each.exchange, asker=f"asker-{at}")) for at, each in enumerate(one)]
    made = curated(one, tmp_path, options=CurationOptions(person_rows=10))
    assert made.counts["share"]["left"] == {"person-over-share": 20}
    assert reconciles(made)


def test_what_was_reviewed_is_nobodys_share(tmp_path):
    given = [exchange(number, question(number), asker="ada") for number in range(30)]
    decided = [reviewed(each, decisions=(decision(each, "approve"),)) for each in given]
    assert len(labels(curated(decided, tmp_path, options=CurationOptions(person_rows=10)))) == 30


def test_pairs_have_one_question_and_the_same_passages(tmp_path):
    good, bad = exchange(1, QUESTION), exchange(2, QUESTION, "All of it may be sold.")
    elsewhere = exchange(3, QUESTION, "None of it may be.", shown=(passage(),))
    another = exchange(4, "When do I call my manager?", "At noon, surely.")
    made = curated([reviewed(good), *(reviewed(each, "-") for each in (bad, elsewhere, another))], tmp_path)
    (pair,) = made.pairs()
    assert [each.exchange for each in pair.origins] == ["answer-00001", "answer-00002"]
    assert pair.prompt == next(made.examples()).prompt


def test_pairs_do_not_teach_length(tmp_path):
    long = "Five days may be carried over. Ask your manager first."
    given = []
    for number in range(0, 40, 2):
        given.append(reviewed(exchange(number, question(number), long)))
        rejected = "All of it may be sold." if number < 20 else "All of it may be sold, or so they say everywhere here."
        given.append(reviewed(exchange(number + 1, question(number), rejected), "-"))
    made = curated(given, tmp_path)
    ratios = [len(each.chosen) / len(each.rejected) for each in made.pairs()]
    assert 0.8 <= made.counts["rows"]["noted"]["length_ratio"] <= 1.25
    assert len(ratios) + made.counts["rows"]["noted"]["lopsided_pairs"] == 20
    assert len([each for each in ratios if each < 1.25]) == 10, "those of like length stay"


def test_near_equal_questions_have_one_split_which_never_turns_from_evaluation_to_training(tmp_path):
    first = [reviewed(exchange(number, question(number))) for number in range(60)]
    near = [reviewed(exchange(100 + n, f"{question(n)} Please", "Ask your manager first.")) for n in range(0, 60, 2)]
    before = {each.origin.exchange: each for each in curated(first, tmp_path / "before").examples()}
    after = {each.origin.exchange: each for each in curated([*first, *near], tmp_path / "after").examples()}
    assert {each.split for each in before.values()} == {"train", "validation", "test"}
    assert all(after[name].split == each.split for name, each in before.items() if each.split != "train")
    clusters = {(each.cluster, each.split) for each in after.values()}
    assert len(clusters) == len({cluster for cluster, _ in clusters}) < len(after)


def test_one_conversation_is_on_one_side(tmp_path):
    given = [reviewed(exchange(number, question(number), conversation="c")) for number in range(30)]
    assert len({each.split for each in curated(given, tmp_path).examples()}) == 1


def test_nothing_near_a_question_of_evaluation_is_trained_on(tmp_path):
    given = [reviewed(exchange(1, QUESTION)), reviewed(exchange(2, question(2)))]
    options = CurationOptions(evaluation=(f"{QUESTION.lower()} thanks",))
    assert reasons(curated(given, tmp_path, options=options)) == {"answer-00001": "contamination:evaluation-question"}


def test_a_follow_up_shows_no_question_that_is_held_back(tmp_path):
    first = [reviewed(exchange(number, question(number))) for number in range(40)]
    held = [row for row in curated(first, tmp_path / "first").examples() if row.split == "test"]
    number = int(held[0].origin.exchange[-2:])
    follow_ups = [
        reviewed(
            exchange(
                100 + at,
                f"And {question(at + 500)}",
                history=(("user", question(number)), ("bot", "Five.")),
                history_exchanges=(held[0].origin.exchange,) * 2,
            )
        )
        for at in range(20)
    ]
    made = curated([*first, *follow_ups], tmp_path / "both")
    assert "contamination:follows-held-back-question" in reasons(made).values()
    assert not [each for each in made.examples() if each.split == "train" and question(number) in each.prompt[1][1]]


def test_a_blamed_section_and_what_search_ranks_far_lower_do_not_answer(tmp_path):
    documents = fake_knowledge()
    documents.sections["handbook/car.md", "car"] = CurrentSection("v1", "Cars are washed on Monday.", OPEN)
    documents.sections["handbook/board.md", "pay"] = CurrentSection("v1", "The board is paid.", frozenset({"board"}))
    documents.found = [
        FoundSection("handbook/leave.md", "carry", "v1", CARRY, 1.0, 0.9, "Leave › Rules"),
        FoundSection("handbook/leave.md", "ill", "v1", ILLNESS, 0.9, 0.9, "Leave › Rules"),
        FoundSection("handbook/board.md", "pay", "v1", "The board is paid.", 0.3, 0.9, "Board"),
        FoundSection("handbook/car.md", "car", "v1", "Cars are washed on Monday.", 0.2, 0.9, "Cars"),
    ]
    some = CurationOptions(searches=1)
    (row,) = curated([reviewed(exchange(1, QUESTION))], tmp_path, knowledge=documents, options=some).retrievals()
    assert (row.question, row.positive.title, row.positive.text) == (QUESTION, "Leave › Rules", CARRY)
    assert [each.id for each in row.negatives] == ["handbook/car.md#car"]

    ill = exchange(2, QUESTION, "Call your manager before ten when you are ill.")
    ill = replace(ill, citations=(replace(ill.citations[0], anchor="ill", quote=ILLNESS),))
    given = [reviewed(exchange(1, QUESTION)), reviewed(ill, "-", reason="wrong-source")]
    (row,) = curated(given, tmp_path, knowledge=documents).retrievals()
    assert [each.id for each in row.negatives] == ["handbook/leave.md#ill"]


def test_a_follow_up_is_asked_with_its_conversation(tmp_path):
    given = exchange(
        1,
        "And how\nmany over?",
        history=(("user", "I have leave left."), ("bot", "How many days?")),
        history_exchanges=("answer-00000",) * 2,
    )
    earlier = reviewed(exchange(0, "I have leave left.", "How many days?"), "")
    (row,) = curated([earlier, reviewed(given)], tmp_path).retrievals()
    assert row.question == "And how many over?\nHow many days?\nI have leave left."


def test_exchanges_before_a_day_give_no_rows(tmp_path):
    given = [reviewed(exchange(1, question(1))), reviewed(exchange(100, question(2)))]
    made = curated(given, tmp_path, options=CurationOptions(since=NOON + timedelta(minutes=50)))
    assert reasons(made) == {"answer-00001": "eligibility:before-since"}


def test_the_same_exchanges_give_the_same_rows_and_others_another_snapshot(tmp_path):
    given = [reviewed(exchange(number, question(number % 30), asker="a"), "-+"[number % 2]) for number in range(90)]
    one, other = curated(given, tmp_path / "one"), curated(given, tmp_path / "other")
    for read in ("examples", "pairs", "retrievals", "rejected_exchanges"):
        assert list(getattr(one, read)()) == list(getattr(other, read)()) == list(getattr(one, read)())
    assert (one.snapshot, one.counts) == (other.snapshot, other.counts)
    fewer = curated([*given[:-1], reviewed(given[-1].exchange, "--")], tmp_path / "fewer")
    assert fewer.snapshot != one.snapshot


def test_nothing_gives_nothing(tmp_path):
    made = curated([], tmp_path)
    assert (list(made.examples()), list(made.rejected_exchanges()), made.exchanges) == ([], [], 0)
    assert reconciles(made)


def test_half_characters_and_huge_texts_are_taken(tmp_path):
    given = [
        reviewed(exchange(1, "half \ud83d how many days?", asker="\ud800")),
        reviewed(exchange(2, "x" * 200_000)),
        reviewed(exchange(3, "@" * 50_000 + "1." * 20_000)),
    ]
    made = curated(given, tmp_path)
    assert reconciles(made)
    assert all("\ud83d" not in row.prompt[1][1] for row in made.examples())
