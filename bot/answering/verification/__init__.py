"""Verifies that cited sections support a sentence, and builds the answer from those that they do."""
