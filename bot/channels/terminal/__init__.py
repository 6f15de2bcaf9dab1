"""The conversation in a terminal: a keyboard and a screen, or a pipe."""
