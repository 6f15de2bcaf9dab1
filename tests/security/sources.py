"""Two folders of documents, one in the other, and the commands that index and search them."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.app import bootstrap
from tests.bot.cli.command_line import footnote, printed_json
from tests.fakes import FakeEmbedder

run = partial(footnote, bootstrap=partial(bootstrap, embedder=FakeEmbedder()))

SALARY = "# Salaries\n\nThe director earns 9000 a month.\n"
LEAVE = "# Leave\n\nFive days of leave may be carried over.\n"


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`docs/leave.md`, for all, around `docs/hr/salaries.md`, which is hr's; the working folder is the one above."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs/hr").mkdir(parents=True)
    (tmp_path / "docs/leave.md").write_text(LEAVE)
    (tmp_path / "docs/hr/salaries.md").write_text(SALARY)
    return tmp_path / "docs"


def configure(*sources: dict[str, Any]) -> None:
    lines = []
    for source in sources:
        lines += ["[[sources]]", *(f"{key} = {json.dumps(value)}" for key, value in source.items())]
    Path("footnote.toml").write_text("\n".join(lines))


HANDBOOK = {"name": "handbook", "path": "docs"}
HR = {"name": "hr", "path": "docs/hr", "audience": "hr"}


def sync(*arguments: str) -> dict[str, Any]:
    report: dict[str, Any] = printed_json(run("sync", *arguments, "--json"))
    return report


def seen(text: str, *groups: str) -> set[str]:
    asked = run("search", text, "--top", "50", *(word for group in groups for word in ("--group", group)))
    return {hit["document"] for hit in printed_json(asked)["hits"]}


def doctor() -> dict[str, dict[str, Any]]:
    return {check["check"]: check for check in json.loads(run("doctor", "--json").stdout)}
