import pytest

from tests.retrieval.parsing.assertions import blocks, headings, parse_text, skip_reason


def test_markup_goes_and_the_words_stay() -> None:
    text = parse_text(
        "a.md", "Ask **HR** or [the *desk*](http://x) about `leave`.<!-- no --> ![a map](m.png) ~~old~~"
    ).text
    assert text == "Ask HR or the desk about leave. a map old"


def test_headings_get_their_authors_id_or_github_slugs() -> None:
    document = parse_text("a.md", "# Leave & pay\n\n## Who? {#who .wide}\n\n## Scope\n\n## Scope\n\nSetext\n---\n")
    assert headings(document) == [
        (1, "Leave & pay", "leave--pay"),
        (2, "Who?", "who"),
        (2, "Scope", "scope"),
        (2, "Scope", "scope-1"),
        (2, "Setext", "setext"),
    ]


@pytest.mark.parametrize(
    "source",
    [
        '<a name="x1"></a>\n\n## Pay\n',
        '<a id="x1"></a>\n## Pay\n',
        '## <a name="x1"></a>Pay\n',
        '<h2 id="x1">Pay</h2>\n',
    ],
    ids=["paragraph before", "line before", "inside", "html heading"],
)
def test_an_html_anchor_names_the_heading_it_belongs_to(source: str) -> None:
    assert headings(parse_text("a.md", f"Text.\n\n{source}")) == [(2, "Pay", "x1")]


def test_an_explicit_id_wins_over_an_anchor_before_it() -> None:
    assert headings(parse_text("a.md", '<a name="x1"></a>\n\n## Pay {#pay-2}\n')) == [(2, "Pay", "pay-2")]


def test_list_markers_and_the_authors_numbers_are_text() -> None:
    document = parse_text("a.md", "3. three\n7. seven\n   - nested\n\n4) four\n\n* star\n+ plus\n")
    assert blocks(document) == [
        ("item", "3. three"),
        ("item", "7. seven"),
        ("item", "- nested"),
        ("item", "4) four"),
        ("item", "- star"),
        ("item", "- plus"),
    ]
    assert [block.level for block in document.blocks] == [1, 1, 2, 1, 1, 1]
    assert "\n\n" not in document.text


def test_clause_numbers_survive_and_lines_of_a_clause_stay_together() -> None:
    source = (
        "1.1.1.(1) Subject to Rule 2:\n(a)\tfirst; and\n(b)\tsecond.\n\n1.1.1.Guidance.1. A note.\n\n2018. Was a year."
    )
    assert parse_text("a.md", source).text == (
        "1.1.1.(1) Subject to Rule 2:\n(a)\tfirst; and\n(b)\tsecond.\n\n1.1.1.Guidance.1. A note.\n\n2018. Was a year."
    )


def test_table_rows_are_lines_under_their_head() -> None:
    document = parse_text("a.md", "| Days | **Who** |\n|---|---|\n| 25 | all |\n| 30 | `night` <br> shift |\n")
    assert blocks(document) == [("table-head", "Days | Who"), ("row", "25 | all"), ("row", "30 | night shift")]


def test_an_admonition_is_text_not_code() -> None:
    document = parse_text("a.md", "!!! important\n\n    Ask first.\n\n    * then go\n\nAfter.\n")
    assert blocks(document) == [
        ("paragraph", "Important"),
        ("paragraph", "Ask first."),
        ("item", "- then go"),
        ("paragraph", "After."),
    ]


def test_an_indented_paragraph_is_no_code_but_a_script_is() -> None:
    prose = "Text.\n\n    Employees may carry over five days of leave\n    into the next calendar year.\n"
    assert blocks(parse_text("a.md", prose))[1][0] == "paragraph"
    assert blocks(parse_text("a.md", "Text.\n\n    for x in $(ls -1); do\n    rm -rf $x; done\n"))[1][0] == "code"


def test_fenced_code_keeps_its_lines() -> None:
    assert blocks(parse_text("a.md", "```sh\na  b\n\n  c\n```\n")) == [("code", "a  b\n\n  c")]


def test_raw_html_gives_its_text_and_placeholders_stay() -> None:
    source = "<div>Read <b>this</b></div>\n\nWrite to <your manager> or<br>call.\n\n<Company Name>\n"
    assert parse_text("a.md", source).text == "Read this\n\nWrite to <your manager> or\ncall.\n\n<Company Name>"


def test_a_raw_html_table_is_a_table() -> None:
    source = "<table>\n<tr><th>Days</th><th>Who</th></tr>\n<tr><td>25</td><td>all</td></tr>\n</table>\n"
    assert blocks(parse_text("a.md", source)) == [("table-head", "Days | Who"), ("row", "25 | all")]


def test_footnotes_keep_their_label() -> None:
    document = parse_text("a.md", "Five days.[^carry]\n\n[^carry]: Unless agreed otherwise.\n")
    assert document.text == "Five days.[carry]\n\n[carry] Unless agreed otherwise."


def test_invisible_characters_go_and_text_is_composed() -> None:
    assert parse_text("a.md", "A\u200bb\u00ad\u200ec\u00a0d e\u0301 &shy;&nbsp;f\r\ng").text == "Abc d \u00e9 f\ng"


@pytest.mark.parametrize("source", ["", " \n\t\n", "<!-- only a comment -->", "---\ntitle: x\n---\n"])
def test_a_file_without_words_is_skipped(source: str) -> None:
    assert skip_reason("a.md", source) == "no-text"


def test_a_long_paragraph_above_dashes_is_no_heading() -> None:
    assert headings(parse_text("a.md", "word " * 60 + "\n---\n")) == []


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "source", [">" * 20_000, "- " * 20_000 + "x", "[" * 20_000, "*a " * 20_000, "<b>" * 20_000 + "x"]
)
def test_deep_nesting_ends(source: str) -> None:
    parse_text("a.md", f"Start.\n\n{source}")
