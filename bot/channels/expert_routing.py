"""Decides whether what an expert writes in the owners' thread is meant for whoever asked (pure).

Where that is not plain it is not: a button below sends it. It is told by English words, which are data, so that a reply
in another language, unless it is a bare number with its unit, always waits for the button.
"""

import re

from bot.answering.languages import word_lists

_WORDS = word_lists("expert_replies")
# More than anybody types in a thread, and enough to tell.
MOST_CHARACTERS = 4_000
# Words: fewer say nothing; of a number with its unit; of a short statement.
FEWEST, BARE, SHORT = 2, 4, 8
# Letters of the words that a reply shares with the question, and how many of them are compared.
SHORTEST_SHARED, COMPARED = 3, 5


def _anywhere(name: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_WORDS.alternatives(name)})\b", re.IGNORECASE)


def _first(name: str) -> re.Pattern[str]:
    return re.compile(rf"^\W{{0,5}}(?:{_WORDS.alternatives(name)})\b", re.IGNORECASE)


_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_QUOTE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_LINK = re.compile(r"\bhttps?://\S+")
_ADDRESS = re.compile(r"\bhttps?://\S|\b[\w.+-]{1,64}@[\w-]{1,63}\.\w")
_GREETING = re.compile(
    rf"^\W{{0,10}}(?:{_WORDS.alternatives('greetings')})\b(?: (?:there|all|everybody|everyone|team))?[ ,.!:–-]{{0,5}}",
    re.IGNORECASE,
)
_CLOSING_QUESTION = re.compile(rf"(?:{_WORDS.alternatives('closing_questions')}) ?\?\W{{0,5}}$", re.IGNORECASE)
_OPENS_QUESTION, _OPENS_STATEMENT = _first("opens_question"), _first("opens_statement")
_TALK, _OPENS_TALK = _anywhere("talk"), _first("opens_talk")
_ASSENTS = re.compile(r"(?:^|\s)[+^]1?(?=\s|$)|^[/*]|^s/")
# Without a subject, as whoever tells what they do or did: "looking for the link".
_PARTICIPLE_FIRST = re.compile(r"^\W{0,5}(\w{2,30}(?:ed|ing))\b", re.IGNORECASE)
_ABOUT_SELF = re.compile(r"^\W{0,5}i\b(?! (?:can )?confirm\b)", re.IGNORECASE)
_NAME = r"[A-Z][\w'-]{1,30}"
# Somebody is called: before a comma, a colon or a dash, or at the end; or it is told what they do.
_CALLED_FIRST = re.compile(rf"^\W{{0,5}}({_NAME})(?: {_NAME})?(?:,|:| [-–—]) ")
_NAMED_FIRST = re.compile(rf"^\W{{0,5}}({_NAME}) (?:{_WORDS.alternatives('named_first')})\b")
_CALLED_LAST = re.compile(r", ?([A-Z][a-z]{1,30})[.!:)\s]{0,5}$")
_MENTIONED_LAST = re.compile(rf"(?:^|[^\w@])(\w{{0,20}})[ ,]{{1,3}}@[\w.'-]{{1,40}}(?: {_NAME})?\W{{0,5}}$")
# What makes an answer of what is no talk.
_SPEAKS_TO_ASKER = re.compile(rf"\b(?:{_WORDS.alternatives('speaks_to_asker')})", re.IGNORECASE)
_INSTRUCTS, _STATES_RULE, _SAYS_YES_OR_NO = _first("instructs"), _anywhere("states_rule"), _first("yes_or_no")
_NUMBER = re.compile(rf"\d|\b(?:{_WORDS.alternatives('numbers')})\b", re.IGNORECASE)
_REFERENCE = re.compile(rf"\b(?:{_WORDS.alternatives('references')}) ?\d+\b", re.IGNORECASE)
_VALUE_FIRST = re.compile(
    rf"^\W{{0,5}}(?:\d\S{{0,20}}|{_WORDS.alternatives('numbers')}|{_WORDS.alternatives('value_first')})(?!\w)",
    re.IGNORECASE,
)
_ENGLISH = _anywhere("english")
_CORRECTS = re.compile(
    rf"^\W{{0,5}}(?:{_WORDS.alternatives('corrects')})\b[ ,.!:–—-]{{0,5}}"
    rf"(?:(?:{_WORDS.alternatives('corrects_more')})\b[ ,.!:–—-]{{0,5}})?",
    re.IGNORECASE,
)
_NO_NAMES, _NAMES_WHOM, _EMPTY = _WORDS.words("no_names"), _WORDS.words("names_whom"), _WORDS.words("empty")
_NO_PARTICIPLES = _WORDS.words("no_participles")


