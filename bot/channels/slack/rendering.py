"""Renders answers and lines as Slack's blocks: Markdown for sentences, footnotes as links, buttons (pure)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextActionsBlock,
    ContextBlock,
    FeedbackButtonObject,
    FeedbackButtonsElement,
    MarkdownBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from bot.answering.answers import Answer, Citation, Sentence, SentenceLink
from bot.channels import presentation
from bot.channels.port import DisplayOptions, Json, Message, ReplyAction
from bot.channels.presentation import pack_lines, section_label, shorten, split_text
from bot.channels.slack.escaping import code, code_block, joined, markdown, markdown_link, mrkdwn, mrkdwn_link
from bot.channels.slack.markdown import as_mrkdwn
from bot.services.escalation import Escalation
from retrieval.sectioning.sentences import CELL, row_cells

# Slack refuses a message whose blocks hold about 13,200 characters in all; there is some room left for buttons.
MOST_IN_ALL = 12_000
MOST_SENTENCES = 11_000  # of the text of an answer, in one message
MOST_IN_SECTION = 2_900
# Of a line of somebody's words, so that it fits a section even when each of its signs must be escaped.
MOST_IN_LINE = 500
SECTIONS_IN_MESSAGE = 4
MOST_FILES = 10  # a message holds no more
# Of `text`, which notifications and old clients show; chat.update refuses more than 4,000.
MOST_TEXT = 3_000

VOTE = "footnote_vote"
VOTES = (VOTE, f"{VOTE}_positive", f"{VOTE}_negative")  # as feedback, and as two plain buttons
QUOTES = "footnote_quotes"
ASK_PERSON = "footnote_ask_person"
SHARE = "footnote_share"
ACCEPT = "footnote_accept"
SEND = "footnote_send_reply"
WITHDRAW = "footnote_withdraw"
REPLY_BUTTONS: Mapping[ReplyAction, tuple[str, str]] = {
    "send": (presentation.SEND_REPLY, SEND),
    "accept": (presentation.ACCEPT_REPLY, ACCEPT),
}

_ITEM = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s+")
_NUMBERED = re.compile(r"\s*(\d{1,3})[.)]\s")
_RULE = re.compile(r"[\s|:-]+")
# With what stands before and after it, so that nothing gets lost between.
_ADDRESS = re.compile(r"(\bhttps?://[^\s<>|()]+[^\s<>|().,;:!?\"'])", re.IGNORECASE)


def sentence_text(sentence: Sentence, citations: Mapping[int, Citation], *, before: str = "") -> str:
    """Return a sentence in Markdown with its marks, as it goes on after `before`; items and rows have own lines.

    A block begins below its heading, apart from what stands before; what is left out of it is told at its end.
    """
    marks = "".join(f" {_mark(number, citations)}" for number in sentence.citations)
    if sentence.is_code_block:
        gap = "\n\n" if before else ""
        return f"{gap}{code_block(sentence.text)}\n\n{marks.strip()}"
    heading = f"**{markdown(sentence.starts.heading)}**\n\n" if sentence.starts and sentence.starts.heading else ""
    more = f"\n\n{markdown(sentence.more_text)}" if sentence.more else ""
    if row := _table_row(sentence, marks, before=before):
        return f"{_gap(before, row, alone=True) if sentence.starts else chr(10)}{heading}{row}{more}"
    text = _table(sentence.text) or _linked(sentence)
    alone = "\n" in text or _is_item(text)
    if text.startswith("| "):
        marks = f"\n\n{marks.strip()}" if marks else ""
    goes_on = before and not sentence.starts and not alone and _is_item(before.rpartition("\n")[2])
    gap = " " if goes_on else "\n\n" if sentence.starts and before else _gap(before, text, alone=alone)
    return f"{gap}{heading}{text}{marks}{more}"


def body(answer: Answer) -> str:
    """Return all sentences of an answer in Markdown, else its text."""
    citations, text = {each.number: each for each in answer.citations}, ""
    for sentence in answer.sentences:
        text += sentence_text(sentence, citations, before=text)
    return text or markdown(answer.text)


def answer_messages(answer: Answer, options: DisplayOptions) -> list[Message]:
    """Return the whole answer in as few messages as hold it; all but the first follow the first in its thread."""
    first, *more = split_text(body(answer).strip() or "…", MOST_SENTENCES)
    parts = [[MarkdownBlock(text=each)] for each in (first, *more)]
    last: list[Block] = [*parts[-1]]
    full: list[list[Block]] = [list(part) for part in parts[:-1]]
    for block in answer_footer(answer, options):
        if len(last) >= 45 or characters([each.to_dict() for each in (*last, block)]) > MOST_IN_ALL:
            full.append(last)
            last = []
        last.append(block)
    text = fallback(answer)
    return [Message(text, tuple(block.to_dict() for block in blocks)) for blocks in (*full, last)]


def answer_footer(answer: Answer, options: DisplayOptions) -> list[Block]:
    """Return what stands below the sentences: notes, footnotes or the nearest sections, who wrote it, and buttons."""
    notes = presentation.notes(answer, extra=options.note)
    blocks: list[Block] = [
        ContextBlock(elements=[_verbatim(mrkdwn(presentation.NOTE.format(text=shorten(each, MOST_IN_SECTION - 200))))])
        for each in notes
    ]
    footnotes = [f"[{each.number}] {_section_link(each.url, each.title, each.section)}" for each in answer.citations]
    passages = (hit.passage for hit in answer.nearest)
    near = list(dict.fromkeys(_section_link(each.link, each.title, each.section) for each in passages))
    if near:
        near = [presentation.NEAREST_HEADING, *(f"• {each}" for each in near)]
    blocks += [
        SectionBlock(text=_verbatim(each)) for lines in (footnotes, near) for each in pack_lines(lines, MOST_IN_SECTION)
    ]
    if origin := presentation.origin_note(answer):
        blocks.append(ContextBlock(elements=[_verbatim(mrkdwn(origin))]))
    return [*blocks, *buttons(answer, options)]


def buttons(answer: Answer, options: DisplayOptions) -> list[Block]:
    """Return what can be pressed; nothing below small talk, and no thumbs where nothing was recorded."""
    if answer.is_small_talk:
        return []
    pressed = []
    if answer.citations and answer.id:
        pressed.append(ButtonElement(text=presentation.QUOTED_TEXT, action_id=QUOTES, value=answer.id))
    if options.person and answer.id:
        pressed.append(ButtonElement(text=presentation.ASK_PERSON, action_id=ASK_PERSON, value=answer.id))
    if options.share:
        pressed.append(ButtonElement(text=presentation.SHARE_HERE, action_id=SHARE, value=answer.id or "-"))
    blocks: list[Block] = []
    if pressed:
        blocks.append(ActionsBlock(block_id=f"do-{options.revision}", elements=pressed))
    if options.buttons and answer.id:
        blocks.append(thumbs(answer.id, options.revision))
    return blocks


def thumbs(answer: str, revision: str) -> Block:
    """Return the feedback buttons of an answer."""
    return ContextActionsBlock(
        block_id=f"vote-{revision}",
        elements=[
            FeedbackButtonsElement(
                action_id=VOTE,
                positive_button=FeedbackButtonObject(
                    text=presentation.GOOD_ANSWER,
                    accessibility_label=presentation.GOOD_ANSWER_HINT,
                    value=f"up:{answer}",
                ),
                negative_button=FeedbackButtonObject(
                    text=presentation.BAD_ANSWER,
                    accessibility_label=presentation.BAD_ANSWER_HINT,
                    value=f"down:{answer}",
                ),
            )
        ],
    )


def simpler_blocks(content: Sequence[Json]) -> list[Json]:
    """Return the blocks without those that a place may refuse: Markdown as mrkdwn, feedback as two plain buttons."""
    simpler: list[Json] = []
    for block in content:
        if block["type"] == "markdown":
            texts = split_text(as_mrkdwn(str(block["text"])), MOST_IN_SECTION) or ["…"]
            simpler += [SectionBlock(text=_verbatim(each)).to_dict() for each in texts]
        elif block["type"] == "context_actions":
            simpler.append(_plain_buttons(block))
        else:
            simpler.append(dict(block))
    return simpler


def fallback(answer: Answer) -> str:
    """Return the answer without blocks, for notifications, in mrkdwn."""
    return shorten(mrkdwn(answer.text), MOST_TEXT) or "…"


def partial_answer(text: str, words: str) -> Message:
    """Return the sentences that there are by now, in Markdown and in plain words, as a message."""
    return Message(shorten(mrkdwn(words), MOST_TEXT), (MarkdownBlock(text=text).to_dict(),))


def line(text: str) -> Message:
    """Return one line of the bot's own words."""
    safe = mrkdwn(text)
    return Message(shorten(safe, MOST_TEXT), (SectionBlock(text=_verbatim(shorten(safe, MOST_IN_SECTION))).to_dict(),))


