"""Checks what an answer shows against what its question asks for, and what its line says must be shown (pure)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.answering.answers import Answer, Sentence
from bot.answering.understanding.asked_kinds import AskedKind, asked_kinds, kinds_in
from bot.services.evaluation.scoring import answer_text
from retrieval.evaluation.judgements import Question
from retrieval.evaluation.phrases import find_phrase, visible_words
from retrieval.sectioning.blocks import ITEM

# What can be told by the words of an answer; whether it leads to an address or is a list needs more than these.
QUANTITIES: frozenset[AskedKind] = frozenset({"count", "amount", "duration", "date"})


@dataclass(frozen=True, slots=True)
class AnswerCheck:
    """What an answer shows.

    `whole` is whether every thing is shown that must be, `first` whether half of these begin in the first half of its
    words as well; None where the question's line names none. `missing` are those that are not shown, each with its
    alternatives. `right_kind` is whether it holds a thing of the kind that the question asks for; None for an
    abstention, and where no count, amount, duration or date is asked for. `words` counts those of its sentences.
    """

    whole: bool | None
    first: bool | None
    right_kind: bool | None
    missing: tuple[tuple[str, ...], ...]
    words: int


def check_answer(question: Question, answer: Answer) -> AnswerCheck:
    """Return what an answer shows of what its question asks for; an abstention shows nothing."""
    texts = [words for words in _shown_words(answer) if words]
    places = [_place(thing, texts) for thing in question.phrases]
    whole = all(place is not None for place in places)
    early = [place for place in places if place is not None and place < 0.5]
    return AnswerCheck(
        whole=whole if places else None,
        first=whole and 2 * len(early) >= len(places) if places else None,
        right_kind=_is_right_kind(question, answer),
        missing=tuple(thing for thing, place in zip(question.phrases, places, strict=True) if place is None),
        words=len(answer_text(answer).split()),
    )


def _shown_words(answer: Answer) -> Iterator[list[str]]:
    """Yield the words of an answer, headings included: first without marks of items, then with them and addresses.

    A phrase may run on from one item to the next, and it may be an address that words lead to.
    """
    yield visible_words("\n".join(part for each in answer.sentences for part in (*_heading(each), _unmarked(each))))
    yield visible_words(
        "\n".join(
            part
            for each in answer.sentences
            for part in (*_heading(each), each.text, *dict.fromkeys(link.url for link in each.links))
        )
    )


def _heading(sentence: Sentence) -> Sequence[str]:
    return (sentence.starts.heading,) if sentence.starts else ()


def _unmarked(sentence: Sentence) -> str:
    """Return the sentence without the mark of an item: the number of a step is no count."""
    mark = ITEM.match(sentence.text)
    return sentence.text[mark.end() :] if mark else sentence.text


def _place(alternatives: Sequence[str], texts: Sequence[Sequence[str]]) -> float | None:
    """Return how far down, from 0 to 1, the first of these phrases begins that any of the texts shows, else None."""
    phrases = [visible_words(phrase) for phrase in alternatives]
    found = ((find_phrase(phrase, text), len(text)) for text in texts for phrase in phrases)
    return min((at / size for at, size in found if at is not None), default=None)


def _is_right_kind(question: Question, answer: Answer) -> bool | None:
    asked = asked_kinds(question.query.text) & QUANTITIES
    if not asked or not answer.sentences:
        return None
    return bool(asked & kinds_in("\n".join(map(_unmarked, answer.sentences))))
