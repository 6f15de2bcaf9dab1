"""Threat: another user of the machine reads the texts of restricted documents, or what people asked, from the disk."""

import logging
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

import feedback.private_files
import retrieval.private_files
from bot.access.pseudonyms import user_key
from bot.app import bootstrap
from bot.config.settings import Settings
from bot.services.diagnostics.environment import check_state_folder
from feedback.export.exporter import write_export
from feedback.export.formats import FORMATS
from feedback.export.request import ExportRequest
from feedback.stores.journal.file import JournalFile
from feedback.stores.journal.sender import JournalSender
from feedback.stores.sqlite.store import SqliteFeedback
from retrieval.ranking.calibration import save_calibration
from retrieval.ranking.confidence import Calibration
from tests.bot.cli.command_line import footnote, printed_json
from tests.fakes import FakeEmbedder
from tests.feedback.export.samples import Registry, many
from tests.security.sources import HANDBOOK, configure, docs

__all__ = ["docs"]  # a fixture

run = partial(footnote, bootstrap=partial(bootstrap, embedder=FakeEmbedder()))
AT = datetime(2026, 3, 2, tzinfo=UTC)
UMASKS = [0o000, 0o022, 0o077]


@pytest.fixture(params=UMASKS, ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """Each umask that files may be made with."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """The paths of a folder, itself too, that anybody but their owner may do something with."""
    return [
        f"{path} {stat.filemode(path.lstat().st_mode)}"
        for path in [folder, *folder.rglob("*")]
        if path.lstat().st_mode & 0o077 and not path.is_symlink()
    ]


def test_all_that_commands_leave_is_its_owners_alone(docs: Path, umask: int) -> None:
    configure(HANDBOOK)
    assert run("sync").exit_code == 0
    answer = printed_json(run("ask", "How many days of leave may be carried?", "--user", "ada@example.com", "--json"))
    assert run("vote", answer["id"], "up", "--user", "bo@example.com").exit_code == 0
    assert run("index", "rebuild").exit_code == 0
    assert run("demo").exit_code in {0, 1}  # its answers need a real embedding model, its state folder does not
    assert run("feedback", "dump", "--out", "dump.jsonl").exit_code == 0
    assert run("report", "--html", "report.html").exit_code == 0
    save_calibration(Calibration(), Path(".footnote/calibration.json"))
    made = {path.name for path in Path(".footnote").iterdir()}
    assert {"index", "index.lock", "index-1.db", "feedback.db", "user.key", "calibration.json"} <= made
    assert open_to_others(Path(".footnote")) == []
    assert open_to_others(Path("report.html")) == open_to_others(Path("dump.jsonl")) == []


def test_an_export_is_its_owners_alone(tmp_path: Path, umask: int) -> None:
    wanted = ExportRequest(FORMATS, settings={}, tool="footnote 1")
    rows, registry = many(60), Registry()
    out = tmp_path / "export"
    write_export(lambda _: rows, wanted, out, store=registry, name="export-1", at=AT, force=False)
    assert len(list(out.rglob("*.jsonl"))) > 10
    assert open_to_others(out) == []


def test_what_is_beside_an_open_database_is_its_owners_alone(tmp_path: Path, umask: int) -> None:
    home = tmp_path / "a/b/home"
    app = bootstrap(Settings(home=home), embedder=FakeEmbedder())
    journal = JournalFile(home / "journal.db", limit=5)
    with closing(app.index), closing(app), closing(journal):
        app.index.writer.register("docs", "/docs")
        app.state.put("key", "value")
        with JournalSender(app.feedback, journal, retry_refused_seconds=1).exclusive(wait_seconds=1):
            names = {path.name for path in home.iterdir()}
            assert {"index-1.db-wal", "index-1.db-shm", "feedback.db-wal", "state.db-wal", "journal.db.lock"} <= names
            assert open_to_others(tmp_path / "a") == []


def loosen(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o777 if path.is_dir() else 0o666)
    folder.chmod(0o755)


def test_an_older_state_folder_is_mended_when_it_is_opened(
    docs: Path, umask: int, caplog: pytest.LogCaptureFixture
) -> None:
    configure(HANDBOOK)
    run("sync")
    run("vote", printed_json(run("ask", "leave", "--json"))["id"], "up")
    home = Path(".footnote").absolute()
    save_calibration(Calibration(), home / "calibration.json")
    loosen(home)
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            run("vote", printed_json(run("ask", "leave", "--json"))["id"], "up")
    assert open_to_others(home) == []
    told = [record.getMessage() for record in caplog.records if "open to other users" in record.getMessage()]
    assert len(told) == len(set(told)) > 3


def test_a_folder_that_is_shared_by_design_stays_so(tmp_path: Path, umask: int) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    assert "open to other users" in check_state_folder(shared).detail
    with closing(SqliteFeedback(shared / "feedback.db")):
        assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
        assert [each for path in shared.iterdir() for each in open_to_others(path)] == []


def test_a_folder_behind_a_link_is_mended_too(tmp_path: Path, umask: int) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o755)
    (tmp_path / "home").symlink_to("data")
    with closing(SqliteFeedback(tmp_path / "home/feedback.db")):
        assert open_to_others(tmp_path / "data") == []
    assert "open to other users" not in check_state_folder(tmp_path / "home").detail


@pytest.mark.parametrize("module", [retrieval.private_files, feedback.private_files], ids=["retrieval", "feedback"])
def test_files_are_made_and_mended_alike_everywhere(tmp_path: Path, umask: int, module: ModuleType) -> None:
    make: Callable[[Path], None] = module.make_private_file
    module.make_private_folder(tmp_path / "a/b")
    make(tmp_path / "a/b/new")
    (tmp_path / "a/b/old").write_text("kept")
    (tmp_path / "a/b/old").chmod(0o640)
    (tmp_path / "elsewhere").write_text("x")
    (tmp_path / "elsewhere").chmod(0o644)
    (tmp_path / "a/b/link").symlink_to(tmp_path / "elsewhere")
    make(tmp_path / "a/b/old")
    make(tmp_path / "a/b/link")
    assert open_to_others(tmp_path / "a") == []
    assert (tmp_path / "a/b/old").read_text() == "kept"
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o644


def test_the_key_that_hashes_people_is_mended_too(tmp_path: Path, umask: int) -> None:
    key = user_key(tmp_path / "home")
    (tmp_path / "home/user.key").chmod(0o644)
    assert user_key(tmp_path / "home") == key
    assert open_to_others(tmp_path / "home") == []
