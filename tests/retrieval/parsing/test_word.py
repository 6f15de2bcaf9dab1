from collections.abc import Callable
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from docx import Document
from docx.document import Document as WordDocument
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.parser import OxmlElement

from retrieval.parsing.protocol import Skipped
from retrieval.parsing.word import parser
from tests.retrieval.parsing.assertions import assert_well_formed, blocks, headings, parse_text, skip_reason


def word_file(write: Callable[[WordDocument], object]) -> bytes:
    document = Document()
    write(document)
    return to_bytes(document)


def to_bytes(document: WordDocument) -> bytes:
    buffer = BytesIO()
    document.save(buffer)
    return buffer.getvalue()


EMPTY = word_file(lambda document: None)


def to_element(text: str) -> Any:
    return parse_xml(text)


def replace_part(data: bytes, part: str, content: bytes) -> bytes:
    """The same file with one part replaced or added."""
    buffer = BytesIO()
    with ZipFile(BytesIO(data)) as old, ZipFile(buffer, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != part:
                new.writestr(name, old.read(name))
        new.writestr(part, content)
    return buffer.getvalue()


def test_the_body_comes_in_its_own_order() -> None:
    def write(document: WordDocument) -> None:
        document.add_heading("Leave policy", 0)
        document.add_heading("Scope", 1)
        document.add_paragraph("Before.")
        table = document.add_table(2, 2)
        for cell, text in zip(table._cells, ["Who", "Days", "All staff", "25"], strict=True):
            cell.text = text
        document.add_heading("Details", 2)
        document.add_paragraph("After.")

    document = parse_text("a.docx", word_file(write))
    assert_well_formed(document)
    assert headings(document) == [(1, "Leave policy", ""), (1, "Scope", ""), (2, "Details", "")]
    assert [text for _, text in blocks(document)][2:5] == ["Before.", "Who | Days", "All staff | 25"]
    assert [kind for kind, _ in blocks(document)][3:5] == ["table-head", "row"]


def test_lists_show_their_markers() -> None:
    def write(document: WordDocument) -> None:
        for style, text in [("Bullet", "a"), ("Bullet 2", "b"), ("Number", "c"), ("Number", "d")]:
            document.add_paragraph(text, style=f"List {style}")

    assert [text for _, text in blocks(parse_text("a.docx", word_file(write)))] == [
        "- a",
        "- b",
        "1. c",
        "2. d",
    ]


def test_numbered_headings_and_restarts_count_as_word_does() -> None:
    def write(document: WordDocument) -> None:
        numbering = document.part.numbering_part.element
        levels = "".join(
            f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
            for depth, form, text in [(0, "decimal", "%1"), (1, "decimal", "%1.%2"), (2, "lowerRoman", "(%3)")]
        )
        numbering.insert(0, parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="77">{levels}</w:abstractNum>'))
        override = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
        for number, inner in [("77", ""), ("78", override)]:
            xml = f'<w:num {nsdecls("w")} w:numId="{number}"><w:abstractNumId w:val="77"/>{inner}</w:num>'
            numbering.append(parse_xml(xml))
        for text, style, list_id, depth in [
            ("Scope", "Heading 1", 77, 0),
            ("People", "Heading 2", 77, 1),
            ("staff", "Normal", 77, 2),
            ("guests", "Normal", 77, 2),
            ("Pay", "Heading 1", 77, 0),
            ("Grades", "Heading 2", 77, 1),
            ("Again", "Heading 1", 78, 0),
        ]:
            properties: Any = document.add_paragraph(text, style=style)._p.get_or_add_pPr()
            properties.get_or_add_numPr().get_or_add_numId().val = list_id
            properties.get_or_add_numPr().get_or_add_ilvl().val = depth

    assert [text for _, text in blocks(parse_text("a.docx", word_file(write)))] == [
        "1 Scope",
        "1.1 People",
        "(i) staff",
        "(ii) guests",
        "2 Pay",
        "2.1 Grades",
        "1 Again",
    ]


def test_an_outline_level_makes_a_heading_of_any_style() -> None:
    def write(document: WordDocument) -> None:
        level: Any = OxmlElement("w:outlineLvl")
        level.set(qn("w:val"), "1")
        document.add_paragraph("Looks like text")._p.get_or_add_pPr().append(level)
        document.add_paragraph("Is text")

    assert headings(parse_text("a.docx", word_file(write))) == [(2, "Looks like text", "")]


def test_a_style_based_on_a_heading_is_one() -> None:
    def write(document: WordDocument) -> None:
        style = document.styles.add_style("House heading", 1)
        style.base_style = document.styles["Heading 3"]
        document.add_paragraph("Ours", style="House heading")

    assert headings(parse_text("a.docx", word_file(write))) == [(3, "Ours", "")]


def test_tracked_deletions_and_hidden_words_are_out_and_insertions_in() -> None:
    def write(document: WordDocument) -> None:
        paragraph = document.add_paragraph("Staff get ")
        for tag, text in [("w:del", "20"), ("w:ins", "25")]:
            xml = f"<{tag} {nsdecls('w')}><w:r><w:t>{text}</w:t></w:r></{tag}>"
            paragraph._p.append(to_element(xml))
        paragraph.add_run(" days")
        paragraph.add_run(" secretly").font.hidden = True
        paragraph.add_run(".")

    assert parse_text("a.docx", word_file(write)).text == "Staff get 25 days."


def test_merged_cells_are_said_once_and_nested_tables_stay() -> None:
    def write(document: WordDocument) -> None:
        table = document.add_table(3, 3)
        table.cell(0, 0).merge(table.cell(0, 2)).text = "All"
        table.cell(1, 0).merge(table.cell(2, 0)).text = "Down"
        table.cell(1, 1).text = "x"
        table.cell(2, 1).add_table(1, 2).cell(0, 1).text = "inner"

    assert [text for _, text in blocks(parse_text("a.docx", word_file(write)))] == [
        "All",
        "Down | x |",
        "| inner |",
    ]


def test_a_table_with_headings_is_layout() -> None:
    def write(document: WordDocument) -> None:
        left, right = document.add_table(1, 2).rows[0].cells
        left.paragraphs[0].text = "Scope"
        left.paragraphs[0].style = "Heading 1"
        right.text = "Everyone."

    assert blocks(parse_text("a.docx", word_file(write))) == [("heading", "Scope"), ("paragraph", "Everyone.")]


def test_content_controls_and_links_are_text_and_a_table_of_contents_is_not() -> None:
    def write(document: WordDocument) -> None:
        document.styles.add_style("toc 1", 1)
        document.add_paragraph("Scope\t3", style="toc 1")
        xml = (
            f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>In a control</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        )
        document.element.body.insert(0, parse_xml(xml))
        link = f"<w:hyperlink {nsdecls('w')}><w:r><w:t>a link</w:t></w:r></w:hyperlink>"
        document.add_paragraph("See ")._p.append(to_element(link))

    assert parse_text("a.docx", word_file(write)).text == "In a control\n\nSee a link"


@pytest.mark.parametrize(
    ("title", "read"), [("Leave policy", "Leave policy"), ("Word Document", ""), ("Document1", "")]
)
def test_the_title_is_the_propertys_only_if_a_person_wrote_it(title: str, read: str) -> None:
    def write(document: WordDocument) -> None:
        document.core_properties.title = title
        document.add_paragraph("Text")

    assert parse_text("a.docx", word_file(write)).metadata.title == read


def test_encrypted_old_and_broken_files_say_so() -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    assert skip_reason("a.docx", ole + "EncryptedPackage".encode("utf-16-le") + bytes(99)) == "encrypted"
    assert skip_reason("a.docx", ole) == "malformed"
    assert skip_reason("a.docx", EMPTY[:900]) == "malformed"
    assert skip_reason("a.docx", replace_part(EMPTY, "word/document.xml", b"<w:document")) == "malformed"
    assert skip_reason("a.docx", EMPTY) == "no-text"


def test_a_bomb_is_not_unpacked() -> None:
    bomb = replace_part(word_file(lambda document: document.add_paragraph("x")), "word/media/x.xml", bytes(400_000))
    result = parser.parse("a.docx", bomb, largest_unpacked=300_000)
    assert isinstance(result, Skipped)
    assert result.reason == "too-large"


def test_entities_are_not_expanded() -> None:
    lots = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    body = f"<w:document {nsdecls('w')}><w:body><w:p><w:r><w:t>&e9; kept</w:t></w:r></w:p></w:body></w:document>"
    bomb = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY e0 "ha">{lots}]>{body}'.encode()
    assert skip_reason("a.docx", replace_part(EMPTY, "word/document.xml", bomb)) == "malformed"
