"""A file of lines that counts them."""

from pathlib import Path
from typing import BinaryIO


class LineFile:
    """A new file of lines; `head` is a first line that is not counted. Its folder is made where it is missing."""

    def __init__(self, path: Path, *, head: bytes = b"") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("wb")
        self.count = 0
        if head:
            self._file.write(head + b"\n")

    def add(self, line: bytes) -> int:
        """Write a line and return its number, from 0."""
        self._file.write(line + b"\n")
        self.count += 1
        return self.count - 1

    def close(self) -> None:
        """Write what is still buffered, and close the file."""
        self._file.close()
