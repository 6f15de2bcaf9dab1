"""How providers of chat models differ (pure): names of options, endings, errors and counts of tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bot.errors import FailureKind

# Providers whose limit of tokens has another name.
TOKEN_LIMITS = {"ollama": "num_predict", "google_genai": "max_output_tokens", "ibm": "max_new_tokens"}
# Providers that count the tokens of a stream only when they are asked to; elsewhere the option may be unknown.
COUNTS_ON_REQUEST = frozenset({"openai", "azure_openai"})
# Providers that LangChain reaches through OpenAI's client, which can be given the HTTP client beneath it.
TAKES_HTTP_CLIENT = frozenset({"openai", "azure_openai"})
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
TIMEOUT_ERRORS = frozenset("APITimeoutError TimeoutException TimeoutError".split())


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """The tokens that one call read and wrote, as the model's server counts."""

    read: int
    written: int


def provider_of(name: str) -> str:
    """Return the provider in `provider:name`."""
    return name.partition(":")[0]


def ending_of(chunk: Any) -> str:
    """Return why a message ends, as its last chunk says, in lower case; empty where it does not say."""
    metadata = chunk.response_metadata
    return str(next((metadata[key] for key in ENDING_KEYS if metadata.get(key)), "")).lower()


def usage_of(chunk: Any) -> TokenUsage | None:
    """Return what the server counts with this chunk, if it counts anything."""
    usage = chunk.usage_metadata
    return TokenUsage(usage["input_tokens"], usage["output_tokens"]) if usage else None


def is_timeout(error: Exception) -> bool:
    """Whether a client raised this because nobody answered in time."""
    return any(each.__name__ in TIMEOUT_ERRORS for each in type(error).__mro__)


def status_of(error: Exception) -> int | None:
    """Return the HTTP status that an error carries, if it carries one."""
    for value in (
        getattr(error, "status_code", None),
        getattr(getattr(error, "response", None), "status_code", None),
        getattr(error, "code", None),
    ):
        if isinstance(value, int):
            return value
    return None


def retry_after(error: Exception) -> float:
    """Return the seconds that the server asks to wait, 0 when it does not say; it may name a date."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    value = str(headers.get("retry-after", ""))
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0
