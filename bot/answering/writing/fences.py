"""Tells code between fences (three backticks) from the text around it, as it streams in (pure)."""

from collections.abc import Iterator

FENCE = "```"
# Spaces before a fence, at most; an item of a list is indented.
INDENT = 8


class FenceReader:
    """Takes a text character by character, and gives it back with the code in one piece.

    What comes out depends on the text alone, however it is split. A fence that nothing ends holds the rest.
    """

    def __init__(self) -> None:
        self._begins = ""  # what may become a fence, at the beginning of a line
        self._may_begin = True
        self._opening: list[str] = []  # the line of an opening fence
        self._has_info = False  # whether more than backticks stands in it
        self._is_code = False
        self._code: list[str] = []
        self._line: list[str] = []  # of the code

    def feed(self, character: str) -> Iterator[tuple[str, bool]]:
        """Yield what this character completes: text as it is, or the code of a fence, and whether it is code."""
        if self._is_code:
            yield from self._read_code(character)
        elif self._opening:
            yield from self._read_opening(character)
        elif self._may_begin and (character == "`" or (character == " " and len(self._begins) < INDENT)):
            self._begins += character
            if self._begins.endswith(FENCE):
                self._opening, self._has_info, self._begins = [self._begins], False, ""
        else:
            yield self._begins + character, False
            self._begins, self._may_begin = "", character == "\n"

    def close(self) -> Iterator[tuple[str, bool]]:
        """Yield what is left at the end of the text."""
        line = "".join(self._line)
        if self._is_code:
            yield "".join(self._code) + ("" if _ends_fence(line) else line), True
        elif left := "".join(self._opening) + self._begins:
            yield left, False

    def _read_opening(self, character: str) -> Iterator[tuple[str, bool]]:
        """Read what stands beside an opening fence; a backtick there makes it code within a line."""
        if character == "\n":
            self._opening, self._is_code = [], True
            return
        self._opening.append(character)
        if character == "`" and self._has_info:
            yield "".join(self._opening), False
            self._opening, self._may_begin = [], False
        self._has_info = self._has_info or character != "`"

    def _read_code(self, character: str) -> Iterator[tuple[str, bool]]:
        self._line.append(character)
        if character != "\n":
            return
        if _ends_fence("".join(self._line)):
            yield "".join(self._code), True
            self._code, self._is_code, self._may_begin = [], False, True
        else:
            self._code += self._line
        self._line = []


def _ends_fence(line: str) -> bool:
    return line.strip().startswith(FENCE) and not line.strip().strip("`")
