"""Finds who does what to whom in a line of tokens (pure).

No grammar is parsed: a verb is told by the small words and endings around it, so that only a part of all verbs is
found, and hardly a noun among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.answering.languages import word_lists
from bot.answering.verification.negation import BE
from bot.answering.verification.thesaurus import is_verb
from bot.answering.verification.tokenizer import Token

_ENGLISH = word_lists("frames")
HAVE = _ENGLISH.words("have")
AUXILIARIES = _ENGLISH.words("auxiliaries")
SUBJECTS = _ENGLISH.words("subjects")
DETERMINERS = _ENGLISH.words("determiners")
PASTS = _ENGLISH.words("pasts")
MODALS = _ENGLISH.words("modals")
PARTICIPLES = _ENGLISH.words("participles")
OPENERS = _ENGLISH.words("openers")
PREPOSITIONS = _ENGLISH.words("prepositions")
FUTURE = frozenset({"will", "shall"})
WAS = frozenset({"was", "were"})
ARTICLES = _ENGLISH.words("articles")
STOPS = frozenset(",;:.()")
JOINTS = frozenset({"and", "but"})
BY, TO = frozenset({"by"}), frozenset({"to"})

Tense = Literal["", "present", "past", "perfect", "future"]
# Auxiliaries and adverbs that may stand before a verb.
MOST_AUXILIARIES = 4
# Tokens on either side of a verb that may belong to it.
REACH = 30
# A line with more is a list, and comparing each with each would take long.
MAX_FRAMES = 24


@dataclass(frozen=True, slots=True)
class Frame:
    """A verb, and the meanings of the words in its clause: who does it, what it is done to, and the rest.

    `receivers` are those of the rest that stand after a "to". `is_modal` is true of what must or may be done.
    """

    verb: str
    at: int
    agents: frozenset[str]
    objects: frozenset[str]
    others: frozenset[str]
    receivers: frozenset[str]
    tense: Tense
    is_modal: bool

    @property
    def words(self) -> frozenset[str]:
        return self.agents | self.objects | self.others


def find_frames(line: Sequence[Token], meanings: Sequence[str]) -> list[Frame]:
    """Return the frames of a line in reading order; `meanings` are those of its tokens."""
    found, start = [], 0
    for at, token in enumerate(line):
        if token.text in OPENERS or token.text in STOPS:
            start = at + 1
        elif token.kind == "word" and meanings[at]:
            helpers = _helpers(line, at, start)
            is_passive = _is_participle(token) and (
                any(each in BE for each in helpers) or (not helpers and _text(line, at + 1) == "by")
            )
            if helpers or is_passive or _is_finite(line, at, start, meanings):
                found.append(_frame(line, at, start, helpers, meanings, is_passive=is_passive))
    return found[:MAX_FRAMES]


def _helpers(line: Sequence[Token], at: int, start: int) -> list[str]:
    """Return the forms of "be" and the auxiliaries right before a verb."""
    first = at
    while first > max(start, at - MOST_AUXILIARIES) and _helps(line[first - 1].text):
        first -= 1
    helpers = [token.text for token in line[first:at]]
    if not any(each in BE or each in HAVE for each in helpers):
        return helpers if any(each in AUXILIARIES and each not in {"to", "only", "both"} for each in helpers) else []
    return helpers if _is_participle(line[at]) else []


def _helps(word: str) -> bool:
    return word in BE or word in AUXILIARIES or word in HAVE


def _is_participle(token: Token) -> bool:
    return token.text.endswith("ed") or token.text in PARTICIPLES


def _is_finite(line: Sequence[Token], at: int, start: int, meanings: Sequence[str]) -> bool:
    """Whether a known verb agrees with the noun before it: "trainers grade", "the trainer grades"."""
    if at == start or not is_verb(meanings[at]) or _is_verbal(line, at + 1):
        return False
    before, verb = line[at - 1], line[at].text
    if _subject(line, at) in SUBJECTS or (verb in PASTS and meanings[at - 1]):
        return True
    if verb.endswith("ed") or verb in PARTICIPLES:
        return bool(meanings[at - 1]) and _text(line, at + 1) in ARTICLES
    return bool(meanings[at - 1]) and before.text not in DETERMINERS and before.text.endswith("s") != verb.endswith("s")


def _is_verbal(line: Sequence[Token], at: int) -> bool:
    return at < len(line) and (line[at].text in BE or line[at].text in HAVE or line[at].text in FUTURE)


def _frame(
    line: Sequence[Token], at: int, start: int, helpers: Sequence[str], meanings: Sequence[str], *, is_passive: bool
) -> Frame:
    first = at - len(helpers)
    stop = _next(line, at + 1, min(len(line), at + REACH), OPENERS | STOPS)
    is_modal = any(each in MODALS for each in helpers)
    to = _next(line, at + 1, stop, TO)
    receivers = _words(meanings[to + 1 : _next(line, to + 1, stop, PREPOSITIONS)])
    is_pronoun = _subject(line, first) in SUBJECTS
    left = frozenset[str]() if is_pronoun else _words(meanings[max(start, at - REACH) : first])
    right = _words(meanings[at + 1 : stop])
    if is_passive:
        by = _next(line, at + 1, stop, BY)
        end = _next(line, by + 1, stop, PREPOSITIONS | BE | JOINTS)
        agents = _words(meanings[by + 1 : end])
        tense = _tense(line[at].text, helpers, is_passive=True)
        return Frame(meanings[at], at, agents, left, right - agents, receivers, tense, is_modal)
    end = _next(line, at + 1, stop, PREPOSITIONS)
    objects = _words(meanings[at + 1 : end])
    tense = _tense(line[at].text, helpers, is_passive=False)
    return Frame(meanings[at], at, left, objects, right - objects, receivers, tense, is_modal)


def _subject(line: Sequence[Token], at: int) -> str:
    """Return the word before a verb, past an adverb."""
    before = _text(line, at - 1)
    return _text(line, at - 2) if before.endswith("ly") else before


def _words(meanings: Sequence[str]) -> frozenset[str]:
    return frozenset(each for each in meanings if each)


def _text(line: Sequence[Token], at: int) -> str:
    return line[at].text if 0 <= at < len(line) else ""


def _next(line: Sequence[Token], start: int, stop: int, words: frozenset[str]) -> int:
    """Return where the first of these words stands in a range; its end if none does."""
    return next((at for at in range(start, stop) if line[at].text in words), max(start, stop))


def _tense(verb: str, helpers: Sequence[str], *, is_passive: bool) -> Tense:
    if any(each in FUTURE for each in helpers):
        return "future"
    if any(each in HAVE for each in helpers) and "to" not in helpers:
        return "perfect"
    if any(each in WAS for each in helpers):
        return "past"
    is_past = (verb.endswith("ed") or verb in PASTS) and not helpers
    return "past" if is_past and not is_passive else "present"
