"""Indexes whose documents are in English, in German or absent."""

from retrieval.passages import Document
from tests.fakes import FakeReader

ENGLISH = "You may carry over five days of leave into the next year when your manager has agreed to it in writing. "
GERMAN = "Resturlaub verfällt am Jahresende, sofern keine schriftliche Zustimmung der Führungskraft vorliegt. "


def index_of(text: str = ENGLISH * 20) -> FakeReader:
    """Return an index of one document with this text."""
    return FakeReader((Document("d/0.md", "d", "T", "", "v", text, ()), []))
