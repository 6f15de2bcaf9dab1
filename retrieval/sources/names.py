"""Makes file names that can be printed and stored, different ones of different names (pure)."""

import os
import re
from urllib.parse import quote, unquote_to_bytes

from retrieval.characters import CONTROLS, LINE_SEPARATORS, SURROGATES

_UNSAFE = re.compile(f"[{CONTROLS}{LINE_SEPARATORS}{SURROGATES}]")
_ENCODED = re.compile("(?:%[0-9A-F]{2})+")
_HEX = re.compile("[0-9A-F]{2}")


def printable(name: str) -> str:
    """The name with control characters and bytes that are no UTF-8 percent-encoded.

    A `%` that stands there itself stays, unless it would be taken for such an encoding: `a%FF` becomes `a%25FF`,
    because the byte FF becomes `%FF`.
    """
    name = _ENCODED.sub(_escape, name)
    return _UNSAFE.sub(lambda found: quote(os.fsencode(found[0])), name)


def _escape(found: re.Match[str]) -> str:
    """A run of `%XX`, the `%` encoded of each that could have been made of an unsafe character or of such a `%`."""
    escaped, position = "", found.start()
    for character in os.fsdecode(unquote_to_bytes(found[0])):
        encoded = "".join(f"%{byte:02X}" for byte in os.fsencode(character))
        position += len(encoded)
        taken = character == "%" and _HEX.match(found.string, position)
        escaped += encoded.replace("%", "%25") if taken or _UNSAFE.match(character) else encoded
    return escaped
