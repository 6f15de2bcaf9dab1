"""Processes that tests start answer signals, however the tests themselves were started."""

import signal
import subprocess
import sys

import pytest

from tests.processes import start_python


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX; run it on Linux or macOS")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_the_tests_ignore_reaches_the_processes_that_they_start(number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        process = start_python("print('started', flush=True); signal.pause()", stderr=subprocess.DEVNULL)
    finally:
        signal.signal(number, before)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "started\n"
        process.send_signal(number)
        assert process.wait(30) == -number
