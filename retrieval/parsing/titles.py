"""Titles in a file's properties, which are as often the work of a program as of a person."""

import re

from retrieval.characters import one_line

_FILE_NAME = re.compile(r"\.(?:docx?|docm|dotx?|pdf|indd|pages|pptx?|xlsx?|rtf|odt|tex|qxd|html?)$", re.IGNORECASE)
_RUBBISH = re.compile(
    r"microsoft |untitled|unnamed|(?:word )?document\d*$|slide \d|powerpoint|print$|layout \d", re.IGNORECASE
)


def plausible_title(title: str) -> str:
    """The title on one line; empty when it is a file name, a template's or mostly no words."""
    line = one_line(title)
    letters = sum(character.isalpha() for character in line)
    has_words = letters > len(line) / 2 and (" " in line or line.isalpha())
    if not 3 <= len(line) < 200 or not has_words or _FILE_NAME.search(line) or _RUBBISH.match(line):
        return ""
    return line
