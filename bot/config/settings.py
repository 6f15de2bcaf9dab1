"""Reads typed settings from `footnote.toml` in the working folder and `FOOTNOTE_*`; nothing else reads either.

The environment wins. Every wrong value is reported at once, by name, in one `SettingsError`.
"""

import difflib
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
    StrictBool,
    ValidationError,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bot.config import validators
from bot.errors import SettingsError
from retrieval.passages import EVERYONE

FILE = Path("footnote.toml")
PREFIX = "FOOTNOTE_"
TEST_PREFIX = "FOOTNOTE_TEST_"
UNREADABLE = f"{FILE} cannot be read: it must be a UTF-8 text file that this user may read"

# Names of the whole product's settings that this version does not serve yet: refused by name, so that nobody
# believes that, say, an access restriction or a server is in force when it is not.
RESERVED = frozenset(
    [
        *(f"teams_{part}" for part in "client_id client_secret tenant_id jwks_url issuer".split()),
        "teams_allow_unauthenticated",
    ]
)
RESERVED_SOURCE_KEYS = frozenset({"url"})


def _unique_names(sources: tuple["Source", ...]) -> tuple["Source", ...]:
    repeated = [name for name, count in Counter(source.name for source in sources).items() if count > 1]
    if repeated:
        raise validators.invalid_value(f"names that differ; {repeated[0]!r} is given twice")
    return sources


Person = Annotated[str, AfterValidator(validators.person)]
ChannelName = Annotated[str, AfterValidator(validators.channel_name)]
Secret = Annotated[SecretStr, AfterValidator(validators.secret)]
AbsolutePath = Annotated[Path, BeforeValidator(validators.not_empty), AfterValidator(validators.absolute_path)]


class Source(BaseModel):
    """One `[[sources]]` entry: a folder (or a single file) whose documents `audience` may read.

    Without an audience each document says itself who may. With one it may narrow it, and with `audience_from` it may
    say anything.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, AfterValidator(validators.source_name)]
    type: Annotated[Literal["files"], BeforeValidator(validators.source_type)] = "files"
    path: AbsolutePath
    audience: (
        Annotated[frozenset[str], BeforeValidator(validators.as_list), AfterValidator(validators.audience)] | None
    ) = None
    audience_from: Literal["front-matter"] | None = None
    owner: str = ""
    owner_channel: Annotated[str, AfterValidator(validators.channel)] = ""


class Channel(BaseModel):
    """One entry of `[channels]`: the groups of a channel, and how the bot behaves in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    groups: Annotated[frozenset[str], BeforeValidator(validators.as_list), AfterValidator(validators.audience)] = (
        frozenset({EVERYONE})
    )
    auto_answer: StrictBool = False
    per_hour: Annotated[int, BeforeValidator(validators.whole_number), Field(ge=1, le=10_000)] = 30
    buttons: StrictBool = True
    tell_not_found: StrictBool = False


