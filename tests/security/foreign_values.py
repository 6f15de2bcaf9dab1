"""Values that carry a text: what a function that reads foreign texts is called with, by the types of its parameters."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from bot.answering.annotation.claims import Claim, Statement
from bot.answering.answers import Answer, BlockStart, Citation, Sentence, SentenceLink
from bot.answering.verification.answer_builder import AnswerBuilder
from bot.answering.verification.parsing import parse_text
from bot.answering.verification.similarity import best_window
from bot.answering.verification.tokenizer import tokenize
from bot.answering.verification.verifier import SentenceVerifier
from bot.answering.writing.extractive import ExtractiveGenerator
from bot.answering.writing.generator import Draft, Quote
from bot.answering.writing.stream_parser import StreamParser
from feedback.curation.personal_data import Redactor
from feedback.records import RetrievedPassage
from retrieval.characters import clean
from retrieval.parsing.html.page import parse_tree
from retrieval.passages import Block, Document, Hit, Link, Passage, Query, Turn
from retrieval.ranking.analysis import Analyzer
from retrieval.ranking.excerpts import Excerpt
from retrieval.search import Results
from retrieval.sectioning.blocks import text_blocks
from retrieval.sectioning.sections import split_document

# Model's sentences are no longer: the stream parser ends them.
LONGEST_DRAFT = 3000


def passage(text: str) -> Passage:
    """Return a passage with this text below a heading and a link."""
    links = (Link(0, min(4, len(text)), "https://x.example/"),)
    return Passage(
        "s/a.md", 0, ("Top",), "top", "top", text, 0, len(text), "v", "Top", "", frozenset({"everyone"}), links=links
    )


def document(text: str) -> Document:
    """Return a document of one paragraph, as a parser leaves it."""
    text = clean(text)
    return Document("s/a.md", "s", text[:200], "", "v", text, (Block("paragraph", 0, len(text)),))


def results(text: str) -> Results:
    """Return results with two passages of this text, every part of the first an excerpt."""
    found = (passage(text), passage(f"Leave is 5 days. {text}"))
    blocks = text_blocks(text)
    excerpts = tuple(Excerpt(block, at, at, 0.5) for block in blocks for at in range(len(block.parts)))
    return Results(tuple(Hit(each, 0.5) for each in found), 0.9, excerpts=(excerpts, ()))


def sentence(text: str) -> Sentence:
    """Return a sentence with a link in it."""
    return Sentence(text, (1,), (SentenceLink(text[:5], "https://x.example/"),), BlockStart("paragraph", text[:100]))


def citation(text: str) -> Citation:
    """Return a citation that quotes this text."""
    return Citation(1, "s/a.md", "Top", "Top", "top", "https://x.example/", text, "v")


def statement(text: str) -> Statement:
    """Return a statement of this text that claims nothing."""
    return Statement(Quote(0, 0, len(text)), text, Claim((), ()), frozenset({"leave"}))


def answer(text: str) -> Answer:
    """Return an answer of one sentence."""
    return Answer("1", text, (sentence(text),), (citation(text),), nearest=(Hit(passage(text), 0.5),))


def _payload(text: str) -> dict[str, Any]:
    return {
        "team_id": "T",
        "event": {"type": "message", "text": text, "user": "U", "channel": "C", "ts": "1", "event_ts": "1"},
        "text": text,
        "actions": [{"value": text, "action_ts": "1"}],
        "state": {"values": {}},
        "private_metadata": "{}",
    }


VALUES: Mapping[str, Callable[[str], object]] = {
    "str": lambda text: text,
    "str | None": lambda text: text,
    "bytes": lambda text: text.encode("utf-8", "surrogatepass"),
    "int": lambda text: 100,
    "float": lambda text: 0.5,
    "bool": lambda text: False,
    "date": lambda text: date(2026, 1, 1),
    "frozenset[str]": lambda text: frozenset(text.split()),
    "Sequence[str]": lambda text: [text],
    "Iterable[str]": lambda text: [text[at : at + 50] for at in range(0, len(text), 50)],
    "Sequence[Sequence[str]]": lambda text: [text.split()],
    "Sequence[int]": lambda text: [1],
    "Iterable[tuple[str, str]]": lambda text: [
        (text[at : at + 9], "https://x.example/") for at in range(0, len(text), 9)
    ],
    "Sequence[Link]": lambda text: [Link(at, at + 4, "https://x.example/") for at in range(0, len(text) - 4, 9)],
    "Passage": passage,
    "Sequence[Passage]": lambda text: [passage(text), passage(text)],
    "Document": document,
    "Sequence[Turn]": lambda text: [Turn("user", text)],
    "Query": Query,
    "Results": results,
    "Analyzer": lambda text: Analyzer(),
    "Sentence": sentence,
    "Sequence[Sentence]": lambda text: [sentence(text)],
    "Citation": citation,
    "Sequence[Citation]": lambda text: [citation(text)],
    "Mapping[int, Citation]": lambda text: {1: citation(text)},
    "Statement": statement,
    "Sequence[Statement]": lambda text: [statement(text)],
    "Answer": answer,
    "Quote": lambda text: Quote(0, 0, len(text)),
    "Sequence[Sequence[Quote]]": lambda text: [[Quote(0, at, at + 9)] for at in range(0, len(text), 10)],
    "dict[str, Any]": _payload,
    "HtmlElement": lambda text: parse_tree(f"<p>{text}"),
    "RetrievedPassage": lambda text: RetrievedPassage("s/a.md", "top", "Top", "Top", "v", text, 0.5),
    "Redactor": lambda text: Redactor(),
    "Sequence[Token]": lambda text: tokenize(text[:LONGEST_DRAFT]),
    "ParsedText": lambda text: parse_text(text, "english"),
    "Sequence[ParsedText]": lambda text: [parse_text(text, "english")],
    "Callable[[Sequence[str]], list[int]]": lambda text: lambda texts: [len(each) // 4 + 1 for each in texts],
}
# Types that hold text as it was written; what is made of it, such as tokens, comes from functions that take these.
RAW = frozenset(
    {"str", "bytes", "Sequence[str]", "Iterable[str]", "Passage", "Sequence[Passage]", "Document", "Sentence", "Answer"}
    | {"Sequence[Sentence]", "Sequence[Citation]", "Query", "Question", "Results", "Draft", "Iterator[Draft]"}
    | {"dict[str, Any]", "HtmlElement", "Sequence[Turn]", "RetrievedPassage", "ParsedText", "Sequence[ParsedText]"}
)
# Parameters that nobody outside chooses, by name.
SETTINGS: Mapping[str, object] = {"language": "english", "delimiter": "#0", "window": 256, "bot": "B", "bot_id": "BB"}


def type_name(annotation: object) -> str:
    """Return a type as it is written in the source, without its modules."""
    shown = annotation if isinstance(annotation, str) else re.sub(r"<class '(.*)'>", r"\1", str(annotation))
    return re.sub(r"\b(?:\w+\.)+", "", shown)


def _check(text: str) -> None:
    """Verify a model's sentences of this text against passages of it and of something else."""
    found = [passage(text), passage(f"Leave is 5 days. {text}")]
    draft = text[:LONGEST_DRAFT]
    for each in (draft, f"Leave is 7 days {draft}", "Leave is 5 days if you ask."):
        SentenceVerifier(found, language="english").verify(Draft(each, (0, 1)))


