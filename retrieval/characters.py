"""Characters that nobody sees, or that take over a terminal, a log, a file name or a reader's eye (pure).

The upper-case names are ranges to put between the brackets of a regular expression. What a place removes differs for a
reason: a document keeps its joiners (Persian and emoji need them), a prompt keeps nothing that a person could not see.
"""

import re
import unicodedata
from collections.abc import Set as AbstractSet

CONTROLS = "\x00-\x1f\x7f-\x9f"  # C0, DEL and C1
CONTROLS_IN_TEXT = "\x00-\x08\x0b-\x1f\x7f-\x9f"  # the same but tab and newline
DIRECTION = "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the reading direction
LINE_SEPARATORS = "\u2028\u2029"
SURROGATES = "\ud800-\udfff"
# Tag characters (U+E0000 and on) can carry a whole hidden message; joiners stay, Persian and emoji need them.
INVISIBLE_IN_DOCUMENTS = (
    "\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f"
)

# White space among the control characters.
SPACE_CONTROLS = frozenset("\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85")
# Unicode's categories of control and format characters, private use, surrogates and code points without a character.
HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
FORMAT_CATEGORY = frozenset({"Cf"})

_LINE_ENDS = re.compile(f"\r\n|[\r\x0b\x0c\x85{LINE_SEPARATORS}]")
_SPACES = re.compile("[\u00a0\u2007\u202f]")
_INVISIBLE_IN_DOCUMENTS = re.compile(f"[{INVISIBLE_IN_DOCUMENTS}]")
_ESCAPED_IN_JSON = re.compile(f"[\x7f-\x9f\u202a-\u202e\u2066-\u2069{LINE_SEPARATORS}{SURROGATES}]")
_TERMINAL_CONTROLS = re.compile(f"[{CONTROLS_IN_TEXT}{DIRECTION}]")


def clean(text: str) -> str:
    r"""The text of a document in NFC with `\n` line ends, normal spaces, and nothing invisible in it."""
    text = _LINE_ENDS.sub("\n", text)
    text = _SPACES.sub(" ", text)
    return unicodedata.normalize("NFC", _INVISIBLE_IN_DOCUMENTS.sub("", text))


def one_line(text: str) -> str:
    """The cleaned text with every run of white space as one space."""
    return " ".join(clean(text).split())


def remove_hidden(
    text: str, *, keep: AbstractSet[str] = SPACE_CONTROLS, categories: AbstractSet[str] = HIDDEN_CATEGORIES
) -> str:
    """The text without the characters of these Unicode categories, except those to `keep`."""
    if text.isprintable():
        return text
    # Each different character is looked at once, however often it stands there.
    hidden = [ord(c) for c in set(text) if unicodedata.category(c) in categories and c not in keep]
    return text.translate(dict.fromkeys(hidden)) if hidden else text


def remove_terminal_controls(text: str) -> str:
    """The text without what moves a terminal's cursor, colours it or turns the reading direction."""
    return _TERMINAL_CONTROLS.sub("", text)


def escape_in_json(text: str) -> str:
    r"""JSON text with what could take over a terminal, end a line or is no character written as `\uXXXX`."""
    return _ESCAPED_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
