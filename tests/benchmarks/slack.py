"""Slack's figures over real sockets: acknowledgements under load, the first visible sign, memory.

    python -m tests.benchmarks.slack [QUESTIONS]

One replica in a process of its own, against the stand-in for Slack and a scripted model that takes five seconds an
answer. Wanted: acknowledgements p99 < 200 ms while 50 questions are being answered, first sign p99 < 500 ms. QUESTIONS
(default 10,000) are then answered from quoted sections, for memory. The embedding is a stand-in: no model is loaded.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bot.config.settings import Settings
from tests.benchmarks.latency import quantile
from tests.bot.channels.slack.harness import settings
from tests.bot.channels.slack.replica import replicas
from tests.bot.channels.slack.test_delivery import answers, ask_many
from tests.conversations.harness import synced_app, write_documents
from tests.scripted_app import QUESTION, RIGHT, numbered
from tests.servers import openai_server
from tests.servers.slack.workspace import Message
from tests.servers.slack_server import Slack, serving

AT_ONCE = 50
MEGABYTE = 1_000_000


def main(questions: int = 10_000) -> None:
    """Print the figures."""
    with serving() as slack, openai_server.serving() as model:
        # Few deltas, so that the stand-ins leave the machine to the bot.
        model.replies = [openai_server.Reply(numbered(RIGHT), size=20, before=2.0, pause=0.5)]
        under_load(slack, settled(slack, model.url))
    with serving() as slack:
        memory(slack, settled(slack, ""), questions)


def settled(slack: Slack, model_url: str) -> Settings:
    """Settings of a folder whose documents are read in."""
    folder = Path(tempfile.mkdtemp())
    write_documents(folder)
    configured = settings(folder, slack, model_url=model_url)
    synced_app(configured).close()
    return configured


def under_load(slack: Slack, configured: Settings) -> None:
    """Acknowledgements and first signs while fifty questions are being answered."""
    people = [slack.workspace.person(f"P{number}") for number in range(AT_ONCE)]
    channel = slack.workspace.channel("general", *people)
    with replicas(configured, slack, 1, workers=AT_ONCE):
        people[0].tells(QUESTION)
        slack.workspace.wait(lambda: answers(slack) == 1, seconds=60)
        slack.sending.deliveries.clear()
        asked: list[Message] = []
        for person in people:
            asked.append(person.tells(f"{QUESTION} {person.name}"))
            time.sleep(0.02)
        for number in range(100):  # while they are being answered, people talk elsewhere
            people[number % AT_ONCE].writes(f"See you on Monday at {number}", channel)
            time.sleep(0.04)
        slack.workspace.wait(lambda: whole(slack, asked), seconds=300)
        slack.workspace.wait(lambda: slack.sending.is_idle, seconds=60)
    acks = sorted(each.seconds * 1000 for each in slack.sending.deliveries)
    signs = sorted(first_sign(slack, question) * 1000 for question in asked)
    lost = sum(each.status != 200 for each in slack.sending.deliveries)
    print(f"{len(acks)} deliveries while {AT_ONCE} questions were answered, {lost} not acknowledged; milliseconds")
    print(f"acknowledgement     p50 {quantile(acks, 0.5):6.1f}  p99 {quantile(acks, 0.99):6.1f}  most {acks[-1]:6.1f}")
    print(
        f"first visible sign  p50 {quantile(signs, 0.5):6.1f}  p99 {quantile(signs, 0.99):6.1f}  most {signs[-1]:6.1f}"
    )


def whole(slack: Slack, asked: Sequence[Message]) -> bool:
    """Whether each question has its whole answer."""
    return all(
        any(each.blocks and not each.is_streaming for each in slack.workspace.visible(place, question))
        for question in asked
        for place in [slack.workspace.channels[question.channel]]
    )


def first_sign(slack: Slack, question: Message) -> float:
    """Seconds until a status or a message of the bot stood there."""
    return min(first_signs(slack, question)) - question.at


def first_signs(slack: Slack, question: Message) -> list[float]:
    """The moments at which a status or a message of the bot came to stand there."""
    place = slack.workspace.channels[question.channel]
    signs = [at for at, channel, thread, _ in slack.workspace.statuses if (channel, thread) == (place.id, question.ts)]
    signs += [each.at for each in slack.workspace.visible(place, question)]
    return signs


def memory(slack: Slack, configured: Settings, questions: int) -> None:
    """What a replica holds at the beginning, and after every fifth of the questions."""
    with replicas(configured, slack, 1, queue_limit=100_000) as (replica,):
        ask_many(slack, 100)
        print(f"memory after    100 questions {replica.memory / MEGABYTE:7.1f} MB")
        started, step = time.perf_counter(), max(1, questions // 5)
        for done in range(step, questions + 1, step):
            ask_many(slack, step)
            print(f"memory after {done:6d} questions {replica.memory / MEGABYTE:7.1f} MB", flush=True)
            forget(slack)
        print(f"{questions / (time.perf_counter() - started):.1f} questions a second")


def forget(slack: Slack) -> None:
    """What the stand-in keeps is of no use here."""
    for channel in slack.workspace.channels.values():
        channel.messages.clear()
    slack.calls.clear()
    slack.sending.deliveries.clear()
    slack.sending.sent.clear()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
