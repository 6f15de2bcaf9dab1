"""Writes curated feedback as files that trainers take as they are, with what is needed to trust or undo each row."""
