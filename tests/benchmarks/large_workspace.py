"""What a workspace of twenty thousand people costs an answer in Slack, compared with one of fifty.

    python -m tests.benchmarks.large_workspace [MILLISECONDS]

Two replicas on Redis, each in a process of its own, against the stand-in with Slack's rate limits, each call of the Web
API taking MILLISECONDS (default 100). A question is asked in three channels at once: before anything is known of them,
and once all is. The processes have answered somebody before, in a direct message. Wanted: first sign under 500 ms, the
answer not later than in the small workspace plus one second. The embedding is a stand-in: no model is loaded.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.slack import first_sign
from tests.bot.channels.slack.replica import replicas
from tests.bot.channels.slack.test_delivery import shared
from tests.bot.channels.slack.test_large_workspace import populated
from tests.conversations.conversations import LEAVE_SAID
from tests.scripted_app import QUESTION
from tests.servers.slack.workspace import Channel, Person
from tests.servers.slack_server import Slack, serving

LOOKED_UP = ("conversations.info", "conversations.members", "users.info", "users.list")
STORE = "redis"


def main(milliseconds: int = 100) -> None:
    """Print the figures of both."""
    for name in ("small", "large"):
        with serving() as slack:
            if name == "large":
                people, channels = populated(slack)
            else:
                people = slack.workspace.crowd(50)
                channels = [slack.workspace.channel(f"c{size}", *people[:size]) for size in (5, 20, 30)]
            slack.latency, slack.rates.on = milliseconds / 1000, True
            with ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                configured = stack.enter_context(shared(folder, STORE, slack))
                stack.enter_context(replicas(configured, slack, 2))
                print(f"{name} workspace: {len(people)} people, channels of {[len(each.members) for each in channels]}")
                measure(slack, people, channels)


def measure(slack: Slack, people: Sequence[Person], channels: Sequence[Channel]) -> None:
    """Ask before anything is known, then until everything is, then again."""
    warm = [people[-1].tells(f"{QUESTION} ({number})") for number in range(8)]
    for each in warm:
        slack.workspace.reply(each)
    started = time.monotonic()
    ask(slack, people[0], channels, "cold")
    while not all(ask(slack, people[1], channels[-1:], "")):
        time.sleep(10)
    print(f"  all known after {time.monotonic() - started:.0f} s; in all {dict(looked_up(slack))}")
    for person in people[2:5]:
        ask(slack, person, channels, "known")
        time.sleep(10)  # twenty streams a minute are promised


def ask(slack: Slack, person: Person, channels: Sequence[Channel], name: str) -> list[bool]:
    """Ask in all channels at once, and print figures under a name; returns where staff were answered as such."""
    before = looked_up(slack)
    asked = [person.mentions(f"{QUESTION} ({name})", channel) for channel in channels]
    answers = [slack.workspace.reply(each) for each in asked]
    calls = looked_up(slack) - before
    open_ = [LEAVE_SAID in each.shown for each in answers]
    if name:
        signs = [f"{first_sign(slack, each) * 1000:.0f}" for each in asked]
        whole = [f"{(each.changed_at - question.at) * 1000:.0f}" for each, question in zip(answers, asked, strict=True)]
        print(
            f"  {name:6} first sign {signs} ms, answer {whole} ms, answered as staff {open_}, looked up {dict(calls)}"
        )
    return open_


def looked_up(slack: Slack) -> Counter[str]:
    return Counter({name: count for name, count in slack.counted().items() if name in LOOKED_UP})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
