"""What opens over a conversation, and the app's own page (pure)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    InputBlock,
    Option,
    PlainTextInputElement,
    SectionBlock,
    StaticSelectElement,
)
from slack_sdk.models.blocks.basic_components import MarkdownTextObject
from slack_sdk.models.views import View

from bot.channels.slack.escaping import mrkdwn, mrkdwn_link
from bot.channels.slack.rendering import place, plain
from bot.services.overview import FailingSection
from feedback.records import Reason, StoredCitation

Json = dict[str, Any]

FEEDBACK = "footnote_feedback"
WITHDRAW = "footnote_withdraw"
ERASE = "footnote_erase"

SIGNS = {"up": "👍", "down": "👎"}
# Of a field that a person fills; what is kept has the same limit.
MOST_TYPED = 3000
MOST_BLOCKS = 95

REASONS: dict[Reason, str] = {
    "wrong": "It is wrong",
    "outdated": "It is outdated",
    "incomplete": "It is incomplete",
    "wrong-source": "It cites the wrong document",
    "unclear": "It is hard to understand",
    "tone": "Its tone is wrong",
}
assert set(REASONS) == {reason for reason in get_args(Reason) if reason}


@dataclass(frozen=True, slots=True)
class About:
    """Which answer a modal is about, and where the note on it goes."""

    answer: str
    channel: str = ""
    thread: str = ""

    def to_json(self) -> str:
        return json.dumps({"answer": self.answer, "channel": self.channel, "thread": self.thread})


def about(text: str) -> About:
    """What `to_json` has written."""
    row = json.loads(text)
    return About(row["answer"], row.get("channel", ""), row.get("thread", ""))


def feedback(what: About) -> Json:
    """What was wrong with an answer; the vote counts already."""
    options = [Option(value=reason, text=plain(told)) for reason, told in REASONS.items()]
    return _modal(
        "What was wrong?",
        [
            ContextBlock(elements=[_verbatim("Your vote counts already. Whatever you add helps those who mend it.")]),
            InputBlock(
                block_id="reason",
                label=plain("Reason"),
                optional=True,
                element=StaticSelectElement(action_id="reason", options=options, placeholder=plain("Choose one")),
            ),
            _typed("comment", "Comment"),
            _typed("correction", "A better answer"),
        ],
        callback_id=FEEDBACK,
        submit=plain("Send"),
        private_metadata=what.to_json(),
    )


def typed(view: Json) -> tuple[About, dict[str, str]]:
    """What a person filled into the modal: reason, comment and correction, empty where nothing."""
    values = (view.get("state") or {}).get("values") or {}
    found = {}
    for name in ("reason", "comment", "correction"):
        given = (values.get(name) or {}).get(name) or {}
        found[name] = str((given.get("selected_option") or {}).get("value") or given.get("value") or "")
    return about(str(view.get("private_metadata") or "{}")), found


def quotes(citations: Sequence[StoredCitation]) -> Json:
    """The quoted text behind each footnote."""
    blocks: list[Block] = []
    for cited in citations[: MOST_BLOCKS // 3]:
        link = mrkdwn_link(cited.url, place(cited.title, cited.section)[:300])
        blocks.append(SectionBlock(text=_verbatim(f"*[{cited.number}]* {link}"[:2900])))
        quoted = mrkdwn(cited.quote.strip()) or "The words are not kept any more; the link leads to them."
        blocks.append(
            SectionBlock(text=_verbatim("\n".join(f"> {line}" for line in quoted[:2500].splitlines())[:2950]))
        )
    return _modal("Quoted text", blocks or [SectionBlock(text=_verbatim("This answer quotes nothing."))])


def told(title: str, text: str) -> Json:
    """One line in a modal."""
    return _modal(title, [SectionBlock(text=_verbatim(mrkdwn(text)))])


@dataclass(frozen=True, slots=True)
class OwnVote:
    """A vote of whoever looks: what was asked, if they asked it themselves, and what they said."""

    answer: str
    question: str
    vote: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What the app's page says to one person; `sources` are those that they may read, with the day of their newest."""

    sources: Sequence[tuple[str, str]] = ()
    votes: Sequence[OwnVote] = ()
    owns: bool = False
    failing: Sequence[FailingSection] = ()
    reviews: int | None = None
    keep_words: int = 0
    keep_exchanges: int = 0
    command: str = "/ask"


