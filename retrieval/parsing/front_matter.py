"""Reads a document's metadata from the YAML block before its text, or from the same keys found elsewhere."""

import re
from collections.abc import Mapping
from datetime import date
from itertools import takewhile

from retrieval.characters import one_line
from retrieval.parsing.protocol import Skipped
from retrieval.passages import Metadata

UNCLEAR_AUDIENCE = Skipped("malformed", "its audience cannot be understood, so it is shown to nobody")

_FENCED = re.compile(r"\A\s*---[ \t]*\n(|.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_OPENING = re.compile(r"\A\s*(?:---|\+\+\+)[ \t]*\n")
_HEADER_LINE = re.compile(r"\s*$|\s*[#-]|\s+\S|[\w\"'-][^:=]*[:=]")
_NAMES_AUDIENCE = re.compile(r"^[ \t{]*[\"']?audience[\"']?[ \t]*[:=]", re.IGNORECASE | re.MULTILINE)
_URL = re.compile(r"https?://[^\s<>\"\\]+", re.IGNORECASE)


def split(text: str) -> tuple[Metadata, str] | Skipped:
    """Split a text into its metadata and the text after it.

    A block that cannot be read is dropped, unless it names an audience: then nobody may read the document,
    because showing it to everyone would be a leak.
    """
    found = _FENCED.match(text)
    if found is None:
        return _without_end(text)
    header, body = found[1], text[found.end() :]
    values = _mapping(header)
    if values is not None:
        metadata = metadata_from(values)
        return metadata if isinstance(metadata, Skipped) else (metadata, body)
    if _NAMES_AUDIENCE.search(header):
        return UNCLEAR_AUDIENCE
    # Two rules with a paragraph between them are no header: the paragraph stays.
    return Metadata(), body if all(map(_HEADER_LINE.match, header.splitlines())) else text


def _without_end(text: str) -> tuple[Metadata, str] | Skipped:
    """Take a header that never ends, or one in TOML, for text, unless it names an audience."""
    if opening := _OPENING.match(text):
        header = takewhile(_HEADER_LINE.match, text[opening.end() :].split("\n"))
        if _NAMES_AUDIENCE.search("\n".join(header)):
            return UNCLEAR_AUDIENCE
    return Metadata(), text


def _mapping(header: str) -> dict[str, object] | None:
    """The keys in lower case; None when this is no YAML mapping, or one that gives two audiences."""
    import yaml

    try:
        # It makes strings only, so that no date that does not exist takes the audience down with it.
        loaded = yaml.load(header, Loader=yaml.BaseLoader)  # noqa: S506 - BaseLoader builds no other objects
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    if not header.strip():
        return {}
    if not isinstance(loaded, dict) or len(_NAMES_AUDIENCE.findall(header)) > 1:
        return None
    return {str(key).strip().lower(): value for key, value in loaded.items()}


def metadata_from(values: Mapping[str, object]) -> Metadata | Skipped:
    """Metadata from the keys that Footnote knows; `Skipped` for an audience that cannot be understood."""
    audience = None
    if "audience" in values:
        audience = _audience(values["audience"])
        if audience is None:
            return UNCLEAR_AUDIENCE
    return Metadata(
        title=_line(values.get("title")),
        url=_url(values.get("url")),
        owner=_line(values.get("owner")),
        review=_date(values.get("review")),
        audience=audience,
        superseded_by=_line(values.get("superseded_by") or values.get("superseded-by")),
    )


def merge(first: Metadata, second: Metadata) -> Metadata:
    """The values of `first`, and those of `second` where `first` has none."""
    return Metadata(
        title=first.title or second.title,
        url=first.url or second.url,
        owner=first.owner or second.owner,
        review=first.review or second.review,
        audience=second.audience if first.audience is None else first.audience,
        superseded_by=first.superseded_by or second.superseded_by,
    )


def _audience(value: object) -> frozenset[str] | None:
    """The names in a text (separated by commas) or a list; None for anything else or an empty name."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name.strip() for name in names):
        return None
    return frozenset(one_line(name) for name in names)


def _line(value: object) -> str:
    return one_line(value) if isinstance(value, str) else ""


def _url(value: object) -> str:
    """The address if a browser may open it from a chat message (no `javascript:`, nothing relative), else empty."""
    text = _line(value)
    return text if _URL.fullmatch(text) else ""


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(_line(value)[:10])
    except ValueError:
        return None
