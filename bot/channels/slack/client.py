"""Calls the Web API: only methods whose scopes are known, with bounded retries that honour `Retry-After`."""

import http.client
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.channels.port import NotDelivered, Refused
from bot.channels.slack.install.scopes import METHODS, NEED_TEAM

logger = logging.getLogger(__name__)

ATTEMPTS = 4
# Of all waiting for one call together; whoever asked waits as long.
MOST_WAITING = 60.0
TOO_MANY = 429
# Methods whose calls Slack counts by channel; those of all others it counts by workspace.
BY_CHANNEL = frozenset({"chat.postMessage"})
# Errors of the moment, which another try may not meet.
TRANSIENT = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
# Errors after which a token is good for nothing any more.
REVOKED = frozenset({"token_revoked", "account_inactive", "invalid_auth", "token_expired", "not_authed"})


class Unreachable(NotDelivered):
    """Slack cannot be reached, fails, or asks to `wait`, and all attempts have ended so."""

    def __init__(self, *, wait: float = 0.0, unsure: bool = False) -> None:
        super().__init__("Slack cannot be reached at present: see that this machine reaches it, and wait a little")
        self.wait = wait
        self.unsure = unsure


@dataclass(frozen=True, slots=True)
class _Failure:
    """An attempt that failed: how many seconds to wait, and whether Slack may have done what was asked."""

    wait: float
    unsure: bool


class SlackClient:
    """The Web API in the name of one workspace's bot; may be used from any thread.

    `team` is given for the token of a whole organisation: methods that need to know the workspace are told it.
    `revoked` is called when Slack does not take the token any more.
    """

    def __init__(
        self,
        client: WebClient,
        *,
        team: str = "",
        revoked: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._team = team
        self._revoked = revoked
        self._clock = clock
        self._sleep = sleep
        self._closed_until: dict[str, float] = {}  # methods, by what Slack counts their calls by
        self._lock = threading.Lock()

    def __call__(
        self,
        method: str,
        *,
        attempts: int = ATTEMPTS,
        patience: float = MOST_WAITING,
        repeatable: bool = True,
        **arguments: Any,
    ) -> Mapping[str, Any]:
        """Return what the method answers; raises `Refused`, or `Unreachable` after so many attempts.

        Between attempts it waits for `patience` seconds at most, all together. What is not `repeatable` is tried again
        only where Slack has surely done nothing. A method that Slack wants to be called no sooner than in some seconds
        is called by nobody here until then.
        """
        if method not in METHODS:
            raise ValueError(f"{method} has no scope in bot/channels/slack/install/scopes.py")
        if self._team and method in NEED_TEAM:
            arguments = {"team_id": self._team} | arguments
        waited, attempt = 0.0, 1
        while isinstance(found := self._try(method, arguments, attempt), _Failure):
            waited += found.wait
            if attempt >= attempts or waited > patience or (found.unsure and not repeatable):
                raise Unreachable(wait=found.wait, unsure=found.unsure)
            self._sleep(found.wait)
            attempt += 1
        return found

    def attempt(self, method: str, *, attempts: int = 1, **arguments: Any) -> bool:
        """Whether a call has worked that something else makes good where it fails."""
        try:
            self(method, attempts=attempts, **arguments)
        except (Refused, Unreachable) as error:
            logger.info("%s", error)
            return False
        return True

    def _try(self, method: str, arguments: Mapping[str, Any], attempt: int) -> Mapping[str, Any] | _Failure:
        budget = f"{method} {arguments.get('channel')}" if method in BY_CHANNEL else method
        with self._lock:
            wait = self._closed_until.get(budget, 0.0) - self._clock()
        if wait > 0:
            return _Failure(wait, unsure=False)
        try:
            found = getattr(self._client, method.replace(".", "_"))(**arguments)
        except SlackApiError as error:
            try:
                failure = _failure(method, error, attempt)
            except Refused as refused:
                if refused.error in REVOKED:
                    self._revoked()
                raise
            if _status(error) == TOO_MANY:
                with self._lock:
                    now = self._clock()
                    self._closed_until = {name: end for name, end in self._closed_until.items() if end > now}
                    self._closed_until[budget] = now + failure.wait
            return failure
        except ConnectionRefusedError:
            return _Failure(_backoff(attempt), unsure=False)
        except (OSError, http.client.HTTPException, SlackClientError, ValueError) as error:
            logger.info("%s did not come through: %s", method, type(error).__name__)
            return _Failure(_backoff(attempt), unsure=True)
        return found.data if isinstance(found.data, dict) else {}


def _failure(method: str, error: SlackApiError, attempt: int) -> _Failure:
    """Return how an answer that is an error is retried; raises `Refused` where another try would not help."""
    response: Any = error.response
    status, data = _status(error), getattr(response, "data", None)
    if status == TOO_MANY:
        return _Failure(_seconds(response.headers), unsure=False)
    word = str(data.get("error") or "") if isinstance(data, dict) else ""
    if status >= 500 or word in TRANSIENT or not word:
        return _Failure(_backoff(attempt), unsure=True)
    raise Refused(method, word) from error


def _status(error: SlackApiError) -> int:
    return int(getattr(error.response, "status_code", 500))


def _backoff(attempt: int) -> float:
    return 0.25 * float(2**attempt)


def _seconds(headers: Mapping[str, Any]) -> float:
    """Return the seconds of `Retry-After`, which may be a list, or missing."""
    given = {str(name).lower(): value for name, value in headers.items()}.get("retry-after", "1")
    text = given[0] if isinstance(given, list) and given else given
    return float(text) if str(text).strip().isdigit() else 1.0
