"""The errors of the bot. Their texts are safe to show to a person.

BotError
  SettingsError     footnote.toml or the environment holds something wrong; every problem is named at once
  UsageProblem      a command was asked for something that it does not do; ends with status 2
  GenerationFailed  a generator did not finish; the answer is made without it, and says so
  StateUnavailable  the store that replicas share cannot be read or written just now
  TooMany           an event was not kept, because as many as are allowed wait already
"""

from collections.abc import Sequence
from typing import Literal

FailureKind = Literal["timeout", "unavailable", "rate-limited", "ungrounded", "refused", "truncated", "empty"]


class BotError(Exception):
    """Any failure of the bot whose text may be shown as it is."""


class SettingsError(BotError):
    """One or more settings are wrong; `problems` names each with the form that is accepted."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            super().__init__(self.problems[0])
        else:
            super().__init__("\n  ".join([f"{len(self.problems)} settings are wrong:", *self.problems]))


class UsageProblem(BotError):
    """A command was asked for something that it does not do."""


class GenerationFailed(BotError):
    """A generator did not finish its answer; `kind` is the reason.

    `again` is whether another attempt may help, `wait` the seconds to wait before it, and `status` the HTTP status of
    the model's server, None without a response.
    """

    def __init__(self, kind: FailureKind, *, again: bool = False, wait: float = 0.0, status: int | None = None) -> None:
        super().__init__(f"the answer was not finished: {kind}")
        self.kind = kind
        self.again = again
        self.wait = wait
        self.status = status


class TookTooLong(BotError):
    """The time for an answer is over, and none of its sentences is ready."""

    def __init__(self) -> None:
        super().__init__("answering took too long; ask again, in fewer words or about one thing")


class StateUnavailable(BotError):
    """The store of accepted events and shared values cannot be read or written just now."""


class TooMany(BotError):
    """An event was not kept, because as many as are allowed wait already."""
