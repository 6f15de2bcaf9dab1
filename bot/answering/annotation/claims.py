"""A sentence as it is compared with others: what it speaks of, the values that it gives, and its conditions (pure)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from bot.answering.verification.amounts import ORDINALS, UNITS, WRITTEN, Amount, Found, amounts
from bot.answering.verification.tokenizer import Token, tokens
from bot.answering.writing.sentence_selection import Quote

# What a sentence adds after its rule, in words that are none of the rule's.
JOINT = re.compile(r";|:(?=\s)|,(?= (?:with|which|so|because|as|above|but|and|plus|including|who|where)\b)")
EXCEPTING = re.compile(r"\b(?:if|unless|except|when|only)\b", re.IGNORECASE)
# Most sentences give no value, and are told by this at once.
VALUED = re.compile(rf"\d|\b(?:{'|'.join([*WRITTEN, *ORDINALS])})\b", re.IGNORECASE)
LONGEST = 60  # words; more is a list, or a sentence of many rules
MOST_VALUES = 4

DAYS = {"day": 1.0, "week": 7.0, "fortnight": 14.0, "month": 30.4, "quarter": 91.3, "year": 365.25}
HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0}
# Five working days are a week.
WORKING = 1.4
# A month is anything from 28 to 31 days.
TOLERANCE = 0.05

# Whose rule it is, and where it holds.
GROUPS = frozenset(
    """part full temporary permanent fixed contractor contractors agency freelance freelancer freelancers intern interns
    apprentice apprentices trainee trainees volunteer volunteers manager managers director directors executive
    executives senior junior officer officers leader leaders supervisor supervisors administrator administrators teacher
    teachers student students pupil pupils spouse spouses partner partners child children dependant dependants
    dependent dependents parent parents mother mothers father fathers adult adults married single widow widows disabled
    veteran veterans pregnant probation probationary probationer probationers exempt hourly salaried shift night weekend
    seasonal casual remote hybrid factory laboratory warehouse retail driver drivers grade band domestic international
    overseas abroad guest guests visitor visitors supplier suppliers customer customers resident residents nonresident
    uk us usa britain england scotland wales ireland germany france spain italy portugal netherlands belgium luxembourg
    austria switzerland poland sweden norway denmark finland europe european eu american british english scottish welsh
    irish german french spanish italian portuguese dutch belgian austrian swiss polish swedish norwegian danish finnish
    canada canadian mexico brazil india indian china chinese japan japanese korea singapore australia australian asia
    asian africa african america""".split()
)
# What else tells one case from another, where it stands in a sentence.
CASES = frozenset(
    """new existing former national foreign local standard premium basic emergency urgent exceptional voluntary
    involuntary maternity paternity adoption parental sick first second third fourth initial renewal late early online
    paper electronic personal business internal external individual individuals small large minor major high low
    critical severe moderate medium joint commercial citizen citizens level tier category class type""".split()
)
# Everybody in the house, and what verbs of rules say of them: two sentences do not differ by these.
GENERIC = frozenset(
    """employee employees staff colleague colleagues worker workers member members person persons people get gets given
    give gives have has receive receives entitled entitlement entitle grant granted grants may must can should shall
    will need needs needed require requires required allow allowed allows permitted take takes taken make makes made
    total last lasts up max min least most maximum minimum more less than currently now normally usually generally
    please cost costs limit limits limited per each every all any period periods""".split()
)
# Verbs that rules use for one another.
SYNONYMS = {
    word: words.split()[0]
    for words in (
        "keep kept keeps retain retained retains store stored stores hold held preserved",
        "submit submitted submits hand handed file filed send sent",
        "report reported reports notify notified tell",
        "request requested requests ask asked apply applied",
        "pay pays paid contribute contributes contributed",
        "delete deleted erase erased destroy destroyed remove removed",
        "above over exceeding",
    )
    for word in words.split()
}
# What makes a rule hold only then.
CONDITIONS = frozenset(
    """if unless except when where while before after during without not no never only other another additional further
    extra between otherwise until once whose nor both either neither""".split()
)
# What follows these narrows what stands before them, but not after an amount: "within 30 days of the journey".
RESTRICTING = frozenset("for with under at in on as without among between against of by".split())
PLACING = frozenset("in at from outside".split())
DETERMINERS = frozenset("the a an this that these those your our their his her its any all such each every".split())
VERBAL = frozenset("be been is are was must to shall should can may will you we not".split())
PENCE = re.compile(r"(\d{1,3})[pc]")
# "Carry over five days" does not mean more than five.
CARRYING = frozenset("carri roll bring hand take".split())
# "From the fourth day" is a limit, "the fourth warning" a step.
LIMITING = frozenset("from after on by until before than of".split())


@dataclass(frozen=True, slots=True)
class Value:
    """An amount as it is compared: those of one `kind` stand on one scale; `fixed` ones only tell cases apart."""

    kind: str
    size: float
    bound: str
    shown: str
    fixed: bool = False

    def agrees(self, other: "Value") -> bool:
        """Whether both say the same."""
        if self.kind != other.kind:
            return False
        close = TOLERANCE if self.kind in {"days", "hours"} else 0.0
        return abs(self.size - other.size) <= close * max(self.size, other.size)


@dataclass(frozen=True, slots=True)
class Word:
    """A word that carries meaning.

    `narrows` is true where it says of what kind or for what, `verbal` where a verb may stand. `case` is true of words
    that tell one case from another, `group` of those among them that tell whose rule it is, or where.
    """

    key: str
    narrows: bool
    verbal: bool
    case: bool
    group: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """What a sentence says."""

    words: tuple[Word, ...]
    values: tuple[Value, ...]
    rates: frozenset[str]
    conditions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of one of the passages that were found, and what it says."""

    place: Quote
    text: str
    said: Claim


