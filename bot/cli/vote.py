from collections import Counter
from itertools import islice
from typing import BinaryIO

import click

from bot.channels.json_format import vote_json
from bot.channels.terminal.rendering import vote_text
from bot.cli.errors import CommandFailed
from bot.cli.invocation import Invocation
from bot.cli.options import current_user, json_option, user_option
from bot.cli.output import print_json, print_json_line, print_note, print_text
from bot.cli.progress import progress_line
from bot.cli.vote_lines import VoteLine, read_votes
from bot.errors import UsageProblem
from bot.services.votes import CHOICES, REASONS, Choice, VoteRequest
from feedback.errors import UnknownExchange
from feedback.records import Reason

BATCH = 200


@click.command("vote")
@click.argument("answer", required=False)
@click.argument("vote", type=click.Choice(CHOICES), required=False)
@click.option("--reason", type=click.Choice(REASONS), help="What is wrong with it; with `down`.")
@click.option("--comment", metavar="T", default="", help="Your own words; with `up` or `down`.")
@click.option("--correction", metavar="T", default="", help="The answer that would be right; with `down`.")
@user_option("Who votes")
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
        _vote_many(invocation, source, as_json=as_json)
        return
    if not answer or not vote:
        raise click.UsageError("Give ANSWER and one of up, down, none, or --from FILE.")
    voter = current_user(user)
    if not voter:
        raise UsageProblem("a vote needs a person: name one with --user")
    request = VoteRequest(answer, vote, voter, reason or "", comment, correction)
    try:
        current = invocation.app.votes.vote(request)
    except UnknownExchange as error:
        raise CommandFailed(f"{error}; `footnote ask TEXT --json` prints the id of its answer") from error
    if as_json:
        print_json(vote_json(current))
    else:
        print_text(vote_text(request, current))


def _vote_many(invocation: Invocation, lines: BinaryIO, *, as_json: bool) -> None:
    """Record all votes of a file, a batch at a time; a line that is refused costs itself and is named."""
    counts = Counter({"added": 0, "known": 0, "refused": 0})
    votes = read_votes(lines)
    with progress_line() as advance:
        while batch := list(islice(votes, BATCH)):
            for line, error in _record(invocation, batch, counts):
                if as_json:
                    print_json_line({"key": line.key, "error": error})
                else:
                    print_note(f"line {line.number}: {error}")
            advance("votes", sum(counts.values()), 0)
    if as_json:
        print_json_line(dict(counts))
    else:
        print_text(f"{counts['added']} added, {counts['known']} known already, {counts['refused']} refused")
        if counts["waiting"]:
            print_text(
                f"{counts['waiting']} wait on this machine: the feedback store cannot be reached, and will take those "
                "whose answers it knows"
            )
    if counts["refused"]:
        raise CommandFailed(f"lines that were refused: {counts['refused']}; all others have been taken")


def _record(invocation: Invocation, batch: list[VoteLine], counts: Counter[str]) -> list[tuple[VoteLine, str]]:
    """Record the votes of these lines and count them; returns the lines that are refused, in order, and why."""
    results = iter(invocation.app.votes.vote_many([line.vote for line in batch if line.vote]))
    refused = []
    for line in batch:
        if line.vote is None:
            refused.append((line, line.error))
        elif (result := next(results)) == "unknown-answer":
            refused.append((line, str(UnknownExchange(line.vote.request.answer))))
        else:
            counts[result] += 1
    counts["refused"] += len(refused)
    return refused
