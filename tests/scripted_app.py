"""A small handbook, a scripted model's server and the whole app between them; only the embedding is a stand-in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.answering.answers import Answer, Question
from bot.app import App, bootstrap
from bot.config.settings import Settings, Source
from tests.fakes import FakeEmbedder
from tests.servers.openai_server import Body, Reply, Server

MODEL = "openai:scripted"
LEAVE = """# Leave

## Carry-over

Five days of leave may be carried over into the next year. They must be used by 31 March. Part-time staff may carry over
three days. Managers may not shorten this period.

## Illness

Call your manager before ten when you are ill. A doctor's note is needed from the fourth day. The form for it is at
https://intranet.example/forms/sick-note and nowhere else.
"""
QUESTION = "How many days of leave may be carried over?"
RIGHT = "Five days of leave may be carried over into the next year [{leave}]. They must be used by 31 March [{leave}]."


@dataclass(frozen=True)
class Place:
    """A folder of documents and the scripted server of the model that answers from them."""

    folder: Path
    server: Server

    def app(self, *, model: str = MODEL, timeout: float = 20.0, threshold: float = 0.0) -> App:
        """Return the app over the documents that lie in the folder now."""
        settings = Settings(
            home=self.folder / "state",
            model=model,
            model_base_url=self.server.url if model else "",
            model_timeout=timeout,
            confidence_threshold=threshold,
            sources=(Source(name="docs", path=self.folder / "docs"),),
        )
        app = bootstrap(settings, embedder=FakeEmbedder())
        app.ingestion.sync()
        return app

    def write(self, name: str, text: str) -> None:
        path = self.folder / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def ask(self, *replies: Reply, text: str = QUESTION, timeout: float = 20.0, threshold: float = 0.0) -> Answer:
        """Return the answer that a person gets when the model's server sends these replies."""
        self.server.replies = list(replies)
        return self.app(timeout=timeout, threshold=threshold).questions.answer(Question(text))


def numbered(text: str) -> "Numbered":
    return Numbered(text)


class Numbered:
    """Gives a model's text, in which `{leave}` is the number of the passage on carrying over in the prompt.

    `{ill}` is that of the passage on illness.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def __call__(self, body: Body) -> str:
        passages = passages_of(body)
        places = {"leave": _number(passages, "may be carried over"), "ill": _number(passages, "Call your manager")}
        return self._text.format(**places)


def passages_of(body: Body) -> list[str]:
    """Return the passages of a prompt, in order."""
    user: str = body["messages"][-1]["content"]
    mark = user.split(maxsplit=1)[0]
    parts = [part.strip() for part in user.split(mark)]
    return [part for part in parts if part.startswith("passage ")]


def _number(passages: Sequence[str], holding: str) -> int:
    return next(number for number, passage in enumerate(passages, start=1) if holding in passage)
