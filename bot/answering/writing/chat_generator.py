"""The generator that lets a chat model write, from the sections and nothing else."""

import re
import secrets
from collections.abc import Callable, Iterator
from functools import partial

from bot.answering.writing import prompts
from bot.answering.writing.chat_model import ChatModel, Deadline, with_retries
from bot.answering.writing.generator import Draft, NotThere
from bot.answering.writing.prompts import NOT_FOUND_TOKEN, PROMPT_VERSION, Prompt
from bot.answering.writing.stream_parser import StreamParser
from bot.errors import GenerationFailed
from retrieval.passages import Query
from retrieval.search import Results

# Sections that the model reads.
READ = 8

NOT_FOUND = re.compile(rf"\W*{NOT_FOUND_TOKEN}\b")
REFUSAL = re.compile(r"\W*(?:I'm sorry|I’m sorry|Sorry|I am sorry|I can(?:no|')t|I am unable|I'm unable|As an AI)\b")


def new_mark() -> str:
    """A line's beginning that nobody can have written before."""
    return f"#{secrets.token_hex(8)}"


class ChatGenerator:
    """A `Generator` over any chat model."""

    prompt_version = PROMPT_VERSION

    def __init__(self, model: ChatModel, *, mark: Callable[[], str] = new_mark) -> None:
        self._model = model
        self._mark = mark

    @property
    def name(self) -> str:
        return self._model.name

    def drafts(self, query: Query, results: Results) -> Iterator[Draft]:
        passages = [hit.passage for hit in results.hits[:READ]]
        prompt = prompts.answer(query.text, query.history, passages, mark=self._mark())
        yield from with_retries(partial(self._once, prompt), self._model.limits)

    def _once(self, prompt: Prompt, deadline: Deadline) -> Iterator[Draft]:
        absent = refused = drafted = False
        for draft in self._cut(prompt, deadline):
            if NOT_FOUND.match(draft.text):
                absent = True
            elif REFUSAL.match(draft.text) and not draft.claimed:
                refused = True
            elif prompt.mark not in draft.text:  # nothing of ours is shown, whoever talked the model into it
                drafted = True
                yield draft
        if absent:
            raise NotThere
        if refused and not drafted:
            raise GenerationFailed("refused")

    def _cut(self, prompt: Prompt, deadline: Deadline) -> Iterator[Draft]:
        cutter = StreamParser()
        for piece in self._model.stream(prompt, deadline):
            yield from cutter.feed(piece)
        yield from cutter.close()
