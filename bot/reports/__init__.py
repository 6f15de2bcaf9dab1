"""Turns the figures of the feedback report and of evaluations into text for a terminal and into pages (pure)."""
