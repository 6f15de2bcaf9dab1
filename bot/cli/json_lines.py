"""Lines of JSON lines, whatever wrote the file."""

from collections.abc import Iterable, Iterator

BOM = b"\xef\xbb\xbf"


def numbered_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank with their numbers from 1, without a byte order mark and white space."""
    for number, line in enumerate(lines, start=1):
        stripped = (line.removeprefix(BOM) if number == 1 else line).strip()
        if stripped:
            yield number, stripped
