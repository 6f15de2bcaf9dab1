"""Writes the sentences of an answer: quotes of the sections, or what a chat model writes from them."""
