"""Tells a message without a mention that asks the bot from people talking to each other (pure, English).

`may_be_for_bot` keeps out what cannot be. What may be is judged by its meaning and its `form` together, as learned from
`examples`; `is_for_bot` goes by the form alone, for embedding models and languages of which nothing was learned. In
other languages a question with its mark is taken for one where its form tells nothing else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

from bot.answering.languages import word_lists
from bot.answering.understanding.small_talk import small_talk

_ENGLISH = word_lists("addressing")
# More of a message says nothing new about whom it speaks to.
MOST_CHARACTERS = 1_000
FEWEST_WORDS = 3

_NOT_WORDS = re.compile(r"`[^`]*`|\bhttps?://\S+")
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_ALIKE = str.maketrans("‘’´`", "''''")
# Where one sentence, or a part of one, ends: with its mark, which tells whether it asks.
_PART = re.compile(r"([^?？؟.!;:,\n–—\U0001f000-\U0001faff☀-➿]+)([?？؟.!;:,\n–—\U0001f000-\U0001faff☀-➿]*)")
_MARKS = frozenset("?？؟")

_LEADS = _ENGLISH.words("leads")
_EMPTY = _ENGLISH.words("empty")
_POINTING = _ENGLISH.words("pointing")
_QUESTION_WORDS = _ENGLISH.words("question_word")
_AUXILIARIES = _ENGLISH.words("auxiliary")
_SUBJECTS = _ENGLISH.words("subject")
_NO_NAMES = _LEADS | _QUESTION_WORDS | _AUXILIARIES | _SUBJECTS
_BEFORE_NOUNS = frozenset({"the", "a", "an", "my", "our"})
_PAST = _ENGLISH.words("past_auxiliary")
_OPENING = _ENGLISH.words("opening_auxiliary")

# Called at the beginning of a text, and not spoken of; or at its end.
_CALLED = re.compile(rf"\W*+(?:{_ENGLISH.text('before_name')} )?{_ENGLISH.text('name')}\b(?! {_ENGLISH.text('told')})")
_CALLED_LAST = re.compile(rf"\b{_ENGLISH.text('name')}\W*+$")
_SHORT_QUESTION = re.compile(_ENGLISH.text("short_question"))
_CONDITIONAL = re.compile(_ENGLISH.text("conditional"))
_ELLIPTICAL = re.compile(_ENGLISH.text("elliptical"))
_ELLIPTICAL_UNMARKED = re.compile(_ENGLISH.text("elliptical_unmarked"))
_EVERYBODY, _YOU, _YOUR = (re.compile(_ENGLISH.text(name)) for name in ("everybody", "you", "your"))
_PRESENT, _ONESELF = re.compile(_ENGLISH.text("present")), re.compile(_ENGLISH.text("oneself"))
_SPEAKS = re.compile(_ENGLISH.text("speaks"))
_MENTION_AT_AN_END = re.compile(r"^\W*+(?<=@)\w|@\w[\w.-]*+\W*+$")
_VOCATIVE = re.compile(rf"\W*+([A-Z][^\W\d_]+)(,?) +{_ENGLISH.text('after_name')}\b")


def _any_of(name: str) -> re.Pattern[str]:
    return re.compile(_ENGLISH.alternatives(name))


_NO_QUESTION, _INDIRECT, _COMPLETING = _any_of("no_question"), _any_of("indirect"), _any_of("completing")
_REQUEST, _FAVOUR, _GUESS = _any_of("request"), _any_of("favour"), _any_of("guess")
_PERSONAL, _ROOM, _MOMENT = _any_of("personal"), _any_of("room"), _any_of("moment")
_SIGNS = (
    *(_PERSONAL, _ROOM, _MOMENT, _FAVOUR, _PRESENT, _COMPLETING, _REQUEST),
    *map(_any_of, ("first_person", "first_plural", "third_person", "past", "exclamation", "comment", "figures")),
    *map(_any_of, ("intention", "addition", "continuing")),
)
_FRAME_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+|[?!£$€]|[\U0001f000-\U0001faff☀-➿]")
_FRAME_WORDS = _EMPTY | _SUBJECTS | _AUXILIARIES | _QUESTION_WORDS | _LEADS
_FRAME, _FRAME_SIZE = 0.5, 1024
# Beside a vector of length 1, a sign weighs this; a message of more words is as long as one of so many.
_WEIGHT, _LONG = 0.2, 20


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a message is written: `in_thread` the bot was asked before, `by_asker` by the person who is to write now.

    `after_bot` is whether nobody has spoken to anybody else since.
    """

    in_thread: bool = False
    by_asker: bool = False
    after_bot: bool = False


_ASKER = Scene(in_thread=True, by_asker=True)
# How the file of examples writes a scene: whoever asked, or a colleague; in capitals once people have spoken since.
_SCENES = {
    "o": Scene(),
    "a": Scene(in_thread=True, by_asker=True, after_bot=True),
    "A": _ASKER,
    "c": Scene(in_thread=True, after_bot=True),
    "C": Scene(in_thread=True),
}