def vote_note(text: str, answer: str) -> Message:
    """Return a line about somebody's vote, with a button that takes it back where an answer is given."""
    made = line(text)
    if not answer:
        return made
    button = ActionsBlock(elements=[ButtonElement(text=presentation.TAKE_IT_BACK, action_id=WITHDRAW, value=answer)])
    return Message(made.text, (*made.content, button.to_dict()))


def under_heading(message: Message, heading: str, question: str) -> Message:
    """Return the message below a heading and the question that it answers."""
    quoted = _quoted(question, 1000)
    top = SectionBlock(text=_verbatim(shorten(f"{mrkdwn(heading)}\n{quoted}", MOST_IN_SECTION))).to_dict()
    return Message(message.text, (top, *message.content))


def escalation_request(escalation: Escalation) -> Message:
    """Return a question that is passed on, as the owners of documents see it."""
    answer = " ".join(escalation.sentences) or (presentation.NOTHING_FOUND if escalation.abstained else "")
    sections = [f"• {_section_link(each.url, each.title, each.section)}" for each in escalation.sections]
    parts = [
        mrkdwn(presentation.SOMEBODY_ASKS),
        _quoted(escalation.question, 2000),
        f"{mrkdwn(presentation.WHAT_I_SAID)}\n{_quoted(answer, 2000)}" if answer else "",
        *pack_lines(sections, MOST_IN_SECTION),
        mrkdwn(presentation.REPLY_HERE),
    ]
    blocks = [SectionBlock(text=_verbatim(shorten(each, MOST_IN_SECTION))) for each in parts if each]
    return Message(shorten(mrkdwn(escalation.question), MOST_TEXT), tuple(block.to_dict() for block in blocks))


