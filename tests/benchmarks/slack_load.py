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
from tests.benchmarks.slack import first_sign
from tests.bot.channels.slack.load import play, two_replicas, wait_until_right
from tests.servers.slack_server import serving


def main(events: int = 5000, rate: float = 10.0) -> None:
    """Print the figures."""
    with serving() as slack, two_replicas(Path(tempfile.mkdtemp()), slack) as (day, both):
        started = time.perf_counter()
        play(day, both, events=events, rate=rate)
        took = time.perf_counter() - started
        found = wait_until_right(day, seconds=180)
        acks = sorted(each.seconds * 1000 for each in slack.sending.deliveries if each.status)
        lost = sum(not each.status for each in slack.sending.deliveries)
        signs = sorted(first_sign(slack, each.message) * 1000 for each in day.asked if not each.deleted)
    print(f"{events} events in {took:.0f} s ({dict(day.steps)}), {len(acks) + lost} deliveries, {lost} at the dead one")
    print(f"right {found.right}, wrong {len(found.wrong)}")
    print(*(f"  {each}" for each in found.wrong[:20]), sep="\n")
    print(f"acknowledgement ms  p50 {quantile(acks, 0.5):6.1f}  p99 {quantile(acks, 0.99):6.1f}  most {acks[-1]:8.1f}")
    print(
        f"first sign ms       p50 {quantile(signs, 0.5):6.1f}  p99 {quantile(signs, 0.99):6.1f}  most {signs[-1]:8.1f}"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
