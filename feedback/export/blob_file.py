"""A temporary file of blobs, for what is too much for memory."""

from pathlib import Path


class BlobFile:
    """Blobs in a file, read back by the position at which they begin."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._end = 0

    def add(self, *blobs: bytes) -> int:
        """Write the blobs one after the other and return the position of the first."""
        start = self._end
        for blob in blobs:
            self._end += self._file.write(len(blob).to_bytes(8) + blob)
        return start

    def read(self, start: int, count: int) -> list[bytes]:
        """Return `count` blobs, the first of which begins at this position."""
        self._file.seek(start)
        return self.read_next(count)

    def read_next(self, count: int) -> list[bytes]:
        """Return the `count` blobs that follow those that were read last."""
        return [self._file.read(int.from_bytes(self._file.read(8))) for _ in range(count)]

    def close(self) -> None:
        """Close the file."""
        self._file.close()
