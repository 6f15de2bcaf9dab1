"""Parses a `redis_url` and makes the client for it. No message shows more of the url than host and port."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

FORM = (
    "`redis://`, `rediss://` (TLS), `redis+cluster://` or `rediss+cluster://`, then `USER:PASSWORD@` where needed "
    "(special characters as %XX), `HOST:PORT`, and `/NUMBER` for a database"
)
SCHEMES = ("redis", "rediss", "redis+cluster", "rediss+cluster")
PORT = 6379
# The files of a certificate authority and of a certificate of one's own, which may follow as `?ssl_ca_certs=PATH`.
FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
# Seconds that one call waits for the server, and how often it is tried again.
TIMEOUT_SECONDS = 5.0
RETRIES = 2
FIRST_WAIT, LONGEST_WAIT = 0.05, 0.5


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a server, or of any node of a cluster, and the user to log in as."""

    host: str
    port: int = PORT
    database: int = 0
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    cluster: bool = False
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Host and port, the part that messages may show."""
        return f"{self.host}:{self.port}"


def parse_url(url: str) -> Address:
    """Return the address that a `redis_url` names; raises ValueError, whose text is the accepted form."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in SCHEMES:
        raise ValueError(FORM) from None  # a port that is none may be the end of a password
    cluster = parts.scheme.endswith("+cluster")
    tls = parts.scheme.startswith("rediss")
    return Address(
        unquote(host),
        PORT if port is None else port,
        _database(parts.path, cluster=cluster),
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        tls,
        cluster,
        _files(parts, tls=tls),
    )


def _database(path: str, *, cluster: bool) -> int:
    name = path.strip("/")
    if not name:
        return 0
    if not (name.isascii() and name.isdecimal() and len(name) < 6):
        raise ValueError(FORM)
    if cluster and int(name):
        raise ValueError("without a database: a cluster has only number 0")
    return int(name)


def _files(parts: SplitResult, *, tls: bool) -> dict[str, str]:
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.fragment or not given.keys() <= set(FILES) or (given and not tls):
        raise ValueError(f"{FORM}, followed by nothing but, with TLS, ?{'=PATH&'.join(FILES)}=PATH")
    return given


def is_installed() -> bool:
    """Tell whether the client can be imported: it comes with the extra `redis`."""
    with suppress(ImportError):
        import redis

        return bool(redis)
    return False


def connect(to: Address, *, timeout: float) -> Any:
    """Make a client, which threads may share; raises what `client_errors` lists. A cluster's asks a node at once."""
    from redis import Redis, RedisCluster
    from redis.backoff import ExponentialBackoff
    from redis.retry import Retry

    options: dict[str, Any] = {
        "host": to.host,
        "port": to.port,
        "username": to.user,
        "password": to.password,
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(ExponentialBackoff(cap=LONGEST_WAIT, base=FIRST_WAIT), RETRIES),
    }
    if to.tls:
        options |= {"ssl": True, "ssl_check_hostname": True, **to.files}
    return RedisCluster(**options) if to.cluster else Redis(db=to.database, **options)


def unknown_script() -> type[Exception]:
    """Return the error that a client raises when the server does not know a script yet."""
    from redis.exceptions import NoScriptError

    return NoScriptError


def client_errors() -> tuple[type[Exception], ...]:
    """Return everything that a client raises when a server cannot be reached or refuses a command."""
    from redis.exceptions import ChildDeadlockedError, RedisClusterException, RedisError

    # ValueError: a host that is no name (UnicodeError), a certificate's file that is none.
    return RedisError, RedisClusterException, ChildDeadlockedError, OSError, ValueError
