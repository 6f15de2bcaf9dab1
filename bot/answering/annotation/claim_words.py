"""Finds the words of a sentence that carry meaning, and what each of them does in it (pure)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.answering.annotation.claim_values import GENERIC, PENCE
from bot.answering.languages import word_lists
from bot.answering.verification.amounts import AmountMatch
from bot.answering.verification.tokenizer import Token

_ENGLISH = word_lists("claims")
GROUPS = _ENGLISH.words("groups")
COMPOUND_GROUPS = _ENGLISH.words("compound_groups")
CASES = _ENGLISH.words("cases")
SYNONYMS = _ENGLISH.by_word("synonyms")
# Words that are one of these name a step of some process, which is not any other step.
PROCESSES = frozenset(SYNONYMS.values())
CONDITIONS = _ENGLISH.words("conditions")
CLAUSE_OPENERS = _ENGLISH.words("clause_openers")
REFERENCE_OPENERS = _ENGLISH.words("reference_openers")
TIMING = _ENGLISH.words("timing")
SIDES = _ENGLISH.by_word("sides")
LINKING = _ENGLISH.words("linking")
RESTRICTING = _ENGLISH.words("restricting")
BELONGING = _ENGLISH.words("belonging")
PURPOSE = _ENGLISH.text("purpose")
PLACING = _ENGLISH.words("placing")
CHANNELS = _ENGLISH.words("channels")
AGENT = _ENGLISH.text("agent")
MODALS = _ENGLISH.words("modals")
INFINITIVE = _ENGLISH.text("infinitive")
DETERMINERS = _ENGLISH.words("determiners")
VERBAL = _ENGLISH.words("verbal")
# Words that stand for nothing in particular.
EMPTY = GENERIC | LINKING | CLAUSE_OPENERS | CONDITIONS
# What need not be said of a thing, by what says it.
IMPLIED = _ENGLISH.by_word("implied")
WITHIN = _ENGLISH.text("within")


@dataclass(frozen=True, slots=True)
class Word:
    """A word that carries meaning.

    `narrows` is true where it says of what kind or for what, or stands in a `clause` that says when, which begins with
    the word given; `restricts` and `modifies` are the word behind which and before which it narrows. `verbal` is true
    where a verb may stand, `reference` of the moment that a value counts from, `agent` of whoever does it. `case` is
    true of words that tell one case from another, `group` of those among them that tell whose rule it is, or where.
    """

    key: str
    narrows: bool = False
    clause: str = ""
    restricts: str = ""
    modifies: str = ""
    verbal: bool = False
    reference: bool = False
    agent: bool = False
    case: bool = False
    group: bool = False


def term_of(token: Token) -> str:
    """Return what a word is compared by: its stem, or what it has in common with words for the same."""
    return SYNONYMS.get(token.text, token.key)


def find_words(line: Sequence[Token], matches: Sequence[AmountMatch]) -> Iterator[Word]:
    """Yield the words of a line that carry meaning, without its amounts."""
    inside = {at for match in matches for at in range(match.start, match.end)}
    ends = {match.end: match for match in matches}
    clause, reference = "", False
    for at, token in enumerate(line):
        if token.kind == "punctuation" or at in inside:
            clause, reference = "", False
        if at in ends:
            reference = _opens_reference(line, ends[at])
        elif token.text in CLAUSE_OPENERS:
            clause = token.text
        elif token.text in MODALS or (token.text == INFINITIVE and line[at - 1].kind == "word" and line[at - 1].key):
            reference = False
        if at in inside or says_nothing(token) or (at == 0 and token.kind == "code"):
            continue
        back = at - 1
        while back >= 0 and line[back].text in DETERMINERS:
            back -= 1
        led_by = line[back].text if back >= 0 else ""
        restricts = led_by in RESTRICTING and (back - 1 not in inside or led_by == PURPOSE) and not reference
        following = line[at + 1] if at + 1 < len(line) and at + 1 not in inside else None
        commands = back < 0 and following is not None and following.text in DETERMINERS
        is_name = token.capital and at > 0 and line[at - 1].kind != "punctuation" and led_by not in CHANNELS
        group = _is_group(line, at) or (is_name and led_by in PLACING)
        yield Word(
            term_of(token),
            narrows=restricts or bool(clause),
            clause=clause,
            restricts=_restricted(line, back) if restricts and led_by in BELONGING else "",
            modifies=_modified(following),
            verbal=led_by in VERBAL or commands,
            agent=led_by == AGENT,
            reference=reference,
            case=group or is_name or (token.text in CASES and at + 1 not in inside),
            group=group,
        )


def _is_group(line: Sequence[Token], at: int) -> bool:
    """Whether a word names a group; "full" and "part" do before "time" alone."""
    token, following = line[at], line[at + 1].text if at + 1 < len(line) else ""
    return token.text in GROUPS and (token.text not in COMPOUND_GROUPS or following == "time")


def _modified(following: Token | None) -> str:
    """Return the word of which the one before may tell the kind; empty for none."""
    return term_of(following) if following and following.kind == "word" and not says_nothing(following) else ""


def _restricted(line: Sequence[Token], at: int) -> str:
    """Return the word behind which "for", "of" or the like stands; empty for none."""
    before = line[at - 1] if at else None
    return term_of(before) if before is not None and before.kind == "word" and not says_nothing(before) else ""


def says_nothing(token: Token) -> bool:
    """Whether a token is none of the words by which sentences are compared."""
    return not token.key or token.text in EMPTY or PENCE.fullmatch(token.text) is not None


def _opens_reference(line: Sequence[Token], match: AmountMatch) -> bool:
    """Whether the words behind an amount say from when it counts: "after the trip", "within 5 days of the trip"."""
    if match.amount.value is None or match.end >= len(line):
        return False
    opening, before = line[match.end].text, line[match.start - 1].text if match.start else ""
    return opening in REFERENCE_OPENERS or (opening == "of" and before in {WITHIN, *SIDES})
