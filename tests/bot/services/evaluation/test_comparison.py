"""`footnote evaluate` with answers: the figures of one model, and of several over the same passages."""

import pytest

from bot.reports.evaluation_rows import is_more_than_noise
from bot.services.evaluation.candidates import MAX_FAILURES
from bot.services.evaluation.comparison import difference
from tests.bot.cli.command_line import error_line, printed_json
from tests.bot.services.evaluation.evaluating import GOOD, LIAR, QUESTIONS, compare, line, run, write_questions
from tests.scripted_app import RIGHT, numbered
from tests.servers.openai_server import Body, Reply


def test_a_faithful_model_and_a_liar_come_out_differently(place):
    figures = compare(place, GOOD, LIAR)
    good, liar = figures["answers"][GOOD], figures["answers"][LIAR]
    assert (good["asked"], good["grounded"], good["own"], good["fallbacks"]) == (3, 1.0, 1.0, {})
    assert (liar["asked"], liar["grounded"], liar["own"], liar["fallbacks"]) == (3, 0.0, 0.0, {"ungrounded": 3})
    assert (good["answered"], liar["answered"]) == (1.0, 1.0), "quotes stand in for what a liar writes"
    assert (good["form"], liar["form"]) == (1.0, 1.0)
    (grounded,) = [row for row in figures["differences"] if row["figure"] == "grounded"]
    assert grounded == {
        "figure": "grounded", "model": LIAR, "than": GOOD, "questions": 3, "difference": -1.0, "low": -1.0, "high": -1.0
    }  # fmt: skip


def test_what_people_would_see_is_measured(place):
    good = compare(place, GOOD)["answers"][GOOD]
    assert (good["questions"], good["answered"], good["abstained"], good["sentences"]) == (3, 1.0, 0.0, 2.0)
    assert (good["cited"], good["verbatim"], good["cited_gold"], good["quoted_gold"]) == (1.0, 1.0, 1.0, None)
    assert good["words"] == 19
    assert 0 < good["first_sentence_p50_ms"] <= good["total_p50_ms"] <= good["total_p99_ms"]


def test_answers_are_compared_with_those_that_somebody_wrote(place):
    good = compare(place, GOOD)["answers"][GOOD]
    # The answer has 18 words without its article; all 4 of the one reference are said, and all 3 of the nearer other.
    assert good["recall"] == 1.0
    assert good["f1"] == pytest.approx((2 * 4 / (18 + 4) + 2 * 3 / (18 + 3)) / 2)


def test_tokens_are_counted_for_each_question(place, server):
    figures = compare(place, GOOD, LIAR)
    counted = {name: (each["tokens_in"], each["tokens_out"]) for name, each in figures["answers"].items()}
    assert counted == {GOOD: (200, 30), LIAR: (210, 40)}
    (more,) = [row for row in figures["differences"] if row["figure"] == "tokens_out"]
    assert (more["difference"], more["low"], more["high"]) == (10, 10, 10)


def test_a_server_that_does_not_count_has_a_dash(place):
    mute = compare(place, "openai:mute")["answers"]["openai:mute"]
    assert (mute["tokens_in"], mute["tokens_out"], mute["own"]) == (None, None, 1.0)
    shown = run(place, "--model", "openai:mute").stdout
    assert line(shown, "tokens_in").split() == ["tokens_in", "-"]


def test_a_server_that_does_not_know_how_to_count_is_asked_without(place, server):
    server.models = {}
    server.replies = [Reply(status=400, error="Unknown parameter: 'stream_options'."), Reply(numbered(RIGHT))]
    figures = compare(place, "openai:old")["answers"]["openai:old"]
    assert (figures["own"], figures["tokens_in"]) == (1.0, None)
    assert ["stream_options" in request for request in server.requests] == [True, False, False, False]


def test_answers_to_people_do_not_ask_for_a_count(place, server):
    place.ask(Reply(numbered(RIGHT)))
    assert "stream_options" not in server.requests[-1]


def test_every_model_gets_the_same_passages_and_each_is_second_in_turn(place, server):
    compare(place, GOOD, LIAR)
    seen = [(body["model"], body["messages"][-1]["content"].split("\n", 1)[0]) for body in server.requests]
    assert [name for name, _ in seen] == ["good", "liar", "liar", "good", "good", "liar"]
    for first, second in zip(server.requests[::2], server.requests[1::2], strict=True):
        assert without_mark(first) == without_mark(second)


def without_mark(body: Body) -> str:
    text: str = body["messages"][-1]["content"]
    return text.replace(text.split(maxsplit=1)[0], "#")


def test_a_model_that_is_gone_says_so_and_the_other_still_stands(place, folder):
    write_questions(
        folder, [{"id": f"{each['id']}{n}", "text": each["text"]} for each in QUESTIONS for n in range(3)] + QUESTIONS
    )
    result = run(place, "--model", "openai:gone", "--model", GOOD, "--json")
    figures = printed_json(result)
    gone, good = figures["answers"]["openai:gone"], figures["answers"][GOOD]
    assert (gone["gave_up"], gone["asked"]) == ("unavailable", MAX_FAILURES)
    assert gone["fallbacks"] == {"unavailable": MAX_FAILURES}
    assert (good["gave_up"], good["asked"], good["own"]) == (None, 12, 1.0)
    assert figures["differences"] == []
    assert "openai:gone failed too often in a row and was not asked any further (unavailable)" in result.stderr


