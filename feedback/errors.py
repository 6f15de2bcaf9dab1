"""What can go wrong in feedback. The texts are safe to show to a person.

FeedbackError
  FeedbackUnavailable  the store, or the key that hashes people, cannot be read or written just now
  UnknownExchange      no answer is recorded under this id
"""


class FeedbackError(Exception):
    """Any failure of feedback whose text may be shown as it is."""


class FeedbackUnavailable(FeedbackError):
    """The store, or the key that hashes people, cannot be read or written just now."""


class UnknownExchange(FeedbackError):
    """No answer is recorded under this id."""

    def __init__(self, answer: str) -> None:
        super().__init__(f"no answer is recorded under {answer!r}")
