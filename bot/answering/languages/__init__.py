"""The words of a language that answering goes by, as data: one TOML file per language, read once."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any


class WordLists:
    """One section of a language's file; every method raises `KeyError` for a name that the section lacks."""

    def __init__(self, section: Mapping[str, Any]) -> None:
        self._section = section

    def text(self, name: str) -> str:
        """Return the value itself."""
        value: str = self._section[name]
        return value

    def texts(self, name: str) -> list[str]:
        """Return the texts of an array."""
        value: list[str] = self._section[name]
        return value

    def ordered(self, name: str) -> list[str]:
        """Return the words of a list in the order of the file, repeats kept."""
        return self.text(name).split()

    def words(self, name: str) -> frozenset[str]:
        """Return the words of a list."""
        return frozenset(self.ordered(name))

    def alternatives(self, name: str) -> str:
        """Return the patterns of an array, or the words of a list, as one pattern that matches any; not in a group."""
        value: list[str] | str = self._section[name]
        return "|".join(value.split() if isinstance(value, str) else value)

    def table(self, name: str) -> dict[str, Any]:
        """Return the values of a table by their keys."""
        return dict(self._section[name])

    def by_word(self, name: str) -> dict[str, str]:
        """Return for each word of a table of lists its key."""
        return {word: key for key, words in self._section[name].items() for word in words.split()}


def word_lists(section: str, *, language: str = "english") -> WordLists:
    """Return the section of this name in the file of a language.

    Raises `KeyError` for an unknown section and `FileNotFoundError` for a language without a file.
    """
    return WordLists(_load(language)[section])


@lru_cache(maxsize=8)
def _load(language: str) -> Mapping[str, Any]:
    path = files("bot.answering.languages") / f"{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))
