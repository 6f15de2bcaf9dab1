"""Selects the exchanges that behaviour can be trained on, and says of every other one why it is left out."""
