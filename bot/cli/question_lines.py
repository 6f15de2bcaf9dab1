"""Question lines: JSON lines in, queries out; a line that cannot be read costs itself and nothing else."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.cli.json_lines import numbered_lines
from retrieval.evaluation.question_lines import InvalidQuestion, parse_id, parse_object, parse_query
from retrieval.passages import Query


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """A question under the id that its line gave it."""

    id: str | int
    query: Query


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """A line that could not be read, and why; `id` is None when not even that could be."""

    id: str | int | None
    error: str


def read_questions(
    lines: Iterable[bytes], *, groups: frozenset[str] = frozenset()
) -> Iterator[QuestionLine | UnreadableLine]:
    """Yield one value for each line that is not blank, in order; `groups` are for lines that name none."""
    for _, line in numbered_lines(lines):
        yield _read_question(line, groups)


def _read_question(line: bytes, groups: frozenset[str]) -> QuestionLine | UnreadableLine:
    name = None
    try:
        row = parse_object(line.decode())
        name = parse_id(row)
        return QuestionLine(name, parse_query(row, groups=groups))
    except UnicodeDecodeError:
        return UnreadableLine(None, "expected UTF-8")
    except InvalidQuestion as reason:
        return UnreadableLine(name, str(reason))
