import pytest

from tests.retrieval.parsing.assertions import blocks, headings, parse_text, skip_reason


def test_paragraphs_end_at_blank_lines_and_keep_their_own_lines() -> None:
    assert blocks(parse_text("a.txt", "One\r\ntwo\r\n \r\n\r\nThree\n- a\n  b\n- c\n")) == [
        ("paragraph", "One\ntwo"),
        ("paragraph", "Three"),
        ("item", "- a\nb"),
        ("item", "- c"),
    ]


@pytest.mark.parametrize(
    ("lines", "level"),
    [
        ("Travel policy\n=============", 1),
        ("Hotels\n------", 2),
        ("GENERAL PROVISIONS", 1),
        ("3. Travel", 1),
        ("3.2 Hotels", 2),
        ("3.2.1. Late arrival", 3),
        ("Section 4", 1),
        ("Section 4: Trains", 1),
    ],
)
def test_a_line_that_can_only_be_a_heading_is_one(lines: str, level: int) -> None:
    document = parse_text("a.txt", f"Before it.\n\n{lines}\n\nAfter it.")
    assert headings(document) == [(level, lines.partition("\n")[0], "")]


@pytest.mark.parametrize(
    "line",
    [
        "3. Travel must be booked early.",
        "3 apples and pears",
        "12.5",
        "USA",
        "ACTIVE. IT IS.",
        "2024-01-01",
        "A short line",
    ],
)
def test_other_lines_are_text(line: str) -> None:
    assert headings(parse_text("a.txt", f"Before it.\n\n{line}\n\nAfter it.")) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_the_encoding_is_found(encoding: str) -> None:
    text = "The café pays “naïve” staff 5 € a day. " * 3
    assert parse_text("a.txt", text.encode(encoding)).text == text.strip()


def test_other_scripts_are_guessed_from_the_bytes() -> None:
    text = "Сотрудники имеют право на двадцать восемь дней оплачиваемого отпуска в год.\n" * 5
    assert "отпуска" in parse_text("a.txt", text.encode("cp1251")).text


@pytest.mark.parametrize("data", [bytes(range(256)) * 20, b"\x00" * 500, b"PK\x03\x04" + b"\x00\x01\x02" * 99])
def test_binary_data_is_refused(data: bytes) -> None:
    assert skip_reason("a.txt", data) == "malformed"


def test_a_stray_control_character_is_dropped() -> None:
    assert parse_text("a.txt", b"One\x00 two\x07 three " + b"four " * 40).text.startswith("One two three")
