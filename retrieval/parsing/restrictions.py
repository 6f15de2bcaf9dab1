"""Recognises keys that are meant to say who may read a document, however they are spelled (pure).

A key that is meant so and is not read must not leave its document open to everyone. So what is compared is what a
person sees: without case, accents and invisible characters, with look-alike letters as the Latin ones, and with slips
of a letter or two.
"""

import html
import re
import unicodedata
from string import ascii_lowercase

KEY = "audience"
LARGEST_DISTANCE = 2  # between `audience` and a slip of it

# What else people call it, in the singular.
_SYNONYMS = frozenset(
    """access acl allow allowed canread confidential confidentiality group mayread permission private public readable
    reader restrict restricted restriction roles sharedwith sharewith viewer visibility visible whocanread
    whomayread""".split()
)
# What their values say where they open a document to everyone: `visibility: public`, `private: false`.
_OPEN_TO = frozenset("all any anybody anyone everybody everyone open public".split())
_CLOSING = frozenset("confidential private restrict restricted restriction".split())
_OPENING = frozenset("public readable visible".split())
_YES, _NO = frozenset("on true yes".split()), frozenset("false no none off".split())
# With these beside it a synonym still says who may read: `allowed_groups`, `visible-to`, `readAccess`.
_BESIDE_SYNONYMS = frozenset(
    "allow allowed by can control for id is level limited list may only read shared to user who with".split()
)
# Before `audience` these words say whom a text is written for, not who may read it.
_DESCRIPTIVE = frozenset("expected general intended key main our primary secondary target this".split())

_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[^\W_]+")
_DROPPED = frozenset({"Mn", "Me", "Cf", "Cc", "Cs", "Co", "Cn"})
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"  # categories of letters and symbols, but nothing is drawn

# Look-alikes that compatibility normalization leaves as they are, by the letter that they look like.
_LOOKS_LIKE = {
    "a": "аɑᴀɐαᎪ∂ꭺ",
    "b": "вьʙβᏴ",
    "c": "сᴄɔȼƈᏟꮯ¢",
    "d": "ԁɗɖđᴅδᎠժꭰ",
    "e": "еєᴇɛεǝəҽᎬꭼ",
    "g": "ɡɢցᏀ",
    "h": "һʜհħнᎻ",
    "i": "іıɪɩιӏᎥꭵյ",
    "k": "кᴋκᏦ",
    "l": "ʟłᏞ",
    "m": "мᴍᎷ",
    "n": "пոռɴηŋɲɳƞν",
    "o": "оօᴏοøσ",
    "p": "рᴘρᏢ",
    "r": "гʀɾᎡ",
    "s": "ѕꜱᏚ",
    "t": "тᴛτʈŧᎢ",
    "u": "սυᴜцџʋμ",
    "v": "ѵᴠᏙ",
    "w": "ԝᴡωաᎳ",
    "y": "уʏγүᎩ",
    ":": "ː˸։׃܃܄᛬⁝∶꞉︓︰",
    "=": "᐀゠꞊⹀",
}
# The alphabets in black circles, in black squares, and of flags.
_ALPHABETS = (0x1F150, 0x1F170, 0x1F1E6)
_LATIN = {ord(character): latin for latin, alike in _LOOKS_LIKE.items() for character in alike} | {
    first + number: latin for first in _ALPHABETS for number, latin in enumerate(ascii_lowercase)
}


def fold(text: str, *, entities: bool = True) -> str:
    r"""The text as a reader's eye takes it: small Latin letters, no accents, nothing invisible.

    Escapes (`\x61`, `\u0061`) and, with `entities`, those of HTML are read first. Line ends and tabs stay.
    """
    if text.isascii() and "\\" not in text and "&" not in text:
        return text.lower()
    text = _ESCAPE.sub(_unescape, text)
    text = unicodedata.normalize("NFKD", (html.unescape(text) if entities else text)).casefold()
    kept = [
        character
        for character in unicodedata.normalize("NFKD", text)
        if character in "\n\t" or (unicodedata.category(character) not in _DROPPED and character not in _BLANK_LETTERS)
    ]
    return "".join(kept).translate(_LATIN)


