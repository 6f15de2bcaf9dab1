"""Prometheus metrics of one process. Every label has a few values; none holds a person or a text."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.channels.port import Channel
from bot.errors import BotError

STAGES = ("rewrite", "retrieve", "generate", "first", "total")
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counts what happens in one process; `waiting` returns how many events are accepted and not finished."""

    def __init__(self, *, waiting: Callable[[], int] | None = None) -> None:
        self._registry = CollectorRegistry()
        self._waiting = waiting
        self._questions = self._counter("questions", "Questions by platform and outcome", "platform", "outcome")
        self._abstentions = self._counter("abstentions", "Answers that say it was not found", "platform")
        self._votes = self._counter("votes", "Votes by what was said", "vote", "reason", "platform")
        self._errors = self._counter("errors", "Failures by kind", "platform", "kind")
        self._busy = self._counter("busy", "Events refused because too many waited", "platform")
        self._stages = self._histogram("stage_seconds", "Seconds by stage", "stage")
        self._handling = self._histogram("handling_seconds", "Seconds per event", "platform")
        self._queue = Gauge(
            "footnote_queue", "Events accepted and not finished, of all replicas", registry=self._registry
        )
        self._channels: Sequence[Channel] = ()
        labels = ("platform", "part", "workspace")
        self._parts = Gauge("footnote_channel_ok", "Whether this part works", labels, registry=self._registry)
        self._last_events = Gauge(
            "footnote_last_event_timestamp_seconds",
            "When a platform last told us something, 0 for never",
            ("platform",),
            registry=self._registry,
        )

    def watch(self, channels: Sequence[Channel]) -> None:
        """Give out what these channels last saw of themselves."""
        self._channels = channels

    def question_answered(self, platform: str, outcome: str, *, timings: Mapping[str, float] | None = None) -> None:
        """Count a question that has ended as `answered`, `abstained`, `talk`, `refused`, `failed` or `stopped`.

        `timings` are the answer's seconds by stage; a stage that has no metric is passed over.
        """
        self._questions.labels(platform, outcome).inc()
        if outcome == "abstained":
            self._abstentions.labels(platform).inc()
        for stage, seconds in (timings or {}).items():
            if stage in STAGES:
                self._stages.labels(stage).observe(seconds)

    def vote_recorded(self, platform: str, vote: str, reason: str = "") -> None:
        """Count a vote: `up`, `down` or `none`."""
        self._votes.labels(vote, reason, platform).inc()

    def event_refused(self, platform: str) -> None:
        """Count an event that was not accepted because too many wait."""
        self._busy.labels(platform).inc()

    def attempt_failed(self, platform: str, error: BaseException) -> None:
        """Count an error raised while an event was handled, by its class."""
        self._errors.labels(platform, type(error).__name__).inc()

    def event_handled(self, platform: str, seconds: float) -> None:
        """Count an event that was handled to its end, and how long that took."""
        self._handling.labels(platform).observe(seconds)

    def page(self) -> bytes:
        """All metrics in Prometheus' text format; the queue keeps its last length while it cannot be read."""
        if self._waiting:
            with suppress(BotError):
                self._queue.set(self._waiting())
        self._parts.clear()  # a workspace that has gone has no state any more
        for channel in self._channels:
            found = channel.health()
            self._last_events.labels(channel.name).set(found.last_event)
            for each in found.parts:
                self._parts.labels(channel.name, each.part, each.workspace).set(each.ok)
        return generate_latest(self._registry)

    def _counter(self, name: str, description: str, *labels: str) -> Counter:
        return Counter(f"footnote_{name}", description, labels, registry=self._registry)

    def _histogram(self, name: str, description: str, label: str) -> Histogram:
        return Histogram(f"footnote_{name}", description, [label], buckets=SECONDS, registry=self._registry)
