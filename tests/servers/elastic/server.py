"""One Elasticsearch on loopback: started, stopped, killed, paused."""

import base64
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from tests.servers.certificates import Certificate
from tests.servers.elastic.installation import OLD, installed, java
from tests.servers.elastic.processes import give_away, members, start, watch

HOST = "127.0.0.1"
PORTS = range(20000, 32000)  # below those that systems give to outgoing connections, so that a restart finds its own
STARTING = 180  # seconds, on a busy machine
STOPPING = 60

JVM = """\
-Xms{heap}
-Xmx{heap}
-XX:+UseG1GC
-XX:+ExitOnOutOfMemoryError
-Djava.io.tmpdir={folder}/tmp
20-:--add-modules=jdk.incubator.vector
"""

ALONE = {"discovery.type": "single-node", "xpack.security.enabled": False}

Settings = Mapping[str, object]


class Server:
    """A server with a folder and ports of its own, which it keeps from one start to the next.

    `settings` go into elasticsearch.yml after those that every server here has. `password` is that of the user
    `elastic` and `authority` signed its certificate; without them it speaks to everyone, in the clear.
    """

    def __init__(
        self,
        version: str,
        *,
        heap: str = "512m",
        settings: Settings | None = None,
        password: str = "",
        authority: Certificate | None = None,
    ) -> None:
        self.version = version
        self.password = password
        self.authority = authority
        self.home = installed(version)
        self.java = java(version)
        self.port = free_port()
        self.transport_port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="footnote-elasticsearch-"))
        self.folder.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None
        self._call_off: Callable[[], None] | None = None
        self._configure(heap, settings or {})

    @property
    def url(self) -> str:
        return f"{'https' if self.authority else 'http'}://{HOST}:{self.port}"

    @property
    def configuration(self) -> Path:
        return self.folder / "config"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts it and returns when it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Starts it and returns at once; `wait` says when it answers."""
        assert self._process is None, "it runs already"
        give_away(self.folder)
        self._process = start(
            self._command(), cwd=self.home, environment=self._environment(), output=self.folder / "output.log"
        )
        self._call_off = watch(self._process.pid, self.folder)

    def wait(self, *, nodes: int = 1, status: str = "yellow") -> None:
        """Returns when it belongs to a cluster of so many nodes in this state or a better one.

        After a restart all that it holds can be searched in state `yellow`; `red` waits for a master and no more.
        """
        deadline = time.monotonic() + STARTING
        asking = f"/_cluster/health?wait_for_nodes=>={nodes}&wait_for_status={status}&timeout=5s"
        while self.running and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if self.call("GET", asking)[0] == 200:
                    return
            time.sleep(0.2)
        why = f"gave no good answer in {STARTING} s" if self.running else "ended"
        told = self.tail()
        self.kill()
        raise RuntimeError(f"Elasticsearch {self.version} {why} while it started; the end of what it wrote:\n{told}")

    def stop(self) -> None:
        """Ends it in good order, with what it holds kept for the next start."""
        if self._process is None:
            return
        self.resume()
        self._signal(signal.SIGTERM)
        self._wait_for_end()
        self.kill()

    def kill(self) -> None:
        """`kill -9`: nothing is written any more. Returns when its processes are gone."""
        if self._process is None or self._call_off is None:
            return
        for process in members(self._process.pid):
            Path(f"/tmp/.java_pid{process}").unlink(missing_ok=True)  # where it listened for debuggers
        self._signal(signal.SIGKILL)
        self._process.wait(STOPPING)
        self._wait_for_end()
        self._call_off()
        self._process = self._call_off = None

    def pause(self) -> None:
        """It accepts connections and never answers, until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def remove(self) -> None:
        """Ends it and forgets what it held."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def tail(self, lines: int = 40) -> str:
        """The end of what it wrote."""
        log = self.folder / "output.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def call(
        self, method: str, path: str, body: object = None, *, authorization: str | None = None, timeout: float = 30
    ) -> tuple[int, Any]:
        """The status and the JSON of one answer, by default as the user `elastic`. `OSError` when none comes."""
        headers = {"Content-Type": "application/json"}
        if authorization := (self._own_authorization() if authorization is None else authorization):
            headers["Authorization"] = authorization
        content = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, content, headers, method=method)
        try:
            with self._opener().open(request, timeout=timeout) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def _own_authorization(self) -> str:
        return basic("elastic", self.password) if self.password else ""

    def _opener(self) -> Any:
        trust = ssl.create_default_context(cafile=self.authority.shown) if self.authority else None
        return build_opener(ProxyHandler({}), HTTPSHandler(context=trust))

    def _configure(self, heap: str, settings: Settings) -> None:
        for name in ("config", "data", "logs", "tmp"):
            (self.folder / name).mkdir()
        shutil.copyfile(self.home / "config/log4j2.properties", self.configuration / "log4j2.properties")
        (self.configuration / "jvm.options").write_text(JVM.format(heap=heap, folder=self.folder))
        self.configure({**ALONE, **settings})

    def configure(self, settings: Settings) -> None:
        """Writes elasticsearch.yml anew; the next start reads it."""
        common = {
            "network.host": HOST,
            "http.port": self.port,
            "transport.port": self.transport_port,
            "path.data": str(self.folder / "data"),
            "path.logs": str(self.folder / "logs"),
            # Somebody's nearly full disk is no matter of most tests; one of it switches this on again.
            "cluster.routing.allocation.disk.threshold_enabled": False,
        }
        lines = [f"{name}: {json.dumps(value)}\n" for name, value in {**common, **settings}.items()]
        (self.configuration / "elasticsearch.yml").write_text("".join(lines))

    def tool(self, name: str, *arguments: str, stdin: str = "") -> None:
        """Runs one of Elasticsearch's own tools, such as `keystore`, on this server's configuration."""
        done = subprocess.run(
            [*self._launcher(name), *arguments],
            cwd=self.home,
            env=self._environment(),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _command(self) -> list[str]:
        if self.version == OLD:
            return self._launcher("server")
        tools = f"{self.home}/lib/tools/server-launcher/*"
        return [*self._small_java(), "-cp", tools, "org.elasticsearch.server.launcher.ServerLauncher"]

    def _launcher(self, name: str) -> list[str]:
        """What `bin/elasticsearch` and its siblings do, which the distribution leaves out."""
        return [
            *self._small_java(),
            f"-Dcli.name={name}",
            "-Dcli.script=bin/elasticsearch",
            f"-Dcli.libs=lib/tools/{name}-cli",
            f"-Des.path.home={self.home}",
            f"-Des.path.conf={self.configuration}",
            "-Des.distribution.type=tar",
            "-Des.java.type=bundled",
            "-cp",
            f"{self.home}/lib/*:{self.home}/lib/cli-launcher/*",
            "org.elasticsearch.launcher.CliToolLauncher",
        ]

    def _small_java(self) -> list[str]:
        return [f"{self.java}/bin/java", "-Xms4m", "-Xmx64m", "-XX:+UseSerialGC"]

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "ES_HOME": str(self.home),
            "ES_PATH_CONF": str(self.configuration),
            "ES_TMPDIR": str(self.folder / "tmp"),
            "ES_DISTRIBUTION_TYPE": "tar",
            "JAVA": f"{self.java}/bin/java",
            "JAVA_TYPE": "bundled",
        }

    def _wait_for_end(self) -> None:
        """The launcher may be gone before the server is."""
        assert self._process is not None
        deadline = time.monotonic() + STOPPING
        while members(self._process.pid) and time.monotonic() < deadline:
            self._process.poll()
            time.sleep(0.05)

    def _signal(self, number: signal.Signals) -> None:
        """To the launcher and the server that it started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


@contextmanager
def serving(version: str, *, heap: str = "512m", settings: Settings | None = None) -> Iterator[Server]:
    """A server that runs while the block does, and that everyone may use."""
    server = Server(version, heap=heap, settings=settings)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def free_port() -> int:
    """A port that nobody listens on."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise RuntimeError("no free port was found")


def basic(user: str, password: str) -> str:
    """The header with which a user shows a password."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
