"""How the loading tests look at what a parser returned."""

from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.registry import parse
from retrieval.passages import Block


def parsed(name: str, content: str | bytes) -> Parsed:
    """The parsed file; a skip fails the test with its reason."""
    result = parse(name, content.encode() if isinstance(content, str) else content)
    assert isinstance(result, Parsed), result
    return result


def skipped(name: str, content: str | bytes) -> str:
    """The reason why the file was skipped."""
    result = parse(name, content.encode() if isinstance(content, str) else content)
    assert isinstance(result, Skipped), result
    assert result.detail
    assert "\n" not in result.detail
    return result.reason


def said(document: Parsed, block: Block) -> str:
    return document.text[block.start : block.end]


def outline(document: Parsed) -> list[tuple[int, str, str]]:
    """Level, text and anchor of every heading."""
    return [(block.level, said(document, block), block.anchor) for block in document.blocks if block.kind == "heading"]


def kinds(document: Parsed) -> list[tuple[str, str]]:
    return [(block.kind, said(document, block)) for block in document.blocks]


def assert_well_formed(document: Parsed) -> None:
    """Blocks slice back to stripped text, in order, without overlap, and the text holds nothing unprintable."""
    position = 0
    for block in document.blocks:
        text = said(document, block)
        assert position <= block.start < block.end <= len(document.text)
        assert text
        assert text == text.strip()
        assert not document.text[position : block.start].strip()
        assert 1 <= block.level <= 6 or block.kind != "heading"
        position = block.end
    assert position == len(document.text)
    assert not {"\r", "\x00", "\u200b", "\u00ad", "\u00a0"} & set(document.text)
    document.text.encode()
