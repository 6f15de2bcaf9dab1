"""Turns the signals of a ranking into a probability that the answer is in the index (pure)."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signals:
    """Measurements of one ranking and its excerpts, each 0 to 1; a higher one never counts against the answer."""

    lexical: float = 0.0  # best BM25F over the greatest possible
    phrase: float = 0.0  # the same of adjacent terms: two words side by side are rarely there by chance
    cosine: float = 0.0  # of the question with the first passage's text
    covered: float = 0.0  # share of the question's idf that the first passage holds
    concentration: float = 0.0  # share of the first ten from the first passage's document
    best_cosine: float = 0.0  # of the question with any passage's text
    block: float = 0.0  # of the question with the nearest block of the first few passages
    least_met: float = 0.0  # how near the first passage comes to the word of the question that it meets least


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve over the signals, then a line through its logit that self-calibration may fit.

    The coefficients are never negative: free ones fitted on one corpus failed on the next.
    """

    lexical: float = 0.5
    phrase: float = 0.5
    cosine: float = 2.2
    covered: float = 0.3
    concentration: float = 1.4
    best_cosine: float = 1.0
    block: float = 2.0
    least_met: float = 1.4
    intercept: float = -3.56
    slope: float = 1.0
    shift: float = 0.0

    def __call__(self, signals: Signals) -> float:
        """The probability that the answer is in the index."""
        return 1 / (1 + math.exp(-(self.slope * self.logit(signals) + self.shift)))

    def logit(self, signals: Signals) -> float:
        """The score before self-calibration; it orders questions."""
        return (
            self.lexical * signals.lexical
            + self.phrase * signals.phrase
            + self.cosine * signals.cosine
            + self.covered * signals.covered
            + self.concentration * signals.concentration
            + self.best_cosine * signals.best_cosine
            + self.block * signals.block
            + self.least_met * signals.least_met
            + self.intercept
        )
