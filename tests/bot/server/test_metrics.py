"""What is counted, as Prometheus reads it."""

from bot.errors import StateUnavailable
from bot.server.metrics import Metrics
from tests.bot.server.metric_samples import sample, samples

TIMINGS = {"retrieve": 0.02, "generate": 0.3, "total": 0.32, "unknown": 1.0}


def test_questions_are_counted_by_outcome_with_their_stages():
    metrics = Metrics()
    metrics.question_answered("slack", "answered", timings=TIMINGS)
    metrics.question_answered("slack", "abstained", timings=TIMINGS)
    metrics.question_answered("teams", "failed")
    found = samples(metrics)
    assert found[sample("footnote_questions_total", platform="slack", outcome="answered")] == 1
    assert found[sample("footnote_questions_total", platform="teams", outcome="failed")] == 1
    assert found[sample("footnote_abstentions_total", platform="slack")] == 1
    assert found[sample("footnote_stage_seconds_count", stage="retrieve")] == 2
    assert found[sample("footnote_stage_seconds_bucket", stage="generate", le="0.5")] == 2
    assert found[sample("footnote_stage_seconds_bucket", stage="generate", le="0.25")] == 0
    assert not [name for name, labels in found if ("stage", "unknown") in labels]


def test_votes_errors_and_refusals_are_counted():
    metrics = Metrics()
    metrics.vote_recorded("slack", "down", "outdated")
    metrics.vote_recorded("slack", "up")
    metrics.attempt_failed("slack", RuntimeError("hunter2"))
    metrics.event_refused("slack")
    metrics.event_handled("slack", 0.2)
    found = samples(metrics)
    assert found[sample("footnote_votes_total", vote="down", reason="outdated", platform="slack")] == 1
    assert found[sample("footnote_votes_total", vote="up", reason="", platform="slack")] == 1
    assert found[sample("footnote_errors_total", platform="slack", kind="RuntimeError")] == 1
    assert found[sample("footnote_busy_total", platform="slack")] == 1
    assert found[sample("footnote_handling_seconds_count", platform="slack")] == 1
    assert b"hunter2" not in metrics.page()


def test_the_queue_is_the_store_s_and_stays_while_the_store_is_down():
    waiting = [3]

    def ask() -> int:
        if not waiting:
            raise StateUnavailable("down")
        return waiting[0]

    metrics = Metrics(waiting=ask)
    assert samples(metrics)[sample("footnote_queue")] == 3
    waiting.clear()
    assert samples(metrics)[sample("footnote_queue")] == 3


def test_two_processes_in_one_do_not_share_their_counts():
    one, other = Metrics(), Metrics()
    one.event_refused("slack")
    assert sample("footnote_busy_total", platform="slack") not in samples(other)
