"""A refusal is told from an answer, in whatever words a model or a person puts it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.writing.refusals import is_not_found, is_refusal


@pytest.mark.parametrize(
    "text",
    [
        "NOT FOUND",
        "The documents do not say.",
        "The documents don’t say [1].",
        "I could not find information on that.",
        "I could not find any information about pets in the passages.",
        "The provided sections do not mention parental leave for freelancers [2].",
        "I'm sorry, but the passages do not contain this information.",
        "Unfortunately, the provided documents do not specify the amount.",
        "There is no information about parking in the provided passages.",
        "There is no mention of dogs in the documents [1][3].",
        "No information was found.",
        "I don't know.",
        "I was unable to find an answer.",
        "None of the passages mention that.",
        "The answer is not in the documents.",
        "This is not covered in the provided documents.",
        "The context does not provide enough information.",
        "I do not have enough information to answer.",
        "The passages say nothing about it.",
        "The sources are silent on that point.",
    ],
)
def test_what_only_says_that_nothing_was_found_is_a_refusal(text: str) -> None:
    assert is_not_found(text)
    assert is_refusal(f"{text} I don't know.")


@pytest.mark.parametrize(
    "text",
    [
        "The policy does not say who approves it, so ask HR.",
        "The documents do not say who approves it, so ask HR.",
        "The documents do not say how long, but they name ten days for Leeds [1].",
        "The documents must not be copied.",
        "The documents do not contain signatures.",
        "Sections do not need a signature.",
        "There is no charge for the badge.",
        "There is no parking at night in the yard.",
        "We are unable to refund damaged goods.",
        "No details are given to the press.",
        "The information provided is kept for ten years.",
        "",
    ],
)
def test_what_says_something_is_no_refusal(text: str) -> None:
    assert not is_not_found(text)
    assert not is_refusal(text)
    assert not is_refusal(f"I don't know. {text or 'Ten days.'}")


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert is_not_found(text) in {True, False}


@pytest.mark.parametrize("part", ["there is no ", "the provided ", "sorry, ", "the documents do not ", "[1] "])
def test_a_long_text_takes_no_longer(part: str) -> None:
    started = time.perf_counter()
    is_not_found(part * 20_000)
    assert time.perf_counter() - started < 0.5
