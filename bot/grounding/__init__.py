"""Does a text support a sentence: pure, quick, and without a model."""

from bot.grounding.support import Verdict, best, check

__all__ = ["Verdict", "best", "check"]