def is_key(name: str) -> bool:
    """Whether this is the key itself, plainly written; case and white space around it do not matter."""
    return name.strip().lower() == KEY


def seems_to_restrict(key: str, *, synonyms: bool = True) -> bool:
    """Whether a key is meant to say who may read, in whatever spelling; with `synonyms` also under another name.

    `audiance`, `doc_audience` and `allowedGroups` are; `target audience` in two words, `author` and `working_group`
    are not.
    """
    words = fold(_CAMEL.sub("_", key)).split()
    parts = [_WORD.findall(word) for word in words]
    joined = "".join(part for word in parts for part in word)
    if _is_close(joined) or (synonyms and _is_synonym([part for word in parts for part in word], joined)):
        return True
    if len(words) == 1:
        return KEY in joined or any(map(_is_close, parts[0]))
    close = [any(map(_is_close, word)) for word in parts]
    return any(close[:1]) or (len(words) == 2 and close[1] and words[0] not in _DESCRIPTIVE)


def plainly_opens(key: str, value: str) -> bool:
    """Whether a key of another name than `audience` says with its value that everyone may read."""
    if seems_to_restrict(key, synonyms=False):
        return False
    name, said = fold(key).strip(), fold(value).strip()
    return said in _OPEN_TO or (name in _CLOSING and said in _NO) or (name in _OPENING and said in _YES)


def is_slip(word: str, meant: str) -> bool:
    """Whether a word is another one but for at most two letters that are wrong, missing, too many or swapped."""
    return abs(len(word) - len(meant)) <= LARGEST_DISTANCE and _distance(word, meant) <= LARGEST_DISTANCE


def _unescape(found: re.Match[str]) -> str:
    number = int(found[1] or found[2] or found[3], 16)
    return chr(number) if number <= 0x10FFFF else found[0]


def _is_close(word: str) -> bool:
    """Whether a word is `audience` but for at most two letters that are wrong, missing, too many or swapped.

    In a word of which half is ASCII any other letter may stand for any: scripts are mixed only to look alike.
    """
    if abs(len(word) - len(KEY)) > LARGEST_DISTANCE:
        return False
    mixed = sum(map(str.isascii, word)) * 2 >= len(word)
    return _distance("".join(c if c.isascii() or not mixed else "?" for c in word)) <= LARGEST_DISTANCE


def _is_synonym(parts: list[str], joined: str) -> bool:
    known = [_singular(part) in _SYNONYMS for part in parts]
    beside = all(is_known or part in _BESIDE_SYNONYMS for is_known, part in zip(known, parts, strict=True))
    # Of the long ones a letter may be wrong; the short ones have neighbours: `header`, `process`, `grove`.
    slip = any(len(word) >= 9 and _distance(_singular(joined), word) <= 1 for word in _SYNONYMS)
    return slip or (any(known) and beside) or _singular(joined) in _SYNONYMS


def _singular(word: str) -> str:
    return word if word in _SYNONYMS else word.removesuffix("s")


def _distance(word: str, other: str = KEY) -> int:
    """How many letters must be changed, added, removed or swapped with the next; `?` stands for any letter.

    Words whose lengths differ by more than the largest distance that counts are not compared.
    """
    if abs(len(word) - len(other)) > LARGEST_DISTANCE:
        return LARGEST_DISTANCE + 1
    far = len(word) + len(other)
    # Row and column 0 are out of reach, row and column 1 stand for the empty beginnings.
    table: list[list[int]] = [[far] * (len(other) + 2), [far, *range(len(other) + 1)]]
    last_rows: dict[str, int] = {}
    for row, letter in enumerate(word, start=1):
        line: list[int] = [far, row]
        last_column = 0
        for column, wanted in enumerate(other, start=1):
            swap_row, swap_column = last_rows.get(wanted, 0), last_column
            swapped = table[swap_row][swap_column] + row - swap_row + column - swap_column - 1
            changed = table[row][column] + (letter not in (wanted, "?"))
            line.append(min(changed, table[row][column + 1] + 1, line[column] + 1, swapped))
            last_column = column if letter == wanted else last_column
        table.append(line)
        last_rows[letter] = row
    return table[-1][-1]
