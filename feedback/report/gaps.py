"""What people ask and the documents do not answer: questions about one thing together, by number of askers (pure)."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from feedback.progress import Progress, ignore_progress
from feedback.texts.topics import group_by_topic
from feedback.texts.words import WORD, collapse_whitespace, fold, split_words

Terms = Callable[[str], Sequence[str]]
"""Gives the words of a question that tell what it is about."""

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


@dataclass(frozen=True, slots=True)
class UnansweredQuestion:
    """A question that got no answer (`refused`), or not the one that was needed."""

    text: str
    asker: str
    week: str
    refused: bool


@dataclass(slots=True)
class _Wording:
    """The questions of all who asked in the same words; `text` is how it was put last."""

    text: str = ""
    questions: list[UnansweredQuestion] = field(default_factory=list)


def find_gaps(
    questions: Sequence[UnansweredQuestion],
    *,
    min_askers: int,
    most: int,
    terms: Terms,
    progress: Progress = ignore_progress,
) -> dict[str, Any]:
    """Return the gaps that at least `min_askers` different people ran into, those of most people first, at most `most`.

    Of the others only the count is given. A gap is quoted in words that so many of its askers used. All who asked
    without a name are one person.
    """
    wordings = _group_by_wording(questions)
    groups = group_by_topic(
        [terms(each.text) for each in wordings], [len(each.questions) for each in wordings], progress=progress
    )
    gaps = [_describe_gap([wordings[each] for each in group], min_askers) for group in groups]
    gaps.sort(key=lambda gap: (-gap["askers"], -gap["questions"], gap["question"]))
    common = [gap for gap in gaps if gap["askers"] >= min_askers]
    rarer = [gap for gap in gaps if gap["askers"] < min_askers]
    return {
        "questions": len(questions),
        "min_askers": min_askers,
        "gaps": common[:most],
        "more": _count_gaps(common[most:]),
        "rarer": _count_gaps(rarer),
    }


def _count_gaps(gaps: Sequence[dict[str, Any]]) -> dict[str, int]:
    return {"gaps": len(gaps), "questions": sum(gap["questions"] for gap in gaps)}


def _group_by_wording(questions: Sequence[UnansweredQuestion]) -> list[_Wording]:
    """Return the questions by their words, in the order of those."""
    wordings: defaultdict[str, _Wording] = defaultdict(_Wording)
    for question in questions:
        wording = wordings[" ".join(split_words(question.text)) or question.text]
        wording.text = question.text
        wording.questions.append(question)
    return [wording for _, wording in sorted(wordings.items())]


def _describe_gap(wordings: Sequence[_Wording], min_askers: int) -> dict[str, Any]:
    questions = [question for wording in wordings for question in wording.questions]
    return {
        "question": _quote(wordings, min_askers),
        "askers": len({question.asker for question in questions}),
        "questions": len(questions),
        "refused": sum(question.refused for question in questions),
        "down": sum(not question.refused for question in questions),
        "first": min(question.week for question in questions),
        "last": max(question.week for question in questions),
    }


def _quote(wordings: Sequence[_Wording], min_askers: int) -> str:
    """Return the first wording, the middle of its group, or a later one of which fewer words must be left out."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    for wording in wordings:
        for word in set(split_words(wording.text)):
            users[word] |= {question.asker for question in wording.questions}
    known = {word for word, people in users.items() if len(people) >= min_askers} | COMMON
    hidden = [sum(word not in known for word in split_words(wording.text)) for wording in wordings]
    return _mask(wordings[hidden.index(min(hidden))].text, known)


def _mask(text: str, known: set[str]) -> str:
    """Return the text on one line with HIDDEN in place of words that are not known; several in a row are one."""
    shown = WORD.sub(lambda word: word[0] if fold(word[0]) in known else HIDDEN, collapse_whitespace(text))
    return re.sub(rf"{HIDDEN}(?:[\W_]*{HIDDEN})+", HIDDEN, shown)
