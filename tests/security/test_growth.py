"""Threat: a line in a document, a question or a model's reply that makes work explode, so that everybody waits.

Whatever reads such text is found by itself (`text_readers`), and fed with texts that patterns and loops are known to
choke on (`growth`). A new pattern or function is tested without anybody having to think of it; one that cannot be
called without help makes `test_every_reader_of_foreign_text_is_fed` fail until somebody says how it is reached.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.security.foreign_values import JOURNEYS, arguments, carries_text
from tests.security.growth import KILLERS, NAMED, UNITS, excess, text_of
from tests.security.text_readers import (
    SEARCHING,
    UsedPattern,
    functions,
    modules,
    patterns,
    required_parameters,
    unseen_patterns,
)

QUICK, WHOLE = (8_000,), (8_000, 32_000, 128_000)

# Modules that read what documents, people and models wrote, word by word.
READING = (
    *("bot.answering", "bot.channels.expert_routing", "bot.channels.json_format", "bot.channels.presentation"),
    *("bot.channels.routing",),
    *("bot.channels.slack.escaping", "bot.channels.slack.events", "bot.channels.slack.rendering"),
    *("bot.channels.slack.views", "bot.channels.terminal.rendering", "bot.services.evaluation.scoring"),
    *("bot.services.knowledge", "retrieval.characters", "retrieval.evaluation.phrases", "retrieval.parsing"),
    *("retrieval.passages", "retrieval.ranking", "retrieval.sectioning", "feedback.curation"),
    *("feedback.export.rows", "feedback.report.gaps", "feedback.texts"),
)
# The others, with what they do with such text at most. Their patterns are fed all the same.
NOT_READING: Mapping[str, str] = {
    "bot.access": "compares ids and groups",
    "bot.app": "opens parts",
    "bot.channels": "passes texts on, which the modules above make",
    "bot.cli": "passes texts on",
    "bot.config": "reads settings",
    "bot.errors": "names errors",
    "bot.reports": "puts texts into templates, which escape them",
    "bot.server": "passes bytes on",
    "bot.services": "passes texts on",
    "bot.state": "keeps texts as they are",
    "feedback": "keeps, loads and counts records, a text being one value",
    "retrieval.embedding": "tokenizes with the model's own tokenizer",
    "retrieval.errors": "names errors",
    "retrieval.evaluation": "reads files of whoever evaluates",
    "retrieval.index": "keeps texts as they are; terms come from `retrieval.ranking.analysis`",
    "retrieval.passage_vectors": "passes texts on",
    "retrieval.private_files": "opens files",
    "retrieval.progress": "counts",
    "retrieval.query_analyzer": "passes a question on to `retrieval.ranking`",
    "retrieval.rebuild": "passes documents on",
    "retrieval.retriever": "opens parts",
    "retrieval.search": "passes a question on to the index and `retrieval.ranking`",
    "retrieval.sources": "names and reads files",
    "retrieval.sync": "passes documents on",
}
# Readers that no values can be made for here, with what reaches them.
REACHED: Mapping[str, str] = {
    "bot.answering.annotation.annotator.": "what `conflicts`, `messages` and `review_dates` have",
    "bot.answering.annotation.messages.difference_warnings": "two differences at most",
    "bot.answering.annotation.review_dates.review_date_warnings": "a line for each document that is cited",
    "bot.answering.annotation.supersession.": "names and titles of ten passages; `editions` reads them",
    "bot.answering.languages.WordLists.": "names of word lists",
    "bot.answering.languages.word_lists": "names of word lists",
    "bot.answering.pipeline.": "the steps, each of which is fed; `test_deadline`",
    "bot.answering.readership.": "documents of ten passages",
    "bot.answering.understanding.condensing.QuestionCondenser.condense": "`condensing_prompt` and `parse_standalone`",
    "bot.answering.verification.amount_bounds.": "lines of `parse_text`",
    "bot.answering.verification.answer_builder.AnswerBuilder.add": "the journeys",
    "bot.answering.verification.circumstances.": "the check",
    "bot.answering.verification.conditions.": "the check",
    "bot.answering.verification.frames.": "lines of `parse_text`",
    "bot.answering.verification.similarity.": "the check, and the journey to the best window",
    "bot.answering.verification.statements.": "the check",
    "bot.answering.verification.values.": "the check",
    "bot.answering.verification.verifier.": "the check",
    "bot.answering.writing.block_selection.select_blocks": "the journey of a quoted answer",
    "bot.answering.writing.chat_generator.": "`answer_prompt` and the journey of a model's stream",
    "bot.answering.writing.chat_model.": "a model's name",
    "bot.answering.writing.extractive.": "the journey of a quoted answer, of three blocks at most",
    "bot.answering.writing.model_call.": "events of the HTTP client, and bytes, which it counts",
    "bot.answering.writing.fences.FenceReader.": "the journey of a model's stream",
    "bot.answering.writing.stream_parser.StreamParser.feed": "the journey of a model's stream",
    "bot.channels.json_format.": "values put into one JSON object",
    "bot.channels.slack.rendering.answer_": "`body`, `fallback` and the parts of a footer",
    "bot.channels.slack.rendering.buttons": "an id",
    "bot.channels.slack.rendering.under_heading": "`mrkdwn` of a text of at most 1,000 characters",
    "bot.channels.slack.rendering.reply_note": "`line`, and ids, which Slack wants short",
    "bot.channels.slack.rendering.partial_answer": "`mrkdwn` and `shorten`",
    "bot.channels.slack.rendering.vote_note": "`line`, and an id",
    "bot.channels.slack.views.": "`rendering`, and the values of a form, which Slack keeps short",
    "bot.channels.terminal.rendering.": "`answer_text`",
    "bot.services.evaluation.scoring.": "answers, whose sentences `scoring.MARKUP` and its like read",
    "bot.services.knowledge.KnowledgeAdapter.": "`check_entailment`, `is_refusal`, search and prompts",
    "feedback.curation.": "`secrets`, `personal_data` and `texts`, which are fed",
    "feedback.export.rows.": "values put into one JSON object",
    "feedback.report.gaps.find_gaps": "`texts.topics`, for a few thousand questions",
    "retrieval.parsing.html.blocks.BlockReader.read": "`html.parser.parse`",
    "retrieval.parsing.html.page.": "`html.parser.parse`",
    "retrieval.parsing.links.shift": "links of one text",
    "retrieval.parsing.pdf.": "a PDF file; lines of a page, which `titles` and `plain` read too",
    "retrieval.parsing.registry.load_parser": "the suffix of a file's name",
    "retrieval.parsing.restrictions.is_slip": "a constant, which the word is as long as",
    "retrieval.parsing.word.": "a DOCX file, under the limits of the parser's process",
    "retrieval.parsing.worker.": "passes a file on to a parser in another process",
    "retrieval.ranking.analysis.": "the journey of terms",
    "retrieval.ranking.configuration.": "settings",
    "retrieval.ranking.excerpts.": "`text_blocks`, and arrays",
    "retrieval.ranking.fusion.": "names of scores",
    "retrieval.ranking.reranker.Reranker.": "the model's own tokenizer, which cuts",
    "retrieval.ranking.synonyms.": "`analysis.words`, and a table of the company's own words",
}
# Patterns that are made when they are used, of what no outsider writes.
MADE_LATE = {
    "bot.answering.understanding.addressing": "words of this package; the functions that use them are fed",
    "bot.channels.expert_routing": "words of this package; the patterns themselves stand in the module, and are fed",
    "retrieval.embedding.prompts": "tables of this package",
    "retrieval.index.elastic.admin.generations": "the name of an alias, from the settings",
    "retrieval.parsing.pdf.page_text": "a constant, in braces",
    "feedback.report.gaps": "a constant, in braces",
}


def _ids(values: list[UsedPattern]) -> list[str]:
    return [each.place for each in values]


@pytest.fixture(scope="module")
def forget_cached() -> Callable[[], None]:
    """Empty the caches of texts, so that a second run is measured like the first."""
    caches = {
        id(value): value for module in modules() for value in vars(module).values() if hasattr(value, "cache_info")
    }
    of_texts = [each for each in caches.values() if (each.cache_parameters()["maxsize"] or 0) >= 500]

    def forget() -> None:
        for cache in of_texts:
            cache.cache_clear()

    return forget


def _feed_pattern(used: UsedPattern, lengths: tuple[int, ...], killers: tuple[str, ...]) -> list[str]:
    methods = {method for method in used.methods if method in {"match", "fullmatch"}}
    methods |= {"finditer"} if used.methods & SEARCHING else set()
    grown = []
    for number, unit in enumerate(UNITS):
        for killer in killers or (KILLERS[number % len(KILLERS)],):
            for method in sorted(methods):
                growth = excess(lambda length: _use(used, method, text_of(unit, length, killer)), lengths)  # noqa: B023
                if growth:
                    grown.append(f"{method} over {unit!r} and {killer!r}: {growth}")
                if len(grown) == NAMED:
                    return grown
    return grown


def _use(used: UsedPattern, method: str, text: str) -> Callable[[], object]:
    given = text.encode("utf-8", "surrogatepass") if isinstance(used.pattern.pattern, bytes) else text
    call = getattr(used.pattern, method)
    return lambda: sum(1 for _ in call(given)) if method == "finditer" else call(given)


def _called() -> Iterator[tuple[str, Callable[[str], Callable[[], object]]]]:
    """Yield the readers that can be called, each with what makes a call of a text."""
    for name, journey in JOURNEYS.items():
        yield name, lambda text, journey=journey: lambda: journey(text)  # type: ignore[misc]
    for name, function in functions(READING):
        if not name.startswith(tuple(REACHED)) and carries_text(required_parameters(function)):
            yield name, lambda text, function=function: _call_of(function, text)  # type: ignore[misc]


def _call_of(function: Callable[..., Any], text: str) -> Callable[[], object]:
    try:
        made = arguments(required_parameters(function), text)
    except (ValueError, OverflowError):  # what it is called with refuses this text
        return lambda: None
    assert made is not None, "say in REACHED what reaches it"
    named = inspect.signature(inspect.unwrap(function)).parameters
    positional = [made.pop(each) for each, parameter in named.items() if each in made and parameter.kind in _POSITIONAL]

    def call() -> None:
        try:
            found = function(*positional, **made)
            if isinstance(found, Iterator):
                for _ in found:
                    pass
        except (ValueError, UnicodeError):  # refused, which is an answer
            pass

    return call


_POSITIONAL = {
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
}


def _feed_function(
    prepare: Callable[[str], Callable[[], object]], lengths: tuple[int, ...], forget: Callable[[], None]
) -> list[str]:
    grown = []
    for number, unit in enumerate(UNITS):
        killer = KILLERS[number % len(KILLERS)]

        def measured(length: int, unit: str = unit, killer: str = killer) -> Callable[[], object]:
            call = prepare(text_of(unit, length, killer))

            def run() -> None:
                forget()
                call()

            return run

        growth = excess(measured, lengths)
        if growth:
            grown.append(f"{unit!r} and {killer!r}: {growth}")
        if len(grown) == NAMED:
            break
    return grown


PATTERNS, CALLED = patterns(), dict(_called())


@pytest.mark.parametrize("used", PATTERNS, ids=_ids(PATTERNS))
def test_no_pattern_grows_faster_than_n_log_n(used: UsedPattern) -> None:
    assert _feed_pattern(used, QUICK, ()) == []


@pytest.mark.full
@pytest.mark.parametrize("used", PATTERNS, ids=_ids(PATTERNS))
def test_no_pattern_grows_faster_than_n_log_n_in_long_texts(used: UsedPattern) -> None:
    assert _feed_pattern(used, WHOLE, KILLERS) == []


@pytest.mark.parametrize("name", CALLED)
def test_no_function_grows_faster_than_n_log_n(name: str, forget_cached: Callable[[], None]) -> None:
    assert _feed_function(CALLED[name], QUICK, forget_cached) == []


@pytest.mark.full
@pytest.mark.parametrize("name", CALLED)
def test_no_function_grows_faster_than_n_log_n_in_long_texts(name: str, forget_cached: Callable[[], None]) -> None:
    assert _feed_function(CALLED[name], WHOLE, forget_cached) == []


def test_every_reader_of_foreign_text_is_fed() -> None:
    unfed = [
        name
        for name, function in functions(READING)
        if carries_text(required_parameters(function))
        and not name.startswith(tuple(REACHED))
        and (_is_method(name) or arguments(required_parameters(function), "text") is None)
    ]
    assert unfed == [], "say in REACHED what reaches them, or how their values are made in `foreign_values`"


def test_every_module_reads_foreign_text_or_says_why_not() -> None:
    known = (*READING, *NOT_READING)
    assert [
        each.__name__ for each in modules() if not f"{each.__name__}.".startswith(tuple(f"{k}." for k in known))
    ] == []


def test_every_pattern_is_seen() -> None:
    assert {place.partition(":")[0] for place in unseen_patterns()} == MADE_LATE.keys()


def test_what_is_said_to_be_reached_is_there() -> None:
    names = [name for name, _ in functions(READING)]
    assert [each for each in REACHED if not any(name.startswith(each) for name in names)] == []


def test_growth_is_measured() -> None:
    """A loop over all pairs is found, one over all characters is not."""
    squares = excess(lambda length: lambda: sum(1 for _ in range(length) for _ in range(length // 4)), (4_000,))
    lines = excess(lambda length: lambda: sum(1 for _ in range(500 * length)), (4_000,))
    assert squares is not None
    assert lines is None


def _is_method(name: str) -> bool:
    return name.split(".")[-2][:1].isupper()
