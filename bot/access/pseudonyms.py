"""Replaces the names of people by keyed hashes, and keeps the key of the embedded default."""

import hashlib
import hmac
import os
import secrets
import threading
from pathlib import Path

from filelock import FileLock

from bot.errors import BotError
from feedback.errors import FeedbackUnavailable
from feedback.private_files import FILE_MODE, make_private, make_private_folder

KEY_FILE = "user.key"
KEY_BYTES = 32


class Pseudonyms:
    """Gives each person the name under which their exchanges and votes are kept; may be used from any thread.

    `key` is the setting `user_key`; without one it is read from the state folder `home`, and made there at first use.
    `shared` is true where several replicas keep their records in one store.
    """

    def __init__(self, home: Path, *, key: str, shared: bool) -> None:
        self._home = home
        self._key = key
        self._shared = shared
        self._lock = threading.Lock()

    def __call__(self, user: str) -> str:
        """Return the pseudonym of a person; empty for nobody.

        Raises `BotError` where replicas share the records but no key, so that each would give another name, and
        `FeedbackUnavailable` when the key of the state folder cannot be read.
        """
        if user and self._shared and not self._key:
            raise BotError(
                "with `redis_url` people need one name everywhere: give `user_key`, the same long random text for "
                "every replica"
            )
        with self._lock:
            self._key = self._key or user_key(self._home)
        return pseudonym(user, key=self._key)


def pseudonym(user: str, *, key: str) -> str:
    """Return the keyed hash of a person's name in hexadecimal digits; empty for nobody.

    E-mail addresses are compared without case; ids of platforms are taken as they are.
    """
    name = user.strip()
    if not name:
        return ""
    if "@" in name:
        name = name.casefold()
    return hmac.new(key.encode(), name.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def user_key(home: Path) -> str:
    """Return the key in this state folder, made when there is none yet; only its owner may read the file.

    Raises `FeedbackUnavailable` when it cannot be read or made. A damaged key is never replaced: with another one
    nobody's earlier records could be found.
    """
    path, lock = home / KEY_FILE, home / f"{KEY_FILE}.lock"
    try:
        if not path.exists():
            make_private_folder(home)
            with FileLock(lock, mode=FILE_MODE):
                if not path.exists():
                    _make(path)
        for known in (path, lock):
            make_private(known)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FeedbackUnavailable(
            f"the key that hashes people, {str(path)!r}, cannot be read or made: see that its folder can be written"
        ) from error
    if len(key) != 2 * KEY_BYTES:
        raise FeedbackUnavailable(
            f"the key that hashes people, {str(path)!r}, is damaged: restore it from a backup, or remove it and lose "
            "the link to what people said before"
        )
    return key


def _make(path: Path) -> None:
    """Write a new key beside its place and move it there, so that nobody ever reads half of one."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)  # left by a process that died
    with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
