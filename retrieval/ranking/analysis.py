"""Analyses text to terms: lower case, no possessives, no stop words, Snowball stems (pure, one analyzer per language).

The stop list for English also holds the words that questions are made of ("what", "how", "need", "tell"):
they carry no subject, and without them a question's rare words decide.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

from retrieval.passages import Turn

WORD = re.compile(r"[^\W_]+")
POSSESSIVE = re.compile(r"['’]s\b")
BIGRAM = " "

# A turn further back, and one of the bot's, says less about the question.
TURN_DECAY = 0.7
ROLE_WEIGHT = {"user": 1.0}
BOT_WEIGHT = 0.5


class Analyzer:
    """Turns text into stems for one language; `name` changes whenever its output would."""

    def __init__(self, language: str = "english") -> None:
        import Stemmer

        self.language = language
        self.name = f"{language}-1"
        self.stop_words = stop_words(language)
        self._stem = lru_cache(maxsize=200_000)(Stemmer.Stemmer(language).stemWord)

    def terms(self, text: str) -> list[str]:
        """Stems of the words that carry meaning, in reading order, repeats kept."""
        return [self._stem(word) for word in words(text) if word not in self.stop_words]

    def question_terms(self, text: str) -> list[str]:
        """The terms of a question; of one with stop words only, the stems of all its words."""
        return self.terms(text) or [self._stem(word) for word in words(text)]


def words(text: str) -> list[str]:
    """Lower-case words of letters and digits in reading order, accents and possessives removed."""
    return WORD.findall(POSSESSIVE.sub("", fold(text)))


def fold(text: str) -> str:
    """Lower case without accents, so that `Café` and `cafe` are one word; as long as its input is ASCII."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    decomposed = unicodedata.normalize("NFKD", lowered)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def bigrams(terms: Sequence[str]) -> list[str]:
    """Adjacent pairs of terms, each joined by a space."""
    return [BIGRAM.join(pair) for pair in pairwise(terms)]


@lru_cache(maxsize=32)
def stop_words(language: str) -> frozenset[str]:
    """The stop list of a language; empty where none is shipped."""
    path = files("retrieval.ranking") / "stopwords" / f"{language}.txt"
    if not path.is_file():
        return frozenset()
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def weighted_terms(
    analyzer: Analyzer, text: str, history: Sequence[Turn], *, standalone: str = ""
) -> tuple[dict[str, float], dict[str, float]]:
    """Terms and bigrams of a question in its conversation, each with its weight.

    The question's own terms weigh 1, and so do those of `standalone`, the question in words that need no history; the
    i-th turn back gives `0.7^i`, halved for the bot's. A term of several of them takes the greatest weight, not the
    sum, so that a long conversation does not outweigh the question.
    """
    own = analyzer.terms(text) if history or standalone else analyzer.question_terms(text)
    single, pairs = dict.fromkeys(own, 1.0), dict.fromkeys(bigrams(own), 1.0)
    if standalone:
        terms = analyzer.question_terms(standalone)
        raise_to(single, terms, 1.0)
        raise_to(pairs, bigrams(terms), 1.0)
    for weight, turn in weigh_turns(history):
        terms = analyzer.terms(turn.text)
        raise_to(single, terms, weight)
        raise_to(pairs, bigrams(terms), weight)
    return single, pairs


def weigh_turns(history: Sequence[Turn]) -> Iterator[tuple[float, Turn]]:
    """Earlier turns, newest first, each with its weight."""
    for back, turn in enumerate(reversed(history), start=1):
        yield TURN_DECAY**back * ROLE_WEIGHT.get(turn.role, BOT_WEIGHT), turn


def raise_to(weights: dict[str, float], terms: Iterable[str], weight: float) -> None:
    """Lift each term to at least this weight."""
    for term in terms:
        weights[term] = max(weights.get(term, 0.0), weight)


def looks_foreign(analyzer: Analyzer, texts: Iterable[str], *, at_least: float = 0.15) -> bool:
    """Whether these texts hold so few of the language's stop words that they look like another language.

    False below 200 words, and for a language without a stop list.
    """
    counted = [word in analyzer.stop_words for text in texts for word in words(text) if word.isalpha()]
    return bool(analyzer.stop_words) and len(counted) >= 200 and sum(counted) / len(counted) < at_least
