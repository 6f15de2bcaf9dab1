"""What is denied, demanded, advised, allowed and left free in a line."""

import pytest

from bot.answering.verification.negation import Mark, conflict, scan
from bot.answering.verification.tokenizer import tokens


def mark(text: str, word: str) -> Mark:
    line = tokens(text)
    return scan(line).marks[next(at for at, token in enumerate(line) if token.text == word)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You must report losses.", Mark("must")),
        ("You have to report losses.", Mark("must")),
        ("You are required to report losses.", Mark("must")),
        ("You must, within ten days, report losses.", Mark("")),
        ("You should report losses.", Mark("should")),
        ("You may report losses.", Mark("may")),
        ("You may have to report losses.", Mark("may")),
        ("You will need to report losses.", Mark("must")),
        ("You must not report losses.", Mark("must", negated=True)),
        ("You cannot report losses.", Mark("may", negated=True)),
        ("Never report losses.", Mark("", negated=True)),
        ("You need not report losses.", Mark("free")),
        ("You don't have to report losses.", Mark("free")),
        ("You are not required to report losses.", Mark("free")),
        ("Unless you report losses, nothing happens.", Mark("", negated=True)),
        ("Do not hesitate to report losses.", Mark("")),
        ("Unless you do not report losses, nothing happens.", Mark("")),
        ("Nobody said this, nor will you report losses.", Mark("will", negated=True)),
        ("Whoever fails to report losses pays.", Mark("", negated=True)),
        ("Failure of a lock: report losses.", Mark("")),
        ("The rules allow staff to report losses.", Mark("may")),
        ("You can t report losses.", Mark("may", negated=True)),
        ("If you do not agree, report losses.", Mark("")),
        ("If you do not agree you should report losses.", Mark("should")),
        ("You may not have to report losses.", Mark("may", negated=True)),
    ],
)
def test_how_a_verb_stands(text: str, expected: Mark) -> None:
    assert mark(text, "report") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Receipts are required.", Mark("must")),
        ("Receipts are not required.", Mark("free")),
        ("Receipts are optional.", Mark("free")),
        ("Receipts are prohibited.", Mark("", negated=True)),
        ("Receipts are not allowed.", Mark("may", negated=True)),
        ("Send the required receipts.", Mark("")),
        ("Nobody works without receipts.", Mark("", negated=True)),
        ("Not later than receipts arrive.", Mark("")),
        ("These are invalid receipts.", Mark("")),
    ],
)
def test_how_a_noun_stands(text: str, expected: Mark) -> None:
    assert mark(text, "receipts") == expected


@pytest.mark.parametrize(
    ("claimed", "given", "expected"),
    [
        (Mark("must"), Mark("may"), "modality"),
        (Mark("may"), Mark("must"), "modality"),
        (Mark("should"), Mark("must"), "modality"),
        (Mark("free"), Mark("must"), "modality"),
        (Mark("must"), Mark(""), ""),
        (Mark(""), Mark("may"), ""),
        (Mark("must", negated=True), Mark("may", negated=True), ""),
        (Mark("may"), Mark("may", negated=True), "negation"),
    ],
)
def test_which_stances_exclude_each_other(claimed: Mark, given: Mark, expected: str) -> None:
    assert conflict(claimed, given) == expected
