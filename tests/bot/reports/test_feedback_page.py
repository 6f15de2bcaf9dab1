"""The feedback report as a page: it is whole, it escapes what it shows, and what there is nothing of has no section."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bot.reports.feedback_page import feedback_page
from tests.bot.reports.samples import EMPTY, FEEDBACK


def body(html: str) -> ET.Element:
    return ET.fromstring(html[html.index("<main>") : html.index("</body>")])


def titles(html: str) -> list[str]:
    return re.findall("<h2>(.*?)</h2>", html)


def week(name: str, share: float | None = None) -> dict[str, Any]:
    satisfied = share is not None and {"share": share, "low": share / 2, "high": (1 + share) / 2}
    return {"name": name, "satisfaction": satisfied or None, "up": 1, "down": 1}


def test_a_page_of_everything_has_all_its_sections_and_loads_nothing():
    html = feedback_page(FEEDBACK)
    assert titles(html) == [
        *["Satisfaction by week", "Why a thumb went down", "What the thumbs-down are about"],
        *["Is tuning worth it yet?", "Failing sections", "What the documents do not answer"],
        *["By platform", "By generator", "By document", "By section"],
    ]
    assert """content="default-src 'none'; style-src 'unsafe-inline'">""" in html
    assert re.search(r"(?:\bsrc|href|url|\bon\w+|\sstyle)\s*[=(]|<script|@import", html) is None
    body(html)


def test_what_people_and_documents_say_is_escaped():
    html = feedback_page(FEEDBACK)
    assert "The &lt;b&gt;People&lt;/b&gt; team" in html
    assert "<b>People" not in html


def test_every_picture_has_a_label_or_is_hidden_from_readers():
    pictures = list(body(feedback_page(FEEDBACK)).iter("svg"))
    assert len(pictures) == 7
    assert all(
        each.get("aria-hidden") == "true" or (each.get("role"), bool(each.get("aria-label"))) == ("img", True)
        for each in pictures
    )


def test_a_week_without_votes_breaks_the_line_and_one_alone_is_drawn():
    weeks = [week("2026-W10", 0.5), week("2026-W11"), week("2026-W12", 0.25), week("2026-W13", 1.0)]
    html = feedback_page({**FEEDBACK, "weeks": weeks})
    assert html.count('class="trend"') == 2
    assert html.count("<circle") == 3
    body(html)


def test_a_single_week_stands_in_the_middle_with_its_year():
    html = feedback_page(FEEDBACK)
    assert html.count('class="trend"') == html.count("<circle") == 1
    assert ">2026-W49</text>" in html


def test_of_many_weeks_each_third_is_named_and_only_the_first_with_its_year():
    html = feedback_page({**FEEDBACK, "weeks": [week(f"2026-W{number}", 0.5) for number in range(10, 30)]})
    assert re.findall(r">(?:2026-)?W\d\d</text>", html) == [
        ">2026-W10</text>",
        *(f">W{number}</text>" for number in range(13, 30, 3)),
    ]


def test_a_page_of_nothing_says_so_and_has_no_section():
    html = feedback_page(EMPTY)
    assert "Nothing was asked" in html
    assert "<section" not in html


@pytest.mark.parametrize(
    ("left_out", "title"),
    [
        ({"satisfaction": None}, "Satisfaction by week"),
        ({"reasons": {}}, "Why a thumb went down"),
        ({"diagnosis": {**FEEDBACK["diagnosis"], "diagnosed": 0}}, "What the thumbs-down are about"),
        ({"failing": []}, "Failing sections"),
        ({"gaps": {**FEEDBACK["gaps"], "questions": 0}}, "What the documents do not answer"),
        ({"platforms": []}, "By platform"),
    ],
)
def test_what_there_is_nothing_of_has_no_section(left_out, title):
    assert title not in titles(feedback_page({**FEEDBACK, **left_out}))
