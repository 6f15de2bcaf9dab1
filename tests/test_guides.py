"""README, CONTRIBUTING and the guides say what the code does, and are found by whoever looks for them."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from bot.cli import COMMANDS, RESERVED
from bot.config.settings import Channel, Settings, Source
from tests import ROOT
from tests.command_reference import GUIDE, MARK, reference

README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "deploy" / "guides" / "settings.md").read_text(encoding="utf-8")
PAGES = [ROOT / name / "README.md" for name in ("bot", "bot/channels", "retrieval", "feedback")]
PAPERS = [*ROOT.glob("*.md"), *ROOT.glob("deploy/**/*.md"), *PAGES]
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")


def defaults(heading: str = "") -> dict[str, str]:
    """The default of each key in the settings guide, in the table below a heading or in all tables."""
    text = SETTINGS.partition(heading)[2].split("\n\n")[1] if heading else SETTINGS
    found = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", text, re.MULTILINE)
    return {key: default.strip("`") for key, default in found}


def test_the_reference_of_commands_is_what_the_commands_say_of_themselves():
    written = GUIDE.read_text(encoding="utf-8").partition(MARK)[2]
    assert written.strip() == reference().strip(), "write it anew: python -m tests.command_reference"


def test_the_page_on_security_names_every_threat_that_is_tested():
    named = set(re.findall(r"`(test_\w+\.py)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8")))
    assert named == {each.name for each in (ROOT / "tests" / "security").glob("test_*.py")}


def test_every_command_is_sorted_into_what_it_is_for():
    head = GUIDE.read_text(encoding="utf-8").partition(MARK)[0]
    assert set(re.findall(r"`footnote ([a-z]+)`", head)) == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_reserved_command_is_advertised_nowhere(name):
    assert [path for path in PAPERS if f"footnote {name}" in path.read_text(encoding="utf-8")] == []


def test_the_guide_to_settings_holds_every_setting_and_no_other():
    assert set(defaults()) == {*Settings.model_fields, *Source.model_fields, *Channel.model_fields}


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        pytest.param("Each `[[sources]]` has", Source, id="sources"),
        pytest.param("has a list of groups, or a table with", Channel, id="channels"),
    ],
)
def test_the_tables_of_entries_are_whole_too(heading, model):
    assert set(defaults(heading)) == set(model.model_fields)


def test_defaults_in_the_guide_are_those_of_the_code():
    fields = {key: field.default for key, field in Settings.model_fields.items()}
    known = {key: str(value) for key, value in fields.items() if isinstance(value, int | float | Path)}
    assert len(known) >= 9
    told = {key: str(type(fields[key])(text)) for key, text in defaults().items() if key in known}
    assert told == known


def test_the_readme_is_read_in_minutes():
    assert len(README.splitlines()) < 200


def test_the_two_commands_of_the_readme_are_those_that_exist():
    commands = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)
    assert commands[0] == "sh deploy/setup && .venv/bin/footnote demo"
    assert commands[1] == "sh tests/run"
    assert "sh tests/run" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for script in ("deploy/setup", "tests/run"):
        assert subprocess.run(["sh", "-n", script], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_papers_lead_somewhere(path):
    linked = [path.parent / target for target in LINK.findall(path.read_text(encoding="utf-8"))]
    assert [str(each) for each in linked if not each.exists()] == []


def test_every_guide_is_named_in_the_readme():
    guides = sorted(path.name for path in (ROOT / "deploy" / "guides").glob("*.md"))
    assert [name for name in guides if f"deploy/guides/{name}" not in README] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_each_package_has_one_page_that_names_what_to_read_first(page):
    text = page.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 100
    first = re.findall(r"`([\w/]+\.py)`", text.partition("Read first")[2])[:2]
    assert len(first) == 2
    assert [name for name in first if not (page.parent / name).is_file()] == []


def test_toml_in_papers_holds_settings_alone():
    for path in PAPERS:
        for block in re.findall(r"```toml\n(.*?)\n```", path.read_text(encoding="utf-8"), re.DOTALL):
            assert set(tomllib.loads(block)) <= set(Settings.model_fields), path


def test_the_changelog_has_a_place_for_what_comes_next():
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_no_document_names_a_machine_or_a_registry():
    for path in [*PAPERS, ROOT / "deploy" / "setup", ROOT / "tests" / "run", ROOT / ".ci" / "run"]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"pypi\.org|pythonhosted|index-url|/work/|/home/|localhost", text), path
