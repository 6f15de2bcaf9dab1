"""Validates and normalizes the value of each setting; the error of a wrong one names the accepted form."""

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationInfo
from pydantic_core import PydanticCustomError

from feedback.stores.redis.connection import parse_url as parse_redis_url
from retrieval.passages import EVERYONE, PUBLIC

# What Snowball stems in every PyStemmer that is allowed; its `porter` is an older English.
LANGUAGES = (
    "arabic armenian basque catalan danish dutch english finnish french german greek hindi hungarian indonesian irish "
    "italian lithuanian nepali norwegian portuguese romanian russian serbian spanish swedish tamil turkish yiddish"
).split()

RESERVED_SOURCE_TYPES = ("git", "web", "langchain")

TEAM_IDS = "a list of ids of workspaces (T0123...) and organisations (E0123...)"

ACCEPTED_FORMS = {
    "home": "a folder",
    "embedding_model": "the name of a model, or the path of its folder",
    "confidence_threshold": "a number from 0 to 1",
    "model_timeout": "a number of seconds from 1 to 600",
    "elasticsearch_timeout": "a number of seconds from 1 to 600",
    "synonyms": "a file",
    "everyday_synonyms": "true or false",
    "reranker": "`none`, the name of a cross-encoder, or the path of its folder",
    "elasticsearch_ca_certs": "a file",
    "user_key": "a text",
    "journal_limit": "a whole number from 1 to 10000000",
    "keep_words": "a whole number of days from 0 (for ever) to 36500",
    "keep_exchanges": "a whole number of days from 0 (for ever) to 36500",
    "redis_url": "a text",
    "sources": "a list of tables, [[sources]]",
    "groups": 'a table of lists, such as hr = ["ada@example.com"]',
    "channels": 'a table such as "slack:C0123" = ["finance"], or { groups = ["finance"], auto_answer = true }',
    "auto_answer": "true or false",
    "buttons": "true or false",
    "per_hour": "a whole number from 1 to 10000",
    "port": "a whole number from 0 (any that is free) to 65535",
    "public_port": "a whole number from 0 (any that is free) to 65535",
    "audience": "the name of a group, or a list of them",
    "audience_from": "`front-matter`, or left out",
    "type": "`files`",
    "path": "a folder or a file",
}


def invalid_value(form: str) -> PydanticCustomError:
    """Return the error of a value that has not this form: the setting `must be {form}`."""
    return PydanticCustomError("form", "{form}", {"form": form})


