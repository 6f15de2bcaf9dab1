"""One run of the command line: its settings and its app, made when they are first asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a command that needs neither must not wait for pydantic and NumPy
    from bot.app import App
    from bot.config.settings import Settings


def _bootstrap(settings: "Settings") -> "App":
    from bot.app import bootstrap

    return bootstrap(settings)


@dataclass
class Invocation:
    """The options before the command, and what they lead to.

    `bootstrap` makes the app from settings; tests hand in their own.
    """

    home: Path | None = None
    debug: bool = False
    bootstrap: Callable[["Settings"], "App"] = _bootstrap
    _settings: "Settings | None" = field(default=None, init=False)
    _app: "App | None" = field(default=None, init=False)

    @property
    def settings(self) -> "Settings":
        """The settings; raises `SettingsError`."""
        if self._settings is None:
            from bot.config.settings import load

            self._settings = load(self.home)
        return self._settings

    @property
    def app(self) -> "App":
        """The app of these settings; raises what `settings` and `bootstrap` raise."""
        if self._app is None:
            self._app = self.bootstrap(self.settings)
        return self._app
