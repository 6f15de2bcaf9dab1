"""llama.cpp's server with a small instruction model: OpenAI's API on loopback, in a process of its own.

As a program, with a GGUF file as its argument, this is that process: it tells the address and ends with its input, so
that it outlives nobody.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests import ROOT
from tests.servers.packaged_models import qwen_coder

# Tokens of a prompt and its answer.
CONTEXT = 8192
THREADS = min(8, os.cpu_count() or 1)


@pytest.fixture(scope="module")
def chat_model_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base address of the server, which runs as long as the module's tests; skips where it cannot be had."""
    if find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not here: to run this test use a platform for which it has wheels")
    weights = qwen_coder()
    log = tmp_path_factory.mktemp("llama-server") / "log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-m", __name__, str(weights)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # an interrupt from the keyboard is for pytest
        ) as process,
    ):
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, f"the server does not start: {log.read_text('utf-8', 'replace')[-2000:]}"
        try:
            yield f"{address}/v1"
        finally:
            process.kill()


def main(weights: str) -> None:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = weights
    parameters.n_ctx = CONTEXT
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = THREADS
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    server = xllamacpp.Server(parameters)  # returns when it listens
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