def is_for_asker(text: str, *, question: str = "") -> bool:
    """Whether a text is plainly an answer to whoever asked; false for an empty one.

    It is not where a colleague is called or told of by name, anything is asked, or colleagues talk: of what they do not
    know or will look up, of who should answer, of the question itself, of themselves, of what was. Else it is where it
    gives a number, a date or an address, tells the asker what to do, or states a rule, with yes or no or in words of
    the question.
    """
    said = _QUOTE.sub("", text[:MOST_CHARACTERS].replace("’", "'")).strip()
    said = _GREETING.sub("", said, count=1).strip()
    words = _WORD.findall(said)
    if len(words) < FEWEST or _is_question(said) or _names_colleague(said, question) or _is_talk(said, question):
        return False
    return _gives_answer(said, words, question)


def is_correction(text: str, *, question: str = "") -> bool:
    """Whether a text plainly corrects what its author has said before: it says so first, then gives an answer."""
    said = text[:MOST_CHARACTERS].replace("’", "'").strip()
    found = _CORRECTS.match(said)
    return found is not None and is_for_asker(said[found.end() :], question=question)


def _is_question(text: str) -> bool:
    """Whether anything is asked, but whether that was all."""
    asked = _CLOSING_QUESTION.sub("", _LINK.sub(" ", text))
    return "?" in asked or (bool(_OPENS_QUESTION.match(asked)) and not _OPENS_STATEMENT.match(asked))


def _names_colleague(text: str, question: str) -> bool:
    """Whether somebody is called by name, or it is told what they do; a word of the question is no name."""
    last = _MENTIONED_LAST.search(text)
    if text.startswith("@") or (last and last[1].casefold() not in _NAMES_WHOM):
        return True
    found = (_CALLED_FIRST.match(text), _NAMED_FIRST.match(text), _CALLED_LAST.search(text))
    names = {each[1].casefold().partition("'")[0] for each in found if each} - _NO_NAMES
    return any(not _stems([name]) or not _stems([name]) <= _stems(_WORD.findall(question)) for name in names)


def _is_talk(text: str, question: str) -> bool:
    if _TALK.search(text) or _OPENS_TALK.match(text) or _ASSENTS.search(text):
        return True
    if _ABOUT_SELF.match(text) and not _SPEAKS_TO_ASKER.search(text):
        return True
    done = _PARTICIPLE_FIRST.match(text)
    if done is None or done[1].casefold() in _NO_PARTICIPLES:
        return False
    return not any(done[1].casefold().startswith(each.rstrip("e")) for each in _stems(_WORD.findall(question)))


def _gives_answer(text: str, words: list[str], question: str) -> bool:
    """Whether a text that is no talk says something that answers: a value, a rule, something to do."""
    has_number, begins_with_value = bool(_NUMBER.search(_REFERENCE.sub(" ", text))), bool(_VALUE_FIRST.match(text))
    if not _ENGLISH.search(text):
        return has_number and begins_with_value and len(words) <= BARE
    if _SPEAKS_TO_ASKER.search(text):
        return True
    states_rule, has_address = bool(_STATES_RULE.search(text)), bool(_ADDRESS.search(text))
    if _stems(words) & _stems(_WORD.findall(question)):
        return has_number or has_address or states_rule or bool(_INSTRUCTS.match(text))
    if text[:1].islower():  # as colleagues write; an answer is a sentence
        return has_address and bool(_INSTRUCTS.match(text))
    if has_number or has_address:
        return begins_with_value or len(words) <= SHORT or states_rule or has_address or bool(_INSTRUCTS.match(text))
    return bool(_INSTRUCTS.match(text)) or (states_rule and bool(_SAYS_YES_OR_NO.match(text)))


def _stems(words: list[str]) -> frozenset[str]:
    """Return the beginnings of the words that carry meaning."""
    folded = (word.casefold() for word in words)
    return frozenset(
        word[:COMPARED].rstrip("s") for word in folded if len(word) >= SHORTEST_SHARED and word not in _EMPTY
    )
