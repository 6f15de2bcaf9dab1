"""Asks again, just before something of an answer is shown, whether whoever asked may still read what it rests on."""

import time
from collections.abc import Callable, Collection
from dataclasses import replace

from bot.answering.answers import Answer, SentenceReady

Readable = Callable[[Collection[str], frozenset[str]], frozenset[str]]
"""Returns those of these documents that readers of these groups may read at this moment."""

# What may be read is not asked again of the same document for so many seconds while sentences come.
ASKED_AGAIN_AFTER = 1.0
WITHHELD = "Something changed while I was answering, so I show nothing of what I had written. Please ask again."


def everything(documents: Collection[str], _: frozenset[str]) -> frozenset[str]:
    """A `Readable` of an index whose documents are open to whoever asks."""
    return frozenset(documents)


class Readership:
    """The readers of one answer; a sentence or an answer that they may not see any more is withheld.

    Raises what `readable` raises: what cannot be asked is not shown.
    """

    def __init__(
        self, readable: Readable, groups: frozenset[str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._readable = readable
        self._groups = groups
        self._clock = clock
        self._documents: dict[int, str] = {}  # by the number of a citation
        self._confirmed: dict[str, float] = {}
        self._has_withheld = False

    def may_see(self, ready: SentenceReady) -> bool:
        """Tell whether a sentence may be shown; once one was not, none of the same answer is."""
        self._documents |= {each.number: each.document for each in ready.citations}
        now = self._clock()
        cited = {self._documents[number] for number in ready.sentence.citations if number in self._documents}
        asked = {each for each in cited if now - self._confirmed.get(each, -ASKED_AGAIN_AFTER) >= ASKED_AGAIN_AFTER}
        readable = self._readable(asked, self._groups) if asked else frozenset[str]()
        self._confirmed |= dict.fromkeys(readable, now)
        self._has_withheld = self._has_withheld or not asked <= readable
        return not self._has_withheld

    def visible(self, answer: Answer) -> Answer:
        """Return the answer as it may be shown now: whole, or one line in its place; asks anew of every document."""
        cited, asked = {each.document for each in answer.citations}, answer.documents
        readable = self._readable(asked, self._groups) if asked else frozenset[str]()
        if self._has_withheld or not cited <= readable:
            return withheld(answer)
        if asked <= readable:
            return answer
        return replace(
            answer,
            warnings=tuple(each for each in answer.warnings if not each.document or each.document in readable),
            nearest=tuple(hit for hit in answer.nearest if hit.passage.document in readable),
        )


def withheld(answer: Answer) -> Answer:
    """Return what is shown in place of an answer: one line, and nothing of what the answer was made from."""
    return Answer(
        answer.id,
        WITHHELD,
        abstained=True,
        confidence=answer.confidence,
        generator=answer.generator,
        prompt_version=answer.prompt_version,
        timings=answer.timings,
    )
