"""Keeps what lies in a state folder from other users of the machine, whatever the umask."""

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600

logger = logging.getLogger(__name__)


def make_private_folder(folder: Path) -> None:
    """Make a folder, with those above it that are missing, for its owner alone; mend one that others may open.

    A folder that many share by design (`/tmp`, with its sticky bit) is left as it is. Raises `OSError`.
    """
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=FOLDER_MODE, exist_ok=True)
    if not folder.stat().st_mode & stat.S_ISVTX:
        make_private(folder.resolve(), FOLDER_MODE)


def make_private_file(path: Path) -> None:
    """Make an empty file for its owner alone where there is none, else mend it as it is. Raises `OSError`."""
    # Only a file that was not there: closing a second descriptor of an open database would drop its locks.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_MODE))
    make_private(path)


def make_private(path: Path, mode: int = FILE_MODE) -> None:
    """Take from others what an older version let them do with a file or folder; nothing where it is not ours."""
    with suppress(OSError):
        found = path.lstat().st_mode
        if found & (stat.S_IRWXG | stat.S_IRWXO) and not stat.S_ISLNK(found):
            path.chmod(stat.S_IMODE(found) & mode)
            logger.info("%s was open to other users of this machine; now it is its owner's alone", path)
