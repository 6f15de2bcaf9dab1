import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from bot.channels.terminal.screen import Terminal
from bot.cli.options import json_option, this_user
from bot.cli.output import Invocation, Refused, emit, note, say
from bot.errors import UsageProblem
from bot.services.reviews import VERDICTS, ReviewDecision, Verdict
from feedback.errors import UnknownExchange

if TYPE_CHECKING:
    from feedback.curation.judgements import ReviewReason
    from feedback.records import Correction, ReviewedExchange

WHY: dict["ReviewReason", str] = {
    "disputed": "people disagree",
    "down": "voted down",
    "correction": "a correction waits",
}
CHOICES = "a approve  d drop  t type what is right  s skip  q quit"
CORRECTING = "c accept the correction  r reject it  "
# Turns of the conversation that are shown.
EARLIER = 4
HELP = """\
  a   the answer is right, whatever people say
  c   the correction is right: it is trained on in the answer's place (c2: the second one)
  r   the correction is wrong (r2: the second one)
  t   type what is right
  d   nothing is to be learned from this
  s   decide later
  q   quit, as ctrl-d does"""


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
    "--user",
    metavar="U",
    help="Who decides: an e-mail address, slack:ID or teams:ID; else your name on this computer.",
)
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
    user: str | None,
    as_json: bool,
) -> None:
    """Decide on disputed and down-voted answers and on corrections that wait.

    Walks through them, oldest first. What is decided here outranks votes, and is not shown again. With --json they are
    listed; --decide and --correct are for scripts.
    """
    reviewer = this_user(user)
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
        emit([_shape(each, min_agreement) for each in invocation.app.reviews.waiting(min_agreement=min_agreement)])
    else:
        Walk(invocation, Terminal(), min_agreement=min_agreement, reviewer=reviewer).run()


class Walk:
    """Goes through what waits, one answer after the other."""

    def __init__(self, invocation: Invocation, terminal: Terminal, *, min_agreement: float, reviewer: str) -> None:
        self._reviews = invocation.app.reviews
        self._terminal = terminal
        self._min_agreement = min_agreement
        self._reviewer = reviewer
        self._settled = 0

    def run(self) -> None:
        """Ask until nothing waits or nobody goes on."""
        names = [each.exchange.id for each in self._reviews.waiting(min_agreement=self._min_agreement)]
        if not names:
            note("Nothing waits for a review.")
            return
        if not self._reviewer:
            raise UsageProblem("a review needs a person: say who decides, with --user")
        for place, name in enumerate(names, start=1):
            if not self._asked(name, f"{place} of {len(names)}"):
                break
        note(f"{self._settled} decided, {len(names) - self._settled} left.")

    def _asked(self, name: str, place: str) -> bool:
        """Whether to go on after this one; what somebody else has decided by now is passed over."""
        try:
            judged = self._reviews.reviewed(name)
        except UnknownExchange:  # its asker was forgotten meanwhile
            self._settled += 1
            return True
        why = self._why(judged)
        if why:
            self._terminal.say(readable(judged, why, place, width=self._terminal.width))
        while self._why(judged):
            corrections = _pending(judged)
            typed = self._terminal.read(f"{CORRECTING if corrections else ''}{CHOICES}  ? help\n> ")
            if typed is None or typed in {"q", "/quit"}:
                return False
            if typed == "s":
                return True
            self._take(judged, typed, corrections)
            judged = self._reviews.reviewed(name)
        self._settled += 1
        return True

    def _why(self, judged: "ReviewedExchange") -> "ReviewReason":
        from feedback.curation.judgements import review_reason

        return review_reason(judged, min_agreement=self._min_agreement)

    def _take(self, judged: "ReviewedExchange", typed: str, corrections: "list[Correction]") -> None:
        name = judged.exchange.id
        chosen = typed[1:].strip() or "1"
        if typed == "a":
            self._rule(ReviewDecision(name, "approve", self._reviewer))
        elif typed == "d":
            self._rule(ReviewDecision(name, "drop", self._reviewer))
        elif typed == "t":
            text = self._terminal.read("What is right (enter for nothing): ") or ""
            if text:
                self._rule(ReviewDecision(name, "accept", self._reviewer, text=text))
        elif typed[:1] in {"c", "r"} and chosen.isdecimal() and 1 <= int(chosen) <= len(corrections):
            about = corrections[int(chosen) - 1].key
            self._rule(ReviewDecision(name, "accept" if typed[0] == "c" else "reject", self._reviewer, about))
        else:
            self._terminal.say(HELP)

    def _rule(self, decision: ReviewDecision) -> None:
        try:
            self._reviews.decide(decision)
        except UsageProblem as error:
            self._terminal.say(str(error))


def readable(judged: "ReviewedExchange", why: "ReviewReason", place: str, *, width: int) -> str:
    """What is to be decided on, as people read it; never who said what."""
    from bot.channels.terminal import rendering

    exchange = judged.exchange
    before = [
        f"{'Asked before' if role == 'user' else 'Answered'}: {text}" for role, text in exchange.history[-EARLIER:]
    ]
    sections = [
        f"[{each.number}] {rendering.place(each.title, each.section)}\n“{' '.join(each.quote.split())}”"
        for each in exchange.citations
    ]
    votes = [": ".join(filter(None, (f"{each.vote} {each.reason}".strip(), each.comment))) for each in judged.votes]
    corrections = [f"Correction {number}: {each.text}" for number, each in enumerate(_pending(judged), start=1)]
    parts = [before, [f"Question: {exchange.question}"], [exchange.answer], sections, votes, corrections]
    blocks = ["\n".join(_folded(line, width) for line in part) for part in parts if part]
    return "\n\n".join([f"--- {place}: {WHY[why]} ---", *blocks]) + "\n"


def _folded(text: str, width: int) -> str:
    lines = text.splitlines()
    return "\n".join(textwrap.fill(each, width, break_long_words=False, break_on_hyphens=False) for each in lines)


def _decide(invocation: Invocation, decision: ReviewDecision, *, as_json: bool) -> None:
    try:
        recorded = invocation.app.reviews.decide(decision)
    except UnknownExchange as error:
        raise Refused(f"{error}; `footnote review --json` lists what waits") from error
    made = {"answer": recorded.answer, "verdict": recorded.verdict, "correction": recorded.correction or None}
    if as_json:
        emit(made)
    else:
        say(f"Decided: {recorded.verdict}.")


def _pending(judged: "ReviewedExchange") -> "list[Correction]":
    from feedback.curation.judgements import pending_corrections

    return list(pending_corrections(judged))


def _shape(judged: "ReviewedExchange", min_agreement: float) -> dict[str, Any]:
    from feedback.curation.judgements import review_reason

    exchange = judged.exchange
    return {
        "answer": exchange.id,
        "why": review_reason(judged, min_agreement=min_agreement),
        "at": exchange.at.isoformat(),
        "question": exchange.question,
        "history": [{"role": role, "text": text} for role, text in exchange.history],
        "text": exchange.answer,
        "abstained": exchange.abstained,
        "citations": [
            {
                "number": each.number,
                "document": each.document,
                "title": each.title,
                "section": each.section,
                "anchor": each.anchor,
                "url": each.url,
                "quote": each.quote,
                "version": each.version,
            }
            for each in exchange.citations
        ],
        "votes": [{"vote": each.vote, "reason": each.reason, "comment": each.comment} for each in judged.votes],
        "corrections": list(_told(judged)),
    }


def _told(judged: "ReviewedExchange") -> Iterator[dict[str, Any]]:
    for each in _pending(judged):
        yield {"key": each.key, "text": each.text, "at": each.at.isoformat()}