def text(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise invalid_value("a name without control characters")
    return value.strip()


def share(value: Any) -> Any:
    return _not_boolean(value, "a number from 0 to 1")


def whole_number(value: Any) -> Any:
    return _not_boolean(value, "a whole number")


def seconds(value: Any) -> Any:
    return _not_boolean(value, "a number of seconds from 1 to 600")


def _not_boolean(value: Any, form: str) -> Any:
    if isinstance(value, bool):  # pydantic would read true as 1
        raise invalid_value(form)
    return value


def language(value: str) -> str:
    if value.lower() not in LANGUAGES:
        raise invalid_value(f"one of {', '.join(LANGUAGES)}")
    return value.lower()


def workspace(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", value):
        raise invalid_value("up to 64 letters, digits, `.`, `_` and `-`")
    return value


def secret(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().strip():
        raise invalid_value("a text that is not empty")
    return value


def model(value: str) -> str:
    if value and not re.fullmatch(r"[a-z][a-z0-9_-]*:\S+", value):
        raise invalid_value("empty, or `provider:name` such as `openai:gpt-4.1-mini`")
    return value


def address(value: str) -> str:
    if value and not _is_address(value):
        raise invalid_value("an address that begins with http:// or https://")
    return value


def plain_address(value: str) -> str:
    """Return an address for a client that takes no name and password in it, and would repeat them in its errors."""
    if "@" in urlsplit(address(value)).netloc:
        raise invalid_value("an address without a name and password in it")
    return value


def _is_address(value: str) -> bool:
    """Whether this is a URL with a host, and a port that is one where it has any.

    An `@` behind the host is none of a name and password: a sign of the password was not written as %XX, and what
    follows it would be shown as the path.
    """
    if not re.fullmatch(r"https?://[^\s/?#]+([/?#][^\s@]*)?", value):
        return False
    try:
        parts = urlsplit(value)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def redis(value: SecretStr) -> SecretStr:
    try:
        parse_redis_url(value.get_secret_value())
    except ValueError as error:
        raise invalid_value(str(error)) from None
    return value


def with_model(value: str, info: ValidationInfo) -> str:
    if value and info.data.get("model") == "":  # absent when `model` itself is wrong, which is reported on its own
        raise invalid_value("left out, or given together with `model`")
    return value


def bot_token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"xoxb-\S+", value.get_secret_value()):
        raise invalid_value("a bot token, which begins with xoxb-")
    return value


def app_token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"xapp-\S+", value.get_secret_value()):
        raise invalid_value("an app-level token, which begins with xapp-")
    return value


def not_with_bot_token(value: str, info: ValidationInfo) -> str:
    if value and info.data.get("slack_bot_token"):
        raise invalid_value("left out where `slack_bot_token`, of one workspace, is given")
    return value


def with_client_id(value: SecretStr, info: ValidationInfo) -> SecretStr:
    if info.data.get("slack_client_id") == "":  # absent when it is wrong itself, which is reported on its own
        raise invalid_value("left out, or given together with `slack_client_id`")
    return value


def team_ids(value: Any) -> Any:
    """Return the ids of a text with commas between them, or of a list, which the environment gives as JSON."""
    parts = value.split(",") if isinstance(value, str) and not value.lstrip().startswith("[") else from_json(value)
    if not isinstance(parts, list | tuple | set | frozenset):
        raise invalid_value(TEAM_IDS)
    ids = [part.strip() if isinstance(part, str) else part for part in parts]
    if wrong := [each for each in ids if not isinstance(each, str) or not re.fullmatch(r"[TE][A-Z0-9]{2,20}", each)]:
        raise invalid_value(f"{TEAM_IDS}; {wrong[0]!r} is none")
    return frozenset(ids)


def addresses(value: Any) -> Any:
    """Return the addresses of a text with commas between them, or of a list, without a slash at their end."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise invalid_value("one address, or several with commas between them")
    urls = tuple(part.strip().rstrip("/") for part in parts if part.strip())
    if not all(map(_is_address, urls)):
        raise invalid_value("one address or several with commas between them, each beginning with http:// or https://")
    return urls


def not_with_url(value: str, info: ValidationInfo) -> str:
    if value and info.data.get("elasticsearch_url"):
        raise invalid_value("left out where `elasticsearch_url` is given")
    return value


def with_elasticsearch(value: Any, info: ValidationInfo) -> Any:
    # A key is absent when its own value is wrong, which is reported on its own.
    is_set = any(info.data.get(f"elasticsearch_{part}", True) for part in ("url", "cloud_id"))
    if value and not is_set:
        raise invalid_value("left out, or given together with `elasticsearch_url`")
    return value


def with_username(value: SecretStr, info: ValidationInfo) -> SecretStr:
    if info.data.get("elasticsearch_username") == "":
        raise invalid_value("left out, or given together with `elasticsearch_username`")
    return value


def not_with_username(value: SecretStr, info: ValidationInfo) -> SecretStr:
    if info.data.get("elasticsearch_username"):
        raise invalid_value("left out where `elasticsearch_username` is given")
    with_elasticsearch(value.get_secret_value(), info)
    return value


def fingerprint(value: str, info: ValidationInfo) -> str:
    if value and not re.fullmatch(r"(?:[0-9A-Fa-f]{2}:?){32}", value):
        raise invalid_value("the SHA-256 of the certificate: 64 hexadecimal digits, with or without colons")
    with_elasticsearch(value, info)
    return value


def alias(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,127}", value):
        raise invalid_value("up to 128 small letters, digits, `.`, `_` and `-`, not beginning with a sign")
    return value


def existing_file(value: Path) -> Path:
    path = absolute_path(value)
    if not path.is_file():
        raise invalid_value("a file that exists")
    return path


def source_name(value: str) -> str:
    if not value.strip() or not value.isprintable() or value in {".", ".."} or re.search(r"[/\\#]", value):
        raise invalid_value("a name without `/`, `\\`, `#` and control characters")
    return value.strip()


def source_type(value: Any) -> Any:
    if value in RESERVED_SOURCE_TYPES:
        raise invalid_value("`files`; this type is reserved for a later version")
    return value


def not_empty(value: Any) -> Any:
    if value == "":  # Path would read it as the working folder
        raise invalid_value("a path that is not empty")
    return value


def absolute_path(value: Path) -> Path:
    try:
        return Path(os.path.abspath(value.expanduser()))  # noqa: PTH100 - absolute() keeps `..`, resolve() follows links
    except RuntimeError:
        raise invalid_value("a path whose `~` names a known user") from None


def channel(value: str) -> str:
    if value and not re.fullmatch(r"(slack|teams):\S+", value):
        raise invalid_value("`slack:CHANNEL-ID` or `teams:CHANNEL-ID`")
    return value


def channel_name(value: str) -> str:
    if not re.fullmatch(r"(slack|teams):\S+", value):
        raise invalid_value("named by `slack:CHANNEL-ID` or `teams:CHANNEL-ID`")
    return value


def channel_entry(value: Any) -> Any:
    """Return the table of a channel, of which the groups alone may be given."""
    return {"groups": value} if isinstance(value, str | list | tuple) else value


def host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", value):
        raise invalid_value(
            "an address or the name of this machine, such as 127.0.0.1, or 0.0.0.0 for all of its addresses"
        )
    return value


def as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def audience(value: frozenset[str]) -> frozenset[str]:
    if not value or not all(name.strip() and name.isprintable() for name in value):
        raise invalid_value("the name of a group, or a list of at least one")
    return frozenset(name.strip() for name in value)


def person(value: str) -> str:
    if not re.fullmatch(r"(slack|teams):\S+|[^@\s]+@[^@\s]+", value):
        raise invalid_value("an e-mail address, `slack:ID` or `teams:ID`")
    return value


def group_names(value: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    for name in value:
        if name in {EVERYONE, PUBLIC}:
            raise invalid_value(f"other names than {name!r}, which is a word of Footnote's own")
        if not name.strip() or not name.isprintable():
            raise invalid_value("names without control characters")
    return value


def from_json(value: Any) -> Any:
    """Return the value of a table, which the environment gives as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise invalid_value("JSON, when given in the environment") from None
