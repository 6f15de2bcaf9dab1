"""Checks whether the chat model that writes answers replies."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from bot.answering.writing.chat_model import ChatModel
from bot.answering.writing.prompts import Prompt
from bot.answering.writing.retries import with_retries
from bot.errors import BotError, GenerationFailed
from bot.services.diagnostics.check import Check

GREETING = Prompt("Reply with one word.", "Say yes.", "")
# With these failures the model has been reached.
REPLIED = frozenset({"truncated", "refused", "empty"})
WRONG_KEY = "does not accept the key", "set `model_api_key` to a key that may use this model"
# What is wrong and what mends it, by HTTP status.
STATUSES: Mapping[int, tuple[str, str]] = {
    401: WRONG_KEY,
    403: WRONG_KEY,
    404: ("is not known there", "correct the name in `model`, or `model_base_url`"),
    429: ("takes no more requests at present", "wait, or raise the limit of your account"),
}
NOT_TAKEN = "does not take the request", "see that `model` names a chat model, and that `model_base_url` is complete"
SERVER_FAILED = "has a failing server", "look at its server's log, or try again later"
UNREACHABLE = (
    "cannot be reached",
    "see that its server runs, that this machine reaches it, and that `model_base_url` is its address",
)
TOO_SLOW = "is too slow", "take a faster model, raise `model_timeout`, or see that this machine reaches its server"


def check_chat_model(name: str, open_model: Callable[[], ChatModel]) -> Check:
    """Check that the model replies, with one request of a few words."""
    started = time.perf_counter()
    try:
        model = open_model()
        for _ in with_retries(partial(model.stream, GREETING), replace(model.limits, attempts=2)):
            pass
    except GenerationFailed as error:
        if error.kind not in REPLIED:
            problem, mend = error_message(error)
            return Check("model", ok=False, detail=f"{name} {problem}", mend=mend)
    except BotError as error:
        detail, _, mend = str(error).partition(": ")
        return Check("model", ok=False, detail=detail, mend=mend)
    return Check("model", ok=True, detail=f"{name} replies, {time.perf_counter() - started:.1f} s")


def error_message(error: GenerationFailed) -> tuple[str, str]:
    """Return what is wrong and what mends it, without the server's own words, which may repeat the key."""
    if error.kind == "timeout":
        return TOO_SLOW
    if error.status is None:
        return UNREACHABLE
    problem, mend = STATUSES.get(error.status, NOT_TAKEN if error.status < 500 else SERVER_FAILED)
    return f"{problem} (status {error.status})", mend
