"""Who asked and who voted, without saying who: a keyed hash, and the key that the embedded default makes itself."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from filelock import FileLock

from feedback.errors import FeedbackUnavailable

KEY_FILE = "user.key"
KEY_BYTES = 32


def hashed(user: str, *, key: str) -> str:
    """The name under which a person is remembered; empty for nobody.

    E-mail addresses are one person in upper and lower case; ids of platforms are taken as they are.
    """
    name = user.strip()
    if not name:
        return ""
    if "@" in name:
        name = name.casefold()
    return hmac.new(key.encode(), name.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def user_key(home: Path) -> str:
    """The key in this state folder, made when there is none yet; only its owner may read it.

    Raises `FeedbackUnavailable` when it cannot be read or made. A damaged one is never replaced: with another key
    everybody would be a stranger.
    """
    path = home / KEY_FILE
    try:
        if not path.exists():
            home.mkdir(parents=True, exist_ok=True)
            with FileLock(home / f"{KEY_FILE}.lock"):
                if not path.exists():
                    _make(path)
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
