"""Whatever people and documents wrote is words in Slack: it calls nobody, and no link leads elsewhere than it says."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.slack.escaping import markdown, markdown_link, mrkdwn, mrkdwn_link, url
from tests.servers.slack.seen import calls, links, plain, written

SIGNS = [*"<>&!@#|[]()*_`~\\-+=:;/. \nabhereUchnl1", "https://evil.example", "&lt;", "<!here>", "@channel"]
HOSTILE = st.lists(st.sampled_from(SIGNS), max_size=40).map("".join)


def markdown_blocks(text: str):
    return [{"type": "markdown", "text": text}]


def section(text: str):
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}]


@given(HOSTILE)
def test_no_text_calls_anybody(text):
    assert calls(markdown_blocks(markdown(text)), mrkdwn(text)) == []
    assert calls(section(mrkdwn(text)), "") == []


@given(HOSTILE)
def test_no_text_makes_a_link_in_markdown(text):
    assert links(markdown_blocks(markdown(text) or "."), "") == []


@given(HOSTILE)
def test_mrkdwn_is_read_as_it_was_written(text):
    assert plain(mrkdwn(text)).replace("\u2060", "") == "".join(
        each for each in text if each.isprintable() or each == "\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "# no heading",
        "- no item",
        "1. no item",
        "> no quote",
        "---",
        "a | b\n--- | ---\nc | d",
        "*no* _emphasis_ `code` ~~strike~~",
        "![no](https://evil.example/image) [no](https://evil.example)",
        "<b>no</b> <!-- comment --> &lt;",
        "snake_case_name 5*3*2",
        "a\n===",
    ],
)
def test_markdown_is_read_as_it_was_written(text):
    shown = written(markdown_blocks(markdown(text)), "")
    assert shown.replace("\u2060", "") == text


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "slack://channel",
        "//evil.example",
        "https://",
        "https://[",
        "https://docs.example/\nhttps://evil.example",
        "handbook/leave.md",
        "",
    ],
)
def test_only_http_addresses_are_links(address):
    assert url(address) == ""
    assert mrkdwn_link(address, "Leave") == "Leave"
    assert markdown_link(address, "Leave") == "Leave"


@pytest.mark.parametrize(
    "address",
    [
        "https://docs.example/leave#carry-over",
        "https://docs.example/a b/(c)|<d>?x=1&y=2;z#sec[1]",
        "http://docs.example:8080/%20x?copy;=1&amp;=2",
    ],
)
def test_a_link_leads_to_its_address_and_nowhere_else(address):
    wanted = url(address)
    assert re.fullmatch(r"https?://[^\s<>|()\[\]\"'`\\]+", wanted)
    (found,) = links(section(mrkdwn_link(address, "Leave | <https://evil.example|x> [y](z)")), "")
    assert html.unescape(found.url) == html.unescape(wanted)
    (found,) = links(markdown_blocks(markdown_link(address, "[1] [y](z)")), "")
    assert found.label == "[1] [y](z)"
    assert found.url.replace("%3B", ";") == wanted
