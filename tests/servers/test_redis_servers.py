"""The servers for tests end with the process that started them, however it ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import start_python
from tests.servers.redis_servers import KINDS, eventually

pytestmark = pytest.mark.server
STARTER = """
import sys
from pathlib import Path
from tests.servers.redis_servers import serving
with serving("valkey", Path(sys.argv[1])) as server:
    print(server.process, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["kill", "terminate", "communicate"])
def test_a_server_ends_with_its_starter(tmp_path, end):
    assert KINDS["valkey"].program
    starter = start_python(STARTER, str(tmp_path), stdin=subprocess.PIPE)
    assert starter.stdout is not None
    server = int(starter.stdout.readline())
    assert runs(server)
    getattr(starter, end)()
    starter.communicate()
    eventually(lambda: not runs(server), f"the server {server} ends")


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_system_s_own_server_is_not_taken_for_the_one_of_the_environment(monkeypatch):
    ours = Path(sys.prefix, "bin")
    monkeypatch.setenv("PATH", os.pathsep.join([str(ours), *os.get_exec_path()]))
    found = KINDS["redis"].find()
    assert found is None or found.parent != ours
