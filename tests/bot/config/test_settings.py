"""Settings come from footnote.toml and the environment, and every mistake in them is named at once."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import Stemmer

from bot.config import settings
from bot.config.settings import RESERVED, Channel, Settings, Source
from bot.config.validators import LANGUAGES, RESERVED_SOURCE_TYPES
from bot.errors import SettingsError
from tests import ROOT

pytestmark = pytest.mark.usefixtures("folder")

SAMPLE = ROOT / "deploy" / "footnote.toml"


def write(text: str) -> None:
    Path("footnote.toml").write_text(text, encoding="utf-8")


def problems() -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        settings.load()
    return caught.value.problems


def uncommented(text: str) -> str:
    return re.sub(r"^#(?=[\[\"a-z])", "", text, flags=re.MULTILINE)


def test_nothing_given_is_the_embedded_default(folder):
    loaded = settings.load()
    assert loaded.home == folder / ".footnote"
    assert (loaded.embedding_model, loaded.language, loaded.workspace) == ("all-MiniLM-L6-v2", "english", "default")
    assert (loaded.sources, loaded.groups, loaded.user_key) == ((), {}, None)


def test_the_file_is_read(folder):
    write("""
        language = "German"
        [[sources]]
        name = "hr"
        path = "docs/hr"
        audience = "hr"
        [groups]
        hr = ["a@b.example"]
    """)
    loaded = settings.load()
    assert loaded.language == "german"
    assert loaded.sources == (Source(name="hr", path=folder / "docs" / "hr", audience=frozenset({"hr"})),)
    assert loaded.groups == {"hr": frozenset({"a@b.example"})}


def test_the_environment_wins_over_the_file(monkeypatch):
    write('workspace = "from-file"\nlanguage = "german"\n[groups]\nhr = ["a@b.example"]\n')
    monkeypatch.setenv("FOOTNOTE_WORKSPACE", "from-environment")
    monkeypatch.setenv("FOOTNOTE_GROUPS", json.dumps({"it": ["slack:U1"]}))
    loaded = settings.load()
    assert (loaded.workspace, loaded.language) == ("from-environment", "german")
    assert loaded.groups == {"it": frozenset({"slack:U1"})}


def test_the_command_line_wins_over_both_for_the_state_folder(folder, monkeypatch):
    write('home = "from-file"')
    monkeypatch.setenv("FOOTNOTE_HOME", "from-environment")
    assert settings.load().home == folder / "from-environment"
    assert settings.load(Path("given")).home == folder / "given"


def test_an_empty_variable_is_as_if_it_were_not_there(monkeypatch):
    monkeypatch.setenv("FOOTNOTE_WORKSPACE", "")
    assert settings.load().workspace == "default"


def test_sources_come_from_the_environment_as_json(folder, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_SOURCES", '[{"name": "docs", "path": "docs"}]')
    assert [source.path for source in settings.load().sources] == [folder / "docs"]


def test_variables_of_the_tests_are_let_alone(monkeypatch):
    monkeypatch.setenv("FOOTNOTE_TEST_DATA", "/somewhere")
    settings.load()


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        settings.load().language = "german"


def test_every_mistake_is_named_at_once(monkeypatch):
    write("""
        confidence_threshold = 3
        workspace = "a b"
        langage = "english"
        owner_channel = "C0123"
        [[sources]]
        name = "a/b"
        path = ""
        audience = []
        colour = "red"
        [[sources]]
        owner_channel = "general"
        [groups]
        everyone = ["a@b.example"]
    """)
    monkeypatch.setenv("FOOTNOTE_LANGUAGE", "klingon")
    monkeypatch.setenv("FOOTNOTE_COLOUR", "red")
    lines = "\n".join(problems())
    for line in (
        "confidence_threshold must be a number from 0 to 1, not 3",
        "workspace must be",
        "langage is not a setting; did you mean language?",
        "footnote.toml: owner_channel must be `slack:CHANNEL-ID`",
        "sources[1].name must be",
        "sources[1].path must be a path that is not empty",
        "sources[1].audience must be",
        "sources[1].colour is not a setting",
        "sources[2].name is missing",
        "sources[2].path is missing",
        "sources[2].owner_channel must be `slack:CHANNEL-ID`",
        "groups must be other names than 'everyone'",
        "FOOTNOTE_LANGUAGE must be one of arabic",
        "FOOTNOTE_COLOUR is not a setting",
    ):
        assert line in lines
    assert len(problems()) == 14


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("confidence_threshold = true", "confidence_threshold must be a number from 0 to 1", id="boolean"),
        pytest.param("confidence_threshold = nan", "confidence_threshold must be a number from 0 to 1", id="nan"),
        pytest.param("home = 5", "home must be a folder", id="home"),
        pytest.param('home = "~nobody-of-that-name"', "home must be a path whose `~` names a known user", id="tilde"),
        pytest.param('embedding_model = " "', "embedding_model must be a name", id="blank-model"),
        pytest.param('user_key = " "', "user_key must be a text that is not empty", id="blank-key"),
        pytest.param('sources = "docs"', "sources must be JSON, when given in the environment", id="sources-text"),
        pytest.param("sources = [5]", "sources[1] must be a table", id="source-number"),
        pytest.param('groups = ["hr"]', "groups must be a table of lists", id="groups-list"),
        pytest.param('groups = { hr = ["Ada"] }', "groups.hr[1] must be an e-mail address", id="person"),
        pytest.param('model = "gpt"', "model must be empty, or `provider:name`", id="model"),
        pytest.param('model = "openai:"', "model must be empty, or `provider:name`", id="model-without-name"),
        pytest.param(
            'model = "a:b"\nmodel_base_url = "localhost:1"', "model_base_url must be an address", id="model-address"
        ),
        pytest.param(
            'model_base_url = "http://localhost:1"',
            "model_base_url must be left out, or given together with `model`",
            id="address-without-model",
        ),
        pytest.param('model_api_key = ""', "model_api_key must be a text that is not empty", id="blank-model-key"),
        pytest.param("model_timeout = 0", "model_timeout must be a number of seconds from 1 to 600", id="no-time"),
        pytest.param("model_timeout = true", "model_timeout must be a number of seconds from 1 to 600", id="time"),
        pytest.param("language = ", "footnote.toml is not TOML", id="toml"),
        pytest.param(
            'sources = [{ name = "a", path = "x" }, { name = "a", path = "y" }]', "'a' is given twice", id="twice"
        ),
        pytest.param(
            'sources = [{ name = "a", path = "x", type = "ftp" }]', "sources[1].type must be `files`", id="type"
        ),
    ],
)
def test_a_wrong_value_is_reported_with_the_accepted_form(text, expected):
    write(text)
    (problem,) = problems()
    assert expected in problem
    assert problem.startswith("footnote.toml")


@pytest.mark.parametrize("key", sorted(RESERVED))
def test_a_reserved_key_is_refused_by_name_in_one_line(key, monkeypatch):
    monkeypatch.setenv(f"FOOTNOTE_{key.upper()}", "x")
    write(f'{key} = "x"')
    assert problems() == (
        f"FOOTNOTE_{key.upper()} is reserved for a later version; remove it",
        f"footnote.toml: {key} is reserved for a later version; remove it",
    )


@pytest.mark.parametrize("type_", RESERVED_SOURCE_TYPES)
def test_a_reserved_type_of_source_is_refused(type_):
    write(f'[[sources]]\nname = "a"\npath = "x"\nurl = "x"\ntype = "{type_}"')
    assert len(problems()) == 2
    assert all("reserved for a later version" in problem for problem in problems())


def test_one_mistake_is_one_line():
    write('langage = "english"')
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert str(caught.value) == "footnote.toml: langage is not a setting; did you mean language?"


def test_secrets_are_shown_nowhere(monkeypatch):
    monkeypatch.setenv("FOOTNOTE_USER_KEY", "hunter2-hunter2")
    loaded = settings.load()
    assert loaded.user_key is not None
    assert loaded.user_key.get_secret_value() == "hunter2-hunter2"
    assert "hunter2" not in f"{loaded!r} {loaded} {loaded.model_dump()} {loaded.model_dump_json()}"


def test_the_model_s_key_and_address_are_shown_nowhere(monkeypatch):
    monkeypatch.setenv("FOOTNOTE_MODEL", "gpt")
    monkeypatch.setenv("FOOTNOTE_MODEL_API_KEY", "hunter2-hunter2")
    monkeypatch.setenv("FOOTNOTE_MODEL_BASE_URL", "ftp://me:hunter2@example.com")
    assert "hunter2" not in " ".join(problems())
    monkeypatch.setenv("FOOTNOTE_MODEL", "openai:gpt")
    monkeypatch.setenv("FOOTNOTE_MODEL_BASE_URL", "https://example.com")
    loaded = settings.load()
    assert (loaded.model, loaded.model_base_url, loaded.model_timeout) == ("openai:gpt", "https://example.com", 30)
    assert "hunter2" not in f"{loaded!r} {loaded.model_dump_json()}"


@pytest.mark.parametrize("name", ["openai:gpt-4.1-mini", "ollama:llama3.1:8b", "google_genai:models/x", "openai:org/m"])
def test_models_are_named_by_provider_and_name(name, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_MODEL", name)
    assert settings.load().model == name


def test_a_wrong_secret_is_not_shown_either():
    write("user_key = 1234567")
    assert problems() == ("footnote.toml: user_key must be a text",)


def test_every_language_can_be_stemmed():
    assert set(LANGUAGES) <= set(Stemmer.algorithms())


def test_the_sample_as_it_is_changes_nothing():
    expected = settings.load()
    write(SAMPLE.read_text(encoding="utf-8"))
    assert settings.load() == expected


def test_the_sample_holds_every_setting_and_is_right_when_uncommented():
    text = uncommented(SAMPLE.read_text(encoding="utf-8"))
    sample = tomllib.loads(text)
    assert set(sample) == set(Settings.model_fields)
    assert set(sample["sources"][0]) == set(Source.model_fields)
    assert set(sample["channels"]["slack:C9876543210"]) == set(Channel.model_fields)
    default = settings.load()
    for file in (sample["synonyms"], sample["elasticsearch_ca_certs"]):
        Path(file).touch()
    alternatives = ("elasticsearch_cloud_id", "elasticsearch_username", "elasticsearch_password", "slack_client")
    write("\n".join(line for line in text.splitlines() if not line.startswith(alternatives)))
    loaded = settings.load()
    assert len(loaded.sources) == 2
    for key in ("home", "embedding_model", "language", "confidence_threshold", "workspace"):
        assert getattr(loaded, key) == getattr(default, key)


ELASTIC = "FOOTNOTE_ELASTICSEARCH_"


def test_elasticsearch_may_have_several_addresses(monkeypatch):
    monkeypatch.setenv(f"{ELASTIC}URL", "https://one:9200/, https://two:9200")
    assert settings.load().elasticsearch_url == ("https://one:9200", "https://two:9200")
    monkeypatch.delenv(f"{ELASTIC}URL")
    write('elasticsearch_url = ["http://one:9200"]')
    assert settings.load().elasticsearch_url == ("http://one:9200",)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"URL": "one:9200"}, "URL must be one address or several with commas between them, each beginning with http"),
        ({"URL": "https://a", "CLOUD_ID": "x:y"}, "CLOUD_ID must be left out where `elasticsearch_url` is given"),
        ({"API_KEY": "k"}, "API_KEY must be left out, or given together with `elasticsearch_url`"),
        ({"USERNAME": "u"}, "USERNAME must be left out, or given together with `elasticsearch_url`"),
        (
            {"URL": "https://a", "PASSWORD": "p"},
            "PASSWORD must be left out, or given together with `elasticsearch_user",
        ),
        (
            {"URL": "https://a", "USERNAME": "u", "PASSWORD": "p", "API_KEY": "k"},
            "API_KEY must be left out where `elasticsearch_username` is given",
        ),
        ({"URL": "https://a", "CA_CERTS": "gone.crt"}, "CA_CERTS must be a file that exists, not 'gone.crt'"),
        ({"URL": "https://a", "FINGERPRINT": "12:34"}, "FINGERPRINT must be the SHA-256 of the certificate"),
        ({"ALIAS": "Passages"}, "ALIAS must be up to 128 small letters"),
        ({"TIMEOUT": "0"}, "TIMEOUT must be a number of seconds from 1 to 600"),
    ],
)
def test_what_cannot_be_meant_of_elasticsearch_is_reported_in_one_line(given, expected, monkeypatch):
    for key, value in given.items():
        monkeypatch.setenv(ELASTIC + key, value)
    (problem,) = problems()
    assert problem.startswith(ELASTIC + expected)


def test_a_channel_has_groups_or_a_table():
    write("""
        [channels]
        "slack:C1" = ["finance", "hr"]
        "slack:C2" = { auto_answer = true, per_hour = 5, buttons = false }
        "teams:19:x@thread" = "public"
    """)
    assert settings.load().channels == {
        "slack:C1": Channel(groups=frozenset({"finance", "hr"})),
        "slack:C2": Channel(groups=frozenset({"everyone"}), auto_answer=True, per_hour=5, buttons=False),
        "teams:19:x@thread": Channel(groups=frozenset({"public"})),
    }


def test_channels_come_from_the_environment_as_json(monkeypatch):
    monkeypatch.setenv("FOOTNOTE_CHANNELS", '{"slack:C1": ["finance"]}')
    assert settings.load().channels == {"slack:C1": Channel(groups=frozenset({"finance"}))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('C1 = ["x"]', "channels.C1 must be named by `slack:CHANNEL-ID`", id="name"),
        pytest.param('"slack:C1" = 5', 'channels.slack:C1 must be a table such as "slack:C0123"', id="number"),
        pytest.param('"slack:C1" = []', "channels.slack:C1.groups must be the name of a group, or a list", id="none"),
        pytest.param('"slack:C1" = [5]', "channels.slack:C1.groups[1] must be the name of a group", id="no-name"),
        pytest.param('"slack:C1" = { group = "x" }', "channels.slack:C1.group is not a setting; did you", id="key"),
        pytest.param('"slack:C1" = { auto_answer = "yes" }', "auto_answer must be true or false, not 'yes'", id="text"),
        pytest.param('"slack:C1" = { per_hour = 0 }', "per_hour must be a whole number from 1 to 10000", id="zero"),
    ],
)
def test_a_wrong_channel_is_reported_with_the_accepted_form(text, expected):
    write(f"[channels]\n{text}")
    (problem,) = problems()
    assert expected in problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("port = 70000", "port must be a whole number from 0 (any that is free) to 65535", id="port"),
        pytest.param("public_port = true", "public_port must be a whole number", id="boolean"),
        pytest.param('host = "a b"', "host must be an address or the name of this machine", id="host"),
        pytest.param('public_host = "http://x"', "public_host must be an address or the name", id="url"),
    ],
)
def test_a_wrong_place_to_listen_is_reported_with_the_accepted_form(text, expected):
    write(text)
    (problem,) = problems()
    assert expected in problem


def test_an_address_with_a_password_is_not_shown_when_it_is_wrong(monkeypatch):
    monkeypatch.setenv(f"{ELASTIC}URL", "ftp://elastic:hunter2@one")
    (problem,) = problems()
    assert "hunter2" not in problem


def test_a_wrong_redis_url_is_reported_with_the_accepted_form_and_shown_nowhere(monkeypatch):
    monkeypatch.setenv("FOOTNOTE_REDIS_URL", "http://:hunter2@one:6379")
    (problem,) = problems()
    assert problem.startswith("FOOTNOTE_REDIS_URL must be `redis://`")
    assert "hunter2" not in problem
