"""Words know where they lead, and the text stays as it would be without the addresses."""

from time import perf_counter

import pytest

from retrieval.parsing.links import LONGEST_ADDRESS, address, resolve
from retrieval.parsing.protocol import Parsed
from retrieval.sources.documents import resolved_links
from tests.retrieval.parsing.assertions import assert_well_formed, parse_text

FORM = "https://forms.example/leave?a=1&b=2"
IN_HTML = FORM.replace("&", "&amp;")
DESK = "https://desk.example/"


def links(document: Parsed) -> list[tuple[str, str]]:
    """The words of every link, and where they lead."""
    return [(document.text[link.start : link.end], link.url) for link in document.links]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"Fill in [the **leave** form]({FORM} 'A title') today.", [("the leave form", FORM)]),
        (f"See [here](<{FORM}>).", [("here", FORM)]),
        (f"See [the form][f] or [f] or [F][].\n\n[f]: {FORM}\n", [("the form", FORM), ("f", FORM), ("F", FORM)]),
        (f"Open <{DESK}> or <hr@a.example>.", [(DESK, DESK), ("hr@a.example", "mailto:hr@a.example")]),
        (f"Open {DESK} yourself.", []),
        ("Call [Ada](mailto:ada@a.example), [0123](tel:+44).", [("Ada", "mailto:ada@a.example"), ("0123", "tel:+44")]),
        (f"[![The form](form.png)]({FORM}) and [![](form.png)]({FORM})", [("The form", FORM)]),
        ("See ![a map](https://example.com/map.png) here.", []),
        (f"Raw <a class=x HREF='{IN_HTML}'>the form</a>, <a name='x'>no</a>.", [("the form", FORM)]),
        (f"- first\n- [the form]({FORM}) is\n  1. [nested]({DESK})\n", [("the form", FORM), ("nested", DESK)]),
        (
            f"| Where | [Desk]({DESK}) |\n|---|---|\n| [the  form]({FORM}) | ab [c]({DESK}) |\n",
            [("Desk", DESK), ("the form", FORM), ("c", DESK)],
        ),
        (f"# How [to ask]({FORM}) {{#ask}}\n\nWords.", [("to ask", FORM)]),
        (f"Text[^1].\n\n[^1]: In [the form]({FORM}).\n", [("the form", FORM)]),
        (f"<div>\n<p>In <a href='{IN_HTML}'>the\nform</a>.</p>\n</div>\n", [("the form", FORM)]),
        (
            f"    Whoever is ill calls and fills in the form\n    that lies [there]({DESK}).",
            [("there", DESK)],
        ),
        (f"`[no]({FORM})` and\n\n```\n[no]({FORM})\n```\n", []),
        (f"Split &shy;\u00a0 over [the&nbsp;\u200b\nleave form ]({FORM})&nbsp; lines", [("the\nleave form", FORM)]),
    ],
)
def test_markdown_links_lead_where_they_are_written_to(source, expected):
    found = parse_text("a.md", source)
    assert_well_formed(found)
    assert links(found) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"<p>Fill in <a href=' {IN_HTML}\n'>the <b>leave</b> form</a>.", [("the leave form", FORM)]),
        (f"<ul><li>Read<li> <a href='{DESK}'> the form </a> first</ul>", [("the form", DESK)]),
        (f"<a href='{DESK}'><div>One</div><div>Two</div></a><p>Three", [("One", DESK), ("Two", DESK)]),
        (f"<p>A<br><br>b <a href='{DESK}'>c<br><br>d</a>", [("c", DESK), ("d", DESK)]),
        (f"<a href='{DESK}'><img alt='The form'></a> <a href='{DESK}'><img alt=''></a>", [("The form", DESK)]),
        (f"<h2><a href='{DESK}'>The form</a></h2><p>Words", [("The form", DESK)]),
        (f"<p><a name='x'>no</a> <a>no</a> <a href=''>no</a> <a href='#top'>top</a> {DESK}", [("top", "#top")]),
        (f"<nav><a href='{DESK}'>no</a></nav><p hidden><a href='{DESK}'>no</a></p><p>Words", []),
        (
            f"""<table><caption>All <a href='{DESK}'>forms</a></caption><tr><th>Who<th>What<tr><td>all <td>see<p>the
            <a href='{DESK}'>leave
            form</a>  or <a href='mailto:a@b.example'>ask</a></p></table>""",
            [("forms", DESK), ("leave form", DESK), ("ask", "mailto:a@b.example")],
        ),
        ("<p><a href='https://a.example/'>e</a>\u0301 <a href='https://b.example/'>b</a>", []),
    ],
)
def test_html_links_lead_where_they_are_written_to(body, expected):
    found = parse_text("a.html", body)
    assert_well_formed(found)
    assert links(found) == expected


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("", ["https://docs.example/hr/leave.html", "https://docs.example/hr/pay.html#top"]),
        ("<base href='/all/'>", ["https://docs.example/all/leave.html", "https://docs.example/all/#top"]),
        (
            "<base target='_top'><base href='https://b.example/x/y'><base href='/no/'>",
            ["https://b.example/x/leave.html", "https://b.example/x/y#top"],
        ),
    ],
)
def test_relative_links_of_a_page_are_relative_to_its_base_or_its_address(base, expected):
    page = f"<head>{base}</head><p><a href='leave.html'>Leave</a> <a href='#top'>Top</a>"
    found = resolved_links(parse_text("a.html", page).links, "https://docs.example/hr/pay.html")
    assert [link.url for link in found] == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example",
        "https://user@a.example:8443/x?q=1#y",
        "HTTPS://A.example/",
        "https://a.example/../x#",
        "mailto:a@b.example?subject=Leave",
        "tel:+44-20-7946",
        "https://a.example/" + "x" * (LONGEST_ADDRESS - 18),
    ],
)
def test_what_a_reader_elsewhere_can_open_is_kept_as_it_is_written(url):
    assert address(url) == resolve(url, "") == resolve(url, "https://docs.example/a") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://a.example/x",
        "vbscript:x",
        "C:\\forms\\leave.docx",
        "\\\\server\\forms",
        "http:",
        "http:///x",
        "https:a.example",
        "mailto:",
        "http://[bad",
        "https://a.example/a b",
        "https://a.example/a\tb",
        "https://a.example/\x7f",
        "https://a.example/\u202etxt.exe",
        "https://a.example/\u00a0",
        "https://a.example\\@b.example/",
        "https://a.example/" + "x" * LONGEST_ADDRESS,
    ],
)
def test_what_opens_nothing_or_something_else_than_it_reads_is_dropped(url):
    assert address(url) == resolve(url, "https://docs.example/a") == ""
    page = parse_text("a.html", f'<p>The <a href="{url}">form</a>')
    assert page.links == ()
    assert page.text == "The form"


