"""An answer as Slack shows it: Markdown for what is said, footnotes as links, buttons (pure)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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

from bot.answering.answers import Answer, Citation, Sentence
from bot.channels.slack.escaping import markdown, markdown_link, mrkdwn, mrkdwn_link
from bot.services.escalation import Escalation
from retrieval.passages import Hit

Json = dict[str, Any]

# Slack refuses a message whose blocks hold about 13,200 characters in all; there is some room left for buttons.
MOST_IN_ALL = 12_000
MOST_SAID = 11_000
MOST_IN_SECTION = 2_900
# Of a line of somebody's words, so that it fits a section even when each of its signs must be escaped.
MOST_IN_LINE = 500
SECTIONS_IN_MESSAGE = 4
# Of `text`, which notifications and old clients show; chat.update refuses more than 4,000.
MOST_TEXT = 3_000

VOTE = "footnote_vote"
QUOTES = "footnote_quotes"
ASK_PERSON = "footnote_ask_person"
SHARE = "footnote_share"
ACCEPT = "footnote_accept"

WITHDRAWN = "The question was deleted, so its answer is withdrawn."
NEAREST = "The closest sections:"

_ITEM = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s+")
_NUMBERED = re.compile(r"\s*(\d{1,3})[.)]\s")
_RULE = re.compile(r"[\s|:-]+")
CELL = " | "


@dataclass(frozen=True, slots=True)
class Show:
    """How an answer is shown in a place."""

    revision: str  # makes the names of blocks new with each version of a message
    buttons: bool = True  # thumbs
    person: bool = True  # whether somebody can be asked
    share: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What one message holds; `text` stands for the blocks where they are not shown."""

    text: str
    blocks: tuple[Json, ...] = field(default=())


def said(sentence: Sentence, citations: Mapping[int, Citation], *, before: str = "") -> str:
    """A sentence in Markdown with its marks, as it goes on after `before`; items and rows stand on their own lines."""
    marks = "".join(f" {_mark(number, citations)}" for number in sentence.citations)
    text = _table(sentence.text) or _lines(sentence.text)
    alone = "\n" in text or _is_item(text)
    if text.startswith("| "):
        marks = f"\n\n{marks.strip()}" if marks else ""
    return f"{_gap(before, text, alone=alone)}{text}{marks}"


def body(answer: Answer) -> str:
    """All that an answer says, in Markdown."""
    citations, text = {each.number: each for each in answer.citations}, ""
    for sentence in answer.sentences:
        text += said(sentence, citations, before=text)
    return text or markdown(answer.text)


def messages(answer: Answer, show: Show) -> list[Message]:
    """The whole answer in as few messages as hold it; all but the first follow the first in its thread."""
    first, *more = _split(body(answer).strip() or "…", MOST_SAID)
    parts = [[MarkdownBlock(text=each)] for each in (first, *more)]
    last: list[Block] = [*parts[-1]]
    done: list[list[Block]] = [list(part) for part in parts[:-1]]
    for block in below(answer, show):
        if len(last) >= 45 or _length([*last, block]) > MOST_IN_ALL:
            done.append(last)
            last = []
        last.append(block)
    text = fallback(answer)
    return [Message(text, tuple(block.to_dict() for block in blocks)) for blocks in (*done, last)]


def below(answer: Answer, show: Show) -> list[Block]:
    """What stands below the words: notes, footnotes or the nearest sections, and buttons."""
    notes = [
        each.text + "".join(f" [{n}]" for n in each.citations if f"[{n}]" not in each.text) for each in answer.warnings
    ]
    notes += filter(None, (answer.fallback, show.note))
    blocks: list[Block] = [
        ContextBlock(elements=[_verbatim(mrkdwn(f"Note: {_cut(each, MOST_IN_SECTION - 200)}"))]) for each in notes
    ]
    footnotes = [
        f"[{each.number}] {mrkdwn_link(each.url, _cut(place(each.title, each.section), 300))}"
        for each in answer.citations
    ]
    near = list(dict.fromkeys(_near(hit) for hit in answer.nearest))
    if near:
        near = [NEAREST, *(f"• {each}" for each in near)]
    blocks += [SectionBlock(text=_verbatim(each)) for lines in (footnotes, near) for each in _packed(lines)]
    return [*blocks, *buttons(answer, show)]


