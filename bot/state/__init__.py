"""State that replicas share: events that wait to be handled, and values that expire."""
