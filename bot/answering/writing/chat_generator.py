"""The generator that lets a chat model write, from the sections and nothing else."""

import re
import secrets
from collections.abc import Callable, Iterator
from functools import partial

from bot.answering.deadline import CheckWanted, always_wanted
from bot.answering.languages import word_lists
from bot.answering.writing.chat_model import ChatModel, Deadline
from bot.answering.writing.generator import AnswerNotFound, Draft
from bot.answering.writing.prompts import PROMPT_VERSION, Prompt, answer_prompt
from bot.answering.writing.refusals import is_not_found
from bot.answering.writing.retries import with_retries
from bot.answering.writing.stream_parser import StreamParser
from bot.errors import GenerationFailed
from retrieval.passages import Query
from retrieval.search import Results

# Sections that the model is given: three more hold the answer to one question in a hundred, in half as many characters
# again.
PROMPT_PASSAGES = 5

REFUSAL = re.compile(rf"\W*(?:{word_lists('chat_generator').alternatives('refusals')})\b")


def new_delimiter() -> str:
    """Return a line's beginning that nobody can have written before."""
    return f"#{secrets.token_hex(8)}"


class ChatGenerator:
    """A `Generator` over any chat model."""

    prompt_version = PROMPT_VERSION

    def __init__(self, model: ChatModel, *, delimiter: Callable[[], str] = new_delimiter) -> None:
        self._model = model
        self._delimiter = delimiter

    @property
    def name(self) -> str:
        return self._model.name

    def write(self, query: Query, results: Results, *, check: CheckWanted = always_wanted) -> Iterator[Draft]:
        passages = [hit.passage for hit in results.hits[:PROMPT_PASSAGES]]
        prompt = answer_prompt(query.text, query.history, passages, delimiter=self._delimiter())
        yield from with_retries(partial(self._write_once, prompt, check), self._model.limits)

    def _write_once(self, prompt: Prompt, check: CheckWanted, deadline: Deadline) -> Iterator[Draft]:
        """Yield the drafts of one reply; raises when all that it says is that it found nothing, or that it refuses."""
        not_found = refused = drafted = False
        for draft in self._parse(self._model.stream(prompt, deadline, check=check)):
            if is_not_found(draft.text):
                not_found = True
            elif REFUSAL.match(draft.text) and not draft.claimed:
                refused = True
            elif prompt.delimiter not in draft.text:  # nothing of ours is shown, whoever talked the model into it
                drafted = True
                yield draft
        if not_found:
            raise AnswerNotFound
        if refused and not drafted:
            raise GenerationFailed("refused")

    @staticmethod
    def _parse(pieces: Iterator[str]) -> Iterator[Draft]:
        parser = StreamParser()
        for piece in pieces:
            yield from parser.feed(piece)
        yield from parser.close()