def test_if_every_model_is_gone_one_line_says_so(place, folder):
    write_questions(folder, [{"id": str(number), "text": QUESTIONS[0]["text"]} for number in range(9)] + QUESTIONS[:1])
    line = error_line(run(place, "--model", "openai:gone", "--json"), 1)
    assert line.startswith("no model answers: 'openai:gone' (unavailable); mend that (`footnote doctor`), or leave")


def test_a_model_that_finds_nothing_is_counted_as_that(place):
    absent = compare(place, "openai:absent")["answers"]["openai:absent"]
    assert (absent["not_found"], absent["form"], absent["grounded"], absent["own"]) == (1.0, None, None, 0.0)


def test_extractive_stands_beside_a_model(place):
    figures = compare(place, "extractive", GOOD)
    extractive = figures["answers"]["extractive"]
    assert (extractive["asked"], extractive["grounded"], extractive["fallbacks"]) == (None, None, None)
    assert (extractive["answered"], extractive["verbatim"]) == (1.0, 1.0)
    compared = {row["figure"] for row in figures["differences"]}
    assert {"answered", "sentences", "cited_gold", "f1", "right_kind"} == compared, (
        "extractive proposes, costs and refuses nothing"
    )


def test_without_model_names_the_configured_one_answers(place):
    assert list(printed_json(run(place, "--json", model=""))["answers"]) == ["extractive"]
    assert list(printed_json(run(place, "--json", model=GOOD))["answers"]) == [GOOD]


def test_without_answers_no_model_is_asked(place, server):
    figures = printed_json(run(place, "--no-answers", "--json", model=GOOD))
    assert (figures["answers"], figures["differences"], server.requests) == ({}, [], [])


def test_below_the_threshold_no_model_is_asked_and_an_answer_to_the_unanswerable_is_told(place, folder, server):
    moon = {"id": "x", "text": "How much leave may I carry over on the moon?", "answerable": False}
    write_questions(folder, [*QUESTIONS, moon])
    below = printed_json(run(place, "--model", GOOD, "--json", threshold=1.0))["answers"][GOOD]
    assert (below["asked"], below["answered"], below["abstained"], below["own"]) == (0, 0.0, 1.0, None)
    assert (below["cited_gold"], below["words"], below["wrongly_answered"], server.requests) == (0.0, None, 0.0, [])
    above = printed_json(run(place, "--model", GOOD, "--json"))
    assert above["answers"][GOOD]["wrongly_answered"] == 1.0
    assert above["threshold"] == {"threshold": 0.0, "answered": 1.0, "wrongly_answered": 1.0}


def test_small_talk_among_the_questions_is_neither_answered_nor_abstained_from(place, folder):
    write_questions(folder, [*QUESTIONS, {"id": "hi", "text": "Thanks!"}])
    good = compare(place, GOOD)["answers"][GOOD]
    assert (good["questions"], good["asked"], good["answered"], good["abstained"]) == (4, 3, 0.75, 0.0)


def test_people_see_the_models_side_by_side(place):
    result = run(place, "--model", GOOD, "--model", LIAR)
    assert (result.exit_code, result.stderr) == (0, "")
    assert line(result.stdout, "grounded").split() == ["grounded", "100.0%", "0.0%"]
    assert line(result.stdout, "fallback: ungrounded").split()[-2:] == ["0", "3"]
    assert "A is openai:good\nB is openai:liar" in result.stdout
    apart = result.stdout.partition("B - A")[2]
    assert line(apart, "grounded").split() == ["grounded", "-100.0%", "-100.0%", "-100.0%"], "3 questions prove nothing"
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        pytest.param(["--model", "gpt"], "provider:name", id="no-provider"),
        pytest.param(["--model", GOOD, "--model", GOOD], "each model once", id="twice"),
        pytest.param(["--model", GOOD, "--no-answers"], "either --model or --no-answers", id="no-answers"),
        pytest.param(["--html", "gone/e.html"], "does not exist", id="no-folder"),
    ],
)
def test_what_makes_no_sense_is_bad_usage_before_anything_is_measured(place, server, arguments, why):
    result = run(place, *arguments)
    assert (result.exit_code, result.stdout, server.requests) == (2, "", [])
    assert why in " ".join(result.stderr.split())


def test_a_provider_that_nobody_knows_ends_the_command_in_one_line(place):
    assert "'nobody:x'" in error_line(run(place, "--model", "nobody:x"), 1)


def test_a_difference_that_may_be_noise_has_an_interval_around_0():
    sure = difference([(0, 1)] * 50, [(1, 1)] * 50)
    assert sure == {"questions": 50, "difference": 1.0, "low": 1.0, "high": 1.0}
    assert is_more_than_noise(sure)
    unsure = difference([(n % 2, 1) for n in range(20)], [(n % 3 == 0, 1) for n in range(20)])
    assert unsure
    assert unsure["low"] < 0 < unsure["high"]
    assert not is_more_than_noise(unsure)
    assert unsure == difference([(n % 2, 1) for n in range(20)], [(n % 3 == 0, 1) for n in range(20)])


def test_where_one_has_nothing_to_compare_there_is_no_difference():
    assert difference([(0, 0)] * 3, [(1, 1)] * 3) is None
    assert difference([], []) is None
