"""Figures of an evaluation as a page: it is whole, it escapes what it shows, and it needs nothing else."""

import re
from xml.etree import ElementTree as ET

from bot.reports.evaluation_page import evaluation_page
from tests.bot.reports.samples import WHOLE


def test_a_page_of_what_was_not_measured_has_no_drawing():
    assert "<svg" not in evaluation_page(
        {"questions": 1, "auroc": None, "thresholds": None, "answers": {}, "differences": []}
    )


def test_the_page_escapes_what_it_shows_and_loads_nothing():
    html = evaluation_page(WHOLE)
    assert "openai:&lt;b&gt;" in html
    assert "<b>" not in html
    assert """content="default-src 'none'; style-src 'unsafe-inline'">""" in html
    ET.fromstring(html[html.index("<main>") : html.index("</body>")])
    assert re.search(r"(?:src|href|url)\b\s*[=(]|<script|@import", html) is None


def test_each_plot_says_what_it_shows():
    html = evaluation_page(WHOLE)
    assert html.count("<svg") == html.count('role="img" aria-label="') == 2


def test_shares_are_told_with_their_interval_and_by_kind_where_there_are_any():
    html = evaluation_page(WHOLE)
    assert "<td>whole</td><td>1/2 50% (9% to 91%)</td><td>-</td>" in html
    assert "<td>number: whole</td>" in html
    without = {name: each | {"shares": {}, "kinds": {}} for name, each in WHOLE["answers"].items()}
    assert "Shares of questions" not in evaluation_page(WHOLE | {"answers": without})
