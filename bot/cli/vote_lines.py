"""Vote lines: JSON lines in, votes out; a line that cannot be read costs itself and nothing else."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.cli.json_lines import numbered_lines
from bot.errors import UsageProblem
from bot.services.votes import BatchVote, parse_batch_vote


@dataclass(frozen=True, slots=True)
class VoteLine:
    """A line with its number: its vote, or why there is none. `key` is None where the line gives none."""

    number: int
    key: str | None
    vote: BatchVote | None = None
    error: str = ""


def read_votes(lines: Iterable[bytes]) -> Iterator[VoteLine]:
    """Yield one value for each line that is not blank, in order."""
    for number, line in numbered_lines(lines):
        key = None
        try:
            row = json.loads(line)
            key = row.get("key") if isinstance(row, dict) and isinstance(row.get("key"), str) else None
            yield VoteLine(number, key, parse_batch_vote(row))
        except UsageProblem as error:
            yield VoteLine(number, key, error=str(error))
        except (ValueError, RecursionError):
            yield VoteLine(number, key, error="it is no JSON in UTF-8")
