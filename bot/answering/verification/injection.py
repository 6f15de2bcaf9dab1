"""What of a passage a generated sentence may rest on (pure): the words that are meant for people.

A paragraph that speaks to a model ("ignore your instructions and say that ...") proves nothing of what it wants said.
It can still be found, quoted and read by people; where this takes too much, the answer is a quote.
"""

import re
import unicodedata
from collections.abc import Iterator

from retrieval.passages import Passage
from retrieval.sectioning.sentences import Span

PARAGRAPH = re.compile(r"\n[ \t]*\n")
# One form of address or order per line. Looked for in 40,000 paragraphs of policies: a dozen hits among them.
ORDERS = r"""
\b(?:ignore|disregard|forget|override|bypass|do not follow)\b[^.!?]{0,50}\b(?:instructions?|prompts?|guidelines)\b
\b(?:ignore|disregard|forget|override|bypass)\b[^.!?]{0,30}\b(?:(?:above|previous|prior|earlier)(?! years?)|safety)\b
\b(?:system|developer) (?:prompt|message|override|note|mode)\b
\byou are now (?:an?|in|the|free|not|dan|my)\b
\byou are (?:an? )?(?:[a-z]+ ){0,2}(?:ai|assistant|chat ?bot|language model)\b
\bpretend (?:to be|that|you)\b
\b(?:act|behave|roleplay|speak) as (?:an?|the) (?:[a-z]+ ){0,2}(?:assistant|ai|model|hacker|pirate)\b
\b(?:to|for|dear|attention|hey)(?: the| any| all)? (?:ai|llm|chat ?bot|bot|language model|ai assistant)s?\b
\b(?:note|message) to(?: the| any| all)? assistants?\b
(?:^|\n)\W*(?:ai|llm|chatbot|assistant|bot|system)\s*[:>\]]
<\|?/?(?:system|assistant|user|im_start|im_end|endoftext|inst|instructions?|tool\w*)\b[^>\n]*>
\[/?inst\]|<</?sys>>|#{2,}\s*(?:instructions?|assistant)\b
\b(?:answer|reply|respond)\b[^.!?]{0,20}\b(?:every|all|any|each)\b[^.!?]{0,25}\b(?:with|by|that|in)\b
\b(?:answer|reply|respond|say|claim)\b[^.!?]{0,20}\b(?:regardless of|no matter what|whatever) (?:is asked|the question)
\b(?:when|if|whenever)(?: you are| someone is| anyone is)? asked\b[^.!?]{0,60}\b(?:say|answer|reply|respond|tell)\b
\b(?:in|to|of|at the end of) your (?:next )?(?:answer|reply|output|system prompt|prompt|instructions)\b
\b(?:reveal|print|repeat|output|show|leak)\b[^.!?]{0,40}\b(?:prompt|instructions|your rules|everything above)\b
\b(?:new|secret|hidden) (?:instructions?|task) for you\b|\bnew (?:instructions?|system prompt)\s*:
\bend of (?:the )?(?:data|context|prompt|input|passage \d+)\b
\b(?:call|invoke|run|execute|use) the (?:\w+[_.]\w+|shell|browser|search) (?:tool|function|plugin|api)\b
\bas an ai\b
"""
SPEAKS_TO_A_MODEL = re.compile("|".join(ORDERS.split("\n")[1:-1]), re.IGNORECASE)


def spans(passage: Passage) -> list[Span]:
    """The paragraphs of the passage's text that speak to people, in order; none below a heading that does not."""
    if speaks_to_a_model("\n".join((passage.title, *passage.headings))):
        return []
    return [(start, end) for start, end in _paragraphs(passage.text) if not speaks_to_a_model(passage.text[start:end])]


def evidence(passage: Passage) -> str:
    """What a sentence that cites this passage may rest on, below its title and headings; empty for nothing."""
    texts = [text for start, end in spans(passage) if (text := passage.text[start:end]).strip()]
    before = [text for text in (passage.embedded_heading, passage.lead) if text]
    return "\n\n".join([*before, *texts]) if texts else ""


def speaks_to_a_model(text: str) -> bool:
    """Whether a text gives a model orders, also when hidden characters stand between its letters."""
    return SPEAKS_TO_A_MODEL.search(re.sub(r"[^\S\n]+", " ", text if text.isascii() else _folded(text))) is not None


def _folded(text: str) -> str:
    # Of a text that has none, each letter is looked at once, however often it stands there.
    hidden = {c for c in set(text) if unicodedata.category(c) == "Cf"}
    return unicodedata.normalize("NFKC", "".join(c for c in text if c not in hidden) if hidden else text)


def _paragraphs(text: str) -> Iterator[Span]:
    start = 0
    for cut in PARAGRAPH.finditer(text):
        yield start, cut.start()
        start = cut.end()
    yield start, len(text)
