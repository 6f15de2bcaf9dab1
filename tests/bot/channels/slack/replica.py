"""One replica in a process of its own: tells where it listens, serves until its input ends.

    python -m tests.bot.channels.slack.replica '{"home": ..., "slack_api_url": ..., ...}'

The documents must have been read in before. With `"real_embedder": true` among the options of the service, questions
are embedded by the real model that the settings name.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.config.settings import Settings, reveal
from tests import ROOT
from tests.servers.slack_server import Slack


@dataclass(frozen=True)
class Replica:
    """A process, and the address of its public listener."""

    process: "subprocess.Popen[str]"
    url: str

    def kill(self) -> None:
        """As when the machine is gone."""
        self.process.kill()
        self.process.wait(30)

    @property
    def memory(self) -> int:
        """Bytes that it holds in memory."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


@contextmanager
def replicas(configured: Settings, slack: Slack, count: int, **how: Any) -> Iterator[Sequence[Replica]]:
    """So many processes behind Slack's balancer; `how` are options of the service."""
    with ExitStack() as stack:
        started = [stack.enter_context(_process(configured, how)) for _ in range(count)]
        slack.sending.app_urls = [f"{each.url}/slack/events" for each in started]
        yield started


@contextmanager
def _process(configured: Settings, how: dict[str, Any]) -> Iterator[Replica]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bot.channels.slack.replica", json.dumps(_plain(configured)), json.dumps(how)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if "FOOTNOTE_TEST_LOUD" in os.environ else subprocess.DEVNULL,  # noqa: TID251 - FOOTNOTE_TEST_*
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        url = process.stdout.readline().strip()
        assert url, "the replica did not start; FOOTNOTE_TEST_LOUD=1 shows why"
        yield Replica(process, url)
    finally:
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _plain(configured: Settings) -> dict[str, Any]:
    """The settings as JSON, secrets too."""
    made = configured.model_dump(mode="json", exclude_unset=True)
    for name in made:
        value = getattr(configured, name)
        if hasattr(value, "get_secret_value"):
            made[name] = reveal(value)
    return made


def main(given: str, how: str) -> None:
    """Serve until the input ends."""
    from bot.app import bootstrap
    from tests.bot.channels.slack.harness import served
    from tests.conversations.harness import synced_app

    configured, options = Settings(**json.loads(given)), json.loads(how)
    app = bootstrap(configured) if options.pop("real_embedder", False) else synced_app(configured, sync=False)
    serving = served(app, **options)
    serving.start()
    assert serving.public
    sys.stdout.write(f"{serving.public.url}\n")
    sys.stdout.flush()
    sys.stdin.read()
    serving.stop()
    app.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
