"""A review in the terminal: one answer after the other that waits for a decision."""

from collections.abc import Sequence

from bot.channels.terminal import rendering
from bot.channels.terminal.screen import Terminal
from bot.errors import UsageProblem
from bot.services.reviews import ReviewDecision, ReviewService, Verdict
from feedback.curation.judgements import ReviewReason, pending_corrections, review_reason
from feedback.errors import UnknownExchange
from feedback.records import Correction, ReviewedExchange

WHY: dict[ReviewReason, str] = {
    "disputed": "people disagree",
    "down": "voted down",
    "correction": "a correction waits",
}
CLOSED = (
    "{count} more wait that rest on documents which you may not read, or were asked in other groups: name yours with "
    "--group."
)
CHOICES = "a approve  d drop  t type what is right  s skip  q quit"
CORRECTION_CHOICES = "c accept the correction  r reject it  "
HELP = """\
  a   the answer is right, whatever people say
  c   the correction is right: it is trained on in the answer's place (c2: the second one)
  r   the correction is wrong (r2: the second one)
  t   type what is right
  d   nothing is to be learned from this
  s   decide later
  q   quit, as ctrl-d does"""


class ReviewSession:
    """Goes through the review queue with one reviewer, oldest first."""

    def __init__(
        self,
        *,
        terminal: Terminal,
        reviews: ReviewService,
        min_agreement: float,
        reviewer: str,
        groups: frozenset[str],
    ) -> None:
        self._terminal = terminal
        self._reviews = reviews
        self._min_agreement = min_agreement
        self._reviewer = reviewer
        self._groups = groups
        self._settled = 0

    def run(self) -> None:
        """Ask until nothing waits or the reviewer quits; raises `UsageProblem` where nobody is named to decide."""
        waiting = list(self._reviews.waiting(min_agreement=self._min_agreement, groups=self._groups))
        answers = [each.exchange.id for each in waiting if each]
        if closed := len(waiting) - len(answers):
            self._terminal.note(CLOSED.format(count=closed))
        if not answers:
            self._terminal.note("Nothing waits for a review.")
            return
        if not self._reviewer:
            raise UsageProblem("a review needs a person: say who decides, with --user")
        for number, answer in enumerate(answers, start=1):
            if not self._review(answer, f"{number} of {len(answers)}"):
                break
        self._terminal.note(f"{self._settled} decided, {len(answers) - self._settled} left.")

    def _review(self, answer: str, position: str) -> bool:
        """Ask for decisions until the answer waits no more or is skipped; returns whether to go on after it.

        What somebody else has decided by now is passed over.
        """
        try:
            reviewed = self._reviews.reviewed(answer, groups=self._groups)
        except UnknownExchange:  # its asker was forgotten meanwhile
            self._settled += 1
            return True
        if reviewed is None:  # closed to the reviewer meanwhile
            return True
        why = self._why(reviewed)
        if why:
            heading, corrections = f"{position}: {WHY[why]}", list(pending_corrections(reviewed))
            width = self._terminal.width
            self._terminal.print_line(
                rendering.review_text(reviewed, heading=heading, corrections=corrections, width=width)
            )
        while self._why(reviewed):
            corrections = list(pending_corrections(reviewed))
            typed = self._terminal.read(f"{CORRECTION_CHOICES if corrections else ''}{CHOICES}  ? help\n> ")
            if typed is None or typed in {"q", "/quit"}:
                return False
            if typed == "s":
                return True
            self._take(answer, typed, corrections)
            reviewed = self._reviews.reviewed(answer, groups=self._groups)
            if reviewed is None:
                return True
        self._settled += 1
        return True

    def _why(self, reviewed: ReviewedExchange) -> ReviewReason:
        return review_reason(reviewed, min_agreement=self._min_agreement)

    def _take(self, answer: str, typed: str, corrections: Sequence[Correction]) -> None:
        chosen = typed[1:].strip() or "1"
        if typed == "a":
            self._decide(answer, "approve")
        elif typed == "d":
            self._decide(answer, "drop")
        elif typed == "t":
            text = self._terminal.read("What is right (enter for nothing): ") or ""
            if text:
                self._decide(answer, "accept", text=text)
        elif typed[:1] in {"c", "r"} and chosen.isdecimal() and 1 <= int(chosen) <= len(corrections):
            key = corrections[int(chosen) - 1].key
            self._decide(answer, "accept" if typed[0] == "c" else "reject", correction=key)
        else:
            self._terminal.print_line(HELP)

    def _decide(self, answer: str, verdict: Verdict, *, correction: str = "", text: str = "") -> None:
        try:
            self._reviews.decide(ReviewDecision(answer, verdict, self._reviewer, correction, text))
        except UsageProblem as error:
            self._terminal.print_line(str(error))
