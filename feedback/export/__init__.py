"""Curated feedback as files that trainers take as they are, with what is needed to trust and to take back each row."""
