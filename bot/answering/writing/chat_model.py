"""Calls a chat model: its text as it comes, within a time limit.

LangChain reaches the providers; nothing of it leaves this file.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.answering.deadline import CheckWanted, always_wanted
from bot.answering.writing.model_call import ModelCall, ReplyTooLarge, limited_client
from bot.answering.writing.prompts import Prompt
from bot.answering.writing.providers import (
    COUNTS_ON_REQUEST,
    ENDINGS,
    TAKES_HTTP_CLIENT,
    TOKEN_LIMITS,
    TokenUsage,
    ending_of,
    is_timeout,
    provider_of,
    retry_after,
    status_of,
    usage_of,
)
from bot.errors import BotError, GenerationFailed

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

logger = logging.getLogger(__name__)

# A server on one's own machine wants no key, its client wants some.
NO_KEY = "none"
BAD_REQUEST, RATE_LIMITED, SERVER_FAILED = 400, 429, 500
# What a model's server may not know of a request; one that says so is asked without it.
DISPENSABLE = ("temperature", "stream_options")
# Seconds that a server has, after a reply's ending, to count its tokens and to close the stream.
ENDING_SECONDS = 1.0
# How long it is waited for a piece before it is asked whether somebody still wants the reply.
CHECK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much: seconds for everything, the share of them within which the text must begin, attempts.

    `characters` are counted here, because some servers do not know the name under which `tokens` is sent.
    """

    seconds: float = 30.0
    first_share: float = 0.7
    tokens: int = 700
    characters: int = 6000
    attempts: int = 3


ReplyListener = Callable[[str, TokenUsage | None], None]
"""Is called with each piece of a reply and the tokens that the server counts with it; these add up over a call."""