class Settings(BaseSettings):
    """Holds everything that can be configured; unset means the embedded default."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_ignore_empty=True, hide_input_in_errors=True
    )

    home: AbsolutePath = Field(default=Path(".footnote"), validate_default=True)
    embedding_model: Annotated[str, AfterValidator(validators.text)] = "all-MiniLM-L6-v2"
    language: Annotated[str, AfterValidator(validators.language)] = "english"
    confidence_threshold: Annotated[
        float, BeforeValidator(validators.share), Field(ge=0, le=1, allow_inf_nan=False)
    ] = 0.4
    synonyms: (
        Annotated[Path, BeforeValidator(validators.not_empty), AfterValidator(validators.existing_file)] | None
    ) = None
    everyday_synonyms: bool = True
    reranker: Annotated[str, AfterValidator(validators.text)] = "none"
    elasticsearch_url: Annotated[tuple[str, ...], NoDecode, BeforeValidator(validators.addresses)] = ()
    elasticsearch_cloud_id: Annotated[str, AfterValidator(validators.not_with_url)] = ""
    elasticsearch_username: Annotated[str, AfterValidator(validators.with_elasticsearch)] = ""
    elasticsearch_password: Annotated[Secret, AfterValidator(validators.with_username)] | None = None
    elasticsearch_api_key: Annotated[Secret, AfterValidator(validators.not_with_username)] | None = None
    elasticsearch_ca_certs: (
        Annotated[
            Path,
            BeforeValidator(validators.not_empty),
            AfterValidator(validators.existing_file),
            AfterValidator(validators.with_elasticsearch),
        ]
        | None
    ) = None
    elasticsearch_fingerprint: Annotated[str, AfterValidator(validators.fingerprint)] = ""
    elasticsearch_alias: Annotated[str, AfterValidator(validators.alias)] = "footnote-passages"
    elasticsearch_timeout: Annotated[
        float, BeforeValidator(validators.seconds), Field(ge=1, le=600, allow_inf_nan=False)
    ] = 10.0
    redis_url: Annotated[SecretStr, AfterValidator(validators.redis)] | None = None
    model: Annotated[str, AfterValidator(validators.model)] = ""
    model_base_url: Annotated[str, AfterValidator(validators.address), AfterValidator(validators.with_model)] = ""
    model_api_key: Secret | None = None
    model_timeout: Annotated[float, BeforeValidator(validators.seconds), Field(ge=1, le=600, allow_inf_nan=False)] = (
        30.0
    )
    workspace: Annotated[str, AfterValidator(validators.workspace)] = "default"
    user_key: Secret | None = None
    journal_limit: Annotated[int, BeforeValidator(validators.whole_number), Field(ge=1, le=10_000_000)] = 100_000
    keep_words: Annotated[int, BeforeValidator(validators.whole_number), Field(ge=0, le=36_500)] = 365
    keep_exchanges: Annotated[int, BeforeValidator(validators.whole_number), Field(ge=0, le=36_500)] = 1095
    host: Annotated[str, AfterValidator(validators.host)] = "127.0.0.1"
    port: Annotated[int, BeforeValidator(validators.whole_number), Field(ge=0, le=65_535)] = 8080
    public_host: Annotated[str, AfterValidator(validators.host)] = "127.0.0.1"
    public_port: Annotated[int, BeforeValidator(validators.whole_number), Field(ge=0, le=65_535)] = 3978
    slack_bot_token: Annotated[Secret, AfterValidator(validators.bot_token)] | None = None
    slack_app_token: Annotated[Secret, AfterValidator(validators.app_token)] | None = None
    slack_signing_secret: Secret | None = None
    slack_client_id: Annotated[str, AfterValidator(validators.not_with_bot_token)] = ""
    slack_client_secret: Annotated[Secret, AfterValidator(validators.with_client_id)] | None = None
    slack_allowed_teams: Annotated[frozenset[str], NoDecode, BeforeValidator(validators.team_ids)] = frozenset()
    slack_api_url: Annotated[str, AfterValidator(validators.plain_address)] = ""
    owner_channel: Annotated[str, AfterValidator(validators.channel)] = ""
    sources: Annotated[
        tuple[Source, ...], NoDecode, BeforeValidator(validators.from_json), AfterValidator(_unique_names)
    ] = ()
    groups: Annotated[
        dict[str, frozenset[Person]],
        NoDecode,
        BeforeValidator(validators.from_json),
        AfterValidator(validators.group_names),
    ] = Field(default_factory=dict)
    channels: Annotated[
        dict[ChannelName, Annotated[Channel, BeforeValidator(validators.channel_entry)]],
        NoDecode,
        BeforeValidator(validators.from_json),
    ] = Field(default_factory=dict)

    @property
    def has_slack(self) -> bool:
        """Tell whether one workspace or an app for several is given."""
        return bool(self.slack_bot_token or self.slack_client_id)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources: arguments win over the environment, which wins over footnote.toml."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=FILE)


# What an entry of these tables may hold, and what of that is reserved.
ENTRIES: Mapping[str, tuple[Mapping[str, Any], frozenset[str]]] = {
    "sources": (Source.model_fields, RESERVED_SOURCE_KEYS),
    "channels": (Channel.model_fields, frozenset()),
}
# No message shows the value of a setting that is called so, right or wrong: an address may hold a password.
SECRET_KEYS = re.compile(r"(.*_)?(url|key|token|secret|password|link_base|cloud_id)")


def reveal(secret: SecretStr | None) -> str:
    """Return the text of a secret, which must not be logged; empty for none."""
    return secret.get_secret_value() if secret else ""


def load(home: Path | None = None) -> Settings:
    """Return the settings of the working folder and the environment; `home` wins over that of either.

    Raises `SettingsError` with every wrong value at once.
    """
    arguments: dict[str, Any] = {} if home is None else {"home": home}
    problems = list(_unknown_variables())
    if (FILE.exists() or FILE.is_symlink()) and not FILE.is_file():  # pydantic would pass it over
        problems.append(UNREADABLE)
    try:
        settings = Settings(**arguments)
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{FILE} is not TOML: {error}")
    except (OSError, UnicodeDecodeError):
        problems.append(UNREADABLE)
    except ValidationError as error:
        problems.extend(dict.fromkeys(_describe_problem(detail) for detail in error.errors()))
    if problems:
        raise SettingsError(problems)
    return settings


def _environment() -> Mapping[str, str]:
    return os.environ  # noqa: TID251 - the one place that reads it


def _unknown_variables() -> Iterator[str]:
    """Yield a line for each `FOOTNOTE_*` variable that is no setting; pydantic reads only those that it knows."""
    for variable in sorted(_environment()):
        name = variable.upper()
        key = name.removeprefix(PREFIX).lower()
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and key not in Settings.model_fields:
            yield _describe_unknown_key(
                variable, key, known=Settings.model_fields, reserved=RESERVED, spell=_variable_name
            )


def _variable_name(key: str) -> str:
    return PREFIX + key.upper()


def _describe_unknown_key(
    location: str, key: str, *, known: Mapping[str, Any], reserved: frozenset[str], spell: Callable[[str], str] = str
) -> str:
    """Return the line for a key that is reserved or unknown; `spell` writes a key as its location does."""
    if key in reserved:
        return f"{location} is reserved for a later version; remove it"
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {spell(close[0])}?" if close else f"known are {', '.join(spell(name) for name in known)}"
    return f"{location} is not a setting; {hint}"


def _describe_problem(detail: ErrorDetails) -> str:
    """Return the line for a problem that pydantic found: the setting, where it stands, and the accepted form."""
    key = str(detail["loc"][0])
    location = _location(detail["loc"])
    if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:  # unknown variables never come this far
        return _describe_unknown_key(f"{FILE}: {key}", key, known=Settings.model_fields, reserved=RESERVED)
    if detail["type"] == "extra_forbidden":
        known, reserved = ENTRIES[key]
        return _describe_unknown_key(location, str(detail["loc"][-1]), known=known, reserved=reserved)
    if detail["type"] == "missing":
        return f"{location} is missing"
    form = detail["msg"] if detail["type"] == "form" else _accepted_form(detail["loc"])
    return f"{location} must be {form}{_describe_value(detail['loc'], detail['input'])}"


def _accepted_form(loc: tuple[int | str, ...]) -> str:
    if loc[0] == "groups" and len(loc) > 2:
        return "an e-mail address, `slack:ID` or `teams:ID`"
    if loc[0] == "groups" or (loc[0] == "channels" and len(loc) < 3):
        return validators.ACCEPTED_FORMS[str(loc[0])]
    names = [part for part in loc if isinstance(part, str)]
    if loc[0] == "channels" and names[-1] == "groups":
        return validators.ACCEPTED_FORMS["audience"]
    return (
        "a table" if isinstance(loc[-1], int) and len(loc) == 2 else validators.ACCEPTED_FORMS.get(names[-1], "a text")
    )


def _describe_value(loc: tuple[int | str, ...], value: Any) -> str:
    """Return the wrong value as the end of a line; empty where it is secret, long or a table."""
    if any(SECRET_KEYS.fullmatch(str(part)) for part in loc) or not isinstance(value, str | int | float):
        return ""
    text = repr(value)
    return f", not {text}" if len(text) <= 80 else ""


def _location(loc: tuple[int | str, ...]) -> str:
    """Return where a value stands: `FOOTNOTE_LANGUAGE`, or `footnote.toml: sources[2].audience`."""
    key, *rest = loc
    path = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in rest if part != "[key]")
    variables = {name.upper() for name, value in _environment().items() if value}
    if _variable_name(str(key)) in variables:
        return _variable_name(str(key)) + path
    return f"{FILE}: {key}{path}"
