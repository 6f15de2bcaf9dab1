"""Renders the modals and the app's home page as Slack's views (pure)."""

import json
from collections.abc import Sequence
from typing import Any

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

from bot.channels import presentation
from bot.channels.overview import HomePage, OwnVote
from bot.channels.presentation import pack_lines, section_label
from bot.channels.slack.escaping import mrkdwn, mrkdwn_link
from bot.channels.slack.install.manifest import COMMAND
from bot.channels.slack.rendering import MOST_IN_SECTION, WITHDRAW, plain
from feedback.records import StoredCitation

Json = dict[str, Any]

FEEDBACK = "footnote_feedback"
ERASE = "footnote_erase"

# Of a field that a person fills; what is kept has the same limit.
MOST_TYPED = 3000
MOST_BLOCKS = 95


def feedback_modal(answer: str, *, lead: float = 0.0) -> Json:
    """Return the modal that asks what was wrong with an answer; the vote counts already.

    `lead` is how many seconds our clock is ahead of Slack's, by which the vote has its time.
    """
    options = [Option(value=reason, text=plain(label)) for reason, label in presentation.REASONS.items()]
    return _modal(
        presentation.WHAT_WAS_WRONG,
        [
            ContextBlock(elements=[_verbatim(presentation.VOTE_COUNTS_ALREADY)]),
            InputBlock(
                block_id="reason",
                label=plain(presentation.REASON),
                optional=True,
                element=StaticSelectElement(
                    action_id="reason", options=options, placeholder=plain(presentation.CHOOSE_REASON)
                ),
            ),
            _text_input("comment", presentation.COMMENT),
            _text_input("correction", presentation.CORRECTION),
        ],
        callback_id=FEEDBACK,
        submit=plain(presentation.SEND),
        private_metadata=json.dumps({"answer": answer, "lead": lead}),
    )


def parse_feedback(view: Json) -> tuple[str, float, dict[str, str]]:
    """Return the answer that the modal is about, its `lead`, and the reason, comment and correction, empty for none."""
    values = (view.get("state") or {}).get("values") or {}
    found = {}
    for name in ("reason", "comment", "correction"):
        given = (values.get(name) or {}).get(name) or {}
        found[name] = str((given.get("selected_option") or {}).get("value") or given.get("value") or "")
    answer, lead = _about(str(view.get("private_metadata") or ""))
    return answer, lead, found


def _about(metadata: str) -> tuple[str, float]:
    """Return the answer and the `lead` that a modal was opened with; no answer where another version wrote them."""
    try:
        about = json.loads(metadata)
        return str(about["answer"]), float(about.get("lead", 0.0))
    except (ValueError, TypeError, KeyError):
        return "", 0.0


def quotes_modal(citations: Sequence[StoredCitation]) -> Json:
    """Return the modal with the quoted text behind each footnote."""
    blocks: list[Block] = []
    for cited in citations[: MOST_BLOCKS // 3]:
        link = mrkdwn_link(cited.url, section_label(cited.title, cited.section)[:300])
        blocks.append(SectionBlock(text=_verbatim(f"*[{cited.number}]* {link}"[:2900])))
        quoted = mrkdwn(cited.quote.strip()) or presentation.QUOTE_PRUNED
        blocks.append(
            SectionBlock(text=_verbatim("\n".join(f"> {line}" for line in quoted[:2500].splitlines())[:2950]))
        )
    return _modal(presentation.QUOTED_TEXT, blocks or [SectionBlock(text=_verbatim(presentation.NO_QUOTES))])


def text_modal(title: str, text: str) -> Json:
    """Return a modal with one line."""
    return _modal(title, [SectionBlock(text=_verbatim(mrkdwn(text)))])


def home_view(page: HomePage) -> Json:
    """Return the app's home page."""
    blocks: list[Block] = [
        HeaderBlock(text=plain(presentation.SOURCES_HEADING)),
        *_listed(
            [f"• {mrkdwn(name)}{mrkdwn(f', newest from {day}') if day else ''}" for name, day in page.sources]
            or [presentation.NO_SOURCES]
        ),
        HeaderBlock(text=plain(presentation.HOW_TO_ASK_HEADING)),
        SectionBlock(
            text=_verbatim(
                f"Write to me here, mention me in a channel, or type `{COMMAND} your question` for an answer "
                "that only you see. In a thread go on without a mention. Each sentence of an answer names its section; "
                "*Quoted text* shows its words."
            )
        ),
        HeaderBlock(text=plain(presentation.OWN_VOTES_HEADING)),
        *_votes(page.votes),
    ]
    if page.owns:
        blocks += [HeaderBlock(text=plain(presentation.OWN_DOCUMENTS_HEADING)), *_owned(page)]
    return View(type="home", blocks=[*blocks[: MOST_BLOCKS - 4], *_privacy(page)]).to_dict()


def _votes(votes: Sequence[OwnVote]) -> list[Block]:
    if not votes:
        return [SectionBlock(text=_verbatim(presentation.NO_VOTES))]
    return [
        SectionBlock(
            block_id=f"vote-{number}",
            text=_verbatim(f"{presentation.VOTE_SIGNS[each.vote]} {mrkdwn(_question(each))} ({each.at:%d.%m.%Y})"),
            accessory=ButtonElement(text=presentation.WITHDRAW, action_id=WITHDRAW, value=each.answer),
        )
        for number, each in enumerate(votes)
    ]


def _question(vote: OwnVote) -> str:
    return vote.question[:200] or presentation.UNNAMED_ANSWER


def _owned(page: HomePage) -> list[Block]:
    lines = [f"• {mrkdwn(section_label(each.title, each.section))}: {each.down} 👎" for each in page.failing]
    waiting = "" if page.reviews is None else presentation.REVIEWS_WAIT.format(count=page.reviews)
    return _listed([*(lines or [presentation.NOTHING_FAILS]), *filter(None, [waiting])])


def _privacy(page: HomePage) -> list[Block]:
    return [
        DividerBlock(),
        HeaderBlock(text=plain(presentation.PRIVACY_HEADING)),
        SectionBlock(
            text=_verbatim(presentation.privacy_text(keep_words=page.keep_words, keep_exchanges=page.keep_exchanges))
        ),
        ActionsBlock(
            elements=[
                ButtonElement(
                    text=presentation.ERASE_MINE,
                    action_id=ERASE,
                    value="erase",
                    style="danger",
                    confirm=ConfirmObject(
                        title=presentation.ERASE_TITLE,
                        text=plain(presentation.ERASE_WARNING, 300),
                        confirm=presentation.ERASE,
                        deny=presentation.KEEP,
                    ),
                )
            ]
        ),
    ]


def _listed(lines: Sequence[str]) -> list[Block]:
    """Return lines in as few sections as hold them."""
    texts = pack_lines((line[:MOST_IN_SECTION] for line in lines), MOST_IN_SECTION)
    return [SectionBlock(text=_verbatim(text)) for text in texts]


def _text_input(name: str, label: str) -> InputBlock:
    return InputBlock(
        block_id=name,
        label=plain(label),
        optional=True,
        element=PlainTextInputElement(action_id=name, multiline=True, max_length=MOST_TYPED),
    )


def _modal(title: str, blocks: Sequence[Block], **more: Any) -> Json:
    made: Json = View(
        type="modal", title=plain(title, 24), close=plain(presentation.CLOSE), blocks=blocks, **more
    ).to_dict()
    return made


def _verbatim(text: str) -> MarkdownTextObject:
    return MarkdownTextObject(text=text, verbatim=True)
