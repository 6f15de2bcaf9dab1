"""The errors of retrieval; their texts are safe to show to people.

RetrievalError
  SearchUnavailable     the index cannot be reached or read now
  IndexNotReady         nothing is indexed yet, or by another embedding model
  SourceUnusable        a source is missing, unreadable or suddenly empty; nothing was deleted
  ParserUnavailable     no process can be started to parse files; nothing was deleted
  EmbeddingUnavailable  the embedding model, or the reranker, cannot be loaded
  UnreadableSynonyms    the file of synonyms cannot be read, or holds an invalid line
  UnreadableJudgements  files of judged questions cannot be read, or do not fit together
"""


class RetrievalError(Exception):
    """Any failure of retrieval whose text may be shown as it is."""


class SearchUnavailable(RetrievalError):
    """The index cannot be reached or read now."""


class IndexNotReady(RetrievalError):
    """There is nothing to search yet, or it was indexed with another embedding model."""


class SourceUnusable(RetrievalError):
    """A source is missing, unreadable, suddenly empty, or its name stands for another folder."""


class ParserUnavailable(RetrievalError):
    """No process can be started to parse files."""


class EmbeddingUnavailable(RetrievalError):
    """The embedding model, or the reranker, cannot be loaded."""


class UnreadableJudgements(RetrievalError):
    """A file of questions, judgements or sections holds an invalid line, or they do not fit together."""


class UnreadableSynonyms(RetrievalError):
    """The file of synonyms cannot be read, or holds an invalid line."""
