"""Threat: an address or a mention in a model's answer that no section holds, in a form that some client opens."""

import pytest

from bot.answering.verification.plain_text import has_only_cited_links
from bot.answering.verification.verifier import SentenceVerifier
from bot.answering.writing.generator import Draft
from bot.answering.writing.stream_parser import StreamParser
from tests.security.foreign_values import passage

RULE = "Staff may carry over five days of leave."
ADDRESSES = (
    *(
        r"\\evil\share",
        r"\\10.0.0.7\c$",
        "//evil",
        "//evil/path",
        "joe@evil",
        "joe@evil.example",
        "evil.example",
        "@channel",
    ),
    *(
        "http://evil",
        "www.evil",
        "javascript:x",
        "HTTPS://evil",
        "1https://evil",
        "ｈｔｔｐ：//evil",
        "evil.example:80/x",
    ),
)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "sentence", ["{0} Staff may carry over five days of leave.", "Staff may carry over {0} five days."]
)
def test_an_address_that_the_section_does_not_hold_is_not_shown(address, sentence):
    verified = SentenceVerifier([passage(RULE)], language="english").verify(Draft(sentence.format(address), (0,)))
    assert verified is None or address not in verified.text


@pytest.mark.parametrize("address", ADDRESSES)
def test_one_that_it_holds_may_be_shown(address):
    assert has_only_cited_links(f"Write to {address}.", [f"Questions: write to {address}, please."])


@pytest.mark.parametrize("text", ["Either and/or both.", "It is 24/7.", "Use a // b.", "Meet at 10 @ noon."])
def test_a_stroke_or_an_at_alone_is_no_address(text):
    assert has_only_cited_links(text, [""])


@pytest.mark.parametrize("marker", ["[99999999999999999999]", "[^123456789012]", "【99999999999999999999】", "[999]"])
def test_a_citation_of_what_cannot_be_there_is_no_part_of_a_sentence(marker):
    parser = StreamParser()
    (draft,) = [*parser.feed(f"Staff may carry over five days of leave {marker}."), *parser.close()]
    assert draft.text == RULE
    assert all(position > 900 for position in draft.claimed)
