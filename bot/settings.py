"""Typed settings from `footnote.toml` in the working folder and `FOOTNOTE_*`; the only reader of either.

The environment wins. Every wrong value is reported at once, by name, in one `SettingsError`.
"""

import difflib
import json
import os
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bot.errors import SettingsError
from retrieval.passages import EVERYONE, PUBLIC

FILE = Path("footnote.toml")
PREFIX = "FOOTNOTE_"
TEST_PREFIX = "FOOTNOTE_TEST_"

# What Snowball stems in every PyStemmer that is allowed; its `porter` is an older English.
LANGUAGES = (
    "arabic armenian basque catalan danish dutch english finnish french german greek hindi hungarian indonesian irish "
    "italian lithuanian nepali norwegian portuguese romanian russian serbian spanish swedish tamil turkish yiddish"
).split()

# Names of the whole product's settings that this version does not serve yet: refused by name, so that nobody
# believes that, say, an access restriction or a server is in force when it is not.
RESERVED = frozenset(
    [
        *(
            f"elasticsearch_{part}"
            for part in "url api_key username password ca_certs fingerprint cloud_id alias".split()
        ),
        *"redis_url channels".split(),
        *"host port public_host public_port".split(),
        *(f"slack_{part}" for part in "bot_token app_token signing_secret client_id client_secret api_url".split()),
        *(f"teams_{part}" for part in "client_id client_secret tenant_id jwks_url issuer".split()),
        "teams_allow_unauthenticated",
    ]
)
RESERVED_SOURCE_TYPES = ("git", "web", "langchain")
RESERVED_SOURCE_KEYS = frozenset({"url"})


def _wrong(form: str) -> PydanticCustomError:
    """A problem told by the form that is accepted."""
    return PydanticCustomError("form", "{form}", {"form": form})


