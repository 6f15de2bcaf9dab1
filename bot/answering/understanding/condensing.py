"""Condenses a follow-up and its history into a question that stands alone, by a chat model.

What the model writes is searched with and never shown.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from bot.answering.languages import word_lists
from bot.answering.writing.chat_generator import REFUSAL, new_delimiter
from bot.answering.writing.chat_model import ChatModel, Deadline, Limits
from bot.answering.writing.prompts import CONDENSING_VERSION, Prompt, condensing_prompt, visible
from bot.answering.writing.refusals import is_not_found
from bot.answering.writing.retries import with_retries
from bot.answering.writing.stream_parser import THINKING_END, THINKING_START
from bot.errors import GenerationFailed
from retrieval.passages import Turn
from retrieval.ranking.analysis import Analyzer

logger = logging.getLogger(__name__)

# The person waits for the answer, which has a limit of its own after this.
MAX_SECONDS = 5.0
SHARE = 0.25
# What may come to a question for all that it points to; more is no question.
MAX_ADDED_CHARACTERS = 300

LABEL = re.compile(rf"\A(?:{word_lists('condensing').alternatives('labels')})", re.IGNORECASE)
WRAPPING = " \"'`*“”«»‘’"


class QuestionCondenser:
    """Condenses questions within a quarter of the time that the model has for an answer, 5 seconds at most."""

    prompt_version = CONDENSING_VERSION

    def __init__(self, model: ChatModel, analyzer: Analyzer, *, delimiter: Callable[[], str] = new_delimiter) -> None:
        self._model = model
        self._analyzer = analyzer
        self._delimiter = delimiter
        seconds = min(MAX_SECONDS, model.limits.seconds * SHARE)
        self._limits = Limits(seconds=seconds, first_share=1.0, attempts=2)

    def condense(self, question: str, history: Sequence[Turn]) -> str:
        """Return the question in words that need no history; empty where the model fails or writes no such thing."""
        prompt = condensing_prompt(question, history, delimiter=self._delimiter())
        try:
            reply = "".join(with_retries(partial(self._call, prompt), self._limits))
        except GenerationFailed as error:
            logger.info("a follow-up is searched with its history: %s", error.kind)
            return ""
        standalone = ""
        if prompt.delimiter not in reply:
            standalone = parse_standalone(reply, question, history, analyzer=self._analyzer)
        if not standalone:
            logger.info("a follow-up is searched with its history: what the model wrote is no question to go by")
        return standalone

    def _call(self, prompt: Prompt, deadline: Deadline) -> Iterator[str]:
        return self._model.stream(prompt, deadline)


def parse_standalone(reply: str, question: str, history: Sequence[Turn], *, analyzer: Analyzer) -> str:
    """Return the question that a model wrote (pure); empty for anything but one line that belongs to the conversation.

    It belongs when it shares a word that carries meaning with the question or with a turn before it.
    """
    lines = visible(_without_thinking(reply)).strip().splitlines()
    # Spaces of every kind become plain ones, so that none stays between a quotation mark and the words.
    line = " ".join(lines[0].split()) if len(lines) == 1 else ""
    standalone = LABEL.sub("", line.strip(WRAPPING), count=1).strip(WRAPPING)
    if len(standalone) > len(question) + MAX_ADDED_CHARACTERS or is_not_found(standalone):
        return ""
    if REFUSAL.match(standalone) and not REFUSAL.match(question):
        return ""
    known = {term for text in (question, *(turn.text for turn in history)) for term in analyzer.terms(text)}
    return "" if known.isdisjoint(analyzer.terms(standalone)) else standalone


def _without_thinking(reply: str) -> str:
    """Return what follows a model's thinking aloud; nothing of one that has not ended it."""
    return reply.partition(THINKING_END)[2] if reply.lstrip().startswith(THINKING_START) else reply
