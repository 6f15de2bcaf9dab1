"""Chooses the parser for a file, and turns whatever a parser raises into a reason."""

import logging
from collections.abc import Callable
from importlib import import_module
from pathlib import PurePosixPath
from typing import cast

from retrieval.parsing.protocol import Parsed, Parser, Skipped

LARGEST_FILE = 64 * 1024 * 1024

# Modules by name: their libraries are loaded with the first file that needs them.
FORMATS = {
    ".docx": "word.parser",
    ".htm": "html.parser",
    ".html": "html.parser",
    ".markdown": "markdown.parser",
    ".md": "markdown.parser",
    ".pdf": "pdf.parser",
    ".text": "plain",
    ".txt": "plain",
    ".xhtml": "html.parser",
}

OUT_OF_MEMORY = Skipped("out-of-memory", "reading it takes more memory than a file may take")

logger = logging.getLogger(__name__)


def load_parser(suffix: str) -> Parser:
    """Import the parser for a suffix of `FORMATS`."""
    return cast(Parser, import_module(f"retrieval.parsing.{FORMATS[suffix]}").parse)


def parse(
    name: str,
    data: bytes,
    *,
    largest: int = LARGEST_FILE,
    parser_for: Callable[[str], Parser] = load_parser,
) -> Parsed | Skipped:
    """Parse a file by the suffix of its name; `Skipped` for an unknown format, an empty or too large file, or a parser
    that fails. Never raises.
    """
    refused = refusal(name, len(data), largest=largest)
    return refused or _run(parser_for(_suffix(name)), name, data)


def refusal(name: str, size: int, *, largest: int = LARGEST_FILE) -> Skipped | None:
    """Why a file of this name and size, in bytes, is not given to a parser; None when it is."""
    suffix = _suffix(name)
    if suffix not in FORMATS:
        readable = " ".join(sorted(FORMATS))
        return Skipped("unsupported", f"no parser for {suffix or 'a file without a suffix'}; readable are {readable}")
    if size > largest:
        return too_large(size, largest=largest)
    return None if size else Skipped("no-text", "the file is empty")


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _run(parser: Parser, name: str, data: bytes) -> Parsed | Skipped:
    try:
        return parser(name, data)
    except MemoryError:
        return OUT_OF_MEMORY
    except RecursionError:
        return Skipped("malformed", "it is nested too deeply to be read")
    except Exception as error:
        logger.debug("parser failed", exc_info=True)
        return Skipped("malformed", f"it cannot be read ({type(error).__name__})")


def too_large(size: int, *, largest: int = LARGEST_FILE) -> Skipped:
    """The reason for a file above the limit, both in bytes."""
    return Skipped("too-large", f"{size / 1024**2:.0f} MiB; files above {largest // 1024**2} MiB are not read")
