"""What an event asks: its own words, or the message that it points to, as "can you answer this?" does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.answering.understanding.addressing import asks_something, points_elsewhere
from bot.channels.events import IncomingEvent, Place, content_hash
from bot.channels.port import WrittenMessage
from retrieval.passages import Turn

# Messages before the one that is answered, which it is understood from.
MOST_CONTEXT = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What an event asks: its words, the person whose words they are, and their `content_hash`.

    `message` is the message that holds them where it is another than the event's, `context` what was written before it:
    it helps to understand the question, and is recorded nowhere.
    """

    text: str
    author: str
    content: str = ""
    message: str = ""
    context: tuple[Turn, ...] = ()


def own_words(event: IncomingEvent) -> Asked:
    """Return what an event asks by itself."""
    return Asked(event.text.strip(), event.author_person, event.content or content_hash(event.text))


def asked_by(event: IncomingEvent, read_before: Callable[[Place], Sequence[WrittenMessage]]) -> Asked:
    """Return what an event asks: where a mention of the bot asks nothing by itself, what others have written before.

    `read_before` gives the messages before one, and may raise `NotDelivered`. In private there is nobody else.
    """
    points = event.mentions_bot and not event.place.is_direct and points_elsewhere(event.text)
    found = find_question(read_before(event.place), event.place) if points else None
    return found or own_words(event)


def find_question(before: Sequence[WrittenMessage], place: Place) -> Asked | None:
    """Return the question among the messages before a mention, oldest first; None where there is nothing to answer.

    In a thread it is the last one that asks something, else the one that began the thread; in a channel it is the last
    message, if that asks something.
    """
    written = [each for each in before if not points_elsewhere(each.text)]
    if not place.thread:
        written = written[-1:] if written and written[-1:] == list(before[-1:]) else []
    chosen = next((each for each in reversed(written) if asks_something(each.text)), None)
    if chosen is None and place.thread and written and written[0].message == place.thread:
        chosen = written[0]
    if chosen is None:
        return None
    earlier = written[: written.index(chosen)][-MOST_CONTEXT:]
    return Asked(
        chosen.text.strip(),
        f"{place.platform}:{chosen.user}",
        chosen.content,
        chosen.message,
        tuple(Turn("user", each.text) for each in earlier) if place.thread else (),
    )
