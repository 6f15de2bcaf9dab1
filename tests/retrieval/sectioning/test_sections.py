"""Passages are exact slices in reading order, fit the window, cut no sentence, and know where they stand."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.passages import Block, Document, Passage
from retrieval.sectioning.numbering import clause_number
from retrieval.sectioning.sections import LEAST_ROOM, sections, split_document, text_fragment
from retrieval.sectioning.sentences import sentences
from tests.fakes import PIECE
from tests.retrieval.samples import cut, document

WINDOW = 120


def count(texts) -> list[int]:
    return [len(PIECE.findall(text)) for text in texts]


def short(made: Document, window: int = WINDOW) -> list[Passage]:
    return split_document(made, count=count, window=window)


WORDS = st.lists(st.sampled_from("leave manager days travel approval hotel form year".split()), min_size=1, max_size=30)
SENTENCE = WORDS.map(lambda words: " ".join(words).capitalize() + ".")
PARAGRAPH = st.lists(SENTENCE, min_size=1, max_size=8).map(" ".join)
HEADING = st.tuples(st.integers(1, 4), st.sampled_from(["Leave", "Travel", "14.2 Fees", "Hotels"])).map(
    lambda made: f"{'#' * made[0]} {made[1]}"
)
ITEMS = st.lists(SENTENCE, min_size=1, max_size=6).map(lambda items: "\n".join(f"- {item}" for item in items))
CLAUSE = st.tuples(st.integers(1, 20), PARAGRAPH).map(lambda made: f"3.{made[0]}.1 {made[1]}")
TABLE = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=30).map(
    lambda rows: "| Item | Cost |\n|---|---|\n" + "\n".join(f"| {' '.join(a)} | {' '.join(b)} |" for a, b in rows)
)
MARKDOWN = st.lists(st.one_of(HEADING, PARAGRAPH, ITEMS, CLAUSE, TABLE), min_size=1, max_size=8).map("\n\n".join)


def units(made: Document) -> list[tuple[int, int]]:
    """What is never cut: sentences and table rows, and headings where there is nothing else."""
    bare = all(block.kind == "heading" for block in made.blocks)
    found: list[tuple[int, int]] = []
    for block in made.blocks:
        if block.kind in {"row", "table-head"}:
            found.append((block.start, block.end))
        elif block.kind != "heading" or bare:
            found += sentences(made.text[block.start : block.end], offset=block.start)
    return found


def test_a_passage_has_the_links_of_its_own_words():
    long = " ".join(f"Sentence {number} is about [part {number}](https://a.example/{number})." for number in range(40))
    text = f"# A [title](https://a.example/title)\n\n{long}\n\n## Next\n\nGo [on](mailto:a@b.example)."
    found = short(document("docs/links", text))
    assert len(found) > 3
    shown = [(each.text[link.start : link.end], link.url) for each in found for link in each.links]
    assert shown == [*((f"part {n}", f"https://a.example/{n}") for n in range(40)), ("on", "mailto:a@b.example")]


def test_a_link_over_two_passages_leads_there_from_both():
    words = " ".join(f"Sentence {number} is one of many in here." for number in range(20))
    found = short(document("docs/link", f"Begin. [{words}](https://a.example/) End."))
    assert len(found) == 2
    assert [[(link.start, link.end) for link in each.links] for each in found] == [
        [(7, len(found[0].text))],
        [(0, len(found[1].text) - len(" End."))],
    ]


@settings(max_examples=60, deadline=None)
@given(MARKDOWN)
def test_passages_are_slices_in_order_that_hold_every_sentence_once_and_whole(text):
    made = document("docs/any", text)
    found = short(made)
    assert [each.ordinal for each in found] == list(range(len(found)))
    assert all(each.text == made.text[each.start : each.end] and each.text for each in found)
    assert all(left.end <= right.start for left, right in pairwise(found))
    for start, end in units(made):
        assert sum(each.start <= start and end <= each.end for each in found) == 1
        assert not [each for each in found if start < each.start < end or start < each.end < end]


@settings(max_examples=60, deadline=None)
@given(MARKDOWN)
def test_a_passage_fits_the_window_unless_it_is_a_single_sentence_or_row(text):
    made = document("docs/any", text)
    for each in short(made):
        inside = [unit for unit in units(made) if each.start <= unit[0] and unit[1] <= each.end]
        path = " › ".join(each.headings)
        assert len(inside) == 1 or sum(count([path, each.lead, each.text])) <= WINDOW


@settings(max_examples=60, deadline=None)
@given(MARKDOWN)
def test_a_passage_has_the_path_of_the_headings_above_it(text):
    made = document("docs/any", text)
    for each in short(made):
        path: list[tuple[int, str]] = []
        for block in made.blocks:
            if block.kind == "heading" and block.end <= each.start:
                path = [(level, said) for level, said in path if level < block.level]
                path.append((block.level, made.text[block.start : block.end]))
        if not all(block.kind == "heading" for block in made.blocks):
            assert each.headings == tuple(said for _, said in path)


def test_a_section_that_fits_is_one_passage():
    made = document("docs/leave", "# Leave\n\nFirst part.\n\nSecond part.\n\n- an item\n- another")
    assert [(each.section, each.text) for each in cut(made)] == [
        ("Leave", "First part.\n\nSecond part.\n\n- an item\n- another")
    ]


def test_a_section_that_does_not_fit_becomes_passages_of_about_equal_length():
    said = " ".join(f"Sentence {number} has six plain words." for number in range(40))
    sizes = count(each.text for each in short(document("docs/long", f"# Long\n\n{said}")))
    assert len(sizes) == 3
    assert max(sizes) - min(sizes) <= 8


def test_what_stands_before_the_first_heading_has_an_empty_path():
    first, *_ = cut(document("docs/a", "Before all.\n\n# Then\n\nMore."))
    assert (first.headings, first.anchor, first.text) == ((), "", "Before all.")


def test_a_deeper_heading_continues_the_path_and_a_higher_one_ends_it():
    made = document("docs/a", "# A\n\na\n\n## B\n\nb\n\n### C\n\nc\n\n## D\n\nd\n\n# E\n\ne")
    assert [each.section for each in cut(made)] == ["A", "A > B", "A > B > C", "A > D", "E"]


def test_headings_without_text_between_them_are_no_sections_but_stand_in_the_path():
    made = document("docs/a", "# A\n\n## B\n\nb")
    assert [(each.section, each.text) for each in cut(made)] == [("A > B", "b")]


def test_a_document_of_headings_alone_can_still_be_found():
    made = document("docs/a", "# Office closed\n\n## Until Monday")
    assert [each.text for each in cut(made)] == ["Office closed", "Until Monday"]


def test_a_document_without_blocks_has_no_passages():
    made = Document("docs/a", "docs", "A", "", "v", "", ())
    assert (cut(made), list(sections(made))) == ([], [])


def test_passages_carry_what_their_document_says():
    made = document("docs/a", "# A\n\na", audience=("hr",), url="https://example.com/a")
    (found,) = cut(made)
    assert (found.document, found.version, found.title, found.url) == ("docs/a", made.version, "A", made.url)
    assert found.audience == {"hr"}
    assert found.link == "https://example.com/a#a"


def places(text: str, name: str = "docs/a.md") -> list[tuple[str, str]]:
    return [(each.anchor, each.fragment) for each in cut(document(name, text))]


def test_markdown_opens_at_the_slug_of_its_heading():
    assert places("# The Rules\n\nSome.\n\n## Carry-over & more\n\nOther.") == [
        ("the-rules", "the-rules"),
        ("carry-over--more", "carry-over--more"),
    ]


def test_html_opens_at_the_id_of_the_element_or_of_its_heading():
    text = '<h1 id="top">Rules</h1><p>Some words.</p><p id="own">1.2.3 Some other words here.</p>'
    found = cut(document("docs/a.html", text))
    assert found[0].fragment == "top"
    assert found[1].anchor == "1.2.3"


def test_html_without_ids_opens_at_its_words():
    (found,) = cut(document("docs/a.html", "<p>Some plain words that stand here, alone.</p>"))
    assert found.fragment == ":~:text=Some%20plain%20words%20that%20stand%20here%2C"


def test_a_page_is_the_anchor_where_there_is_nothing_better_and_always_the_fragment():
    text = "First page.\n\n14.2.3 A clause on the second page."
    blocks = (Block("paragraph", 0, 11, page=1), Block("paragraph", 13, len(text), page=2))
    made = Document("docs/a.pdf", "docs", "A", "", "v", text, blocks)
    assert [(each.anchor, each.fragment) for each in cut(made)] == [("page=1", "page=1"), ("14.2.3", "page=2")]


def test_a_passage_never_spans_two_pages():
    text = "One.\n\nTwo.\n\nThree."
    spans, pages = [(0, 4), (6, 10), (12, 18)], [1, 1, 2]
    blocks = tuple(Block("paragraph", *span, page=page) for span, page in zip(spans, pages, strict=True))
    made = Document("docs/a.pdf", "docs", "A", "", "v", text, blocks)
    assert [each.text for each in cut(made)] == ["One.\n\nTwo.", "Three."]


def test_each_numbered_clause_is_a_passage_of_its_own_with_its_number():
    text = "# Fees\n\nAll fees.\n\n14.2.1 The first fee.\n\nIt goes on.\n\n14.2.2 The second fee."
    found = cut(document("docs/a", text))
    assert [(each.anchor, each.text) for each in found] == [
        ("fees", "All fees."),
        ("14.2.1", "14.2.1 The first fee.\n\nIt goes on."),
        ("14.2.2", "14.2.2 The second fee."),
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("14.2.3 A Person must", "14.2.3"),
        ("3.1.(b) any of", "3.1.(b)"),
        ("A2.5 Annex", "A2.5"),
        ("APP2.A2.5.Guidance.5. Some words", "APP2.A2.5.Guidance.5"),
        ("§ 4.2 Leave", "4.2"),
        ("1.2 Scope", "1.2"),
        ("2.5 days of leave", ""),
        ("14 days", ""),
        ("2026 was", ""),
        ("", ""),
    ],
)
def test_clause_numbers(text, number):
    assert clause_number(text) == number


def table(rows: int) -> str:
    return "| City | Limit |\n|---|---|\n" + "\n".join(f"| City number {row} | {row} pounds |" for row in range(rows))


def test_a_table_that_fits_stays_whole():
    found = short(document("docs/a", f"# Limits\n\n{table(4)}"))
    assert len(found) == 1
    assert found[0].text.startswith("City | Limit\nCity number 0 | 0 pounds")


def test_a_table_that_does_not_fit_is_split_between_rows_under_its_head():
    found = short(document("docs/a", f"# Limits\n\n{table(60)}"))
    assert len(found) > 2
    assert [each.lead for each in found] == ["", *["City | Limit"] * (len(found) - 1)]
    assert all(
        re.fullmatch(r"City number \d+ \| \d+ pounds", row) for each in found[1:] for row in each.text.split("\n")
    )
    assert found[1].embedded_text.startswith("City | Limit\nCity number ")


def test_a_sentence_longer_than_the_window_is_kept_whole():
    said = "Word " * 300 + "end."
    found = short(document("docs/a", f"# A\n\nShort one. {said} Short two."))
    assert [count([each.text])[0] > WINDOW for each in found] == [False, True, False]


def test_an_endless_heading_path_leaves_room_for_text():
    heading, said = "Very " * 200 + "long", " ".join(f"Sentence {number} here." for number in range(60))
    blocks = Block("heading", 0, 1004, level=1), Block("paragraph", 1006, 1006 + len(said))
    made = Document("docs/a", "docs", "A", "", "v", f"{heading}\n\n{said}", blocks)
    sizes = count(each.text for each in short(made))
    assert max(sizes) <= LEAST_ROOM
    assert min(sizes) > LEAST_ROOM / 3


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_fragment_holds_nothing_that_a_url_gives_a_meaning(text):
    fragment = text_fragment(text)
    assert fragment.startswith(":~:text=")
    assert re.fullmatch(r"[A-Za-z0-9_.~%]*", fragment.removeprefix(":~:text="))