def reply_messages(text: str, files: Sequence[str] = ()) -> list[Message]:
    """Return a person's reply, as whoever asked sees it, in as few messages as hold it."""
    heading = mrkdwn(presentation.EXPERT_REPLIES)
    lines = (piece for each in text.splitlines() for piece in split_text(each, MOST_IN_LINE))
    quoted = [f"> {_with_addresses(piece)}" for piece in lines]
    if files:
        named = presentation.FILES_NOT_SENT.format(files=", ".join(shorten(each, 100) for each in files[:MOST_FILES]))
        quoted.append(mrkdwn(named))
    texts = [heading, *pack_lines(quoted, MOST_IN_SECTION)]
    several = [texts[start : start + SECTIONS_IN_MESSAGE] for start in range(0, len(texts), SECTIONS_IN_MESSAGE)]
    return [
        Message(
            shorten("\n".join(part), MOST_TEXT), tuple(SectionBlock(text=_verbatim(each)).to_dict() for each in part)
        )
        for part in several
    ]


def reply_note(text: str, *, action: ReplyAction | None = None, value: str = "", revision: str = "") -> Message:
    """Return a line below an expert's reply, with the button that sends it on or makes it the right answer."""
    made = line(text)
    if action is None:
        return made
    label, action_id = REPLY_BUTTONS[action]
    button = ButtonElement(text=label, action_id=action_id, value=value)
    return Message(
        made.text, (*made.content, ActionsBlock(block_id=f"{action}-{revision}", elements=[button]).to_dict())
    )


def characters(content: Sequence[Json]) -> int:
    """Return how many characters Slack counts of a message's blocks."""
    return sum(len(text) for block in content for text in _texts(block))


def plain(text: str, most: int = 75) -> PlainTextObject:
    """Return a label; plain text is never taken for a mark."""
    return PlainTextObject(text=shorten(text, most) or "…", emoji=False)


def _plain_buttons(block: Json) -> Json:
    """Return the feedback buttons of a block as two buttons, which carry the same values."""
    pairs = [
        (f"{element['action_id']}_{side}", element[f"{side}_button"])
        for element in block["elements"]
        for side in ("positive", "negative")
    ]
    made = [
        ButtonElement(
            text=given["text"]["text"],
            action_id=action,
            value=given["value"],
            accessibility_label=given.get("accessibility_label"),
        )
        for action, given in pairs
    ]
    return ActionsBlock(block_id=block.get("block_id"), elements=made).to_dict()


def _quoted(text: str, most: int) -> str:
    """Return somebody's words, line by line behind a bar."""
    return "\n".join(f"> {mrkdwn(each)}" for each in shorten(text, most).splitlines() if each.strip())


def _mark(number: int, citations: Mapping[int, Citation]) -> str:
    cited = citations.get(number)
    return markdown_link(cited.url if cited else "", f"[{number}]")


