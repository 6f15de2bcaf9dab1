import click

from bot.cli import reading, shapes
from bot.cli.options import json_option, reserved_option, this_user
from bot.cli.output import Invocation, Refused, emit, say
from bot.errors import UsageProblem
from bot.voting import CHOICES, REASONS, Choice, Opinion
from feedback.errors import UnknownExchange
from feedback.records import Reason


@click.command("vote")
@click.argument("answer")
@click.argument("vote", type=click.Choice(CHOICES))
@click.option("--reason", type=click.Choice(REASONS), help="What is wrong with it; with `down`.")
@click.option("--comment", metavar="T", default="", help="Your own words; with `up` or `down`.")
@click.option("--correction", metavar="T", default="", help="The answer that would be right; with `down`.")
@click.option(
    "--user",
    metavar="U",
    help="Who votes: an e-mail address, slack:ID or teams:ID; else your name on this computer.",
)
@json_option
@reserved_option("--from", "vote")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    answer: str,
    vote: Choice,
    *,
    reason: Reason | None,
    comment: str,
    correction: str,
    user: str | None,
    as_json: bool,
) -> None:
    """Say whether an answer helped, or take that back.

    ANSWER is the `id` that `footnote ask TEXT --json` prints. Everybody has one vote on an answer: their latest
    counts, and `none` withdraws it.
    """
    voter = this_user(user)
    if not voter:
        raise UsageProblem("a vote needs a person: name one with --user")
    opinion = Opinion(answer, vote, voter, reason or "", comment, correction)
    try:
        recorded = invocation.house.vote(opinion)
    except UnknownExchange as error:
        raise Refused(f"{error}; `footnote ask TEXT --json` prints the id of its answer") from error
    if as_json:
        emit(shapes.standing(recorded))
    else:
        say(reading.standing(opinion, recorded))
