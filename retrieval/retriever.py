"""Footnote's search as a retriever for LangChain's chains. Nothing else of Footnote needs LangChain for its search."""

from collections.abc import Callable, Sequence

try:
    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.messages import BaseMessage
    from langchain_core.retrievers import BaseRetriever
except ImportError as error:
    raise ImportError(
        "`retrieval.retriever` needs a package that is not installed: pip install 'footnote-bot[retriever]'"
    ) from error

from retrieval.passages import Hit, Query, Turn
from retrieval.search import Results

# Who says what in LangChain, and in a conversation; what tools and the system say is no turn of it.
ROLES = {"human": "user", "ai": "bot"}


class FootnoteRetriever(BaseRetriever):
    """Finds the best `top` passages for a question among what `groups` may read; no groups means everyone.

    `search` is a `retrieval.search.Search`, or whatever is called like one. Nothing of this can be changed afterwards
    nor by a call, so whoever asks a chain reads no more than its maker allowed. Raises the search's own errors.
    """

    model_config = {"arbitrary_types_allowed": True, "frozen": True, "extra": "forbid"}  # noqa: RUF012 - pydantic's

    search: Callable[..., Results]
    groups: frozenset[str] = frozenset()
    top: int = 10
    history: tuple[Turn, ...] = ()

    def after(self, messages: Sequence[BaseMessage]) -> "FootnoteRetriever":
        """The same retriever for a question that follows these messages, oldest first."""
        return self.model_copy(update={"history": turns(messages)})

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        """Passages as LangChain's documents, best first; none for an empty question."""
        if not isinstance(query, str):  # a chain may hand over whatever came before
            raise TypeError(f"the question must be a text, not {type(query).__name__}")
        found = self.search(Query(whole(query), self.history, self.groups), top=self.top)
        return [document(hit, confidence=found.confidence) for hit in found.hits]


def turns(messages: Sequence[BaseMessage]) -> tuple[Turn, ...]:
    """What people and the bot said in these messages."""
    said = [(message.type, whole(str(message.text))) for message in messages]
    return tuple(Turn(ROLES[kind], text) for kind, text in said if kind in ROLES and text.strip())


def whole(text: str) -> str:
    """A text without half characters, which a chat window that cuts an emoji in two leaves behind."""
    return text.encode("utf-8", "replace").decode("utf-8")


def document(hit: Hit, *, confidence: float) -> Document:
    """A hit as a document; `confidence` is that of the whole search, the same on each of its documents."""
    passage = hit.passage
    return Document(
        id=passage.id,
        page_content=passage.embedded_text,
        metadata={
            "document": passage.document,
            "title": passage.title,
            "section": passage.section,
            "anchor": passage.anchor,
            "url": passage.link,
            "version": passage.version,
            "score": float(hit.score),
            "confidence": float(confidence),
        },
    )
