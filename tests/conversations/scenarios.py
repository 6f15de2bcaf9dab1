"""All conversations, of every topic: each module keeps its own in `SCENARIOS` when it is imported."""

from tests.conversations import (  # noqa: F401 - they keep their scenarios
    companies,
    experts,
    notes,
    private,
    readers,
    sessions,
    threads,
)
from tests.conversations.conversations import SCENARIOS, Scenario

__all__ = ["SCENARIOS", "Scenario"]