def _write(text: str) -> None:
    """Quote from passages of this text, and build the answer."""
    found = results(text)
    builder = AnswerBuilder([hit.passage for hit in found.hits])
    generator = ExtractiveGenerator()
    list(builder.add(generator.write(Query("How many days of leave?"), found), generator))


def _read_stream(text: str) -> None:
    parser = StreamParser()
    drafts = [*parser.feed(text), *parser.close()]
    assert all(len(each.text) <= LONGEST_DRAFT + 100 for each in drafts)


def _cut(text: str) -> None:
    list(split_document(document(text), count=lambda texts: [len(each) // 4 + 1 for each in texts], window=256))


def _window(text: str) -> None:
    parsed = parse_text(text, "english")
    best_window(parsed, parsed.keys or frozenset({"x"}))


# Ways through several classes, by what they are.
JOURNEYS: Mapping[str, Callable[[str], object]] = {
    "the check of a model's sentences": _check,
    "a quoted answer": _write,
    "a model's stream": _read_stream,
    "cutting a document": _cut,
    "finding the place in a text": _window,
    "placeholders for personal data": lambda text: Redactor().redact(text),
    "terms": lambda text: Analyzer().question_terms(text),
}


def arguments(parameters: Mapping[str, object], text: str) -> dict[str, object] | None:
    """Return values for these parameters that carry the text; None where one of them cannot be made."""
    made: dict[str, object] = {}
    for name, annotation in parameters.items():
        if name in SETTINGS:
            made[name] = SETTINGS[name]
        elif type_name(annotation) in VALUES:
            made[name] = VALUES[type_name(annotation)](text)
        else:
            return None
    return made


def carries_text(parameters: Mapping[str, object]) -> bool:
    """Whether one of these parameters may hold foreign text as it was written."""
    return any(type_name(each) in RAW for name, each in parameters.items() if name not in SETTINGS)
