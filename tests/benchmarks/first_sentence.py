"""From the arrival of an answer's first sentence to its stand on the screen, checked, and as plain text beside it.

    python -m tests.benchmarks.first_sentence [PAUSE_MS]

A chat model's server in a process of its own streams token by token what the shipped handbook says, with the moment of
each token. Ours is the whole answer: cut, checked against five sections, cited, printed. Plain is LangChain's stream
of the same prompt, printed when the text so far ends a sentence.
"""

import json
import multiprocessing
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TextIO

from langchain.chat_models import init_chat_model

from bot.answering.answers import Question, SentenceReady
from bot.answering.writing.chat_generator import PROMPT_PASSAGES, new_delimiter
from bot.answering.writing.prompts import answer_prompt
from bot.app import App, bootstrap
from bot.config.settings import Settings, Source
from retrieval.passages import Query
from tests.benchmarks.latency import quantile
from tests.servers.openai_server import Body, Handler, Reply, _event, serving

QUESTIONS = Path(__file__).parents[1] / "handbook_source" / "questions.jsonl"
MODEL, KEY = "openai:scripted", "none"
ROUNDS = 2
# What follows, so that the first sentence is not ended by the end of the stream.
MORE = " Ask your manager if you are in doubt [1]."


@dataclass(frozen=True, slots=True)
class Taken:
    """Milliseconds: from the first token to the sentence on screen, and of these those after its own last token."""

    whole: float
    beyond: float


class Timed(Handler):
    """Streams one token at a time and notes the moment before each goes out."""

    moments: list[tuple[float, str]]
    pause: float

    def _stream(self, reply: Reply, body: Body) -> None:
        text = reply.text(body) if callable(reply.text) else reply.text
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(_event({"role": "assistant", "content": ""}))
        self.moments.clear()
        for token in re.findall(r"\s?[\w'’-]+|\s?\S", text):
            time.sleep(self.pause)
            event = _event({"content": token})
            self.moments.append((time.perf_counter(), token))
            self.wfile.write(event)
        self.wfile.write(_event({}, finish="stop") + b"data: [DONE]\n\n")


def serve(pipe: Connection, pause: float) -> None:
    """Run the server: tell its address, then for each text that comes stream it and give back the moments."""
    with serving() as server:
        moments: list[tuple[float, str]] = []
        server.RequestHandlerClass = type("Here", (Timed,), {"moments": moments, "pause": pause})
        pipe.send(server.url)
        while (text := pipe.recv()) is not None:
            server.replies = [Reply(text)]
            pipe.send(True)
            pipe.recv()
            pipe.send(moments)


@contextmanager
def model_server(pause: float) -> Iterator[tuple[str, Connection]]:
    """The address of a server in another process, and the pipe to it."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there, pause), daemon=True)
    process.start()
    try:
        yield here.recv(), here
    finally:
        here.send(None)
        process.join(5)


def told(pipe: Connection, text: str, sentence: str, ask: Callable[[], float]) -> Taken:
    """Let the server stream this text, ask for it, and compare with the moments of its first and last token."""
    pipe.send(text)
    pipe.recv()
    shown = ask()
    pipe.send(True)
    moments: list[tuple[float, str]] = pipe.recv()
    read, last = "", moments[0][0]
    for moment, token in moments:
        if len(read) >= len(sentence):
            break
        read, last = read + token, moment
    return Taken(1000 * (shown - moments[0][0]), 1000 * (shown - last))


def checked(app: App, question: str, screen: TextIO) -> float:
    """When the first sentence stood there, 0 if none ever did; the rest is read as well."""
    shown = 0.0
    for event in app.questions.stream(Question(question)):
        if isinstance(event, SentenceReady):
            print(event.sentence.text, file=screen, flush=True)
            shown = shown or time.perf_counter()
    return shown


def plain(model: Any, app: App, question: str, screen: TextIO) -> float:
    """The same of the bare stream."""
    passages = [hit.passage for hit in app.search(Query(question)).hits[:PROMPT_PASSAGES]]
    prompt = answer_prompt(question, (), passages, delimiter=new_delimiter())
    text, shown = "", 0.0
    for piece in model.stream([("system", prompt.system), ("human", prompt.user)]):
        text += piece.text
        if not shown and re.search(r"[.!?]\s*$", text):
            print(text, file=screen, flush=True)
            shown = time.perf_counter()
    return shown


def handbook(home: Path, url: str) -> App:
    """The app over the shipped handbook, with the model at that address."""
    folder = Path(str(files("bot"))) / "handbook"
    named = (Source(name="handbook", path=folder),)
    made = Settings(home=home, model=MODEL, model_base_url=url, confidence_threshold=0.0, sources=named)
    app = bootstrap(made)
    app.ingestion.sync()
    return app


def replies(app: App) -> list[tuple[str, str]]:
    """Each question of the handbook with a first sentence that its sections say."""
    asked = [json.loads(line)["text"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    quoting = bootstrap(app.settings.model_copy(update={"model": "", "model_base_url": ""}))
    found = [(text, quoting.questions.answer(Question(text)).sentences) for text in asked]
    first = [(text, sentences[0].text.rstrip(".!?:; ")) for text, sentences in found if sentences]
    return [(text, f"{' '.join(said.split())} [1].") for text, said in first if not re.search(r"[.!?|\[]", said)]


def report(name: str, taken: list[Taken]) -> None:
    whole, beyond = (sorted(getattr(each, part) for each in taken) for part in ("whole", "beyond"))
    print(
        f"{name:22}{quantile(whole, 0.5):8.1f}{quantile(whole, 0.99):8.1f}"
        f"{quantile(beyond, 0.5):12.2f}{quantile(beyond, 0.99):8.2f}"
    )


def main(pause: float = 10.0) -> None:
    """Print both, and how they compare."""
    with (
        tempfile.TemporaryDirectory() as home,
        model_server(pause / 1000) as (url, pipe),
        Path(os.devnull).open("w") as screen,
    ):
        app = handbook(Path(home), url)
        bare = init_chat_model(MODEL, base_url=url, api_key=KEY, temperature=0, max_retries=0)
        said = replies(app)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            for question, sentence in said:
                run = partial(told, pipe, sentence + MORE, sentence)
                ours.append(run(partial(checked, app, question, screen)))
                theirs.append(run(partial(plain, bare, app, question, screen)))
    refused = sum(each.whole < 0 for each in ours)
    ours, theirs = ([each for each in taken if each.whole > 0] for taken in (ours, theirs))
    print(f"{len(ours)} answers ({refused} more were not let through), a token each {pause:.0f} ms")
    print("milliseconds, median and 99 of 100")
    print(f"{'':22}{'from first token':>16}{'beyond the sentence':>20}")
    report("checked and cited", ours)
    report("LangChain, unchecked", theirs)
    middle = [quantile(sorted(each.whole for each in taken), 0.5) for taken in (ours, theirs)]
    print(f"checked over unchecked, from the first token: {middle[0] / middle[1]:.3f}")


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
