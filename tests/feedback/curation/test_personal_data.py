"""What is personal is found by its form and its check digits; what an answer needs is left alone."""

import pytest

from feedback.curation.personal_data import Redactor, find_personal_data
from feedback.curation.secrets import find_secrets


def kinds(text: str) -> list[tuple[str, str]]:
    return [(kind, text[start:end]) for start, end, kind, _ in find_personal_data(text, regions=("US", "GB"))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Write to ada.byron+work@mail.example.co.uk, please.", ("EMAIL", "ada.byron+work@mail.example.co.uk")),
        ("Ask <@U024BE7LH|ada> about it.", ("CHAT_ID", "<@U024BE7LH|ada>")),
        ("Ask <at>Ada Byron</at> about it.", ("CHAT_ID", "<at>Ada Byron</at>")),
        ("slack:U0123ABCD knows", ("CHAT_ID", "slack:U0123ABCD")),
        ("teams:0f8fad5b-d9cb-469f-a165-70867728950e", ("CHAT_ID", "teams:0f8fad5b-d9cb-469f-a165-70867728950e")),
        ("Pay to GB82 WEST 1234 5698 7654 32 NOW", ("IBAN", "GB82 WEST 1234 5698 7654 32")),
        ("Card 4111 1111 1111 1111, June.", ("CARD", "4111 1111 1111 1111")),
        ("Her number is 536-22-8726.", ("SOCIAL_SECURITY", "536-22-8726")),
        ("NI: QQ is none, AB 12 34 56 C is", ("SOCIAL_SECURITY", "AB 12 34 56 C")),
        ("from 192.168.7.20 today", ("IP", "192.168.7.20")),
        ("from 2001:db8:0:0:8:800:200c:417a today", ("IP", "2001:db8:0:0:8:800:200c:417a")),
        ("device 00:1B:44:11:3A:B7", ("MAC", "00:1B:44:11:3A:B7")),
        ("Call 020 7946 0958 after six.", ("PHONE", "020 7946 0958")),
        ("Call +49 30 901820 after six.", ("PHONE", "+49 30 901820")),
    ],
)
def test_what_belongs_to_a_person_is_found(text, found):
    assert kinds(text) == [found]


@pytest.mark.parametrize(
    "text",
    [
        "Since 2026-03-02 (02/03/2026, 2 March 2026, 12:30:45) this holds.",
        "See 11.1.4.1 and 3.2.1.10, clause 12(3)(b), ISO 27001:2022, section 4.11.2.",
        "Policy HR-2024-0017, form SA100, ticket 20240017, invoice 123456789012.",
        "It costs 1,250,000.00 EUR, or 12 500 000 a year, 14-16 hours, 5 to 10 days.",
        "Card 4111 1111 1111 1112 has a wrong digit, GB82 WEST 1234 5698 7654 33 too.",
        "Version 1.2.3.4 of the handbook, pages 100-120-140.",
        "Call our hotline, 1-800-772-1213.",
        "Meet @ five, cost/unit, a@b.",
    ],
)
def test_dates_clauses_sums_and_numbers_of_things_stay(text):
    assert kinds(text) == []


def test_the_same_thing_has_one_name_however_it_is_written():
    redactor = Redactor(regions=("GB",))
    assert redactor.redact("Ada@Example.com, +44 20 7946 0958") == "<EMAIL_1>, <PHONE_1>"
    assert redactor.redact("bob@example.com, ada@example.com, 020 7946 0958") == "<EMAIL_2>, <EMAIL_1>, <PHONE_1>"
    assert dict(redactor.counts) == {"EMAIL": 2, "PHONE": 1}


@pytest.mark.parametrize(
    "text",
    [
        "the key is AKIAIOSFODNN7EXAMPLE",
        "https://ada:s3cretword@example.com/path",
        "-----BEGIN RSA PRIVATE KEY-----",
        "My password is hunter2xyz",
        "token: abc123def",
        "ghp_" + "a1B2" * 9,
        "xoxb-1234567890-1234567890-" + "a" * 24,
    ],
)
def test_secrets_are_found(text):
    assert find_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        "The password is changed every 90 days and has 12 characters.",
        "Your PIN is sent by post. A token is handed out at the desk.",
        "API keys are kept in the vault; see https://example.com/vault/2024-03-02/rotation-policy.",
        "Passwords: at least 14 characters. Secret: confidential, internal.",
    ],
)
def test_talk_about_secrets_is_none(text):
    assert not find_secrets(text)
