"""What people ask and the documents do not answer: near-equal questions together, by number of different askers."""

import re
import unicodedata
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

# From how near questions are one gap, as a cosine, and into how many columns their features are folded.
NEAR = 0.5
COLUMNS = 4096
# So many questions about other things are imagined beside those there are: of few, no word can be called rare.
OTHERS = 50
BLOCK = 256
HIDDEN = "…"
# Words that tell nobody anything; of every other word it counts how many people used it.
COMMON = frozenset(
    "a about after all also am an and any are as at be been before but by can cannot could did do does doing during "
    "each for from get gets getting give given had has have having he her here him his how i if in into is it its just "
    "let long many may me more most much must my need no not of off on once one only or other our out over own per "
    "please she should since so some such than that the their them then there these they this those to too under "
    "until up us use used using very want was we were what when where which while who whom whose why will with would "
    "you your".split()
)
_WORD = re.compile(r"[^\W_]+(?:['’\-.][^\W_]+)*")

Progress = Callable[[str, int, int], None]
Terms = Callable[[str], Sequence[str]]
Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that got no answer, or not the one that was needed."""

    text: str
    asker: str
    week: str
    refused: bool


@dataclass(slots=True)
class _Wording:
    """All who asked in the same words; `text` is how it was put last."""

    text: str = ""
    asked: list[Unanswered] = field(default_factory=list)


def own_terms(text: str) -> Sequence[str]:
    """The words that tell something; all of them where none does."""
    words = _words(text)
    return [word for word in words if word not in COMMON] or words


def gaps(
    questions: Sequence[Unanswered],
    *,
    min_askers: int,
    most: int,
    terms: Terms = own_terms,
    progress: Progress = lambda *_: None,
) -> dict[str, Any]:
    """The gaps that at least so many different people ran into, those of most people first; of the others the count.

    Only those are quoted, and of the quote only words that so many of them used. Nobody by name is one person.
    """
    wordings = _wordings(questions)
    found = [_gap([wordings[each] for each in group], min_askers) for group in _groups(wordings, terms, progress)]
    found.sort(key=lambda gap: (-gap["askers"], -gap["questions"], gap["question"]))
    told = [gap for gap in found if gap["askers"] >= min_askers]
    rarer = [gap for gap in found if gap["askers"] < min_askers]
    return {
        "questions": len(questions),
        "min_askers": min_askers,
        "gaps": told[:most],
        "more": {"gaps": len(told[most:]), "questions": sum(gap["questions"] for gap in told[most:])},
        "rarer": {"gaps": len(rarer), "questions": sum(gap["questions"] for gap in rarer)},
    }


def _wordings(questions: Sequence[Unanswered]) -> list[_Wording]:
    """The questions by their words, in the order of those."""
    found: defaultdict[str, _Wording] = defaultdict(_Wording)
    for question in questions:
        wording = found[" ".join(_words(question.text)) or question.text]
        wording.text = question.text
        wording.asked.append(question)
    return [wording for _, wording in sorted(found.items())]


def _groups(wordings: Sequence[_Wording], terms: Terms, progress: Progress) -> list[list[int]]:
    """Each wording in one group: the one that most questions are near to takes those, then the next of the rest.

    The first of a group is its middle. No chain of small steps joins what is far apart.
    """
    near = _neighbours(_vectors([terms(wording.text) for wording in wordings]), progress)
    weight = [len(wording.asked) for wording in wordings]
    order = sorted(range(len(wordings)), key=lambda each: (-sum(weight[other] for other in near[each]), each))
    taken: set[int] = set()
    groups = []
    for middle in order:
        if middle not in taken:
            group = [middle, *(other for other in near[middle] if other != middle and other not in taken)]
            taken.update(group)
            groups.append(group)
    return groups


def _vectors(questions: Sequence[Sequence[str]]) -> Matrix:
    """A row of length 1 for each question: its terms and their parts, the rarer the heavier."""
    features = [_features(words) for words in questions]
    frequency = Counter(feature for each in features for feature in each)
    rows = np.zeros((len(questions), COLUMNS), dtype=np.float32)
    for row, each in zip(rows, features, strict=True):
        for feature, weight in each.items():
            rare = np.log((1 + OTHERS + len(questions)) / (1 + frequency[feature]))
            row[zlib.crc32(feature.encode()) % COLUMNS] += weight * rare
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths == 0, 1, lengths).astype(np.float32)
    return rows


def _features(terms: Sequence[str]) -> Mapping[str, float]:
    """The terms and their parts of four letters, which forms of a word and slips of the pen share."""
    parts = {f"_{term}_"[at : at + 4] for term in terms for at in range(max(1, len(term) - 1))}
    return dict.fromkeys(terms, 2.0) | {f"_{part}": 0.5 for part in sorted(parts)}


def _neighbours(rows: Matrix, progress: Progress) -> list[list[int]]:
    found: list[list[int]] = []
    for start in range(0, len(rows), BLOCK):
        near = rows[start : start + BLOCK] @ rows.T >= NEAR
        near[np.arange(len(near)), start + np.arange(len(near))] = True
        found += [np.flatnonzero(row).tolist() for row in near]
        progress("comparing questions", len(found), len(rows))
    return found


def _gap(wordings: Sequence[_Wording], min_askers: int) -> dict[str, Any]:
    asked = [question for wording in wordings for question in wording.asked]
    return {
        "question": _quoted(wordings, min_askers),
        "askers": len({question.asker for question in asked}),
        "questions": len(asked),
        "refused": sum(question.refused for question in asked),
        "down": sum(not question.refused for question in asked),
        "first": min(question.week for question in asked),
        "last": max(question.week for question in asked),
    }


def _quoted(wordings: Sequence[_Wording], min_askers: int) -> str:
    """The wording in the middle, or one near to it of which less must be left out."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    for wording in wordings:
        for word in set(_words(wording.text)):
            users[word] |= {question.asker for question in wording.asked}
    known = {word for word, people in users.items() if len(people) >= min_askers} | COMMON
    hidden = [sum(word not in known for word in _words(wording.text)) for wording in wordings]
    return _masked(wordings[hidden.index(min(hidden))].text, known)


def _masked(text: str, known: set[str]) -> str:
    shown = _WORD.sub(lambda found: found[0] if _folded(found[0]) in known else HIDDEN, " ".join(text.split()))
    return re.sub(rf"{HIDDEN}(?:[\W_]*{HIDDEN})+", HIDDEN, shown)


def _words(text: str) -> list[str]:
    return [_folded(found) for found in _WORD.findall(text)]


def _folded(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()
