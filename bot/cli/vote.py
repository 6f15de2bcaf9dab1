import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from bot.channels import json_format
from bot.channels.terminal import rendering
from bot.cli.options import json_option, this_user
from bot.cli.output import Invocation, Refused, emit, emit_line, note, say
from bot.cli.progress import progress
from bot.errors import UsageProblem
from bot.services.votes import CHOICES, REASONS, Choice, VoteRequest, parse_batch_vote
from feedback.errors import UnknownExchange
from feedback.records import Reason

if TYPE_CHECKING:
    from bot.services.votes import BatchVote

BATCH = 200
BOM = b"\xef\xbb\xbf"


@click.command("vote")
@click.argument("answer", required=False)
@click.argument("vote", type=click.Choice(CHOICES), required=False)
@click.option("--reason", type=click.Choice(REASONS), help="What is wrong with it; with `down`.")
@click.option("--comment", metavar="T", default="", help="Your own words; with `up` or `down`.")
@click.option("--correction", metavar="T", default="", help="The answer that would be right; with `down`.")
@click.option(
    "--user",
    metavar="U",
    help="Who votes: an e-mail address, slack:ID or teams:ID; else your name on this computer.",
)
@click.option(
    "--from",
    "source",
    type=click.File("rb"),
    help='Read votes from JSON lines such as {"key": "1", "answer": "...", "user": "...", "vote": "up"}; `-` is the '
    "standard input.",
)
@json_option
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    answer: str | None,
    vote: Choice | None,
    *,
    reason: Reason | None,
    comment: str,
    correction: str,
    user: str | None,
    source: BinaryIO | None,
    as_json: bool,
) -> None:
    """Say whether an answer helped, or take that back.

    ANSWER is the `id` that `footnote ask TEXT --json` prints. Everybody has one vote on an answer: their latest
    counts, and `none` withdraws it. With --from, a line whose `key` was seen before changes nothing.
    """
    if source is not None:
        if answer or reason or comment or correction or user is not None:
            raise click.UsageError("--from goes without ANSWER; its lines say who votes, and for what reason.")
        _many(invocation, source, as_json=as_json)
        return
    if not answer or not vote:
        raise click.UsageError("Give ANSWER and one of up, down, none, or --from FILE.")
    voter = this_user(user)
    if not voter:
        raise UsageProblem("a vote needs a person: name one with --user")
    request = VoteRequest(answer, vote, voter, reason or "", comment, correction)
    try:
        recorded = invocation.app.votes.vote(request)
    except UnknownExchange as error:
        raise Refused(f"{error}; `footnote ask TEXT --json` prints the id of its answer") from error
    if as_json:
        emit(json_format.current_vote(recorded))
    else:
        say(rendering.current_vote(request, recorded))


def _many(invocation: Invocation, lines: BinaryIO, *, as_json: bool) -> None:
    """All votes of a file, some at once; a line that cannot be taken costs itself and is told."""
    counts = Counter({"added": 0, "known": 0, "refused": 0})
    numbered = _read(lines)
    with progress() as advance:
        while page := list(islice(numbered, BATCH)):
            for number, key, error in _taken(invocation, page, counts):
                counts["refused"] += 1
                if as_json:
                    emit_line({"key": key, "error": error})
                else:
                    note(f"line {number}: {error}")
            advance("votes", sum(counts.values()), 0)
    if as_json:
        emit_line(dict(counts))
    else:
        say(f"{counts['added']} added, {counts['known']} known already, {counts['refused']} refused")


def _taken(
    invocation: Invocation, page: list[tuple[int, Any, "BatchVote | str"]], counts: Counter[str]
) -> Iterator[tuple[int, Any, str]]:
    """Take the votes of these lines; gives those lines that were refused, in order, and why."""
    ballots = [given for _, _, given in page if not isinstance(given, str)]
    told = iter(invocation.app.votes.vote_many(ballots))
    for number, key, given in page:
        if isinstance(given, str):
            yield number, key, given
        elif (took := next(told)) == "unknown-answer":
            yield number, key, str(UnknownExchange(given.request.answer))
        else:
            counts[took] += 1


def _read(lines: Iterable[bytes]) -> Iterator[tuple[int, Any, "BatchVote | str"]]:
    """For each line that is not blank its number, its key, and its vote or what is wrong with it."""
    for number, line in enumerate(lines, 1):
        stripped = (line.removeprefix(BOM) if number == 1 else line).strip()
        if not stripped:
            continue
        key = None
        try:
            row = json.loads(stripped)
            key = row.get("key") if isinstance(row, dict) and isinstance(row.get("key"), str) else None
            given: BatchVote | str = parse_batch_vote(row)
        except UsageProblem as error:
            given = str(error)
        except (ValueError, RecursionError):
            given = "it is no JSON in UTF-8"
        yield number, key, given
