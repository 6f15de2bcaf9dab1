"""Parses small files for the tests, and looks at the blocks that came out."""

from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.registry import parse
from retrieval.passages import Block


def parse_text(name: str, content: str | bytes) -> Parsed:
    """The parsed file; a skip fails the test with its reason."""
    result = parse(name, content.encode() if isinstance(content, str) else content)
    assert isinstance(result, Parsed), result
    return result


def skip_reason(name: str, content: str | bytes) -> str:
    """The reason why the file was skipped."""
    result = parse(name, content.encode() if isinstance(content, str) else content)
    assert isinstance(result, Skipped), result
    assert result.detail
    assert "\n" not in result.detail
    return result.reason


def block_text(document: Parsed, block: Block) -> str:
    return document.text[block.start : block.end]


def headings(document: Parsed) -> list[tuple[int, str, str]]:
    """Level, text and anchor of every heading."""
    return [
        (block.level, block_text(document, block), block.anchor) for block in document.blocks if block.kind == "heading"
    ]


def blocks(document: Parsed) -> list[tuple[str, str]]:
    """Kind and text of every block."""
    return [(block.kind, block_text(document, block)) for block in document.blocks]


def assert_well_formed(document: Parsed) -> None:
    """Blocks slice back to stripped text, in order, without overlap, and the text holds nothing unprintable."""
    position = 0
    for block in document.blocks:
        text = block_text(document, block)
        assert position <= block.start < block.end <= len(document.text)
        assert text
        assert text == text.strip()
        assert not document.text[position : block.start].strip()
        assert 1 <= block.level <= 6 or block.kind != "heading"
        position = block.end
    assert position == len(document.text)
    assert not {"\r", "\x00", "\u200b", "\u00ad", "\u00a0"} & set(document.text)
    document.text.encode()
