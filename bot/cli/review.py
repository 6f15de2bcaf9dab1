import click

from bot.channels.json_format import decision_json, review_json
from bot.cli.errors import CommandFailed
from bot.cli.invocation import Invocation
from bot.cli.options import current_user, json_option, user_option
from bot.cli.output import note_skipped, print_json, print_note, print_text
from bot.errors import UsageProblem
from bot.services.reviews import VERDICTS, ReviewDecision, Verdict
from feedback.errors import UnknownExchange


@click.command("review")
@click.option(
    "--decide",
    "decision",
    type=(str, click.Choice(VERDICTS)),
    metavar="ANSWER VERDICT",
    help=f"Decide on one answer without asking: {', '.join(VERDICTS)}.",
)
@click.option(
    "--correct", "typed", type=(str, str), metavar="ANSWER TEXT", help="Say what one answer should have been."
)
@click.option(
    "--correction", metavar="KEY", default="", help="Which correction is accepted or rejected; needed if several wait."
)
@click.option(
    "--min-agreement",
    type=click.FloatRange(0.5, 1.0),
    default=0.75,
    show_default=True,
    metavar="A",
    help="The share of votes that must agree; below it an answer is disputed.",
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="GROUP",
    help="A group of the reviewer's, beside everyone; what others alone may read is not shown. May be repeated.",
)
@user_option("Who decides")
@json_option
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    decision: tuple[str, Verdict] | None,
    typed: tuple[str, str] | None,
    correction: str,
    min_agreement: float,
    groups: tuple[str, ...],
    user: str | None,
    as_json: bool,
) -> None:
    """Decide on disputed and down-voted answers and on corrections that wait.

    Walks through them, oldest first. What is decided here outranks votes, and is not shown again. With --json they are
    listed; --decide and --correct are for scripts.
    """
    reviewer = current_user(user)
    if decision and typed:
        raise UsageProblem("give --decide or --correct, not both")
    if correction and not decision:
        raise UsageProblem("--correction goes with --decide ANSWER accept, or reject")
    if decision:
        _decide(invocation, ReviewDecision(decision[0], decision[1], reviewer, correction), as_json=as_json)
    elif typed:
        if not typed[1].strip():
            raise UsageProblem("--correct needs the text that would be right")
        _decide(invocation, ReviewDecision(typed[0], "accept", reviewer, text=typed[1]), as_json=as_json)
    elif as_json:
        _list(invocation, min_agreement=min_agreement, groups=frozenset(groups))
    else:
        from bot.channels.terminal.review_session import ReviewSession
        from bot.channels.terminal.screen import Terminal

        ReviewSession(
            terminal=Terminal(),
            reviews=invocation.app.reviews,
            min_agreement=min_agreement,
            reviewer=reviewer,
            groups=frozenset(groups),
        ).run()


def _decide(invocation: Invocation, decision: ReviewDecision, *, as_json: bool) -> None:
    try:
        recorded = invocation.app.reviews.decide(decision)
    except UnknownExchange as error:
        raise CommandFailed(f"{error}; `footnote review --json` lists what waits") from error
    if as_json:
        print_json(decision_json(recorded))
    else:
        print_text(f"Decided: {recorded.verdict}.")


def _list(invocation: Invocation, *, min_agreement: float, groups: frozenset[str]) -> None:
    from bot.channels.terminal.review_session import CLOSED
    from feedback.curation.judgements import pending_corrections, review_reason

    listed, closed = [], 0
    for each in invocation.app.reviews.waiting(min_agreement=min_agreement, groups=groups, skipped=note_skipped):
        if each is None:
            closed += 1
            continue
        why = review_reason(each, min_agreement=min_agreement)
        listed.append(review_json(each, why=why, corrections=list(pending_corrections(each))))
    print_json(listed)
    if closed:
        print_note(CLOSED.format(count=closed))
