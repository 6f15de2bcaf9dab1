"""Finds the cues of negation and modality in a line of tokens, and the words that each of them reaches (pure).

The words are read once, from left to right. A cue ("must", "not", "unless") opens a scope over the next few words that
carry meaning, or marks those before it in its clause ("is required"); the end of a clause closes all scopes.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from bot.answering.languages import word_lists
from bot.answering.verification.modality import PLAIN, Force, Modality
from bot.answering.verification.tokenizer import Token

_ENGLISH = word_lists("negation")
NEGATORS = _ENGLISH.words("negators")
FORBIDDEN = _ENGLISH.words("forbidden")
FAILING = _ENGLISH.words("failing")
RELEASABLE = _ENGLISH.words("releasable")
BE = _ENGLISH.words("be")
CLAUSE_OPENERS = _ENGLISH.words("clause_openers")
CONDITIONS = _ENGLISH.words("conditions")
IDLE_VERBS = _ENGLISH.words("idle_verbs")
COMPARATIVES = _ENGLISH.words("comparatives")
AFTER_ANSWER = _ENGLISH.words("after_answer")
ADVERBS = _ENGLISH.words("adverbs")
PLAIN_MODALS = _ENGLISH.words("plain_modals")
MODALS, MODALS_WITH_TO, PREDICATES, ACTIVE_VERBS = (
    cast(dict[str, Force], _ENGLISH.by_word(name))
    for name in ("modals", "modals_with_to", "predicates", "active_verbs")
)
CUE_WORDS = (
    NEGATORS | FORBIDDEN | FAILING | MODALS.keys() | MODALS_WITH_TO.keys() | PREDICATES.keys() | ACTIVE_VERBS.keys()
)

# Words that carry meaning which a negation and any other cue reach.
NEGATION_REACH = 3
CUE_REACH = 4


@dataclass(slots=True)
class Cue:
    """A word that negates or binds, and the positions of the words that it reaches, the nearest first."""

    word: str
    negates: bool
    conditional: bool = False
    targets: list[int] = field(default_factory=list)

    @property
    def reaches_further(self) -> bool:
        """Whether it reaches more words than it has by now."""
        return len(self.targets) < (NEGATION_REACH if self.negates else CUE_REACH)


@dataclass(frozen=True, slots=True)
class CueScan:
    """The cues of a line; positions are those of its tokens.

    `modalities` has one for each token. `negations` are the positions of words that negate, `forces` those of words
    that bind, and `cues` all that reach a word.
    """

    modalities: list[Modality]
    cues: list[Cue]
    negations: frozenset[int]
    forces: dict[int, Force]
    commas: tuple[int, ...] = ()
    conditions: tuple[int, ...] = ()

    def clause_start(self, start: int, end: int) -> int:
        """Return where the clause begins that reaches `end`: past a condition with no other words ("If not, ...")."""
        before = bisect_left(self.commas, end)
        closed = self.commas[before - 1] if before else -1
        return closed + 1 if any(start <= at < closed - 1 for at in self.conditions) else start


def scan_cues(line: Sequence[Token]) -> CueScan:
    """Find the cues of a line and the modality of each of its tokens."""
    if not any(token.text in CUE_WORDS for token in line):
        return CueScan([PLAIN] * len(line), [], frozenset(), {})
    return _CueScanner(line).scan()


class _Scopes:
    """The modalities of a line and the scopes that are open over it; the scanner tells it of cues and of words."""

    def __init__(self, length: int) -> None:
        self.modalities = [PLAIN] * length
        self.cues: list[Cue] = []
        self.negations: set[int] = set()
        self.forces: dict[int, Force] = {}
        self.force: Force = ""
        self.negated_words = 0  # how many of the next words are negated
        self.is_fresh = False  # whether no word came after the last force
        self._open: list[Cue] = []
        self._filling: list[Cue] = []  # the open ones that reach further words
        self._binding: Cue | None = None  # whose force holds
        self._clause: list[int] = []

    @property
    def reaches_words(self) -> bool:
        """Whether an open scope has a word in it."""
        return any(cue.targets for cue in self._open)

    def start_clause(self) -> None:
        """Close all scopes."""
        self._clause, self._open, self._filling, self._binding = [], [], [], None
        self.force, self.negated_words = "", 0

    def add_word(self, at: int) -> None:
        """Put a word that carries meaning into the open scopes."""
        self.modalities[at] = Modality(self.force, self.negated_words > 0)
        self.negated_words = max(self.negated_words - 1, 0)
        self._clause.append(at)
        self.is_fresh = False
        for cue in self._filling:
            cue.targets.append(at)
        self._filling = [cue for cue in self._filling if cue.reaches_further]
        if self._binding is not None and len(self._binding.targets) == CUE_REACH:
            self.force, self._binding = "", None

    def negate(self, word: str, at: int, *, conditional: bool, reach: int = NEGATION_REACH) -> None:
        """Open the scope of a negation at this position."""
        self.negated_words = reach
        self.negations.add(at)
        self._add(Cue(word, negates=True, conditional=conditional))

    def cancel_negation(self) -> None:
        """Take the open negations back."""
        self.negated_words = 0
        negations = [cue for cue in self._open if cue.negates]
        gone = {id(cue) for cue in negations}
        self._open, self._filling, self.cues = (
            [cue for cue in cues if id(cue) not in gone] for cues in (self._open, self._filling, self.cues)
        )
        for at in (at for cue in negations for at in cue.targets):
            self.modalities[at] = Modality(self.modalities[at].force)

    def release(self, at: int) -> None:
        """Cancel the negation of a duty at this position, which leaves something free."""
        self.negations.discard(max((each for each in self.negations if each < at), default=-1))
        self.cancel_negation()

    def bind(self, word: str, force: Force, at: int) -> None:
        """Open the scope of a word of this force."""
        self.force, self.is_fresh = force, True
        self.forces[at] = force
        self._binding = Cue(word, negates=False)
        self._add(self._binding)

    def mark_clause(self, word: str, force: Force, *, negated: bool) -> None:
        """Mark the words that stand before a predicate in its clause."""
        targets = self._clause[: -CUE_REACH - 1 : -1]
        for at in targets:
            before = self.modalities[at]
            self.modalities[at] = Modality(before.force or force, before.negated or negated)
        self.cues.append(Cue(word, negates=negated, targets=targets))

    def repeats_negation(self) -> bool:
        """Whether what is negated now was negated by the cue before."""
        before = self.cues[-1] if self.cues and self.negated_words else None
        return before is not None and before.negates and (before.word == "unless" or not before.targets)

    def has_spent_not(self) -> bool:
        """Whether a "not" has its verb: what follows in "if it does not exist we may ..." is another clause."""
        last = next((cue for cue in reversed(self._open) if cue.negates), None)
        return last is not None and last.word == "not" and bool(last.targets)

    def _add(self, cue: Cue) -> None:
        self.cues.append(cue)
        self._open.append(cue)
        self._filling.append(cue)


class _CueScanner:
    """Walks over a line and decides what each cue does."""

    def __init__(self, line: Sequence[Token]) -> None:
        self._line = line
        self._scopes = _Scopes(len(line))
        self._conditional = False

    def scan(self) -> CueScan:
        scopes = self._scopes
        for at, token in enumerate(self._line):
            if token.text in CLAUSE_OPENERS or (token.kind == "punctuation" and self._ends_clause(token.text)):
                scopes.start_clause()
            self._conditional = token.text in CONDITIONS or (self._conditional and token.kind != "punctuation")
            if token.kind == "word" and token.text in CUE_WORDS:
                self._apply_cue(at, token.text)
            if token.key and token.text not in NEGATORS:
                scopes.add_word(at)
        cues = [cue for cue in scopes.cues if cue.targets]
        commas = tuple(at for at, token in enumerate(self._line) if token.text == ",")
        conditions = tuple(at for at, token in enumerate(self._line) if token.text in CONDITIONS)
        return CueScan(scopes.modalities, cues, frozenset(scopes.negations), scopes.forces, commas, conditions)

    def _ends_clause(self, sign: str) -> bool:
        """A comma ends a condition, or a scope with words in it: not "must" in "must, within ten days, notify"."""
        return sign in ".;:!?" or (sign == "," and (self._conditional or self._scopes.reaches_words))

    def _apply_cue(self, at: int, word: str) -> None:
        following = _text(self._line, at + 1)
        if word in NEGATORS:
            self._apply_negator(at, word)
        elif word in FORBIDDEN:
            self._scopes.mark_clause(word, self._scopes.force, negated=True)
            self._scopes.negate(word, at, conditional=self._conditional)
        elif word in FAILING:
            if following == "to":
                self._scopes.negate(word, at, conditional=self._conditional)
        elif word in MODALS_WITH_TO and following == "to":
            self._apply_modal(at, word, MODALS_WITH_TO[word])
        elif word in PREDICATES and _is_predicate(self._line, at):
            self._apply_predicate(at, word)
        elif word in ACTIVE_VERBS:
            self._apply_modal(at, word, ACTIVE_VERBS[word])
        elif word in MODALS:
            self._apply_modal(at, word, MODALS[word])

    def _apply_negator(self, at: int, word: str) -> None:
        scopes = self._scopes
        if _negates_nothing(self._line, at):
            return
        if _text(self._line, at - 1) in {"need", "needs"} and scopes.force == "must":
            scopes.force = scopes.forces[at - 1] = "free"
        elif scopes.repeats_negation():
            scopes.cancel_negation()  # "unless it is not", "never without"
            scopes.negations.add(at)
        else:
            scopes.negate(word, at, conditional=self._conditional, reach=1 if word == "non" else NEGATION_REACH)

    def _apply_predicate(self, at: int, word: str) -> None:
        scopes = self._scopes
        force, negated = PREDICATES[word], scopes.negated_words > 0
        if negated and force in {"must", "free"}:
            force, negated = ("free" if force == "must" else "must"), False
            scopes.release(at)
        scopes.mark_clause(word, force, negated=negated)
        scopes.bind(word, force, at)

    def _apply_modal(self, at: int, word: str, force: Force) -> None:
        scopes = self._scopes
        if word in PLAIN_MODALS and scopes.has_spent_not():
            scopes.negated_words = 0
        if word in RELEASABLE and scopes.negated_words >= NEGATION_REACH - 1:
            if scopes.force == "may":
                return  # "may not have to" takes back a "may have to"
            force = "free"
            scopes.release(at)
        elif scopes.is_fresh and scopes.force not in {"", "will"} and word not in PLAIN_MODALS:
            return  # "may have to" is still a may
        scopes.bind(word, force, at)


def _negates_nothing(line: Sequence[Token], at: int) -> bool:
    """Whether a "no" or "not" is part of something that denies nothing."""
    word, following = line[at].text, _text(line, at + 1)
    if word == "no":  # "no later than", an answer's "No," and a number's "No."
        is_word = at + 1 < len(line) and line[at + 1].kind == "word"
        return following in COMPARATIVES or not is_word or (at == 0 and following in AFTER_ANSWER)
    if word == "not":  # "not later than", "do not hesitate", "whether or not", "not only ... but"
        adds = following == "only" and any(token.text == "but" for token in line[at:])
        return adds or following in COMPARATIVES or following in IDLE_VERBS or _text(line, at - 1) == "or"
    return False


def _is_predicate(line: Sequence[Token], at: int) -> bool:
    """Whether a form of "be" stands before this word, perhaps with an adverb between."""
    back = 2 if _text(line, at - 1) in ADVERBS else 1
    return _text(line, at - back) in BE


def _text(line: Sequence[Token], at: int) -> str:
    return line[at].text if 0 <= at < len(line) else ""
