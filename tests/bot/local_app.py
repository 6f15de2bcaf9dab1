"""The app of the working folder, on its own index and files; only the embedding is a stand-in."""

from typing import Any

from click.testing import Result

from bot.app import App, bootstrap
from bot.config.settings import Settings
from tests.bot.cli.command_line import footnote, printed_json
from tests.fakes import FakeEmbedder


def local_app(settings: Settings) -> App:
    return bootstrap(settings, embedder=FakeEmbedder())


def run(*arguments: str, debug: bool = True) -> Result:
    """Run `footnote` over the local app; with `debug` an error that nobody expects shows its traceback."""
    return footnote(*(["--debug"] if debug else []), *arguments, bootstrap=local_app)


def run_json(*arguments: str) -> Any:
    """Run `footnote` over the local app, and return the JSON that it printed."""
    return printed_json(run(*arguments))
