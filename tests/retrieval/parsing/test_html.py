from datetime import date

import pytest

from tests.retrieval.parsing.assertions import blocks, headings, parse_text, skip_reason

PAGE = """<!doctype html><html><head><title>Leave policy</title><meta name="footnote:owner" content="HR">
<meta name="footnote:review" content="2027-01-31"><meta name="footnote:audience" content="hr, board">
<script>var hidden = 1</script><style>p {{}}</style></head><body>
<nav>Home | Search</nav><header>Intranet</header>{body}<footer>Imprint</footer></body></html>"""


def test_only_what_readers_come_for_is_text() -> None:
    body = """<main><h1>Leave</h1><p>Five   days <b>a year</b>,<br>paid.</p><p hidden>no</p><p aria-hidden="true">no</p>
    <p style="display: none">no</p><form><label>Name</label><input value="no"><button>no</button></form>
    <svg><title>no</title><text>no</text></svg><template>no</template><img src="x" alt="a map"></main>"""
    assert parse_text("a.html", PAGE.format(body=body)).text == "Leave\n\nFive days a year,\npaid.\n\nName\n\na map"


def test_meta_tags_are_the_metadata() -> None:
    metadata = parse_text("a.html", PAGE.format(body="<p>Text</p>")).metadata
    assert (metadata.title, metadata.owner, metadata.review) == ("Leave policy", "HR", date(2027, 1, 31))
    assert metadata.audience == frozenset({"hr", "board"})


def test_front_matter_before_a_page_counts_too() -> None:
    document = parse_text("a.html", "---\r\naudience: hr\r\n---\r\n<title>Leave days</title><p>Text")
    assert (document.text, document.metadata.title) == ("Text", "Leave days")
    assert document.metadata.audience == frozenset({"hr"})
    assert skip_reason("a.html", "---\naudience:\n---\n<p>Salaries") == "malformed"


@pytest.mark.parametrize("content", ["", " ", "hr,,board"])
def test_an_audience_that_cannot_be_understood_is_shown_to_nobody(content: str) -> None:
    assert skip_reason("a.html", f'<meta name="footnote:audience" content="{content}"><p>Salaries</p>') == "malformed"


def test_the_first_h1_is_the_title_when_there_is_none() -> None:
    assert parse_text("a.html", "<h2>Minor</h2><h1>Leave <i>policy</i></h1>").metadata.title == "Leave policy"


@pytest.mark.parametrize(
    ("body", "anchor"),
    [
        ('<h2 id="own"><a name="a"></a>T</h2>', "own"),
        ('<section id="sec"><h2>T</h2></section>', "sec"),
        ('<section id="sec"><h3>First</h3><h2>T</h2></section>', ""),
        ('<h2><a name="inner"></a>T</h2>', "inner"),
        ('<p>Before.</p><a id="before"></a><h2>T</h2>', "before"),
        ('<div id="page"><p>Long text.</p><h2><span id="inner">T</span></h2></div>', "inner"),
        ('<div id="page"><p>Long text.</p><h2>T</h2></div>', "page"),
        ('<a id="far"></a><p>Between.</p><h2>T</h2>', ""),
    ],
)
def test_a_heading_has_the_nearest_id_a_browser_can_jump_to(body: str, anchor: str) -> None:
    assert (2, "T", anchor) in headings(parse_text("a.html", body))


def test_other_blocks_keep_their_own_id() -> None:
    document = parse_text("a.html", '<div id="box"><p id="p1">One</p><p>Two</p><ul><li id="l1">Three</li></ul></div>')
    assert [block.anchor for block in document.blocks] == ["p1", "", "l1"]


def test_lists_show_the_numbers_a_browser_shows() -> None:
    body = '<ul><li>a<ol start="3"><li>b<li value="9">c<li><p>d</p><p>e</p></ol></ul><ol type="a"><li>f</ol>'
    document = parse_text("a.html", body)
    assert [text for _, text in blocks(document)] == ["- a", "3. b", "9. c", "10. d", "e", "a. f"]
    assert [block.level for block in document.blocks] == [1, 2, 2, 2, 0, 1]


def test_tables_are_rows_and_layout_tables_are_not() -> None:
    table = "<table><caption>Days</caption><tr><th>Who</th><th>Days</th><tr><td>All<br>staff<td>25</table>"
    layout = "<table><tr><td><h2>Title</h2><p>Text</p></td><td>Side</td></tr></table>"
    assert blocks(parse_text("a.html", table + layout)) == [
        ("paragraph", "Days"),
        ("table-head", "Who | Days"),
        ("row", "All staff | 25"),
        ("heading", "Title"),
        ("paragraph", "Text"),
        ("paragraph", "Side"),
    ]


def test_the_main_part_is_preferred_only_if_it_is_most_of_the_page() -> None:
    most = "<p>Side</p><article><p>Long main text of the page</p></article>"
    little = "<p>Most of the text is outside here</p><article>x</article>"
    assert parse_text("a.html", most).text == "Long main text of the page"
    assert "outside" in parse_text("a.html", little).text


def test_preformatted_prose_is_paragraphs_and_code_stays_code() -> None:
    assert blocks(
        parse_text("a.html", "<pre>One sentence is written\nover two lines here.\n\nAnother one follows it.</pre>")
    ) == [
        ("paragraph", "One sentence is written\nover two lines here."),
        ("paragraph", "Another one follows it."),
    ]
    assert blocks(parse_text("a.html", "<pre>x = {\n  1: 2\n}</pre>")) == [("code", "x = {\n  1: 2\n}")]


@pytest.mark.parametrize(
    "data",
    [
        '<meta charset="iso-8859-1"><p>Congés</p>'.encode("latin-1"),
        '<?xml version="1.0" encoding="windows-1252"?><html><body><p>Congés</p></body></html>'.encode("cp1252"),
        "<p>Congés</p>".encode("utf-16"),
        "<p>Congés</p>".encode("utf-8-sig"),
        '<meta charset="iso-8859-1"><p>Congés</p>'.encode(),
        "<p>Congés</p>".encode("cp1252"),
    ],
    ids=["meta", "xml declaration", "utf-16", "utf-8 mark", "wrong meta", "undeclared"],
)
def test_the_encoding_is_found(data: bytes) -> None:
    assert parse_text("a.html", data).text == "Congés"


@pytest.mark.parametrize("source", ["<p> </p>", "<!-- x -->", "<script>x</script>", "<title>Only a title</title>"])
def test_a_page_without_words_is_skipped(source: str) -> None:
    assert skip_reason("a.html", source) == "no-text"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("tag", ["div", "b", "table", "ul", "span"])
def test_deep_nesting_ends(tag: str) -> None:
    parse_text("a.html", f"<p>Start</p>{f'<{tag}>' * 20_000}x")
