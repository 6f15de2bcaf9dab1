"""What can go wrong in the bot. The texts are safe to show to a person.

BotError
  SettingsError   footnote.toml or the environment holds something wrong; every problem is named at once
  UsageProblem    a command was asked for something that it does not do; ends with status 2
"""

from collections.abc import Sequence


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
