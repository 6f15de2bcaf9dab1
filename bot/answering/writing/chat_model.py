"""One call to a chat model: its text as it comes, within a time limit, and again where that is right.

LangChain reaches the providers; nothing of it leaves this file.
"""

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from bot.answering.writing.prompts import Prompt
from bot.errors import BotError, FailureKind, GenerationFailed

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

T = TypeVar("T")
logger = logging.getLogger(__name__)

# Providers whose limit of tokens has another name.
TOKEN_LIMITS = {"ollama": "num_predict", "google_genai": "max_output_tokens", "ibm": "max_new_tokens"}
# A server on one's own machine wants no key, its client wants some.
NO_KEY = "none"
# How each provider says that it ended otherwise than by having said everything.
ENDINGS: Mapping[str, FailureKind] = {
    "length": "truncated",
    "max_tokens": "truncated",
    "model_length": "truncated",
    "content_filter": "refused",
    "refusal": "refused",
    "safety": "refused",
    "prohibited_content": "refused",
    "recitation": "refused",
}
ENDING_KEYS = ("finish_reason", "stop_reason", "done_reason", "stopReason")
# What the clients call the error when nobody answered in time; their classes are not imported here.
TIMED_OUT = frozenset("APITimeoutError TimeoutException TimeoutError".split())
REFUSED_AS_WRITTEN, RATE_LIMITED, SERVER_FAILED = 400, 429, 500
# What a model's server may not know of a request; one that says so is asked without it.
DISPENSABLE = ("temperature", "stream_options")
# Providers that count the tokens of a stream only when they are asked to; elsewhere the option may be unknown.
ASKED_TO_COUNT = frozenset({"openai", "azure_openai"})
FIRST_WAIT = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much: seconds for everything, the share of them within which the text must begin, tries.

    `characters` are counted here, because some servers do not know the name under which `tokens` is sent.
    """

    seconds: float = 30.0
    first_share: float = 0.7
    tokens: int = 700
    characters: int = 6000
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one call cost, as the model's server counts."""

    read: int
    written: int


Listener = Callable[[str, Tokens | None], None]
"""Told each piece of a reply, with the tokens that the server counts with it; these add up over a call."""


class Deadline:
    """The time that an answer has; it starts when it is made."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + limits.seconds
        self._first = clock() + limits.seconds * limits.first_share

    def left(self, *, begun: bool = True) -> float:
        """Seconds that are left, until the text must have begun or until it must have ended; never below 0."""
        return max(0.0, (self._end if begun else self._first) - self._clock())


class ChatModel:
    """A chat model, ready to be called; `make` prepares LangChain's, without those of `DISPENSABLE` it is given."""

    def __init__(
        self,
        make: "Callable[[frozenset[str]], BaseChatModel]",
        *,
        name: str,
        limits: Limits,
        listener: Listener = lambda text, tokens: None,
    ) -> None:
        self.name = name
        self.limits = limits
        self._listener = listener
        self._make = make
        self._left_out: frozenset[str] = frozenset()
        self._model = make(self._left_out)

    def stream(self, prompt: Prompt, deadline: Deadline) -> Iterator[str]:
        """The pieces of the reply; raises `GenerationFailed` when it fails, breaks off or takes too long.

        The model is read in a thread of its own, because no client keeps a limit for the whole of a stream.
        """
        arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
        left = threading.Event()
        threading.Thread(target=self._read, args=(prompt, arrived, left), daemon=True).start()
        try:
            yield from self._received(arrived, deadline)
        finally:
            left.set()

    def _received(self, arrived: "queue.SimpleQueue[Any]", deadline: Deadline) -> Iterator[str]:
        length, ending = 0, ""
        while True:
            try:
                piece = arrived.get(timeout=deadline.left(begun=length > 0))
            except queue.Empty:
                raise GenerationFailed("timeout") from None
            if isinstance(piece, Exception):
                raise self._failure(piece) from piece
            if piece is None:
                break
            text, said = _read_piece(piece)
            self._listener(text, _tokens(piece))
            ending = said or ending
            length += len(text)
            if length > self.limits.characters:
                raise GenerationFailed("truncated")
            if text:
                yield text
        _check_ending(ending, length)

    def _read(self, prompt: Prompt, arrived: "queue.SimpleQueue[Any]", left: threading.Event) -> None:
        """Put what arrives into the queue, then None; an error in its place."""
        try:
            for piece in self._model.stream([("system", prompt.system), ("human", prompt.user)]):
                if left.is_set():
                    return
                arrived.put(piece)
            arrived.put(None)
        except Exception as error:  # noqa: BLE001 - whatever a provider's client raises is sorted by the reader
            arrived.put(error)

    def _failure(self, error: Exception) -> GenerationFailed:
        status = _status(error)
        logger.warning("the model %s failed: %s, status %s", self.name, type(error).__name__, status)
        unknown = {each for each in DISPENSABLE if each in str(error).lower()} - self._left_out
        if status == REFUSED_AS_WRITTEN and unknown:
            self._left_out |= unknown  # some models know one temperature only
            self._model = self._make(self._left_out)
            return GenerationFailed("unavailable", again=True)
        if status == RATE_LIMITED:
            return GenerationFailed("rate-limited", again=True, wait=_retry_after(error), status=status)
        if any(each.__name__ in TIMED_OUT for each in type(error).__mro__):
            return GenerationFailed("timeout")
        again = status is None or status >= SERVER_FAILED
        return GenerationFailed("unavailable", again=again, wait=_retry_after(error), status=status)


