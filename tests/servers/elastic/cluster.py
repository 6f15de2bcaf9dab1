"""Three nodes that belong together, with TLS, passwords and API keys, as a company runs them."""

import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers.certificates import Certificate, authority, issue
from tests.servers.elastic.server import HOST, STARTING, Server

SECURITY = "xpack.security"


class Cluster:
    """Nodes on loopback, each with a certificate by the cluster's own authority. `password` is that of `elastic`."""

    def __init__(self, version: str, *, nodes: int = 3, heap: str = "512m") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="footnote-cluster-"))
        self.authority = authority(self.folder)
        self.password = secrets.token_urlsafe(12)
        self.nodes = [
            Server(version, heap=heap, password=self.password, authority=self.authority) for _ in range(nodes)
        ]
        self._configure()

    @property
    def urls(self) -> list[str]:
        return [node.url for node in self.nodes]

    @property
    def running(self) -> list[Server]:
        return [node for node in self.nodes if node.running]

    def start(self) -> None:
        """Starts the nodes that do not run and returns when all belong together."""
        for node in self.nodes:
            if not node.running:
                node.launch()
        for node in self.nodes:
            node.wait(nodes=len(self.nodes))

    def elected(self) -> Server:
        """The node that is master now; waits while the others have not yet noticed that the last one is gone."""
        deadline = time.monotonic() + STARTING
        while time.monotonic() < deadline:
            status, rows = self.call("GET", "/_cat/master?format=json&master_timeout=1s")
            named = {row["node"] for row in rows} if status == 200 else set()
            for number, node in enumerate(self.nodes):
                if name(number) in named and node.running:
                    return node
            time.sleep(0.2)
        raise AssertionError("the cluster elected no master")

    def kill_elected(self) -> Server:
        """Ends the master with `kill -9`; the node that it was can be started again."""
        node = self.elected()
        node.kill()
        return node

    def remove(self) -> None:
        for node in self.nodes:
            node.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(
        self, method: str, path: str, body: object = None, *, authorization: str | None = None, timeout: float = 30
    ) -> tuple[int, Any]:
        """The status and the JSON of a running node's answer, by default to the user `elastic`."""
        return self.running[0].call(method, path, body, authorization=authorization, timeout=timeout)

    def add_role(self, role: str, privileges: Mapping[str, object]) -> None:
        """Makes or changes a role; `privileges` are the body of Elasticsearch's own request."""
        self._ask("PUT", f"/_security/role/{role}", privileges)

    def add_user(self, user: str, *roles: str) -> str:
        """Makes a user with these roles; the password."""
        password = secrets.token_urlsafe(12)
        self._ask("PUT", f"/_security/user/{user}", {"password": password, "roles": roles})
        return password

    def add_key(self, privileges: Mapping[str, object] | None = None) -> str:
        """A new API key as clients take it, with these privileges alone; without any, with all that `elastic` has."""
        limits = {} if privileges is None else {"only": privileges}
        made = self._ask("POST", "/_security/api_key", {"name": secrets.token_hex(4), "role_descriptors": limits})
        return str(made["encoded"])

    def _ask(self, method: str, path: str, body: Mapping[str, object]) -> Any:
        """Asks again while the cluster is making the index that holds users and keys."""
        deadline = time.monotonic() + STARTING
        while True:
            status, answer = self.call(method, path, body)
            if status in {200, 201}:
                return answer
            if status not in {401, 503} or time.monotonic() > deadline:
                raise AssertionError(f"{method} {path} got {status}: {answer}")
            time.sleep(0.2)

    def _configure(self) -> None:
        for number, node in enumerate(self.nodes):
            certificate = issue(self.authority, self.folder, name(number))
            node.configure(self._settings(number, _given(node, certificate, self.authority)))
        first, *others = self.nodes
        first.tool("keystore", "create")
        first.tool("keystore", "add", "-x", "bootstrap.password", stdin=self.password)
        for node in others:
            shutil.copy(first.configuration / "elasticsearch.keystore", node.configuration)

    def _settings(self, number: int, tls: Mapping[str, object]) -> dict[str, object]:
        encrypted = {
            f"{SECURITY}.{layer}.ssl.{key}": value for layer in ("http", "transport") for key, value in tls.items()
        }
        return {
            "cluster.name": "footnote-tests",
            "node.name": name(number),
            "discovery.seed_hosts": [f"{HOST}:{node.transport_port}" for node in self.nodes],
            "cluster.initial_master_nodes": [name(each) for each in range(len(self.nodes))],
            f"{SECURITY}.enabled": True,
            **encrypted,
        }


def name(number: int) -> str:
    return f"node-{number}"


def key(encoded: str) -> str:
    """The header with which a client shows an API key."""
    return f"ApiKey {encoded}"


@contextmanager
def serving_cluster(version: str, *, nodes: int = 3, heap: str = "512m") -> Iterator[Cluster]:
    """A cluster that runs while the block does."""
    cluster = Cluster(version, nodes=nodes, heap=heap)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


def _given(node: Server, certificate: Certificate, by: Certificate) -> dict[str, object]:
    """The settings of TLS, with copies of the files in the node's own folder: it may read no other."""
    copies = {"certificate": certificate.shown, "key": certificate.key, "certificate_authorities": by.shown}
    for path in copies.values():
        shutil.copy(path, node.configuration)
    return {"enabled": True, **{setting: path.name for setting, path in copies.items()}}