@dataclass(frozen=True, slots=True)
class Example:
    """A message of which it is known whether it was for the bot; `scene` is None where that may be any."""

    text: str
    scene: Scene | None
    for_bot: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a message in lower case, without what only leads to it; `asks` where it ends in a question mark."""

    text: str
    asks: bool

    @property
    def words(self) -> list[str]:
        return _WORD.findall(self.text)


def is_for_bot(text: str, scene: Scene = Scene()) -> bool:
    """Whether a message without a mention asks something that the documents may answer, and no person in particular.

    In a thread it must be self-contained where another than the asker writes it. False for a text without a question.
    """
    shown, lower = _shown(text)
    if calls_bot(text):
        return True
    if _names_somebody(shown):
        return False
    if scene.by_asker and _goes_on(lower, scene):
        return True
    if _speaks_to_people(lower, by_asker=scene.in_thread and scene.by_asker):
        return False
    return bool(_INDIRECT.search(lower)) or any(_is_question(part, scene) for part in _parts(lower))


def may_be_for_bot(text: str) -> bool:
    """Whether a message without a mention may ask the bot: it has words, and mentions nobody at an end of it."""
    shown, _ = _shown(text)
    return calls_bot(text) or (bool(_WORD.search(shown)) and not _MENTION_AT_AN_END.search(shown))


def calls_bot(text: str) -> bool:
    """Whether a text asks something of the bot by its name, without a mention."""
    lower = text[:MOST_CHARACTERS].translate(_ALIKE).lower()
    called = _CALLED.match(lower)
    if called:
        return bool(_WORD.search(lower[called.end() :]))
    return bool(_CALLED_LAST.search(lower)) and asks_something(_CALLED_LAST.sub("", lower))


def asks_something(text: str) -> bool:
    """Whether a text asks anything, of whomever."""
    _, lower = _shown(text)
    return bool(_INDIRECT.search(lower)) or any(_is_question(part, _ASKER) for part in _parts(lower))


def is_foreign(text: str) -> bool:
    """Whether few words of a text are those that English cannot do without; False for a text without a word."""
    words = _WORD.findall(text[:MOST_CHARACTERS].translate(_ALIKE).lower())
    return bool(words) and _are_foreign(words)


def examples() -> list[Example]:
    """Return messages that were written without calling the bot, with whether they were for it."""
    lists = word_lists("addressing", language="english_examples")
    anywhere = [Example(text, None, True) for text in lists.text("documents").splitlines()]
    anywhere += [Example(text, None, False) for text in lists.text("people").splitlines()]
    return anywhere + [_example(line) for line in lists.text("messages").splitlines()]


def form(text: str, scene: Scene | None = None) -> tuple[float, ...]:
    """Return numbers that say of a message's form and place what its meaning does not; of an unknown place, 0."""
    shown, lower = _shown(text)
    parts = list(_parts(lower))
    openings = {part.words[0] for part in parts if part.words}
    impersonal = _EVERYBODY.sub(" ", lower)
    asks = any(_is_question(part, _ASKER) for part in parts)
    signs = (
        any(part.asks for part in parts),
        asks,
        any(len(part.words) >= FEWEST_WORDS and _has_question_form(part) for part in parts),
        any(_NO_QUESTION.match(part.text) for part in parts),
        any(_ELLIPTICAL.match(part.text) for part in parts),
        bool(_INDIRECT.search(lower)),
        _names_somebody(shown),
        bool(_YOU.search(impersonal) or _YOUR.search(impersonal)),
        impersonal != lower,
        *(bool(each.search(lower)) for each in _SIGNS),
        not openings.isdisjoint(_QUESTION_WORDS),
        not openings.isdisjoint(_AUXILIARIES),
        not openings.isdisjoint(_PAST),
        asks and scene is not None and scene.in_thread and scene.by_asker,
        asks and scene is not None and scene.in_thread and not scene.by_asker,
    )
    length = min(len(lower.split()), _LONG) / _LONG
    return (*(_WEIGHT * each for each in (*_place(scene), *map(float, signs), 2 * length)), *_frame(lower))


def points_elsewhere(text: str) -> bool:
    """Whether a text that is said to the bot asks nothing by itself, as "can you answer this?"; also an empty one.

    Whoever thanks or greets the bot wants nothing answered.
    """
    if small_talk(text) in {"thanks", "greeting", "farewell"}:
        return False
    words = _WORD.findall(text[:MOST_CHARACTERS].translate(_ALIKE).lower())
    return all(word in _POINTING or word.endswith("'s") for word in words)


def _example(line: str) -> Example:
    """Return what a line says: its sign, where and by whom it was written, and the message."""
    mark, text = line.split(" ", 1)
    return Example(text, _SCENES[mark[1]], mark[0] == "+")


