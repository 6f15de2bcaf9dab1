"""Python processes that tests start: with the signals of a terminal, whatever the tests themselves ignore."""

import os
import subprocess
import sys
from typing import Any

from tests import ROOT

# A shell lets what it runs in the background ignore interrupts, and children inherit that.
DEFAULT_SIGNALS = """
import signal
signal.pthread_sigmask(signal.SIG_SETMASK, ())
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
"""


def start_python(code: str, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
    """Start a process that runs this code with the project's packages and answers signals; stdout is a pipe of text.

    `options` are those of `Popen`.
    """
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"  # noqa: TID251 - of a process of its own
    environment = {**os.environ, "PYTHONPATH": path}  # noqa: TID251
    command = [sys.executable, "-c", DEFAULT_SIGNALS + code, *arguments]
    return subprocess.Popen(command, **{"env": environment, "stdout": subprocess.PIPE, "text": True, **options})
