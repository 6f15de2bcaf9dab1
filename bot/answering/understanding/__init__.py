"""Understands a question before it is searched with: small talk, follow-ups."""
