"""The errors of feedback. Their texts are safe to show to a person.

FeedbackError
  FeedbackUnavailable  the store, or the key that hashes people, cannot be read or written just now
  UnknownExchange      no answer is recorded under this id
  RecordRefused        a record was not written, because it holds what no record may hold
  UnreadableRecord     a record that is stored cannot be read; all others can
  ExportRefused        an export was not written; what stood in its folder before still does
"""

# What code raises that meets a value it was not written for: one record may hold it, and must cost itself alone.
RECORD_FAULTS = (ValueError, TypeError, ArithmeticError, LookupError, RecursionError, AttributeError)


class FeedbackError(Exception):
    """Any failure of feedback whose text may be shown as it is."""


class FeedbackUnavailable(FeedbackError):
    """The store, or the key that hashes people, cannot be read or written just now."""


class UnknownExchange(FeedbackError):
    """No answer is recorded under this id."""

    def __init__(self, answer: str) -> None:
        super().__init__(f"no answer is recorded under {answer!r}")


class RecordRefused(FeedbackError):
    """A record was not written, because it holds what no record may hold; the text names the place."""


class UnreadableRecord(FeedbackError):
    """A record that is stored is damaged, or of another version; the text names it and the reason."""


class ExportRefused(FeedbackError):
    """An export was not written, and what stood in its folder before still does; the text says what is missing."""
