"""Slack: translated in, answered by the house, translated out."""
