"""What the process counts, for Prometheus. Labels are of a few fixed words each; none is a person or a text."""

from collections.abc import Callable
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.answering.answers import Answer
from bot.errors import BotError

STAGES = ("rewrite", "retrieve", "generate", "first", "total")
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counts of one process; `waiting` tells how many events are accepted and not finished."""

    def __init__(self, *, waiting: Callable[[], int] | None = None) -> None:
        self._registry = CollectorRegistry()
        self._waiting = waiting
        self._questions = self._counter("questions", "Questions by platform and outcome", "platform", "outcome")
        self._abstentions = self._counter("abstentions", "Answers that say it was not found", "platform")
        self._votes = self._counter("votes", "Votes by what was said", "vote", "reason", "platform")
        self._errors = self._counter("errors", "Failures by kind", "platform", "kind")
        self._busy = self._counter("busy", "Events refused because too many waited", "platform")
        self._stages = Histogram(
            "footnote_stage_seconds", "Seconds by stage", ["stage"], buckets=SECONDS, registry=self._registry
        )
        self._handling = Histogram(
            "footnote_handling_seconds", "Seconds per event", ["platform"], buckets=SECONDS, registry=self._registry
        )
        self._queue = Gauge(
            "footnote_queue", "Events accepted and not finished, of all replicas", registry=self._registry
        )

    def asked(self, platform: str, outcome: str, answer: Answer | None = None) -> None:
        """A question has come to an end: `answered`, `abstained`, `talk`, `refused` or `failed`."""
        self._questions.labels(platform, outcome).inc()
        if answer is None:
            return
        if answer.abstained:
            self._abstentions.labels(platform).inc()
        for stage in STAGES:
            if stage in answer.timings:
                self._stages.labels(stage).observe(answer.timings[stage])

    def voted(self, platform: str, vote: str, reason: str = "") -> None:
        """A vote was recorded: `up`, `down` or `none`."""
        self._votes.labels(vote, reason, platform).inc()

    def failed(self, platform: str, error: BaseException) -> None:
        """Something went wrong while an event was handled."""
        self._errors.labels(platform, type(error).__name__).inc()

    def refused(self, platform: str) -> None:
        """An event was not kept because too many wait."""
        self._busy.labels(platform).inc()

    def handled(self, platform: str, seconds: float) -> None:
        """An event was handled to its end, after so many seconds."""
        self._handling.labels(platform).observe(seconds)

    def page(self) -> bytes:
        """All of it in Prometheus' text format; a queue that cannot be counted just now is left as it was."""
        if self._waiting:
            with suppress(BotError):
                self._queue.set(self._waiting())
        return generate_latest(self._registry)

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"footnote_{name}", told, labels, registry=self._registry)
