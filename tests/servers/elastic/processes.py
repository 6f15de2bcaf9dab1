"""How programs are run for tests: never as root, in a small environment, and never longer than the run itself."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

NOBODY = 65534  # the user without rights of every Linux; Elasticsearch refuses to run as root

# Waits for a line or for the end of the process that started it, however that came; only the end is acted on.
# Without -s, some shells take the number of a group for an option.
WATCH = 'read -r _ && exit; kill -s KILL -- "-$1"; rm -rf -- "$2"'


class Unavailable(Exception):
    """What a test needs cannot be had here; the text says why and how to run the test."""


def setting(name: str) -> str:
    """What `FOOTNOTE_TEST_{name}` says, empty when it says nothing."""
    return os.environ.get(f"FOOTNOTE_TEST_{name}", "")  # noqa: TID251 - FOOTNOTE_TEST_* belongs to the tests


def variable(name: str) -> str:
    """What another program's variable says, empty when it says nothing."""
    return os.environ.get(name, "")  # noqa: TID251 - JAVA_HOME and PATH are no settings of Footnote


def is_root() -> bool:
    return os.geteuid() == 0


def unprivileged() -> dict[str, Any]:
    """The arguments with which `subprocess` starts a program as a user who is not root."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if is_root() else {}


def give_away(folder: Path) -> None:
    """The folder and all in it belong to the user of `unprivileged`."""
    if not is_root():
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)


def open_to_all(folder: Path) -> None:
    """Every user may read what is in the folder, whatever the umask."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))


def start(
    command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str], output: Path
) -> subprocess.Popen[bytes]:
    """Starts it as an unprivileged user at the head of a process group of its own, writing to `output`."""
    with output.open("ab") as log:
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **unprivileged(),
        )


def watch(group: int, folder: Path) -> Callable[[], None]:
    """Kills the process group and removes the folder when this process ends, even by `kill -9`, and the group runs,
    stopped or not; the function that is given back calls that off.

    A signal on the parent's death would not do: it follows the thread that started the server, and neither it nor the
    closed input that Elasticsearch looks at reaches a server that a test has paused.
    """
    watcher = subprocess.Popen(
        ["sh", "-c", WATCH, "watch", str(group), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # an interrupt from the keyboard is for pytest
    )

    def call_off() -> None:
        watcher.communicate(b"\n")

    return call_off


def members(group: int) -> list[int]:
    """The processes of a process group that have not ended, with all their threads."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue  # it has ended since
        state, its_group, threads = fields[0], int(fields[2]), int(fields[17])
        if its_group == group and (state not in {b"Z", b"X"} or threads > 1):
            found.append(int(status.parent.name))
    return found
