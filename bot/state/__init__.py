"""What replicas share: events that wait for an answer, and values that expire."""