def _linked(sentence: Sentence) -> str:
    """Return a sentence in Markdown, its words that lead somewhere as links, and what is marked as bold or code."""
    if not sentence.styles:
        return _with_links(_lines(sentence.text), sentence.links)
    item = _ITEM.match(sentence.text)
    at, shown = (item.end() if item else 0), ""
    for style in sentence.styles:
        if style.start >= at:  # what is marked of an item's marker is a marker
            before = _with_links(markdown(sentence.text[at : style.start]), sentence.links)
            shown = joined(joined(shown, before), _marked(sentence.text[style.start : style.end], style.kind))
            at = style.end
    return f"{_marker(item)}{joined(shown, _with_links(markdown(sentence.text[at:]), sentence.links))}"


def _with_links(shown: str, links: Sequence[SentenceLink]) -> str:
    """Return escaped text, in it the words that lead somewhere as links."""
    for link in links:
        words = markdown(link.text)
        before, found, after = shown.partition(words) if words else ("", "", "")
        if found and "](" not in before.rpartition("[")[2]:  # words that stand inside another link stay
            shown = f"{before}{markdown_link(link.url, link.text)}{after}"
    return shown


def _marked(text: str, kind: str) -> str:
    """Return words as bold, stressed or code; they hold no signs of their own, so that none ends it early."""
    if kind == "code":
        return code(text)
    sign = "**" if kind == "strong" else "*"
    return f"{sign}{markdown(text)}{sign}"


def _table_row(sentence: Sentence, marks: str, *, before: str) -> str:
    """Return a row as the next one of a table, the first as its head; empty for what does not fit one."""
    cells = [markdown(cell).replace("|", "¦") for cell in row_cells(sentence.text)]
    row = f"| {' | '.join(cells)}{marks} |"
    if sentence.starts and sentence.starts.kind == "table" and len(cells) > 1:
        return f"{row}\n|{' --- |' * len(cells)}"
    last = before.rpartition("\n")[2]
    goes_on = last.startswith("| ") and len(re.findall(r"(?<!\\)\|", last)) == len(cells) + 1
    return row if goes_on or (last.startswith("| --- |") and last.count("---") == len(cells)) else ""


def _lines(text: str) -> str:
    """Return lines in Markdown: items keep their markers, everything else is text."""
    return "\n".join(_line(each) for each in text.strip().splitlines() if each.strip())


def _line(text: str) -> str:
    found = _ITEM.match(text)
    if not found and CELL in text:
        return f"- {markdown(text.strip())}"  # a row alone is no table, and must not run on
    if not found:
        return markdown(text.strip())
    return f"{_marker(found)}{markdown(text[found.end() :].strip())}"


def _marker(item: re.Match[str] | None) -> str:
    """Return what an item of a list begins with; empty for none."""
    if item is None:
        return ""
    number = _NUMBERED.match(item[0])
    return f"{f'{number.group(1)}.' if number else '-'} "


def _table(text: str) -> str:
    """Return rows of a table as one; empty for what is none."""
    rows = [
        [cell.strip() for cell in row.strip().strip("|").split("|")]
        for row in text.strip().splitlines()
        if row.strip() and not _RULE.fullmatch(row)
    ]
    if len(rows) < 2 or len({len(row) for row in rows}) != 1 or len(rows[0]) < 2:
        return ""
    head, *others = ["| " + " | ".join(markdown(cell).replace("|", "¦") for cell in row) + " |" for row in rows]
    return "\n".join([head, "| " + " | ".join("---" for _ in rows[0]) + " |", *others])


def _gap(before: str, text: str, *, alone: bool) -> str:
    """Return what separates a sentence from those before it."""
    if not before:
        return ""
    if text.startswith("| ") or "\n| " in before.rpartition("\n\n")[2]:
        return "\n\n"
    listed = _is_item(before.rpartition("\n")[2])
    if alone:
        return "\n" if listed else "\n\n"
    return "\n\n" if listed else " "


def _is_item(text: str) -> bool:
    return text.startswith("- ") or bool(_NUMBERED.match(text))


def _with_addresses(text: str) -> str:
    """Return a line of a person's words in which each web address is a link to itself."""
    return "".join(
        mrkdwn_link(each, each) if _ADDRESS.fullmatch(each) else mrkdwn(each) for each in _ADDRESS.split(text)
    )


def _section_link(url: str, title: str, section: str) -> str:
    return mrkdwn_link(url, shorten(section_label(title, section), 300))


def _texts(value: Any) -> Iterator[str]:
    """Yield every text that stands in a block, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and key in {"text", "value"}:
                yield inner
            else:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _verbatim(text: str) -> MarkdownTextObject:
    """Return a text in which Slack makes no links of its own."""
    return MarkdownTextObject(text=text, verbatim=True)
