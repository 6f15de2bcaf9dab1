"""How an answer's sentences come about."""
