"""Finds passwords, keys and tokens in a text: whatever holds one is not trained on."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from feedback.ports import TEXT_CACHE_SIZE

# Those of detect-secrets that know a secret by its form. What only looks random, its high-entropy detectors, is found
# in every third page of prose, and addresses of machines are no secret.
DETECTORS = {
    "artifactory": "ArtifactoryDetector",
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "basic_auth": "BasicAuthDetector",
    "cloudant": "CloudantDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "ibm_cloud_iam": "IbmCloudIamDetector",
    "ibm_cos_hmac": "IbmCosHmacDetector",
    "jwt": "JwtTokenDetector",
    "mailchimp": "MailchimpDetector",
    "npm": "NpmDetector",
    "openai": "OpenAIDetector",
    "private_key": "PrivateKeyDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "softlayer": "SoftlayerDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}
# What people type into a chat, which is not the `password = "..."` of source code that the library looks for.
IN_WORDS = re.compile(
    r"\b(?:pass(?:word|code|phrase|wort)|pin|(?:api|access)[ _-]?key|secret(?:[ _-]?key)?|token)"
    r"[\"']?\s{0,3}(?:is|was|[:=]|:=|->)\s{0,3}[\"'`]?"
    r"(?=[^\s\"'`]{0,60}\d)(?=[^\s\"'`]{0,60}[^\W\d_])[^\s\"'`]{6,60}",
    re.IGNORECASE,
)
# Most texts need no closer look: nothing in them could be a secret.
SUSPICIOUS = re.compile(r"://|PRIVATE KEY|AKC[a-zA-Z0-9]{9}")
SHORTEST_TOKEN = 12
# Half of it is longer than any secret, a signed token with its claims included.
LONGEST_PIECE = 4000


@lru_cache(maxsize=TEXT_CACHE_SIZE)
def find_secrets(text: str) -> frozenset[str]:
    """Return the kinds of secrets that a text holds, never their values; remembered, as passages come again."""
    return scan_for_secrets(text)


def scan_for_secrets(text: str) -> frozenset[str]:
    """Return the kinds of secrets that a text holds, without remembering them: for texts that come only once."""
    return frozenset(_scan(text))


def _scan(text: str) -> Iterator[str]:
    if IN_WORDS.search(text):
        yield "Password or key in words"
    if not (SUSPICIOUS.search(text) or any(map(_may_be_token, text.split()))):
        return
    for detector in _detectors():
        if any(next(iter(detector.analyze_string(piece)), None) for piece in _pieces(text)):
            yield detector.secret_type


def _pieces(text: str) -> Iterator[str]:
    """Yield the text in pieces that overlap by half; some patterns of the library grow with the square of a length."""
    yield text[:LONGEST_PIECE]
    for start in range(LONGEST_PIECE // 2, len(text) - LONGEST_PIECE // 2, LONGEST_PIECE // 2):
        yield text[start : start + LONGEST_PIECE]


def _may_be_token(word: str) -> bool:
    """Return whether a word is as long as the shortest secret that has a form, and holds a digit as nearly all do."""
    return len(word) >= SHORTEST_TOKEN and not word.isalpha() and any(map(str.isdigit, word))


@cache
def _detectors() -> list[Any]:
    import importlib

    return [
        getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), name)()
        for module, name in DETECTORS.items()
    ]
