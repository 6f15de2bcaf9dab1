"""What a `redis_url` means, and the client for it. No message shows what stands in the url besides host and port."""

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
RETRIES = 2
FIRST_WAIT, LONGEST_WAIT = 0.05, 0.5


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server, or any node of a cluster, is, and as whom it is spoken to."""

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
        """What may be shown of it."""
        return f"{self.host}:{self.port}"


def address(url: str) -> Address:
    """The address that a `redis_url` stands for; raises ValueError, whose text is the accepted form."""
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


def installed() -> bool:
    """Whether the client is here: it comes with the extra `redis`."""
    with suppress(ImportError):
        import redis

        return bool(redis)
    return False


def connect(to: Address, *, timeout: float) -> Any:
    """A client, which threads may share; one of a cluster asks a node at once, and raises what `failures` lists."""
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
    """What a client raises when the server has not been told a script yet."""
    from redis.exceptions import NoScriptError

    return NoScriptError


def failures() -> tuple[type[Exception], ...]:
    """All that a client raises when a server cannot be reached or refuses what it is asked."""
    from redis.exceptions import ChildDeadlockedError, RedisClusterException, RedisError

    # ValueError: a host that is no name (UnicodeError), a certificate's file that is none.
    return RedisError, RedisClusterException, ChildDeadlockedError, OSError, ValueError
