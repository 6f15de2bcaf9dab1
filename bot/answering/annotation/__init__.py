"""Adds to an answer what else the documents say: conflicts, newer versions, overdue reviews."""
