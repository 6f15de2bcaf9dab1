"""The service at ten events a second: what is answered, acknowledgements and first signs; one of two replicas dies.

    python -m tests.benchmarks.slack_load [EVENTS [RATE]]

Two replicas with the real embedder on one Redis, against the stand-in for Slack; a fifth of the deliveries come twice.
Wanted: every question answered once and no chatter, acknowledgement p99 < 200 ms, first sign p99 < 500 ms.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.latency import quantile
from tests.benchmarks.slack import first_sign, first_signs
from tests.bot.channels.slack.load import meet, play, two_replicas, wait_until_right
from tests.servers.slack_server import serving

# What a dead replica had begun is taken over after so long.
LEASE_SECONDS = 30.0


def main(events: int = 5000, rate: float = 10.0) -> None:
    """Print the figures."""
    with serving() as slack, two_replicas(Path(tempfile.mkdtemp()), slack) as (day, both):
        meet(day)
        slack.sending.deliveries.clear()
        started = time.perf_counter()
        gone = play(day, both, events=events, rate=rate)
        took = time.perf_counter() - started
        found = wait_until_right(day, seconds=180)
        acks = sorted(each.seconds * 1000 for each in slack.sending.deliveries if each.status)
        lost = sum(not each.status for each in slack.sending.deliveries)
        seen = [each for each in day.asked if not each.deleted and first_signs(slack, each.message)]
        signs = sorted(first_sign(slack, each.message) * 1000 for each in seen)
        calm = [each for each in seen if not gone - LEASE_SECONDS < each.at < gone + LEASE_SECONDS]
        calm_signs = sorted(first_sign(slack, each.message) * 1000 for each in calm)
    print(f"{events} events in {took:.0f} s ({dict(day.steps)}), {len(acks) + lost} deliveries, {lost} at the dead one")
    print(f"right {found.right}, wrong {len(found.wrong)}")
    print(*(f"  {each}" for each in found.wrong[:20]), sep="\n")
    for name, figures in (
        ("acknowledgement", acks),
        ("first sign", signs),
        (f"first sign, more than {LEASE_SECONDS:.0f} s from the death", calm_signs),
    ):
        if not figures:  # too short a run
            continue
        middle, tail = quantile(figures, 0.5), quantile(figures, 0.99)
        print(f"{name}, ms: p50 {middle:.1f}  p99 {tail:.1f}  most {figures[-1]:.1f}  of {len(figures)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *map(float, sys.argv[2:]))
