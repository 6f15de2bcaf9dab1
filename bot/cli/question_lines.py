"""Question lines: JSON lines in, queries out; a line that cannot be read costs itself and nothing else."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from retrieval.evaluation.question_lines import InvalidQuestion, parse_id, parse_object, parse_query
from retrieval.passages import Query

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that could be read, under the id that its line gave it."""

    id: str | int
    query: Query


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that could not be read, and why; `id` is None when not even that could be."""

    id: str | int | None
    error: str


def read(lines: Iterable[bytes], *, groups: frozenset[str] = frozenset()) -> Iterator[Asked | Unreadable]:
    """One value for each line, in order; blank lines are passed over. `groups` are for lines that name none."""
    for number, line in enumerate(lines):
        stripped = (line.removeprefix(BOM) if number == 0 else line).strip()
        if stripped:
            yield _read_one(stripped, groups)


def _read_one(line: bytes, groups: frozenset[str]) -> Asked | Unreadable:
    name = None
    try:
        row = parse_object(line.decode())
        name = parse_id(row)
        return Asked(name, parse_query(row, groups=groups))
    except UnicodeDecodeError:
        return Unreadable(None, "expected UTF-8")
    except InvalidQuestion as reason:
        return Unreadable(name, str(reason))