def _frame(lower: str) -> list[float]:
    """Return which words without a meaning of their own stand in a text, and next to each other, as hashed numbers.

    All other words count as the same one. The length of the numbers together is `_FRAME`; of no word, 0.
    """
    kept = [_framed(word) for word in _FRAME_WORD.findall(lower)]
    line = ["<", *kept, ">"]
    pairs = [f"{left} {right}" for left, right in pairwise(line)] if kept else []
    places = {crc32(each.encode()) % _FRAME_SIZE for each in (*kept, *pairs, *([" ".join(kept[:3])] if kept else []))}
    weight = _FRAME / max(len(places), 1) ** 0.5
    return [weight if place in places else 0.0 for place in range(_FRAME_SIZE)]


def _framed(word: str) -> str:
    if word in _FRAME_WORDS or not word[0].isalnum():
        return word
    return "#" if word.isdecimal() else "*"


def _place(scene: Scene | None) -> tuple[float, float, float, float]:
    if scene is None or not scene.in_thread:
        return (-1.0 if scene else 0.0, 0.0, 0.0, 0.0)
    asker, after = (1.0 if scene.by_asker else -1.0), (1.0 if scene.after_bot else -1.0)
    return 1.0, asker, after, asker * after


def _shown(text: str) -> tuple[str, str]:
    """Return the beginning of a text without code and links, as it is and in lower case."""
    shown = _NOT_WORDS.sub(" ", text[:MOST_CHARACTERS].translate(_ALIKE)).strip()
    return shown, shown.lower()


def _goes_on(lower: str, scene: Scene) -> bool:
    """Whether whoever asked completes their question, or wants more of whoever has just answered."""
    return bool((scene.in_thread and _COMPLETING.search(lower)) or (scene.after_bot and _REQUEST.search(lower)))


def _names_somebody(text: str) -> bool:
    """Whether a text calls a person by name, at its beginning or end."""
    if _MENTION_AT_AN_END.search(text):
        return True
    named = _VOCATIVE.match(text)
    if not named or named.group(1).lower() in _NO_NAMES:
        return False
    return bool(named.group(2) or _SPEAKS.search(text.lower()))


def _speaks_to_people(lower: str, *, by_asker: bool) -> bool:
    if _ROOM.search(lower) and not _INDIRECT.search(lower):
        return True
    if _PERSONAL.search(lower) or _FAVOUR.search(lower) or _MOMENT.search(lower):
        return True
    if not by_asker and _PRESENT.search(lower) and not _ONESELF.search(lower):
        return True
    others, everybody = _EVERYBODY.subn(" ", lower)
    return bool(_YOU.search(others)) or (not everybody and bool(_YOUR.search(lower)))


def _parts(lower: str) -> Iterator[_Part]:
    for found in _PART.finditer(lower):
        words = found.group(1).split()
        while words and words[0].strip("'\"()*_-") in _LEADS:
            del words[0]
        text = " ".join(words).strip(" '\"()*_-")
        if text:
            yield _Part(text, not _MARKS.isdisjoint(found.group(2)))


def _is_question(part: _Part, scene: Scene) -> bool:
    words = part.words
    if not words or (not part.asks and _NO_QUESTION.match(part.text)):
        return False
    own = scene.in_thread and scene.by_asker
    if not own and (words[0] in _PAST or (scene.in_thread and (_GUESS.match(part.text) or _EMPTY.issuperset(words)))):
        return False
    if _ELLIPTICAL.match(part.text) if part.asks else _ELLIPTICAL_UNMARKED.match(part.text):
        return own or len(words) >= FEWEST_WORDS
    if own and (part.asks or _is_choice(words) or (words[0] in _QUESTION_WORDS and len(words) > 1)):
        return True
    if len(words) < FEWEST_WORDS:
        return False
    return _has_question_form(part) or bool(_CONDITIONAL.match(part.text)) or (part.asks and _are_foreign(words))


def _are_foreign(words: list[str]) -> bool:
    """Whether few of these are words that English cannot do without."""
    return sum(word in _EMPTY or word in _SUBJECTS for word in words) * 4 <= len(words)


def _is_choice(words: list[str]) -> bool:
    """Whether this is nothing but two things to choose from, as in "before or after tax"."""
    has_subject = not _SUBJECTS.isdisjoint(set(words) - _BEFORE_NOUNS)
    return "or" in words[1:-1] and len(words) > FEWEST_WORDS and not has_subject


def _has_question_form(part: _Part) -> bool:
    """Whether a part begins with a question word, or with the verb before its subject."""
    first, second, *others = part.words
    if first in _QUESTION_WORDS or _SHORT_QUESTION.fullmatch(first):
        return True
    if first not in _AUXILIARIES:
        return False
    if part.asks or second in _SUBJECTS or first in _OPENING:
        return True
    # Without a question mark "do" may begin an order; several of something can only be a subject.
    return any(word.endswith("s") for word in (second, *others[:1]))
