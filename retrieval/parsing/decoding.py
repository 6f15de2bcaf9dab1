"""Decodes bytes whose encoding is not known for certain."""

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Control characters that no text holds, and the sign of a failed decoding.
_BINARY_SIGNS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
_SAMPLE = 16_384
_WESTERN = re.compile(
    "[^\x00-\x7f\xa0-\xff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u2013-\u2026\u2039\u203a\u20ac\u2122]"
)
# Below this many bytes outside ASCII a statistical guess is a lottery.
_FEW = 24


def decode(data: bytes, declared: str = "") -> str | None:
    """The text, or None when these bytes are not text.

    Tries a byte order mark, the pattern of zero bytes, UTF-8, the `declared` encoding, then a statistical guess.
    """
    text = (
        _decode_by_mark(data)
        or _decode_by_zeros(data)
        or _decode_strictly(data, "utf-8")
        or _decode_strictly(data, declared)
        or _decode_by_guess(data)
    )
    return None if _is_binary(text) else text


def _decode_by_mark(data: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    return None


def _decode_by_zeros(data: bytes) -> str | None:
    """Text in UTF-16 or UTF-32 without a mark, which many zero bytes give away; None for any other."""
    head = data[:4096]
    if head.count(0) < len(head) / 5:
        return None
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        text = _decode_strictly(data, encoding)
        if text and "\x00" not in text[:1000] and _ascii_share(text[:1000]) > 0.5:
            return text
    return None


def _ascii_share(text: str) -> float:
    return len(text.encode("ascii", errors="ignore")) / len(text)


def _decode_strictly(data: bytes, encoding: str) -> str | None:
    if "escape" in encoding.lower():
        return None  # Python's own notation for strings, which no document is written in
    try:
        return data.decode(encoding)
    except (LookupError, UnicodeError, ValueError):
        return None


def _decode_by_guess(data: bytes) -> str:
    from charset_normalizer import from_bytes

    foreign = [line for line in data.split(b"\n") if not line.isascii()]
    sample = b"\n".join(foreign)[:_SAMPLE]
    western = sample.decode("cp1252", errors="replace")
    if sum(byte > 127 for byte in sample) < _FEW and not _WESTERN.search(western):
        return data.decode("cp1252", errors="replace")
    best = from_bytes(sample).best()
    return data.decode(best.encoding if best else "cp1252", errors="replace")


def _is_binary(text: str) -> bool:
    head = text[:65_536]
    return len(_BINARY_SIGNS.findall(head)) > len(head) / 50
