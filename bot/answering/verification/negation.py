"""Negation and modality: which words of a line are denied, demanded, advised, allowed or left free (pure)."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.answering.verification.tokenizer import Token

Force = Literal["", "must", "should", "may", "will", "free"]
Conflict = Literal["", "negation", "modality"]

NEGATORS = frozenset("not non never no without unless except neither nor none nobody nothing hardly".split())
FORBIDDEN = frozenset("prohibited prohibits prohibit forbidden forbids forbid banned barred disallowed".split())
FAILING = frozenset("fail fails failed failing failure refuse refuses refused neglect neglects".split())

# Verbs that stand before what they say something of.
MODALS: dict[str, Force] = {
    "must": "must",
    "shall": "must",
    "should": "should",
    "ought": "should",
    "may": "may",
    "might": "may",
    "can": "may",
    "could": "may",
    "will": "will",
    "need": "must",
    "needs": "must",
}
WITH_TO: dict[str, Force] = {
    "have": "must",
    "has": "must",
    "had": "must",
    "having": "must",
    "able": "may",
    "allowed": "may",
    "permitted": "may",
    "free": "may",
    "required": "must",
    "obliged": "must",
    "obligated": "must",
    "needed": "must",
    "necessary": "must",
    "supposed": "should",
    "advised": "should",
    "recommended": "should",
    "encouraged": "should",
}
# Predicates that are said of what stands before them; as attributes ("the required form") they bind nobody.
PREDICATES: dict[str, Force] = {
    "required": "must",
    "mandatory": "must",
    "compulsory": "must",
    "obligatory": "must",
    "necessary": "must",
    "needed": "must",
    "recommended": "should",
    "advisable": "should",
    "allowed": "may",
    "permitted": "may",
    "possible": "may",
    "optional": "free",
    "voluntary": "free",
}
ACTIVE: dict[str, Force] = {
    "require": "must",
    "requires": "must",
    "recommend": "should",
    "recommends": "should",
    "allow": "may",
    "allows": "may",
    "permit": "may",
    "permits": "may",
}
# "You need not" and "it is not required" free from a duty, where "you must not" forbids.
RELEASABLE = frozenset("need needs have has had required obliged obligated needed necessary mandatory require".split())
BE = frozenset("is are be been being was were am become becomes remain remains considered".split())
BREAKS = frozenset("if when because unless until while although though but which who whereas whether since".split())
CONDITIONS = frozenset("if when case unless otherwise".split())
IDLE = frozenset("worry forget hesitate mind".split())
MEASURES = frozenset("later more less fewer earlier longer greater".split())
ADVERBS = frozenset("not no also always never only currently generally normally usually longer".split())
SPOKEN_TO = frozenset("you your it they we i he she there this that the".split())
PLAIN_MODALS = frozenset({"must", "shall", "should", "may", "might", "can", "could", "will"})
NEGATED_WORDS = 3
TARGETS = 4

# What may not be said (left) where the text says this (right). Saying less than the text, as in leaving
# out a "may", is a matter of style; an instruction ("Report it") bears "must" and "should" as well as "can".
CONFLICTS: dict[Force, frozenset[Force]] = {
    "must": frozenset({"may", "should", "free"}),
    "should": frozenset({"may", "must", "free"}),
    "may": frozenset({"must", "should", "will"}),
    "will": frozenset({"may"}),
    "free": frozenset({"", "must", "should", "will"}),
    "": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """How a word stands in its clause."""

    force: Force = ""
    negated: bool = False


@dataclass(slots=True)
class Cue:
    """A word that denies or binds, and the positions of the words it does this to, the nearest first."""

    word: str
    negates: bool
    conditional: bool = False
    targets: list[int] = field(default_factory=list)


PLAIN = Mark()
# Stems of attributes that leave something free.
LEFT_FREE = frozenset({"option", "voluntari"})
# Stems of verbs by which a text offers something rather than demands it.
INVITING = frozenset(
    """visit call see read contact check find use learn view go refer get choos look click select appli download
    print write request take send bring""".split()
)
# Stems of attributes that exclude each other.
OPPOSITES = frozenset(
    frozenset(pair.split(":"))
    for pair in """option:requir option:mandatori option:compulsori voluntari:requir voluntari:mandatori
    permit:prohibit allow:prohibit permit:forbidden allow:forbidden includ:exclud accept:reject approv:reject
    maximum:minimum befor:after increas:decreas""".split()
)


def conflict(claimed: Mark, given: Mark) -> Conflict:
    """How a claim contradicts what is given, or an empty string."""
    if claimed.negated != given.negated:
        return "negation"
    if not claimed.negated and given.force in CONFLICTS[claimed.force]:
        return "modality"
    return ""


@dataclass(frozen=True, slots=True)
class Stances:
    """What `scan` finds: a mark for each token, the cues, and where something is denied or bound by a word."""

    marks: list[Mark]
    cues: list[Cue]
    denials: frozenset[int]
    forces: dict[int, Force]
    commas: tuple[int, ...] = ()
    conditions: tuple[int, ...] = ()

    def opened(self, start: int, end: int) -> int:
        """Where the clause begins that reaches `end`: past a condition that says nothing else ("If not, ...")."""
        before = bisect_left(self.commas, end)
        closed = self.commas[before - 1] if before else -1
        return closed + 1 if any(start <= at < closed - 1 for at in self.conditions) else start


class _Scan:
    def __init__(self, line: Sequence[Token]) -> None:
        self.line = line
        self.at = 0
        self.denials: set[int] = set()
        self.forces: dict[int, Force] = {}
        self.marks = [PLAIN] * len(line)
        self.cues: list[Cue] = []
        self.clause: list[int] = []
        self.force: Force = ""
        self.denied = 0
        self.fresh = False
        self.conditional = False
        self.open: list[Cue] = []
        self.binding: Cue | None = None

    def run(self) -> None:
        for at, token in enumerate(self.line):
            self.at = at
            if token.text in BREAKS or (token.kind == "mark" and self._ends(token.text)):
                self._new_clause()
            self.conditional = token.text in CONDITIONS or (self.conditional and token.kind != "mark")
            if token.kind == "word" and token.text in CUE_WORDS:
                self._cue(at, token.text)
            if token.key and token.text not in NEGATORS:
                self._content(at)

    def _ends(self, mark: str) -> bool:
        """A comma ends a condition, or what has said something: not "must" in "must, within ten days, notify"."""
        said = self.conditional or any(cue.targets for cue in self.open)
        return mark in ".;:!?" or (mark == "," and said)

    def _new_clause(self) -> None:
        self.clause, self.force, self.denied, self.open, self.binding = [], "", 0, [], None

    def _content(self, at: int) -> None:
        self.marks[at] = Mark(self.force, self.denied > 0)
        self.denied = max(self.denied - 1, 0)
        self.clause.append(at)
        self.fresh = False
        for cue in self.open:
            if len(cue.targets) < (NEGATED_WORDS if cue.negates else TARGETS):
                cue.targets.append(at)
        if self.binding is not None and len(self.binding.targets) == TARGETS:
            self.force, self.binding = "", None

    def _cue(self, at: int, word: str) -> None:
        following = self._text(at + 1)
        if word in NEGATORS:
            self._negator(at, word, following)
        elif word in FORBIDDEN:
            self._said_of_all(word, self.force, negated=True)
            self._deny(word)
        elif word in FAILING:
            if following == "to":
                self._deny(word)
        elif word in WITH_TO and following == "to":
            self._bind(word, WITH_TO[word])
        elif word in PREDICATES and self._is_predicate(at):
            self._predicate(word)
        elif word in ACTIVE:
            self._bind(word, ACTIVE[word])
        elif word in MODALS:
            self._bind(word, MODALS[word])

    def _denies_nothing(self, at: int, word: str, following: str) -> bool:
        if word == "no":  # "no later than", an answer's "No," and a number's "No."
            return following in MEASURES or self._kind(at + 1) != "word" or (at == 0 and following in SPOKEN_TO)
        if word == "not":  # "not later than", "do not hesitate", "whether or not", "not only ... but"
            adds = following == "only" and any(token.text == "but" for token in self.line[at:])
            return adds or following in MEASURES or following in IDLE or self._text(at - 1) == "or"
        return False

    def _negator(self, at: int, word: str, following: str) -> None:
        if self._denies_nothing(at, word, following):
            return
        if self._text(at - 1) in {"need", "needs"} and self.force == "must":
            self.force = self.forces[at - 1] = "free"
        elif self._doubles():
            self._undeny()  # "unless it is not", "never without"
            self.denials.add(at)
        else:
            self._deny(word, 1 if word == "non" else NEGATED_WORDS)

    def _doubles(self) -> bool:
        """Whether what is denied here was just denied."""
        before = self.cues[-1] if self.cues and self.denied else None
        return before is not None and before.negates and (before.word == "unless" or not before.targets)

    def _said_no(self) -> bool:
        """Whether a "not" has its verb already: what follows in "if it does not exist we may ..." is another clause."""
        last = next((cue for cue in reversed(self.open) if cue.negates), None)
        return last is not None and last.word == "not" and bool(last.targets)

    def _deny(self, word: str, reach: int = NEGATED_WORDS) -> None:
        self.denied = reach
        self.denials.add(self.at)
        self._open(Cue(word, negates=True, conditional=self.conditional))

    def _undeny(self) -> None:
        """Takes the last denial back."""
        self.denied = 0
        for cue in [each for each in self.open if each.negates]:
            self.open.remove(cue)
            self.cues.remove(cue)
            for at in cue.targets:
                self.marks[at] = Mark(self.marks[at].force)

    def _release(self) -> None:
        """Makes of a duty that is denied a liberty."""
        self.denials.discard(max((at for at in self.denials if at < self.at), default=-1))
        self._undeny()

    def _predicate(self, word: str) -> None:
        force, negated = PREDICATES[word], self.denied > 0
        if negated and force in {"must", "free"}:
            force, negated = ("free" if force == "must" else "must"), False
            self._release()
        self._said_of_all(word, force, negated=negated)
        self._binds(word, force)

    def _bind(self, word: str, force: Force) -> None:
        if word in PLAIN_MODALS and self._said_no():
            self.denied = 0
        if word in RELEASABLE and self.denied >= NEGATED_WORDS - 1:
            if self.force == "may":
                return  # "may not have to" takes back a "may have to"
            force = "free"
            self._release()
        elif self.fresh and self.force not in {"", "will"} and word not in PLAIN_MODALS:
            return  # "may have to" is still a may
        self._binds(word, force)

    def _binds(self, word: str, force: Force) -> None:
        self.force, self.fresh = force, True
        self.forces[self.at] = force
        self.binding = Cue(word, negates=False)
        self._open(self.binding)

    def _said_of_all(self, word: str, force: Force, *, negated: bool) -> None:
        """Marks what stands before a predicate in its clause."""
        targets = self.clause[: -TARGETS - 1 : -1]
        for at in targets:
            mark = self.marks[at]
            self.marks[at] = Mark(mark.force or force, mark.negated or negated)
        self.cues.append(Cue(word, negates=negated, targets=targets))

    def _is_predicate(self, at: int) -> bool:
        back = 2 if self._text(at - 1) in ADVERBS else 1
        return self._text(at - back) in BE

    def _open(self, cue: Cue) -> None:
        self.cues.append(cue)
        self.open.append(cue)

    def _text(self, at: int) -> str:
        return self.line[at].text if 0 <= at < len(self.line) else ""

    def _kind(self, at: int) -> str:
        return self.line[at].kind if at < len(self.line) else ""


CUE_WORDS = NEGATORS | FORBIDDEN | FAILING | MODALS.keys() | WITH_TO.keys() | PREDICATES.keys() | ACTIVE.keys()


def scan(line: Sequence[Token]) -> Stances:
    """How each token of a line stands, and the words that make it so; positions are those of the tokens."""
    if not any(token.text in CUE_WORDS for token in line):
        return Stances([PLAIN] * len(line), [], frozenset(), {})
    scan = _Scan(line)
    scan.run()
    cues = [cue for cue in scan.cues if cue.targets]
    commas = tuple(at for at, token in enumerate(line) if token.text == ",")
    conditions = tuple(at for at, token in enumerate(line) if token.text in CONDITIONS)
    return Stances(scan.marks, cues, frozenset(scan.denials), scan.forces, commas, conditions)
