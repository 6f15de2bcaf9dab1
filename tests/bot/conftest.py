"""What tests of the bot may ask for."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """An empty working folder, in an environment without settings."""
    for variable in list(os.environ):  # noqa: TID251 - emptied here, and not read
        if variable.upper().startswith("FOOTNOTE_"):
            monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)
    return tmp_path
