"""Which parser reads which file, and the one place where a parser's failure becomes a reason."""

import logging
from importlib import import_module
from pathlib import PurePosixPath
from typing import cast

from retrieval.parsing.protocol import Parsed, Parser, Skipped

LARGEST_FILE = 64 * 1024 * 1024

# Modules by name: their libraries are loaded with the first file that needs them.
FORMATS = {
    ".docx": "word.parser",
    ".htm": "html",
    ".html": "html",
    ".markdown": "markdown",
    ".md": "markdown",
    ".pdf": "pdf.parser",
    ".text": "plain",
    ".txt": "plain",
    ".xhtml": "html",
}

logger = logging.getLogger(__name__)


def parse(name: str, data: bytes) -> Parsed | Skipped:
    """The file's text by the parser that its name asks for, or the reason why there is none; never raises."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in FORMATS:
        return Skipped("unsupported", f"no parser for {suffix or 'a file without a suffix'}; {_supported()}")
    if len(data) > LARGEST_FILE:
        return too_large(len(data))
    if not data:
        return Skipped("no-text", "the file is empty")
    return _guarded(_parser(suffix), name, data)


def too_large(size: int) -> Skipped:
    """The reason for a file above the limit."""
    return Skipped("too-large", f"{size / 1024**2:.0f} MiB; files above {LARGEST_FILE // 1024**2} MiB are not read")


def _supported() -> str:
    return "readable are " + " ".join(sorted(FORMATS))


def _parser(suffix: str) -> Parser:
    return cast(Parser, import_module(f"retrieval.parsing.{FORMATS[suffix]}").parse)


def _guarded(parser: Parser, name: str, data: bytes) -> Parsed | Skipped:
    try:
        return parser(name, data)
    except MemoryError:
        return Skipped("out-of-memory", "there was not enough memory to read it")
    except RecursionError:
        return Skipped("malformed", "it is nested too deeply to be read")
    except Exception as error:
        logger.debug("parser failed", exc_info=True)
        return Skipped("malformed", f"it cannot be read ({type(error).__name__})")
