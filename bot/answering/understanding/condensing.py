"""A follow-up put by a chat model so that it stands alone; what the model writes is searched with and never shown."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from bot.answering.writing import prompts
from bot.answering.writing.chat_generator import NOT_FOUND, REFUSAL, new_mark
from bot.answering.writing.chat_model import ChatModel, Deadline, Limits, with_retries
from bot.answering.writing.prompts import REWRITE_VERSION, Prompt
from bot.answering.writing.stream_parser import THINKING, THOUGHT
from bot.errors import GenerationFailed
from retrieval.passages import Turn
from retrieval.ranking.analysis import Analyzer

logger = logging.getLogger(__name__)

# The person waits for the answer, which has a limit of its own after this.
MOST_SECONDS = 5.0
SHARE = 0.25
# What may come to a question for all that it points to; more is no question.
MOST_ADDED = 300

LABEL = re.compile(r"\A(?:(?:stand-?alone|rewritten|new|search)\s+)?(?:question|query)\s*:\s*", re.IGNORECASE)
WRAPPING = " \"'`*“”«»‘’"


class QuestionCondenser:
    """Writes follow-ups anew, within a quarter of the time that the model has for an answer, 5 seconds at most."""

    version = REWRITE_VERSION

    def __init__(self, model: ChatModel, analyzer: Analyzer, *, mark: Callable[[], str] = new_mark) -> None:
        self._model = model
        self._analyzer = analyzer
        self._mark = mark
        seconds = min(MOST_SECONDS, model.limits.seconds * SHARE)
        self._limits = Limits(seconds=seconds, first_share=1.0, attempts=2)

    def __call__(self, question: str, history: Sequence[Turn]) -> str:
        """The question in words that need no history; empty where the model fails or writes what is no such thing."""
        prompt = prompts.rewrite(question, history, mark=self._mark())
        try:
            written = "".join(with_retries(partial(self._once, prompt), self._limits))
        except GenerationFailed as error:
            logger.info("a follow-up is searched with its history: %s", error.kind)
            return ""
        found = "" if prompt.mark in written else standalone(written, question, history, analyzer=self._analyzer)
        if not found:
            logger.info("a follow-up is searched with its history: what the model wrote is no question to go by")
        return found

    def _once(self, prompt: Prompt, deadline: Deadline) -> Iterator[str]:
        return self._model.stream(prompt, deadline)


def standalone(written: str, question: str, history: Sequence[Turn], *, analyzer: Analyzer) -> str:
    """The question that a model wrote (pure); empty where it did not write one line that belongs to the conversation.

    Belonging is to share a word that carries meaning with the question or what was said before it.
    """
    lines = prompts.visible(unthought(written)).strip().splitlines()
    found = LABEL.sub("", lines[0].strip(WRAPPING), count=1).strip(WRAPPING) if len(lines) == 1 else ""
    if len(found) > len(question) + MOST_ADDED or NOT_FOUND.match(found):
        return ""
    if REFUSAL.match(found) and not REFUSAL.match(question):
        return ""
    said = {term for text in (question, *(turn.text for turn in history)) for term in analyzer.terms(text)}
    return "" if said.isdisjoint(analyzer.terms(found)) else found


def unthought(written: str) -> str:
    """The text without what a model thought aloud before it; nothing of one that was still thinking."""
    return written.partition(THOUGHT)[2] if written.lstrip().startswith(THINKING) else written
