"""Processes that tests start answer signals, however the tests themselves were started."""

import signal
import subprocess
import sys

import pytest

from tests.processes import start_python

# Not `signal.pause()`: a signal that comes just before it would not end it.
CODE = """
import time
print("started", flush=True)
while True:
    time.sleep(0.05)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX; run it on Linux or macOS")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_the_tests_ignore_reaches_the_processes_that_they_start(number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        process = start_python(CODE, stderr=subprocess.DEVNULL)
    finally:
        signal.signal(number, before)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(number)
        assert process.wait(60) == -number