def home(known: Known) -> Json:
    """The app's page."""
    blocks: list[Block] = [
        HeaderBlock(text=plain("What I know")),
        *_listed(
            [f"• {mrkdwn(name)}{mrkdwn(f', newest from {day}') if day else ''}" for name, day in known.sources]
            or ["There are no documents for you yet."]
        ),
        HeaderBlock(text=plain("How to ask")),
        SectionBlock(
            text=_verbatim(
                f"Write to me here, mention me in a channel, or type `{known.command} your question` for an answer "
                "that only you see. In a thread go on without a mention. Each sentence of an answer names its section; "
                "*Quoted text* shows its words."
            )
        ),
        HeaderBlock(text=plain("Your votes")),
        *_votes(known.votes),
    ]
    if known.owns:
        blocks += [HeaderBlock(text=plain("Your documents")), *_owned(known)]
    return View(type="home", blocks=[*blocks[: MOST_BLOCKS - 4], *_privacy(known)]).to_dict()


def _votes(votes: Sequence[OwnVote]) -> list[Block]:
    if not votes:
        return [
            SectionBlock(text=_verbatim("You have not voted yet. A thumb under an answer tells whether it helped."))
        ]
    return [
        SectionBlock(
            block_id=f"vote-{number}",
            text=_verbatim(f"{SIGNS[each.vote]} {mrkdwn(each.question[:200] or 'An answer')} ({each.at:%d.%m.%Y})"),
            accessory=ButtonElement(text="Withdraw", action_id=WITHDRAW, value=each.answer),
        )
        for number, each in enumerate(votes)
    ]


def _owned(known: Known) -> list[Block]:
    lines = [f"• {mrkdwn(place(each.title, each.section))}: {each.down} 👎" for each in known.failing]
    waiting = "" if known.reviews is None else f"{known.reviews} answers wait for a review: `footnote review`"
    return _listed([*(lines or ["No section of yours fails people."]), *filter(None, [waiting])])


def _privacy(known: Known) -> list[Block]:
    kept = _days("The words of questions and answers are kept {days}", known.keep_words)
    longer = _days("what is counted {days}", known.keep_exchanges)
    return [
        DividerBlock(),
        HeaderBlock(text=plain("Privacy")),
        SectionBlock(
            text=_verbatim(
                "I keep what you ask me, the answer and your votes under a name that cannot be read back to you. "
                f"{kept}, {longer}. Nobody sees who voted."
            )
        ),
        ActionsBlock(
            elements=[
                ButtonElement(
                    text="Erase mine",
                    action_id=ERASE,
                    value="erase",
                    style="danger",
                    confirm=ConfirmObject(
                        title="Erase everything of yours?",
                        text=plain("Your questions, their answers and your votes go. It cannot be undone.", 300),
                        confirm="Erase",
                        deny="Keep",
                    ),
                )
            ]
        ),
    ]


def _days(text: str, days: int) -> str:
    return text.format(days=f"for {days} days" if days else "for good")


def _listed(lines: Sequence[str]) -> list[Block]:
    """Lines in as few sections as hold them."""
    blocks: list[Block] = []
    held: list[str] = []
    for line in lines:
        if held and len("\n".join([*held, line])) > 2900:
            blocks.append(SectionBlock(text=_verbatim("\n".join(held))))
            held = []
        held.append(line[:2900])
    return [*blocks, SectionBlock(text=_verbatim("\n".join(held)))]


def _typed(name: str, label: str) -> InputBlock:
    return InputBlock(
        block_id=name,
        label=plain(label),
        optional=True,
        element=PlainTextInputElement(action_id=name, multiline=True, max_length=MOST_TYPED),
    )


def _modal(title: str, blocks: Sequence[Block], **more: Any) -> Json:
    made: Json = View(type="modal", title=plain(title, 24), close=plain("Close"), blocks=blocks, **more).to_dict()
    return made


def _verbatim(text: str) -> MarkdownTextObject:
    return MarkdownTextObject(text=text, verbatim=True)