def buttons(answer: Answer, show: Show) -> list[Block]:
    """What can be pressed; nothing below small talk, and no thumbs where nothing was recorded."""
    if answer.is_small_talk:
        return []
    pressed = []
    if answer.citations and answer.id:
        pressed.append(ButtonElement(text="Quoted text", action_id=QUOTES, value=answer.id))
    if show.person and answer.id:
        pressed.append(ButtonElement(text="Ask a person", action_id=ASK_PERSON, value=answer.id))
    if show.share:
        pressed.append(ButtonElement(text="Share here", action_id=SHARE, value=answer.id or "-"))
    blocks: list[Block] = []
    if pressed:
        blocks.append(ActionsBlock(block_id=f"do-{show.revision}", elements=pressed))
    if show.buttons and answer.id:
        blocks.append(thumbs(answer.id, show.revision))
    return blocks


def thumbs(answer: str, revision: str) -> Block:
    """The feedback buttons of an answer."""
    return ContextActionsBlock(
        block_id=f"vote-{revision}",
        elements=[
            FeedbackButtonsElement(
                action_id=VOTE,
                positive_button=FeedbackButtonObject(
                    text="Good answer", accessibility_label="This answer helped", value=f"up:{answer}"
                ),
                negative_button=FeedbackButtonObject(
                    text="Bad answer", accessibility_label="This answer did not help", value=f"down:{answer}"
                ),
            )
        ],
    )


def fallback(answer: Answer) -> str:
    """The answer without blocks, for notifications, in mrkdwn."""
    return _cut(mrkdwn(answer.text), MOST_TEXT) or "…"


def so_far(text: str, words: str) -> Message:
    """What is said by now, in Markdown, and in plain words."""
    return Message(_cut(mrkdwn(words), MOST_TEXT), (MarkdownBlock(text=text).to_dict(),))


def line(text: str) -> Message:
    """One line of our own words."""
    safe = mrkdwn(text)
    return Message(_cut(safe, MOST_TEXT), (SectionBlock(text=_verbatim(_cut(safe, MOST_IN_SECTION))).to_dict(),))


def note(text: str, action: str, answer: str) -> Message:
    """A line about somebody's vote, with a button that takes it back; without an answer there is nothing to take."""
    made = line(text)
    if not answer:
        return made
    button = ActionsBlock(elements=[ButtonElement(text="Take it back", action_id=action, value=answer)])
    return Message(made.text, (*made.blocks, button.to_dict()))


def under(message: Message, heading: str, question: str) -> Message:
    """The message below a heading and the question that it answers."""
    quoted = _quoted(question, 1000)
    top = SectionBlock(text=_verbatim(_cut(f"{mrkdwn(heading)}\n{quoted}", MOST_IN_SECTION))).to_dict()
    return Message(message.text, (top, *message.blocks))


def without(blocks: Iterable[Json], action: str) -> list[Json]:
    """The blocks without what may be pressed under this name."""
    kept = []
    for block in blocks:
        left = [each for each in block.get("elements", ()) if each.get("action_id") != action]
        if left or "elements" not in block:
            kept.append(block | {"elements": left} if left else block)
    return kept


def request(passed: Escalation) -> Message:
    """What the owners of documents see of a question that is passed on to them."""
    said_before = " ".join(passed.sentences) or "Nothing was found."
    sections = [f"• {mrkdwn_link(each.url, _cut(place(each.title, each.section), 300))}" for each in passed.sections]
    parts = [
        mrkdwn("Somebody asks, and would like a person's answer:"),
        _quoted(passed.question, 2000),
        f"{mrkdwn('What I said:')}\n{_quoted(said_before, 2000)}",
        *_packed(sections),
        mrkdwn("Reply in this thread, and it goes back to whoever asked."),
    ]
    blocks = [SectionBlock(text=_verbatim(_cut(each, MOST_IN_SECTION))) for each in parts if each]
    return Message(_cut(mrkdwn(passed.question), MOST_TEXT), tuple(block.to_dict() for block in blocks))


