"""Passwords, keys and tokens in a text: whatever holds one is not trained on."""

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
SAID = re.compile(
    r"\b(?:pass(?:word|code|phrase|wort)|pin|(?:api|access)[ _-]?key|secret(?:[ _-]?key)?|token)"
    r"[\"']?\s{0,3}(?:is|was|[:=]|:=|->)\s{0,3}[\"'`]?"
    r"(?=[^\s\"'`]{0,60}\d)(?=[^\s\"'`]{0,60}[^\W\d_])[^\s\"'`]{6,60}",
    re.IGNORECASE,
)
# Most texts need no closer look: nothing in them could be a secret.
LOOKS_LIKE_ONE = re.compile(r"://|PRIVATE KEY|AKC[a-zA-Z0-9]{9}")
LEAST_CHARACTERS = 12


@lru_cache(maxsize=TEXT_CACHE_SIZE)
def secrets(text: str) -> frozenset[str]:
    """The kinds of secrets that the text holds, never their values; remembered, as passages come again."""
    return new_secrets(text)


def new_secrets(text: str) -> frozenset[str]:
    """The same for what nobody will look at again."""
    return frozenset(_found(text))


def _found(text: str) -> Iterator[str]:
    if SAID.search(text):
        yield "Password or key in words"
    if not (LOOKS_LIKE_ONE.search(text) or any(map(_is_token, text.split()))):
        return
    for detector in _detectors():
        if next(iter(detector.analyze_string(text)), None):
            yield detector.secret_type


def _is_token(word: str) -> bool:
    """Whether it is as long as the shortest secret that has a form, and holds a digit as all do but for those above."""
    return len(word) >= LEAST_CHARACTERS and not word.isalpha() and any(map(str.isdigit, word))


@cache
def _detectors() -> list[Any]:
    import importlib

    return [
        getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), name)()
        for module, name in DETECTORS.items()
    ]