class Deadline:
    """The time that an answer has; it starts when it is made."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + limits.seconds
        self._first = clock() + limits.seconds * limits.first_share

    def left(self, *, begun: bool = True) -> float:
        """Return the seconds that are left, until the text must end or, unless `begun`, begin; never below 0."""
        return max(0.0, (self._end if begun else self._first) - self._clock())

    def end_within(self, seconds: float) -> None:
        """Leave no more than so many seconds."""
        self._end = min(self._end, self._clock() + seconds)


class ChatModel:
    """A chat model, ready to be called.

    `make` prepares LangChain's model, leaving out the options of `DISPENSABLE` that it is given.
    """

    def __init__(
        self,
        make: "Callable[[frozenset[str]], BaseChatModel]",
        *,
        name: str,
        limits: Limits,
        listener: ReplyListener = lambda text, usage: None,
    ) -> None:
        self.name = name
        self.limits = limits
        self._listener = listener
        self._make = make
        self._left_out: frozenset[str] = frozenset()
        self._model = make(self._left_out)

    def stream(self, prompt: Prompt, deadline: Deadline, *, check: CheckWanted = always_wanted) -> Iterator[str]:
        """Yield the pieces of the reply; raises `GenerationFailed` when it fails, breaks off or takes too long.

        Raises what `check` raises, which is called with each piece and every second in which none comes.

        The model is read in a thread of its own, because no client keeps a limit for the whole of a stream; it ends
        with the reply, whatever the server still sends.
        """
        chunks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        call = ModelCall()
        threading.Thread(target=self._read, args=(prompt, chunks, call), daemon=True).start()
        try:
            yield from self._receive(chunks, deadline, check)
        finally:
            call.close()

    def _receive(self, chunks: "queue.SimpleQueue[Any]", deadline: Deadline, check: CheckWanted) -> Iterator[str]:
        length, ending = 0, ""
        while True:
            left = deadline.left(begun=length > 0 or ending != "")
            try:
                chunk = _next(chunks, left, check)
            except queue.Empty:
                left = 0.0
            if not left:  # also when something comes all the time
                if ending:
                    break
                raise GenerationFailed("timeout")
            if chunk is None or (ending and isinstance(chunk, Exception)):
                break
            if isinstance(chunk, Exception):
                raise self._failure(chunk) from chunk
            text = str(chunk.text)
            self._listener(text, usage_of(chunk))
            if found := ending_of(chunk):
                ending = found
                deadline.end_within(ENDING_SECONDS)
            length += len(text)
            if length > self.limits.characters:
                raise GenerationFailed("truncated")
            if text:
                yield text
        _check_ending(ending, length)

    def _read(self, prompt: Prompt, chunks: "queue.SimpleQueue[Any]", call: ModelCall) -> None:
        """Put what arrives into the queue, then None; an error in its place."""
        call.enter()
        try:
            for chunk in self._model.stream([("system", prompt.system), ("human", prompt.user)]):
                if call.is_closed:
                    return
                chunks.put(chunk)
            chunks.put(None)
        except Exception as error:  # noqa: BLE001 - whatever a provider's client raises is sorted by the reader
            chunks.put(error)

    def _failure(self, error: Exception) -> GenerationFailed:
        status = status_of(error)
        logger.warning("the model %s failed: %s, status %s", self.name, type(error).__name__, status)
        unknown = {each for each in DISPENSABLE if each in str(error).lower()} - self._left_out
        if status == BAD_REQUEST and unknown:
            self._left_out |= unknown  # some models know one temperature only
            self._model = self._make(self._left_out)
            return GenerationFailed("unavailable", again=True)
        if status == RATE_LIMITED:
            return GenerationFailed("rate-limited", again=True, wait=retry_after(error), status=status)
        if is_timeout(error):
            return GenerationFailed("timeout")
        if isinstance(error, ReplyTooLarge):
            return GenerationFailed("truncated")
        again = status is None or status >= SERVER_FAILED
        return GenerationFailed("unavailable", again=again, wait=retry_after(error), status=status)


def _next(chunks: "queue.SimpleQueue[Any]", seconds: float, check: CheckWanted) -> Any:
    """Return the next of the chunks; raises `queue.Empty` where none comes in time, and what `check` raises."""
    check()
    while seconds > CHECK_SECONDS:
        try:
            return chunks.get(timeout=CHECK_SECONDS)
        except queue.Empty:
            seconds -= CHECK_SECONDS
            check()
    return chunks.get(timeout=seconds)


def _check_ending(ending: str, length: int) -> None:
    """Raise unless the model has said everything that it wanted to say; one that gives no reason was cut off."""
    if ending in ENDINGS:
        raise GenerationFailed(ENDINGS[ending])
    if not ending:
        raise GenerationFailed("truncated" if length else "unavailable", again=not length)
    if not length:
        raise GenerationFailed("empty")


def open_model(
    name: str, *, base_url: str = "", api_key: str = "", limits: Limits, listener: ReplyListener | None = None
) -> ChatModel:
    """Prepare the chat model `provider:name`; raises `BotError` with what is missing. Connects to nothing.

    Where a `listener` is given, the server is asked to count tokens.
    """
    try:
        from langchain.chat_models import init_chat_model
    except ImportError as error:
        raise _missing_package(name, error) from error

    options: dict[str, Any] = {"timeout": limits.seconds, "max_retries": 0}
    options[TOKEN_LIMITS.get(provider_of(name), "max_tokens")] = limits.tokens
    if base_url:
        options["base_url"] = base_url
    if api_key or (base_url and name.startswith("openai:")):
        options["api_key"] = api_key or NO_KEY
    if provider_of(name) in TAKES_HTTP_CLIENT:
        options["http_client"] = _http_client(name)
    counts_tokens = listener is not None and provider_of(name) in COUNTS_ON_REQUEST

    def make(left_out: frozenset[str]) -> "BaseChatModel":
        more: dict[str, Any] = {} if "temperature" in left_out else {"temperature": 0}
        if counts_tokens:
            more["stream_usage"] = "stream_options" not in left_out
        model: BaseChatModel = init_chat_model(name, **options, **more)
        return model

    try:
        return ChatModel(make, name=name, limits=limits, listener=listener or (lambda text, usage: None))
    except ImportError as error:
        raise _missing_package(name, error) from error
    except Exception as error:
        logger.warning("the model could not be prepared", exc_info=error)
        raise BotError(
            f"the model {name!r} cannot be used: see that its provider is one that LangChain knows, and set "
            "`model_api_key` if it wants a key"
        ) from error


def _http_client(name: str) -> Any:
    try:
        return limited_client()
    except ImportError as error:
        raise _missing_package(name, ImportError(name="langchain_openai")) from error  # OpenAI's client comes with it


def _missing_package(name: str, error: ImportError) -> BotError:
    absent = error.__cause__ if isinstance(error.__cause__, ImportError) else error
    package = (absent.name or "").partition(".")[0].replace("_", "-")
    if package in {"", "langchain", "langchain-core"}:
        package = f"langchain-{provider_of(name).replace('_', '-')}"
    return BotError(
        f"the model {name!r} needs packages that are not installed: pip install 'footnote-bot[chat-models]' {package}"
    )
