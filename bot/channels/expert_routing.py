"""Decides whether what an expert writes in the owners' thread is meant for whoever asked (pure).

Where it is not plain, it is not sent: a button below sends it. What is plain is told by English words, so that a reply
in another language, unless it is a bare number with its unit, always waits for the button.
"""

import re

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_QUOTE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_GREETING = re.compile(
    r"^\W{0,10}(?:hello|hi|hey|dear|good (?:morning|afternoon|evening))\b(?: (?:there|all|everybody|everyone|team))?"
    r"[ ,.!:–-]{0,5}",
    re.IGNORECASE,
)
# A name that somebody is called by: at the beginning, before a comma, a colon or a dash.
_CALLED = re.compile(r"^\W{0,5}([A-Z][\w'-]{1,30})(?: [A-Z][\w'-]{1,30})?(?:,|:| [-–—]) ")
# First words that stand before a comma or a colon and are nobody's name.
_NO_NAMES = frozenset(
    """yes yep yeah no nope sure correct right actually currently unfortunately generally usually normally basically
    officially formally technically sorry correction update edit note answer short since from until after before in on
    at for by as of if when otherwise however also so then here first second finally once today tomorrow
    january february march april may june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday exactly indeed true false only never always both each every all please""".split()
)
_CLOSING_QUESTION = re.compile(
    r"(?:(?:does|did) (?:that|this) (?:help|answer your question)|is (?:that|this) clear|ok(?:ay)?|all clear|"
    r"anything else)[ ]?\?\W{0,5}$",
    re.IGNORECASE,
)
_OPENS_QUESTION = re.compile(
    r"(?:who|whom|whose|what|where|why|which|how|can|could|may|might|must|should|shall|is|isn'?t|are|aren'?t|am|"
    r"was|wasn'?t|were|weren'?t|do|don'?t|does|doesn'?t|did|didn'?t|will|would|has|hasn'?t|have|had|"
    r"wouldn'?t|shouldn'?t|couldn'?t|any|anyone|anybody|someone|somebody)\b",
    re.IGNORECASE,
)
_OPENS_STATEMENT = re.compile(
    r"(?:what (?:you|applies|counts|matters)|how to|how you|where you|which means|do not|don't)\b", re.IGNORECASE
)
# What colleagues say to each other: doubt, promises, who should answer, whoever asked and the question, the documents,
# thanks and assent.
_TALK_PHRASES = r"""
not sure|no idea|dunno|no clue|(?:don't|do not) (?:know|remember|recall|think)
maybe|perhaps|possibly|probably|presumably|might be|could be|afaik|afair|iirc|imh?o|fwiw|if i|as far as i|unless i
i (?:think|thought|guess|believe|assume|suppose|suspect|wonder|doubt|remember|recall|mean|hope|saw|see|heard|read|knew)
i (?:was|would|wouldn't|will|am|shall|need|wanted|asked)|i'(?:ll|d|m)|we'(?:ll|ve)
let me|let's|lemme|give me|hang on|hold on|(?:one|a) (?:sec|second|moment|minute)|brb|wait|on it
get(?:ting)? back|back (?:at|in|on|by)|pinging|see you|talk later
will (?:do|check|ask|look|see|find|get back|reply|answer|take|ping|confirm|update|fix)
(?:looking|checking|look|check) (?:into|on|at) (?:it|this|that)
out of office|on holiday|on vacation until|afk|ooo|in a (?:meeting|call)|on a call
we (?:should|could|need|must|have to|had|were|discussed|talked|said|might|agreed|got|can't say|don't know)
(?:someone|somebody|anyone|anybody|you|who|hr|it|legal|finance|people) (?:should|needs? to|has to|could|can|may) answer
(?:someone|somebody|anyone|anybody|who|hr|legal|finance|people) (?:should|needs? to|has to|could|can|may) \w+
you (?:should|need to|have to|could) (?:reply|respond|handle|decide|know)
(?:do|did|are|were|would|could|can|will) you|you (?:guys|two|all|both|know)|what about|how about
(?:answers?|handles?|own(?:s|ed)?|reply to|respond to|takes?|took|knows?) (?:this|that|it|these|them)
not (?:mine|ours|my|our|for us|for me|hr|us|me)|(?:is|are|be|it's|that's) (?:mine|ours|yours)|belongs? to
(?:our|my|your) (?:area|topic|team|desk|job|department|table)|(?:some|any)(?:one|body) else
anyone (?:has|have|got|updated)
(?:tell|told) (?:them|him|her|the)|they (?:ask|asked|want|mean|meant|probably|are asking)|whoever asked|says?|said
the (?:asker|person asking|person who)|asking (?:about|for|this)|asked (?:this|that|me|us|again|for)|he|she|him|his|her
(?:this|that|the|your|last|these|such|good|same|similar|which|another) (?:\w+ )?(?:question|ticket|thread|bot|case)s?
(?:ticket|jira|case) #?\d+|(?:th|rd|nd|st|third) time|again and again|every (?:week|day|month) someone|came up
already (?:asked|answered)
(?:the|this|that|our) (?:\w+ )?(?:page|docs?|document|handbook|wiki|text|section|answer|article|faq) (?:is|was|looks)
(?:the|this|that|our) (?:\w+ )?(?:page|docs?|document|handbook|wiki|text|section|answer) (?:needs?|should|must|still)
(?:fix|update|change|correct|rewrite|edit|delete|remove|mention|clarify) (?:the|this|that|it|our)|outdated
(?:old|wrong|other) (?:page|one|doc|version|link)|(?:thread|see|as) above
thank(?:s| you)|thx|ty|cheers|lol|haha|hah|hmm+|uh|um|wow|oops|ping|cc|lgtm|fyi|(?:good|fair) point|makes sense
agreed?|sounds good|works for me|me neither|bump|closed|that's what
"""
_TALK = re.compile(rf"\b(?:{'|'.join(_TALK_PHRASES.split(chr(10))[1:-1])})\b", re.IGNORECASE)
_ABOUT_SELF = re.compile(r"^\W{0,5}i\b(?! (?:can )?confirm\b)", re.IGNORECASE)
_OPENS_ABOUT_OTHERS = re.compile(
    r"^\W{0,5}(?:they|them|he|she|same here|me too|ask|check with|try|needs? to)\b", re.IGNORECASE
)
# Called by name at the end; whom to ask or to see stands there too.
_CALLED_LAST = re.compile(r"(?:^|[^\w@])(\w{0,20})[ ,]{1,3}@[\w.'-]{1,40}(?: [A-Z][\w'-]{1,30})?\W{0,5}$")
_NAMES_WHOM = frozenset("ask see contact or and from to by with via at call email message tell".split())
# The words that make an answer of what is no talk.
_TO_ASKER = re.compile(r"\b(?:you|your|yours|yourself|you'(?:re|ll|ve|d))\b", re.IGNORECASE)
_INSTRUCTS = re.compile(
    r"^\W{0,5}(?:please|see|use|contact|write|send|fill|open|click|go|call|book|submit|follow|register|apply|bring|"
    r"read|download|print|sign|order|enter|choose|select|talk to|have a look|do not|don't)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|"
    r"ninety|hundred|thousand|half|twice|once|none|january|february|march|april|june|july|august|september|october|"
    r"november|december|monday|tuesday|wednesday|thursday|friday|saturday|sunday|midnight|noon)\b",
    re.IGNORECASE,
)
_LINK = re.compile(r"\bhttps?://\S+")
_ADDRESS = re.compile(r"\bhttps?://\S|\b[\w.+-]{1,64}@[\w-]{1,63}\.\w")
_RULE = re.compile(
    r"\b(?:may|must|can|cannot|can't|need|needs|required?|allowed|entitled|applies|apply|counts?|valid|until|"
    r"no longer|only|always|never|not|limited|expires?|ends?|starts?|begins?|includes?|covers?|covered|depends|stays?|"
    r"remains?|possible|free|gets?|lapses?|paid|pays?)\b",
    re.IGNORECASE,
)
_SAYS_YES_OR_NO = re.compile(r"^\W{0,5}(?:yes|no|nope|yep|correct|right|unfortunately)\b", re.IGNORECASE)
_CORRECTS = re.compile(
    r"^\W{0,5}(?:correction|correcting myself|to correct (?:myself|this|that)|sorry|my mistake|my bad|i was wrong|"
    r"that was wrong|i meant|i mean|edit|update|actually|scratch that|wrong)\b[ ,.:!–—-]{0,5}(?:(?:i meant|i was wrong|"
    r"that was wrong|my mistake|actually|it is|it's|make that|that should be)\b[ ,.:!–—-]{0,5})?",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    r"\b(?:the|is|are|of|to|for|you|your|it|it's|and|or|with|from|by|this|that|there|be|have|has|not|no|yes|per|but|"
    r"until|after|before|may|must|can|at|within|since|each|every|all|only|please|see|days?|weeks?|months?|years?|"
    r"hours?|people|than|more|next|which|their|they|our|we)\b",
    re.IGNORECASE,
)
# Words of a text that needs none of the above: a number with its unit.
BARE = 4
FEWEST_WORDS = 2
# More than anybody types in a thread, and enough to tell.
MOST_CHARACTERS = 4_000
# Of the words that a reply shares with the question, shorter ones say nothing.
SHORTEST_SHARED = 4
_EMPTY = frozenset(
    """about above after also been before does from have into many more most much over only such than that their them
    then there they this what when where which while will with would your can't must need needs""".split()
)


