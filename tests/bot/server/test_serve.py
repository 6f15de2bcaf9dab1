"""`footnote serve` as a process of its own: what it prints, what it serves, how it ends."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from bot.cli import main
from tests.bot.server.http_calls import call
from tests.processes import start_python
from tests.servers.redis_servers import eventually

# The command over a app whose embedding is a stand-in.
CODE = """
from bot.cli import main
from bot.cli.invocation import Invocation
from tests.bot.local_app import local_app

main(obj=Invocation(bootstrap=local_app), prog_name="footnote")
"""


pytestmark = pytest.mark.usefixtures("folder")


@dataclass
class Process:
    folder: Path
    arguments: tuple[str, ...]
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.process = start_python(CODE, "serve", *self.arguments, cwd=self.folder, stderr=subprocess.PIPE)
        self.reader = Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(line.rstrip("\n") for line in self.process.stderr)

    def address(self) -> str:
        """Where health is served; waits until it says that it is ready."""
        eventually(lambda: any("ready for questions" in line for line in self.lines) or self.ended, "it begins")
        found = re.search(r"http://([\d.:]+)", "\n".join(self.lines))
        assert found, self.lines
        return found[1]

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        status = self.process.wait(60)
        self.reader.join()
        return status


@pytest.fixture
def serve(folder) -> Iterator[type[Process]]:
    begun: list[Process] = []

    def start(*arguments: str) -> Process:
        begun.append(Process(folder, arguments))
        return begun[-1]

    yield start  # type: ignore[misc]
    for each in begun:
        if not each.ended:
            each.process.kill()
            each.process.wait()
        each.reader.join()
        for stream in (each.process.stdout, each.process.stderr):
            assert stream is not None
            stream.close()


def write(text: str) -> None:
    Path("footnote.toml").write_text(text, encoding="utf-8")


def test_with_nothing_configured_it_serves_health_and_metrics_and_says_what_is_missing(serve):
    write("port = 0\npublic_port = 0")
    process = serve()
    address = process.address()
    assert [line for line in process.lines if "no platform is configured" in line]
    assert call(address, "/healthz").status == 200
    assert call(address, "/readyz").status == 503
    assert b"footnote_queue 0.0" in call(address, "/metrics").body
    assert call(address, "/slack/events", method="POST").status == 404
    assert process.end(signal.SIGTERM) == 0
    assert "stopped; 0 events were handed over" in process.lines[-1]


SIGNALS = """
import os, signal, sys, threading
from bot.cli.serve import stop_signals

sys.setswitchinterval(1e-6)
for number in range(10_000):
    stop = stop_signals()
    sender = threading.Thread(target=os.kill, args=(os.getpid(), (signal.SIGTERM, signal.SIGINT)[number % 2]))
    sender.start()
    stop.get()
    sender.join()
"""


def test_a_signal_is_received_whatever_the_process_does_at_that_moment():
    with start_python(SIGNALS) as process:
        try:
            assert process.wait(120) == 0
        finally:
            process.kill()


def test_lines_of_json_are_that_alone_and_ctrl_c_ends_it_too(serve):
    write("port = 0")
    process = serve("--log-format", "json")
    process.address()
    assert process.end(signal.SIGINT) == 0
    rows = [json.loads(line) for line in process.lines]
    assert all({"time", "level", "logger", "message"} <= set(row) for row in rows)
    assert process.process.stdout is not None
    assert process.process.stdout.read() == ""


def test_a_port_in_use_is_one_line_and_status_1(serve):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        write(f"port = {port}")
        process = serve()
        assert process.wait() == 1
    assert f"footnote: 127.0.0.1:{port} cannot be listened on" in process.lines[-1]
    assert process.lines[-1].endswith("or give another one with `port`")
    assert "Traceback" not in "\n".join(process.lines)


def refused() -> str:
    result = CliRunner().invoke(main, ["serve"], prog_name="footnote")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_with_redis_and_no_key_for_people_it_does_not_begin():
    write('redis_url = "redis://127.0.0.1:1"\nport = 0')
    assert "give `user_key`" in refused()


def test_without_its_packages_it_says_how_to_have_them(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("bot.server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert "pip install 'footnote-bot[serve]'" in refused()


def test_where_the_state_folder_cannot_be_written_it_does_not_begin(folder):
    (folder / "taken").write_text("a file")
    write('home = "taken"\nport = 0')
    refused()


def test_a_signal_that_the_system_gives_to_another_thread_ends_it_too(tmp_path):
    code = """
import signal
import threading
import time

from bot.cli.serve import stop_signals, wait_for

stop = stop_signals()

def give() -> None:
    time.sleep(0.5)  # the main thread waits by now
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    threading.Event().wait()

threading.Thread(target=give, daemon=True).start()
print(wait_for(stop) == signal.SIGTERM)
"""
    process = start_python(code, cwd=tmp_path)
    try:
        assert process.communicate(timeout=30)[0] == "True\n"
    finally:
        process.kill()
