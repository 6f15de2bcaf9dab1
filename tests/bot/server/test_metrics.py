"""What is counted, as Prometheus reads it."""

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from bot.answering.answers import Answer
from bot.errors import StateUnavailable
from bot.server.metrics import Metrics

ANSWER = Answer("a1", "Five days.", timings={"retrieve": 0.02, "generate": 0.3, "total": 0.32, "unknown": 1.0})


def read(figures: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(figures.page().decode())
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def labelled(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_questions_are_counted_by_outcome_with_their_stages():
    figures = Metrics()
    figures.asked("slack", "answered", ANSWER)
    figures.asked("slack", "abstained", replace(ANSWER, abstained=True))
    figures.asked("teams", "failed")
    found = read(figures)
    assert found[labelled("footnote_questions_total", platform="slack", outcome="answered")] == 1
    assert found[labelled("footnote_questions_total", platform="teams", outcome="failed")] == 1
    assert found[labelled("footnote_abstentions_total", platform="slack")] == 1
    assert found[labelled("footnote_stage_seconds_count", stage="retrieve")] == 2
    assert found[labelled("footnote_stage_seconds_bucket", stage="generate", le="0.5")] == 2
    assert found[labelled("footnote_stage_seconds_bucket", stage="generate", le="0.25")] == 0
    assert not [name for name, labels in found if ("stage", "unknown") in labels]


def test_votes_errors_and_refusals_are_counted():
    figures = Metrics()
    figures.voted("slack", "down", "outdated")
    figures.voted("slack", "up")
    figures.failed("slack", RuntimeError("hunter2"))
    figures.refused("slack")
    figures.handled("slack", 0.2)
    found = read(figures)
    assert found[labelled("footnote_votes_total", vote="down", reason="outdated", platform="slack")] == 1
    assert found[labelled("footnote_votes_total", vote="up", reason="", platform="slack")] == 1
    assert found[labelled("footnote_errors_total", platform="slack", kind="RuntimeError")] == 1
    assert found[labelled("footnote_busy_total", platform="slack")] == 1
    assert found[labelled("footnote_handling_seconds_count", platform="slack")] == 1
    assert b"hunter2" not in figures.page()


def test_the_queue_is_what_the_store_says_and_stays_while_it_says_nothing():
    waiting = [3]

    def ask() -> int:
        if not waiting:
            raise StateUnavailable("down")
        return waiting[0]

    figures = Metrics(waiting=ask)
    assert read(figures)[labelled("footnote_queue")] == 3
    waiting.clear()
    assert read(figures)[labelled("footnote_queue")] == 3


def test_two_processes_in_one_do_not_share_their_counts():
    one, other = Metrics(), Metrics()
    one.refused("slack")
    assert labelled("footnote_busy_total", platform="slack") not in read(other)