@lru_cache(maxsize=4096)
def said(text: str, language: str) -> Claim | None:
    """What a sentence says; None where it gives no value, or so many that it is a table or a calculation."""
    if not VALUED.search(text):
        return None
    line = tokens(_rule(text), language=language)
    found = amounts(line)
    values = tuple(_values(line, found))
    if len(line) > LONGEST or not values or len(values) > MOST_VALUES or all(value.fixed for value in values):
        return None
    rates = frozenset(each.amount.unit for each in found if each.amount.value is None)
    conditions = frozenset(token.text for token in line) & CONDITIONS
    return Claim(tuple(_words(line, found)), values, rates, conditions)


def _rule(text: str) -> str:
    """The parts of a sentence that give values or exceptions."""
    return ",".join(part for part in JOINT.split(text) if VALUED.search(part) or EXCEPTING.search(part))


def groups(text: str) -> frozenset[str]:
    """The words in a text that say whose rule it is, or what for."""
    return frozenset(token.text for token in tokens(text)) & GROUPS


@lru_cache(maxsize=4096)
def subject(text: str, language: str) -> frozenset[str]:
    """The terms of a heading or a question."""
    return frozenset(token.key for token in tokens(text, language=language) if token.key)


def _values(line: Sequence[Token], found: Sequence[Found]) -> Iterator[Value]:
    for each in found:
        if each.amount.value is not None:
            yield _value(line, each)
    for token in line:
        if token.kind == "code" and (pence := PENCE.fullmatch(token.text)):
            yield Value("cent", float(pence[1]), "", token.shown)


def _value(line: Sequence[Token], found: Found) -> Value:
    amount, shown = found.amount, _shown(line[found.start : found.end])
    assert amount.value is not None
    if found.start > 1 and line[found.start - 1].text == "over" and line[found.start - 2].key in CARRYING:
        amount = replace(amount, bound="")
    after = line[found.end].text if found.end < len(line) else ""
    if amount.unit == "ordinal" and UNITS.get(after) in DAYS and _limits(line, found.start):
        return Value(f"ordinal {UNITS[after]}", found.amount.value or 0.0, "", f"{shown} {after}")
    kind, size = _scale(amount)
    if not kind:
        return _counted(line, found, shown)
    return Value(kind, size, amount.bound, shown, fixed=kind in {"ordinal", "weekday", "month name"})


def _limits(line: Sequence[Token], at: int) -> bool:
    return at > 1 and line[at - 1].text == "the" and line[at - 2].text in LIMITING


def _counted(line: Sequence[Token], found: Found, shown: str) -> Value:
    """A number without a unit: of what follows it, unless it is a year, a mark or the number of a form or a step."""
    following = next((token for token in line[found.end : found.end + 2] if token.key), None)
    before = line[found.start - 1] if found.start else None
    # "Principle 3" and "step 3" have a number, "send 3 quotes" counts some.
    told = before is not None and before.kind == "word" and (not before.key or before.text in GENERIC)
    counts = told and following is not None and following.kind == "word" and found.amount.sort == "number"
    size = found.amount.value or 0.0
    if not counts or following is None:
        return Value("number", size, found.amount.bound, shown, fixed=True)
    return Value(f"of {following.key}", size, found.amount.bound, f"{shown} {following.shown}")


def _scale(amount: Amount) -> tuple[str, float]:
    assert amount.value is not None
    if amount.unit in DAYS:
        return "days", amount.value * DAYS[amount.unit] * (WORKING if amount.stricter == "working" else 1.0)
    if amount.unit in HOURS:
        return "hours", amount.value * HOURS[amount.unit]
    if amount.unit.startswith("month ") and amount.unit != "month name":
        return "date", 100 * float(amount.unit.split()[1]) + amount.value
    return amount.unit, amount.value


def _shown(said_by: Sequence[Token]) -> str:
    """The amount as it is written, currency and per cent signs close to their number."""
    shown = ""
    for before, token in pairwise((None, *said_by)):
        assert token is not None
        close = before is None or before.text in {"$", "£", "€", "("} or token.text in {"%", ")", ",", "."}
        shown += ("" if close else " ") + (token.shown or token.text)
    return shown


def _words(line: Sequence[Token], found: Sequence[Found]) -> Iterator[Word]:
    inside = {at for each in found for at in range(each.start, each.end)}
    for at, token in enumerate(line):
        numbers_clause = at == 0 and token.kind == "code"
        if at in inside or not token.key or token.text in GENERIC or numbers_clause or PENCE.fullmatch(token.text):
            continue
        back = at - 1
        while back >= 0 and line[back].text in DETERMINERS:
            back -= 1
        led_by = line[back].text if back >= 0 else ""
        restricts = led_by in RESTRICTING and back - 1 not in inside
        following = line[at + 1] if at + 1 < len(line) else None
        modifies = bool(following and following.key and following.kind == "word") and not token.text.endswith("ly")
        name = token.capital and at > 0 and line[at - 1].kind != "mark"
        key = SYNONYMS.get(token.text, token.key)
        group = token.text in GROUPS or (name and led_by in PLACING)
        yield Word(key, restricts or modifies, led_by in VERBAL, group or name or token.text in CASES, group)