def _text(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise _wrong("a name without control characters")
    return value.strip()


def _number(value: Any) -> Any:
    if isinstance(value, bool):  # pydantic would read true as 1
        raise _wrong("a number from 0 to 1")
    return value


def _language(value: str) -> str:
    if value.lower() not in LANGUAGES:
        raise _wrong(f"one of {', '.join(LANGUAGES)}")
    return value.lower()


def _workspace(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", value):
        raise _wrong("up to 64 letters, digits, `.`, `_` and `-`")
    return value


def _secret(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().strip():
        raise _wrong("a text that is not empty")
    return value


def _model(value: str) -> str:
    if value and not re.fullmatch(r"[a-z][a-z0-9_-]*:\S+", value):
        raise _wrong("empty, or `provider:name` such as `openai:gpt-4.1-mini`")
    return value


def _address(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^\s/]+\S*", value):
        raise _wrong("an address that begins with http:// or https://")
    return value


def _with_model(value: str, info: ValidationInfo) -> str:
    if value and info.data.get("model") == "":  # absent when `model` itself is wrong, which is told on its own
        raise _wrong("left out, or given together with `model`")
    return value


def _seconds(value: Any) -> Any:
    if isinstance(value, bool):
        raise _wrong(FORMS["model_timeout"])
    return value


def _source_name(value: str) -> str:
    if not value.strip() or not value.isprintable() or value in {".", ".."} or re.search(r"[/\\#]", value):
        raise _wrong("a name without `/`, `\\`, `#` and control characters")
    return value.strip()


def _source_type(value: Any) -> Any:
    if value in RESERVED_SOURCE_TYPES:
        raise _wrong("`files`; this type is reserved for a later version")
    return value


def _given(value: Any) -> Any:
    if value == "":  # Path would read it as the working folder
        raise _wrong("a path that is not empty")
    return value


def _place(value: Path) -> Path:
    try:
        return Path(os.path.abspath(value.expanduser()))  # noqa: PTH100 - absolute() keeps `..`, resolve() follows links
    except RuntimeError:
        raise _wrong("a path whose `~` names a known user") from None


def _channel(value: str) -> str:
    if value and not re.fullmatch(r"(slack|teams):\S+", value):
        raise _wrong("`slack:CHANNEL-ID` or `teams:CHANNEL-ID`")
    return value


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _audience(value: frozenset[str]) -> frozenset[str]:
    if not value or not all(name.strip() and name.isprintable() for name in value):
        raise _wrong("the name of a group, or a list of at least one")
    return frozenset(name.strip() for name in value)


def _person(value: str) -> str:
    if not re.fullmatch(r"(slack|teams):\S+|[^@\s]+@[^@\s]+", value):
        raise _wrong("an e-mail address, `slack:ID` or `teams:ID`")
    return value


def _group_names(value: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    for name in value:
        if name in {EVERYONE, PUBLIC}:
            raise _wrong(f"other names than {name!r}, which is a word of Footnote's own")
        if not name.strip() or not name.isprintable():
            raise _wrong("names without control characters")
    return value


def _from_json(value: Any) -> Any:
    """Tables come from the environment as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise _wrong("JSON, when given in the environment") from None


def _distinct(sources: tuple["Source", ...]) -> tuple["Source", ...]:
    twice = [name for name, count in Counter(source.name for source in sources).items() if count > 1]
    if twice:
        raise _wrong(f"names that differ; {twice[0]!r} is given twice")
    return sources


Person = Annotated[str, AfterValidator(_person)]
Place = Annotated[Path, BeforeValidator(_given), AfterValidator(_place)]


class Source(BaseModel):
    """One `[[sources]]` entry: a folder (or a single file) whose documents `audience` may read."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, AfterValidator(_source_name)]
    type: Annotated[Literal["files"], BeforeValidator(_source_type)] = "files"
    path: Place
    audience: Annotated[frozenset[str], BeforeValidator(_several), AfterValidator(_audience)] = frozenset({EVERYONE})
    owner: str = ""
    owner_channel: Annotated[str, AfterValidator(_channel)] = ""


class Settings(BaseSettings):
    """Everything that can be configured; unset means the embedded default."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_ignore_empty=True, hide_input_in_errors=True
    )

    home: Place = Field(default=Path(".footnote"), validate_default=True)
    embedding_model: Annotated[str, AfterValidator(_text)] = "all-MiniLM-L6-v2"
    language: Annotated[str, AfterValidator(_language)] = "english"
    confidence_threshold: Annotated[float, BeforeValidator(_number), Field(ge=0, le=1, allow_inf_nan=False)] = 0.4
    model: Annotated[str, AfterValidator(_model)] = ""
    model_base_url: Annotated[str, AfterValidator(_address), AfterValidator(_with_model)] = ""
    model_api_key: Annotated[SecretStr, AfterValidator(_secret)] | None = None
    model_timeout: Annotated[float, BeforeValidator(_seconds), Field(ge=1, le=600, allow_inf_nan=False)] = 30.0
    workspace: Annotated[str, AfterValidator(_workspace)] = "default"
    user_key: Annotated[SecretStr, AfterValidator(_secret)] | None = None
    sources: Annotated[tuple[Source, ...], NoDecode, BeforeValidator(_from_json), AfterValidator(_distinct)] = ()
    groups: Annotated[
        dict[str, frozenset[Person]], NoDecode, BeforeValidator(_from_json), AfterValidator(_group_names)
    ] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given by hand wins over the environment, which wins over footnote.toml; nothing else is read."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=FILE)


# Their values are shown nowhere, wrong ones neither: an address may hold a password.
SECRET = frozenset({"user_key", "model_api_key", "model_base_url"})

FORMS = {
    "home": "a folder",
    "embedding_model": "the name of a model, or the path of its folder",
    "confidence_threshold": "a number from 0 to 1",
    "model_timeout": "a number of seconds from 1 to 600",
    "user_key": "a text",
    "sources": "a list of tables, [[sources]]",
    "groups": 'a table of lists, such as hr = ["ada@example.com"]',
    "audience": "the name of a group, or a list of them",
    "type": "`files`",
    "path": "a folder or a file",
}


def load(home: Path | None = None) -> Settings:
    """The settings in force here; `home` (from the command line) wins over both places."""
    given: dict[str, Any] = {} if home is None else {"home": home}
    problems = list(_strangers())
    try:
        settings = Settings(**given)
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{FILE} is not TOML: {error}")
    except (OSError, UnicodeDecodeError):
        problems.append(f"{FILE} cannot be read: it must be a UTF-8 text file that this user may read")
    except ValidationError as error:
        problems.extend(dict.fromkeys(_told(detail) for detail in error.errors()))
    if problems:
        raise SettingsError(problems)
    return settings


def _environment() -> Mapping[str, str]:
    return os.environ  # noqa: TID251 - the one place that reads it


def _strangers() -> Iterator[str]:
    """`FOOTNOTE_*` variables that are no setting; pydantic reads only those that it knows."""
    for variable in sorted(_environment()):
        name = variable.upper()
        key = name.removeprefix(PREFIX).lower()
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and key not in Settings.model_fields:
            yield _unknown(variable, key, known=Settings.model_fields, reserved=RESERVED, spell=_variable)


def _variable(key: str) -> str:
    return PREFIX + key.upper()


Spelling = Callable[[str], str]


def _unknown(shown: str, key: str, *, known: Mapping[str, Any], reserved: frozenset[str], spell: Spelling = str) -> str:
    if key in reserved:
        return f"{shown} is reserved for a later version; remove it"
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {spell(close[0])}?" if close else f"known are {', '.join(spell(name) for name in known)}"
    return f"{shown} is not a setting; {hint}"


def _told(detail: ErrorDetails) -> str:
    """One pydantic problem as a line that names the setting, where it stands, and the accepted form."""
    key = str(detail["loc"][0])
    shown = _shown(detail["loc"])
    if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:  # unknown variables never come this far
        return _unknown(f"{FILE}: {key}", key, known=Settings.model_fields, reserved=RESERVED)
    if detail["type"] == "extra_forbidden":
        return _unknown(shown, str(detail["loc"][-1]), known=Source.model_fields, reserved=RESERVED_SOURCE_KEYS)
    if detail["type"] == "missing":
        return f"{shown} is missing"
    form = detail["msg"] if detail["type"] == "form" else _form(detail["loc"])
    return f"{shown} must be {form}{_instead(key, detail['input'])}"


def _form(loc: tuple[int | str, ...]) -> str:
    if loc[0] == "groups" and len(loc) > 2:
        return "an e-mail address, `slack:ID` or `teams:ID`"
    if loc[0] == "groups":
        return FORMS["groups"]
    names = [part for part in loc if isinstance(part, str)]
    return "a table" if isinstance(loc[-1], int) else FORMS.get(names[-1], "a text")


def _instead(key: str, value: Any) -> str:
    """The wrong value itself, unless it is secret or long."""
    if key in SECRET or not isinstance(value, str | int | float):
        return ""
    shown = repr(value)
    return f", not {shown}" if len(shown) <= 80 else ""


def _shown(loc: tuple[int | str, ...]) -> str:
    """Where a value stands: `FOOTNOTE_LANGUAGE`, or `footnote.toml: sources[2].audience`."""
    key, *rest = loc
    path = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in rest)
    given = {name.upper() for name, value in _environment().items() if value}
    if _variable(str(key)) in given:
        return _variable(str(key)) + path
    return f"{FILE}: {key}{path}"