def replies(text: str) -> list[Message]:
    """What a person replied, for whoever asked, in as few messages as hold it."""
    heading = mrkdwn("Somebody who owns these documents replies:")
    lines = (piece for each in text.splitlines() for piece in _split(each, MOST_IN_LINE))
    texts = [heading, *_packed(f"> {mrkdwn(piece)}" for piece in lines)]
    several = [texts[start : start + SECTIONS_IN_MESSAGE] for start in range(0, len(texts), SECTIONS_IN_MESSAGE)]
    return [
        Message(_cut("\n".join(part), MOST_TEXT), tuple(SectionBlock(text=_verbatim(each)).to_dict() for each in part))
        for part in several
    ]


def acceptable(ts: str, revision: str) -> Message:
    """Below a reply that was sent on: whether it is the right answer from now on."""
    text = "Sent on to whoever asked. If it is what I should have said, accept it, and it is learned from."
    blocks = [
        SectionBlock(text=_verbatim(mrkdwn(text))),
        ActionsBlock(
            block_id=f"accept-{revision}",
            elements=[ButtonElement(text="Accept as the right answer", action_id=ACCEPT, value=ts)],
        ),
    ]
    return Message(text, tuple(block.to_dict() for block in blocks))


def place(title: str, path: str) -> str:
    """Where to look: document title › section, the title not said twice."""
    headings = [heading for heading in path.split(" > ") if heading]
    if headings and headings[0] == title:
        headings = headings[1:]
    return " › ".join([title, *headings])


def plain(text: str, most: int = 75) -> PlainTextObject:
    """A label of our own or of a document; plain text is never a mark."""
    return PlainTextObject(text=_cut(text, most) or "…", emoji=False)


def _quoted(text: str, most: int) -> str:
    """Somebody's words, line by line behind a bar."""
    return "\n".join(f"> {mrkdwn(each)}" for each in _cut(text, most).splitlines() if each.strip())


def _mark(number: int, citations: Mapping[int, Citation]) -> str:
    cited = citations.get(number)
    return markdown_link(cited.url if cited else "", f"[{number}]")


def _lines(text: str) -> str:
    """Items keep their markers, everything else is text."""
    return "\n".join(_line(each) for each in text.strip().splitlines() if each.strip())


def _line(text: str) -> str:
    found = _ITEM.match(text)
    if not found and CELL in text:
        return f"- {markdown(text.strip())}"  # a row alone is no table, and must not run on
    if not found:
        return markdown(text.strip())
    number = _NUMBERED.match(text)
    return f"{f'{number.group(1)}.' if number else '-'} {markdown(text[found.end() :].strip())}"


def _table(text: str) -> str:
    """Rows of a table as one; empty for what is none."""
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
    """What separates a sentence from those before it."""
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


def _near(hit: Hit) -> str:
    passage = hit.passage
    return mrkdwn_link(passage.link, _cut(place(passage.title, passage.section), 300))


def _packed(lines: Iterable[str]) -> Iterator[str]:
    """Lines in as few texts as hold them; one that is too long for any is left out whole, as a cut link would lie."""
    held: list[str] = []
    for each in (each for each in lines if len(each) <= MOST_IN_SECTION):
        if held and len("\n".join([*held, each])) > MOST_IN_SECTION:
            yield "\n".join(held)
            held = []
        held.append(each)
    if held:
        yield "\n".join(held)


def _split(text: str, most: int) -> list[str]:
    """The text in pieces, each cut at the end of a paragraph, else of a line, else of a word."""
    pieces = []
    while len(text) > most:
        ends = (text.rfind(end, most // 2, most) for end in ("\n\n", "\n", " "))
        at = next((end for end in ends if end > 0), most)
        pieces.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*pieces, text] if text else pieces


def _length(blocks: Sequence[Block]) -> int:
    return sum(len(text) for block in blocks for text in _texts(block.to_dict()))


def _texts(value: Any) -> Iterator[str]:
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
    """Slack makes no links of its own in it."""
    return MarkdownTextObject(text=text, verbatim=True)


def _cut(text: str, most: int) -> str:
    """The beginning of a text that is too long; no escaped sign is cut through."""
    return text if len(text) <= most else re.sub(r"&\w{0,3}$", "", text[: most - 2]).rstrip() + " …"
