"""Footnote's search as a retriever for LangChain's chains."""

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

# A message's type in LangChain, and its role in a conversation; messages of tools and of the system are no turns.
ROLES = {"human": "user", "ai": "bot"}


class FootnoteRetriever(BaseRetriever):
    """Finds the best `top` passages for a question among what `groups` may read; no groups means everyone.

    `search` is a `retrieval.search.Search` or a function called like one. No field can be changed afterwards or by a
    call, so that the user of a chain reads no more than its maker allowed. Raises the search's own errors.
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
        found = self.search(Query(replace_surrogates(query), self.history, self.groups), top=self.top)
        return [to_document(hit, confidence=found.confidence) for hit in found.hits]


def turns(messages: Sequence[BaseMessage]) -> tuple[Turn, ...]:
    """The messages of people and of the bot as turns; blank ones are left out."""
    texts = [(message.type, replace_surrogates(str(message.text))) for message in messages]
    return tuple(Turn(ROLES[kind], text) for kind, text in texts if kind in ROLES and text.strip())


def replace_surrogates(text: str) -> str:
    """The text with `?` for half characters, which a chat window leaves behind that cuts an emoji in two."""
    return text.encode("utf-8", "replace").decode("utf-8")


def to_document(hit: Hit, *, confidence: float) -> Document:
    """A hit as LangChain's document; `confidence` is that of the whole search, the same for each hit."""
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