def with_retries(
    once: Callable[[Deadline], Iterator[T]],
    limits: Limits,
    *,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> Iterator[T]:
    """What `once` yields; called again after a passing failure, as long as it has yielded nothing and time is left."""
    deadline = Deadline(limits)
    for attempt in range(1, limits.attempts + 1):
        yielded = False
        try:
            for each in once(deadline):
                yielded = True
                yield each
        except GenerationFailed as failure:
            wait = failure.wait or FIRST_WAIT * 2 ** (attempt - 1) * (0.5 + jitter() / 2)
            if yielded or not failure.again or attempt == limits.attempts or wait >= deadline.left(begun=False):
                raise
            sleep(wait)
        else:
            return


def open_model(
    name: str, *, base_url: str = "", api_key: str = "", limits: Limits, listener: Listener | None = None
) -> ChatModel:
    """The chat model `provider:name`; raises `BotError` with what is missing. Connects to nothing.

    Where a `listener` is given, the server is asked to count tokens.
    """
    try:
        from langchain.chat_models import init_chat_model
    except ImportError as error:
        raise _missing(name, error) from error

    given: dict[str, Any] = {"timeout": limits.seconds, "max_retries": 0}
    given[TOKEN_LIMITS.get(_provider(name), "max_tokens")] = limits.tokens
    if base_url:
        given["base_url"] = base_url
    if api_key or (base_url and name.startswith("openai:")):
        given["api_key"] = api_key or NO_KEY

    counting = listener is not None and _provider(name) in ASKED_TO_COUNT

    def make(left_out: frozenset[str]) -> "BaseChatModel":
        more: dict[str, Any] = {} if "temperature" in left_out else {"temperature": 0}
        if counting:
            more["stream_usage"] = "stream_options" not in left_out
        model: BaseChatModel = init_chat_model(name, **given, **more)
        return model

    try:
        return ChatModel(make, name=name, limits=limits, listener=listener or (lambda text, tokens: None))
    except ImportError as error:
        raise _missing(name, error) from error
    except Exception as error:
        logger.warning("the model could not be prepared", exc_info=error)
        raise BotError(
            f"the model {name!r} cannot be used: see that its provider is one that LangChain knows, and set "
            "`model_api_key` if it wants a key"
        ) from error


def _provider(name: str) -> str:
    return name.partition(":")[0]


def _missing(name: str, error: ImportError) -> BotError:
    absent = error.__cause__ if isinstance(error.__cause__, ImportError) else error
    package = (absent.name or "").partition(".")[0].replace("_", "-")
    if package in {"", "langchain", "langchain-core"}:
        package = f"langchain-{_provider(name).replace('_', '-')}"
    return BotError(
        f"the model {name!r} needs packages that are not installed: pip install 'footnote-bot[chat-models]' {package}"
    )


def _read_piece(piece: Any) -> tuple[str, str]:
    """The text of a message's piece, and why the message ends, if it says so."""
    said = piece.response_metadata
    ending = next((said[key] for key in ENDING_KEYS if said.get(key)), "")
    return str(piece.text), str(ending).lower()


def _tokens(piece: Any) -> Tokens | None:
    """What the server counts with this piece, if it counts anything."""
    counted = piece.usage_metadata
    return Tokens(counted["input_tokens"], counted["output_tokens"]) if counted else None


def _check_ending(ending: str, length: int) -> None:
    """Raise unless the model has said everything that it wanted to say; one that gives no reason was cut off."""
    if ending in ENDINGS:
        raise GenerationFailed(ENDINGS[ending])
    if not ending:
        raise GenerationFailed("truncated" if length else "unavailable", again=not length)
    if not length:
        raise GenerationFailed("empty")


def _status(error: Exception) -> int | None:
    for value in (
        getattr(error, "status_code", None),
        getattr(getattr(error, "response", None), "status_code", None),
        getattr(error, "code", None),
    ):
        if isinstance(value, int):
            return value
    return None


def _retry_after(error: Exception) -> float:
    """The seconds that the server asks to wait, 0 when it does not say."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    asked = str(headers.get("retry-after", ""))
    try:
        return max(0.0, float(asked))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0
