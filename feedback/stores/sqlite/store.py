"""The embedded store: one SQLite file, which only its owner may read, synced to disk at every record."""

from pathlib import Path

from feedback.stores.sqlite.database import Database, OpenFile
from feedback.stores.sqlite.erasure import SqliteEraser
from feedback.stores.sqlite.exports import SqliteExportRegistry
from feedback.stores.sqlite.file import Upgrades, open_file
from feedback.stores.sqlite.reader import SqliteReader
from feedback.stores.sqlite.schema import UPGRADES
from feedback.stores.sqlite.writer import SqliteWriter


class SqliteFeedback(SqliteWriter, SqliteReader, SqliteExportRegistry, SqliteEraser):
    """A `FeedbackStore` in one file; processes may share it. Copies and backups of it are the owner's to erase."""

    def __init__(self, path: Path, *, upgrades: Upgrades = UPGRADES, open_file: OpenFile = open_file) -> None:
        """Open or make the file; raises `FeedbackUnavailable`."""
        super().__init__(Database(path, upgrades, open_file=open_file))

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    def close(self) -> None:
        """Close the file; a second time changes nothing."""
        self._database.close()
