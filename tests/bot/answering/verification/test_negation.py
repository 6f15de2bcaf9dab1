"""What is denied, demanded, advised, allowed and left free in a line, and which of these exclude each other."""

import pytest

from bot.answering.verification.modality import Modality, modality_conflict
from bot.answering.verification.negation import scan_cues
from bot.answering.verification.tokenizer import tokenize


def modality(text: str, word: str) -> Modality:
    line = tokenize(text)
    return scan_cues(line).modalities[next(at for at, token in enumerate(line) if token.text == word)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You must report losses.", Modality("must")),
        ("You have to report losses.", Modality("must")),
        ("You are required to report losses.", Modality("must")),
        ("You must, within ten days, report losses.", Modality("")),
        ("You should report losses.", Modality("should")),
        ("You may report losses.", Modality("may")),
        ("You may have to report losses.", Modality("may")),
        ("You will need to report losses.", Modality("must")),
        ("You must not report losses.", Modality("must", negated=True)),
        ("You cannot report losses.", Modality("may", negated=True)),
        ("Never report losses.", Modality("", negated=True)),
        ("You need not report losses.", Modality("free")),
        ("You don't have to report losses.", Modality("free")),
        ("You are not required to report losses.", Modality("free")),
        ("Unless you report losses, nothing happens.", Modality("", negated=True)),
        ("Do not hesitate to report losses.", Modality("")),
        ("Unless you do not report losses, nothing happens.", Modality("")),
        ("Nobody said this, nor will you report losses.", Modality("will", negated=True)),
        ("Whoever fails to report losses pays.", Modality("", negated=True)),
        ("Failure of a lock: report losses.", Modality("")),
        ("The rules allow staff to report losses.", Modality("may")),
        ("You can t report losses.", Modality("may", negated=True)),
        ("If you do not agree, report losses.", Modality("")),
        ("If you do not agree you should report losses.", Modality("should")),
        ("You may not have to report losses.", Modality("may", negated=True)),
    ],
)
def test_the_modality_of_a_verb(text: str, expected: Modality) -> None:
    assert modality(text, "report") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Receipts are required.", Modality("must")),
        ("Receipts are not required.", Modality("free")),
        ("Receipts are optional.", Modality("free")),
        ("Receipts are prohibited.", Modality("", negated=True)),
        ("Receipts are not allowed.", Modality("may", negated=True)),
        ("Send the required receipts.", Modality("")),
        ("Nobody works without receipts.", Modality("", negated=True)),
        ("Not later than receipts arrive.", Modality("")),
        ("These are invalid receipts.", Modality("")),
    ],
)
def test_the_modality_of_a_noun(text: str, expected: Modality) -> None:
    assert modality(text, "receipts") == expected


@pytest.mark.parametrize(
    ("claimed", "given", "expected"),
    [
        (Modality("must"), Modality("may"), "modality"),
        (Modality("may"), Modality("must"), "modality"),
        (Modality("should"), Modality("must"), "modality"),
        (Modality("free"), Modality("must"), "modality"),
        (Modality("must"), Modality(""), ""),
        (Modality(""), Modality("may"), ""),
        (Modality("must", negated=True), Modality("may", negated=True), ""),
        (Modality("may"), Modality("may", negated=True), "negation"),
    ],
)
def test_which_modalities_exclude_each_other(claimed: Modality, given: Modality, expected: str) -> None:
    assert modality_conflict(claimed, given) == expected