def is_for_asker(text: str, *, question: str = "") -> bool:
    """Whether a text is plainly an answer to whoever asked; false for an empty one.

    It is not where anybody is called by name, anything is asked, or colleagues talk: of what they do not know or will
    look up, of who should answer, of the question itself, of themselves. Else it is where it gives a number, a date or
    an address, speaks to the asker, or states a rule, with yes or no or in words of the question.
    """
    said = _QUOTE.sub("", text[:MOST_CHARACTERS].replace("’", "'")).strip()
    said = _GREETING.sub("", said, count=1).strip()
    words = _WORD.findall(said)
    if len(words) < FEWEST_WORDS or _calls_somebody(said):
        return False
    asked = _CLOSING_QUESTION.sub("", _LINK.sub(" ", said))
    if "?" in asked or (_OPENS_QUESTION.match(asked) and not _OPENS_STATEMENT.match(asked)):
        return False
    if _TALK.search(said) or _OPENS_ABOUT_OTHERS.match(said):
        return False
    if _ABOUT_SELF.match(said) and not _TO_ASKER.search(said):
        return False
    return _gives_answer(said, words, question)


def is_correction(text: str, *, question: str = "") -> bool:
    """Whether a text plainly corrects what its author has said before: it says so first, then gives an answer."""
    said = text[:MOST_CHARACTERS].strip()
    found = _CORRECTS.match(said)
    return found is not None and is_for_asker(said[found.end() :], question=question)


def _calls_somebody(text: str) -> bool:
    if text.startswith("@"):
        return True
    first, last = _CALLED.match(text), _CALLED_LAST.search(text)
    if last is not None and last[1].casefold() not in _NAMES_WHOM:
        return True
    return first is not None and first[1].casefold() not in _NO_NAMES


def _gives_answer(text: str, words: list[str], question: str) -> bool:
    if not _ENGLISH.search(text):
        return bool(_NUMBER.search(text)) and len(words) <= BARE
    if _NUMBER.search(text) or _ADDRESS.search(text) or _TO_ASKER.search(text) or _INSTRUCTS.match(text):
        return True
    states_rule = bool(_RULE.search(text))
    if states_rule and _SAYS_YES_OR_NO.match(text):
        return True
    return states_rule and bool(_stems(words) & _stems(_WORD.findall(question)))


def _stems(words: list[str]) -> frozenset[str]:
    """Return the beginnings of the words that carry meaning."""
    return frozenset(
        each[:5] for word in words if len(each := word.casefold()) >= SHORTEST_SHARED and each not in _EMPTY
    )
