"""Files become plain text in blocks: one parser per format, chosen by `parse`."""

from retrieval.loading.formats import parse
from retrieval.loading.parsed import Parsed, Skipped

__all__ = ["Parsed", "Skipped", "parse"]