@pytest.mark.parametrize("url", ["forms/leave.md", "/forms", "#leave", "?q=1", "//a.example/x", "www.a.example"])
def test_a_relative_address_waits_for_its_document_and_opens_nothing_in_a_file(url):
    assert address(url) == url
    assert resolve(url, "") == resolve(url, "file:///srv/handbook/a.md") == ""
    assert resolve(url, "https://docs.example/hr/a").startswith("https://")


WITH_LINKS = [
    "Ask [the  *desk* ](https://a.example/) , or[it](x.md)s manager.",
    "- [ leave ](https://a.example/)\n- a [b](b.md)  c\n",
    "| a [b](b.md) | |\n|---|---|\n| | [c](https://c.example/)  d |\n",
    "## [Scope](#scope)  of [leave](l.md) {#own}\n\n[ ](x.md)\n\nWords[](y.md).",
    "See [the\nform](https://a.example/ 'title').  \n[Next](https://a.example/) line.",
]


@pytest.mark.parametrize("source", WITH_LINKS)
def test_the_text_is_the_same_as_with_links_that_lead_nowhere(source):
    with_links = parse_text("a.md", source)
    without = parse_text("a.md", source.replace("(https:", "(ftp:").replace(".md)", ".md:x)").replace("(#", "(x:"))
    assert with_links.links
    assert without.links == ()
    assert (with_links.text, with_links.blocks) == (without.text, without.blocks)


def test_the_text_of_pages_with_links_is_what_a_reader_sees():
    page = """<h1><a href="/">Leave</a> </h1><p> See <a href="a.html"> the
      form </a>, <a href="b.html">now</a><br>
      and <a href="c.html">call</a>.</p><ol start=4><li><a href="d.html">Four</a> <li> Five</ol>
      <table><caption> All
      <a href="e.html">forms</a></caption><tr><td><a href="f.html">A </a><td> B</table>"""
    found = parse_text("a.html", page)
    assert found.text == "Leave\n\nSee the form , now\nand call.\n\n4. Four\n5. Five\n\nAll forms\n\nA | B"
    assert [words for words, _ in links(found)] == ["Leave", "the form", "now", "call", "Four", "forms", "A"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a.md", "[a](https://a.example/) " * 20_000),
        ("a.md", "<a " + "x" * 100_000 + ">b</a> <a href='" + "x" * 100_000 + "'>c</a>"),
        ("a.html", "<a href='https://a.example/'>a</a> " * 20_000),
        ("a.html", "<table><tr><td>a<td>" + "<a href='https://a.example/'>a</a> " * 20_000 + "</table>"),
        ("a.html", "<a href='https://a.example/'>" * 20_000 + "x"),
    ],
)
def test_many_and_long_links_end_soon(name, source):
    started = perf_counter()
    parse_text(name, source)
    assert perf_counter() - started < 10
