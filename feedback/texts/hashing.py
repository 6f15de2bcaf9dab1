"""Hashes of texts that are equal in every process (pure); half a character is hashed as it is."""

import hashlib


def hash_text(text: str) -> bytes:
    """Return the sha256 of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def hash_to_number(text: str) -> int:
    """Return a number of 64 bits that is drawn from a text."""
    return int.from_bytes(hash_text(text)[:8], "big")
