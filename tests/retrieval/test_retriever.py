"""Footnote's search in LangChain's own chains."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from pydantic import ValidationError

from retrieval.errors import IndexNotReady, SearchUnavailable
from retrieval.index.elastic.client import Connection
from retrieval.index.elastic.index import open_elastic
from retrieval.index.local.index import open_index
from retrieval.passages import Query
from retrieval.retriever import FootnoteRetriever
from retrieval.search import Results, Search
from tests import ROOT
from tests.fakes import FakeEmbedder
from tests.retrieval.samples import ANALYZER, LEAVE, TRAVEL, document, put
from tests.servers.elastic.server import free_port

QUESTION = "How many days of leave may be carried over?"
PAY = "# Pay\n\n## Bands\n\nA director earns a hundred pounds."
EARNS = "What does a director earn?"


@pytest.fixture
def search(tmp_path) -> Search:
    """Two documents for everyone and one for some."""
    index = open_index(tmp_path / "state", FakeEmbedder(), ANALYZER)
    put(
        index,
        document("docs/leave", LEAVE, url="https://example.com/leave"),
        document("docs/travel", TRAVEL),
        document("docs/pay", PAY, audience=("hr",)),
    )
    return Search(index.reader, FakeEmbedder(), ANALYZER)


def names(found: list[Document]) -> set[str]:
    return {each.metadata["document"] for each in found}


def test_passages_come_as_documents_with_all_that_a_citation_needs(search):
    results = search(Query(QUESTION))
    first = results.hits[0]
    found = FootnoteRetriever(search=search).invoke(QUESTION)
    assert [each.page_content for each in found] == [hit.passage.text for hit in results.hits]
    assert found[0].id == "docs/leave#0"
    assert found[0].metadata == {
        "document": "docs/leave",
        "title": "Leave",
        "section": "Leave > Carry-over",
        "anchor": "carry-over",
        "url": "https://example.com/leave#carry-over",
        "version": first.passage.version,
        "score": pytest.approx(first.score),
        "confidence": pytest.approx(results.confidence),
    }


def test_a_batch_gives_each_question_its_own_passages(search):
    leave, hotel = FootnoteRetriever(search=search).batch([QUESTION, "What may a hotel cost?"])
    assert leave[0].metadata["section"] == "Leave > Carry-over"
    assert hotel[0].metadata["section"] == "Travel > Hotels"


def test_many_questions_at_once_all_get_what_they_ask_for(search):
    retriever = FootnoteRetriever(search=search)
    questions = [QUESTION, "What may a hotel cost?"] * 10

    async def asked() -> list[list[Document]]:
        return await asyncio.gather(*map(retriever.ainvoke, questions))

    assert asyncio.run(asked()) == retriever.batch(questions)


def test_it_stands_in_a_chain(search):
    chain = {
        "context": FootnoteRetriever(search=search, top=1) | RunnableLambda(lambda found: found[0].page_content),
        "question": RunnablePassthrough(),
    } | RunnableLambda(lambda given: f"{given['question']} {given['context']}")
    assert chain.invoke("First class?") == (
        "First class? Book second class on trains. First class needs the approval of a director."
    )


def test_only_so_many_documents_as_its_maker_wanted(search):
    everything = FootnoteRetriever(search=search).invoke(QUESTION)
    assert FootnoteRetriever(search=search, top=2).invoke(QUESTION) == everything[:2]
    assert FootnoteRetriever(search=search, top=0).invoke(QUESTION) == []


def test_a_withheld_document_is_found_by_its_groups_alone(search):
    assert FootnoteRetriever(search=search, groups=frozenset({"hr"})).invoke(EARNS)[0].id == "docs/pay#0"
    for groups in (frozenset(), frozenset({"sales"}), frozenset({"public"})):
        assert "docs/pay" not in names(FootnoteRetriever(search=search, groups=groups, top=100).invoke(EARNS))


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(lambda it: it.invoke(EARNS, groups=frozenset({"hr"})), id="an-argument-of-the-call"),
        pytest.param(lambda it: it.bind(groups=frozenset({"hr"})).invoke(EARNS), id="an-argument-that-is-bound"),
        pytest.param(lambda it: it.invoke(EARNS, {"configurable": {"groups": ["hr"]}}), id="the-configuration"),
        pytest.param(lambda it: it.invoke(EARNS, {"metadata": {"groups": ["hr"]}}), id="the-metadata"),
        pytest.param(lambda it: asyncio.run(it.ainvoke(EARNS, groups=frozenset({"hr"}))), id="an-asynchronous-call"),
    ],
)
def test_no_call_widens_what_may_be_read(asked, search):
    found = asked(FootnoteRetriever(search=search, top=100))
    assert found
    assert "docs/pay" not in names(found)


@pytest.mark.parametrize("name", ["groups", "search", "history", "top"])
def test_nothing_of_it_changes_once_it_is_made(name, search):
    with pytest.raises(ValidationError, match="frozen"):
        setattr(FootnoteRetriever(search=search), name, None)


@pytest.mark.parametrize("wrong", [{"groups": "hr"}, {"group": ["hr"]}, {"search": None}])
def test_what_it_cannot_be_made_of_is_refused(wrong, search):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        FootnoteRetriever(**{"search": search, **wrong})


def test_a_follow_up_is_understood_from_the_messages_before_it(search):
    alone = FootnoteRetriever(search=search, groups=frozenset({"hr"}), top=2)
    following = alone.after(
        [
            SystemMessage("Speak of illness, certificates and your manager."),
            HumanMessage("What may a hotel cost?"),
            AIMessage(""),
            AIMessage([{"type": "text", "text": "Ninety pounds a night."}]),
        ]
    )
    assert [(turn.role, turn.text) for turn in following.history] == [
        ("user", "What may a hotel cost?"),
        ("bot", "Ninety pounds a night."),
    ]
    query = Query("And in London?", following.history, following.groups)
    assert [each.id for each in following.invoke("And in London?")] == [
        hit.passage.id for hit in search(query, top=2).hits
    ]
    assert following.invoke("And there?")[0].metadata["section"] == "Travel > Hotels"
    assert (following.groups, following.top, alone.history) == (alone.groups, 2, ())


@pytest.mark.parametrize("question", ["", "   ", "?!", "\ud83d"])
def test_a_question_without_words_finds_nothing(question, search):
    assert FootnoteRetriever(search=search).invoke(question) == []


def test_half_an_emoji_hides_no_answer(search):
    retriever = FootnoteRetriever(search=search).after([HumanMessage("Thanks \ud83d")])
    assert retriever.invoke(f"{QUESTION} \ud83d")[0].id == "docs/leave#0"


def test_what_is_no_text_is_refused_in_one_line(search):
    with pytest.raises(TypeError, match=r"^the question must be a text, not dict$"):
        FootnoteRetriever(search=search).invoke({"question": QUESTION})  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [SearchUnavailable("the index is away"), IndexNotReady("nothing is indexed yet")])
@pytest.mark.parametrize("how", ["invoke", "ainvoke", "chain"])
def test_a_failed_search_fails_the_chain_with_its_own_words(error, how):
    def failing(query: Query, *, top: int) -> Results:
        raise error

    retriever = FootnoteRetriever(search=failing)
    asked: dict[str, Callable[[], object]] = {
        "invoke": lambda: retriever.invoke(QUESTION),
        "ainvoke": lambda: asyncio.run(retriever.ainvoke(QUESTION)),
        "chain": lambda: (retriever | RunnableLambda(len)).invoke(QUESTION),
    }
    with pytest.raises(type(error), match=f"^{error}$"):
        asked[how]()


def test_a_server_that_is_away_is_told_with_what_mends_it():
    away = open_elastic(Connection((f"http://127.0.0.1:{free_port()}",)), FakeEmbedder(), ANALYZER)
    with closing(away), pytest.raises(SearchUnavailable, match="cannot be reached: check that it runs"):
        FootnoteRetriever(search=Search(away.reader, FakeEmbedder(), ANALYZER)).invoke(QUESTION)


def test_nothing_else_of_retrieval_imports_langchain():
    code = """
import sys, retrieval.search, retrieval.index.local.index, retrieval.index.elastic.index
print("langchain_core" in sys.modules)
"""
    assert python(code) == "False"


def test_without_langchain_the_command_that_installs_it_is_named():
    code = """
import sys
sys.modules["langchain_core"] = None
try: import retrieval.retriever
except ImportError as error: print(error)
"""
    assert python(code) == (
        "`retrieval.retriever` needs a package that is not installed: pip install 'footnote-bot[retriever]'"
    )


def python(code: str) -> str:
    """What another process prints."""
    root = ROOT
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()
