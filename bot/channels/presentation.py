"""Holds the texts that people see in any chat, and cuts and packs texts into pieces (pure)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, get_args

from feedback.records import Reason

if TYPE_CHECKING:  # nothing that only shows texts waits for what makes answers
    from bot.answering.answers import Answer
    from feedback.records import Vote

# Files that are named as not read, and of their names so many characters.
FILES_NAMED, LONGEST_FILE_NAME = 3, 80

# While a question is answered
STATUS_TEXTS = {"searching": "Looking in the documents …", "writing": "Writing the answer …"}
NOT_SERVED = "Footnote does not serve this workspace. Whoever runs it can tell you why."
BUSY = "There are more questions than I can answer at the moment. Please ask again in a minute."
NO_SEARCH = "I cannot search the documents just now. Please ask again in a few minutes."
NOT_READY = "There are no documents to look in yet. Whoever runs me has to index them first; please ask again then."
UNEXPECTED = "Something went wrong on my side (incident {incident}), so there is no answer. Please ask again."
TOO_LONG = "Your question has {characters:,} characters, and I read at most {limit:,}. Please ask in fewer words."
TOOK_TOO_LONG = (
    "This took too long, so I stopped looking. Please ask again, in fewer words or about one thing, or ask a person."
)
GAVE_UP = "I could not answer this: something went wrong each time I tried. Please ask again in a few minutes."
NOT_FOUND_UNASKED = "I could not find this in the documents. Only you see this; mention me to ask in another way."
NOTHING_TO_ANSWER = "There is no question of a person in this message."
ASK_ABOUT_MESSAGE, ASK_ABOUT_MESSAGE_HINT = "Ask Footnote", "An answer to this message that only you see."
MAY_NOT_WRITE = "I may not write there. Ask me in a direct message, or invite me to the channel."
STOPPED = "Stopped."

WELCOME = (
    "Hello! I answer questions from the company's own documents, and show the section behind every sentence. Write "
    "your question here: you alone see the answer, from what you yourself may read. Where you mention me in a channel, "
    "everybody there sees it, from what all of them may read."
)
WELCOME_CHANNEL = (
    "Hello! Mention me with a question, and I answer in its thread, with the section behind every sentence. Everybody "
    "here sees the answer, so it comes from documents that all of you may read. I keep only what is asked of me, "
    "nothing else that is said here."
)
FILES_NOT_READ = "I have not read {names}: I answer from the indexed documents alone."
ASK_IN_WORDS = "What would you like to know? Ask me in words."

# Below and around an answer
WRITTEN_BY_AI = "Written by an AI from the cited sections: check them."
QUOTED_ONLY = "Quoted from the cited sections."
KEPT_OF_YOU = "What is kept of you stands on my page."
NOTE = "Note: {text}"
NEAREST_HEADING = "The closest sections:"
WITHDRAWN = "The question was deleted, so its answer is withdrawn."
EARLIER_PART = "This part belonged to an earlier answer."
SHARED_HEADING = "Somebody asked, and shares the answer:"
SHARED_ALREADY = "It is shared already."
NOT_SHARED = "This cannot be shared any more. Please ask again."

# What can be pressed
GOOD_ANSWER, BAD_ANSWER = "Good answer", "Bad answer"
GOOD_ANSWER_HINT, BAD_ANSWER_HINT = "This answer helped", "This answer did not help"
QUOTED_TEXT = "Quoted text"
ASK_PERSON = "Ask a person"
SHARE_HERE = "Share here"
TAKE_IT_BACK = "Take it back"
ACCEPT_REPLY = "Accept as the right answer"
SEND_REPLY = "Send it to the asker"
WITHDRAW = "Withdraw"
ERASE_MINE = "Erase mine"

# Votes
VOTE_SIGNS = {"up": "👍", "down": "👎"}
VOTE_COUNTS = "Thank you, your vote counts: {vote}."
VOTE_WITHDRAWN = "Your vote is taken back."
VOTE_WAITS = "Your vote is kept. It counts as soon as the store of votes can be reached again."
VOTE_NOT_KEPT = "Your vote could not be kept. Please try again in a minute."
ANSWER_NOT_KEPT = "This answer is not kept any more, so nobody can vote on it."
WHAT_WAS_WRONG = "What was wrong?"
VOTE_COUNTS_ALREADY = "Your vote counts already. Whatever you add helps those who mend it."
REASON, COMMENT, CORRECTION = "Reason", "Comment", "A better answer"
CHOOSE_REASON, SEND, CLOSE = "Choose one", "Send", "Close"
REASONS: dict[Reason, str] = {
    "wrong": "It is wrong",
    "outdated": "It is outdated",
    "incomplete": "It is incomplete",
    "wrong-source": "It cites the wrong document",
    "unclear": "It is hard to understand",
    "tone": "Its tone is wrong",
}
assert set(REASONS) == {reason for reason in get_args(Reason) if reason}

# Quotes
QUOTES_COMING = "One moment …"
QUOTES_NOT_KEPT = "This answer is not kept any more."
QUOTES_NOT_SHOWN = "I cannot show these quotes any more. Please ask again."
QUOTES_UNREADABLE = "The quotes cannot be read just now. Please try again in a minute."
QUOTE_PRUNED = "The words are not kept any more; the link leads to them."
NO_QUOTES = "This answer quotes nothing."

# People who are asked
PASSED_ON = "I have passed this question on to the people who own these documents. Their reply will appear here."
PASSED_ON_PRIVATELY = (
    "I have passed your question on to the people who own these documents. I will write their reply to you."
)
# What then stands where the question was asked, in place of the first of these.
PROGRESS = {
    "asked": PASSED_ON,
    "answered": "Answered by the people who own these documents.",
    "accepted": "Resolved: the people who own these documents have answered, and stand behind the reply.",
    "withdrawn": "The question was deleted, so nobody is asked any more.",
}
PARTLY_PASSED_ON = "Not all of my answer went with it: they may not read everything that it rests on."
OWNERS_UNREACHABLE = (
    "I may not write to the people who own these documents; whoever runs me has to invite me to their channel."
)
SOMEBODY_ASKS = "Somebody asks, and would like a person's answer:"
WHAT_I_SAID = "What I said:"
NOTHING_FOUND = "Nothing was found."
REPLY_HERE = (
    "Reply in this thread: what plainly answers the question goes to whoever asked, and nothing else does. "
    "Below each reply I say which it was."
)
REMINDER = "Whoever asked is still waiting: nobody has replied to them yet."
QUESTION_WITHDRAWN = "The question was deleted by whoever asked, so nobody waits for a reply any more."
EXPERT_REPLIES = "Somebody who owns these documents replies:"
FILES_NOT_SENT = "With a file that I cannot pass on: {files}"
REPLY_SENT_ON = "Sent to whoever asked."
ACCEPT_OFFER = "If it is what I should have said, accept it, and it is learned from."
REPLY_SUPPORT = {
    "supported": "The sections shown support this.",
    "unsupported": "The sections shown do not say this.",
    "differs": "The sections shown say otherwise: compare “{detail}” with {section}.",
}
REPLY_HELD = "Not sent to whoever asked."
REPLY_NOT_SENT = "I cannot send this on: who reads where the question was asked has changed since."
REPLY_NOT_CHANGED = "I could not change what whoever asked has."
REPLY_TAKEN_BACK = "A reply of the people who own these documents stood here. It was withdrawn."
REPLY_WITHDRAWN = "Withdrawn from whoever asked."
REPLY_GIVEN_UP = "I could not pass this on: something went wrong each time I tried. Please try again in a few minutes."
REPLY_SENT_ALREADY = "It was sent already."
REPLY_CHANGED = (
    "This reply was changed after you read it. I have sent the new one; read it, and accept it if it is right."
)
REPLY_ACCEPTED = "Accepted: it is the right answer to this question from now on."
REPLY_GONE = "That reply is not there any more."
REPLY_UNACCEPTABLE = "It cannot be accepted: {error}."
REPLY_UNDELIVERABLE = "I cannot send this on: I may not write where the question was asked."
# Who and what a message names, where the platform does not tell.
SOMEBODY, SOME_CHANNEL, SOME_GROUP = "somebody", "a channel", "a group"

# The home page
SOURCES_HEADING, HOW_TO_ASK_HEADING = "What I know", "How to ask"
NO_SOURCES = "There are no documents for you yet."
OWN_VOTES_HEADING = "Your votes"
NO_VOTES = "You have not voted yet. A thumb under an answer tells whether it helped."
UNNAMED_ANSWER = "An answer"
OWN_DOCUMENTS_HEADING = "Your documents"
NOTHING_FAILS = "No section of yours fails people."
REVIEWS_WAIT = "{count} answers wait for a review: `footnote review`"
PRIVACY_HEADING = "Privacy"
PRIVACY = (
    "I keep what you ask me, the answer and your votes under a name that cannot be read back to you. "
    "The words of questions and answers are kept {words}, what is counted {exchanges}. Nobody sees who voted."
)
ERASE_TITLE = "Erase everything of yours?"
ERASE_WARNING = "Your questions, their answers and your votes go. It cannot be undone."
ERASE, KEEP = "Erase", "Keep"
ERASED = (
    "Erased. Questions with their answers: {exchanges}, votes: {votes}. What stands in {platform} itself stays until "
    "you delete it there."
)
NOT_ERASED = "It could not be erased just now. Please try again in a few minutes."


def section_label(title: str, path: str) -> str:
    """Return where to look: the document's title › its headings; a first heading equal to the title stands once."""
    headings = [heading for heading in path.split(" > ") if heading]
    if headings and headings[0] == title:
        headings = headings[1:]
    return " › ".join([title, *headings])


def notes(answer: "Answer", *, extra: str = "", separator: str = " ") -> list[str]:
    """Return what is added to an answer: its warnings with marks that their text lacks, why it was made otherwise."""
    lines = []
    for warning in answer.warnings:
        marks = separator.join(f"[{number}]" for number in warning.citations if f"[{number}]" not in warning.text)
        lines.append(f"{warning.text} {marks}" if marks else warning.text)
    return [*lines, *filter(None, (answer.fallback, extra))]


def origin_note(answer: "Answer") -> str:
    """Return a short line on who wrote an answer and how to see what is kept; empty where nothing was written."""
    if not answer.sentences:
        return ""
    return f"{WRITTEN_BY_AI if answer.is_model_written else QUOTED_ONLY} {KEPT_OF_YOU}"


def files_note(names: Sequence[str]) -> str:
    """Return that these files were not read, a few of them by name; empty for none."""
    if not names:
        return ""
    shown = [shorten(" ".join(name.split()), LONGEST_FILE_NAME) for name in names[:FILES_NAMED]]
    more = [f"{len(names) - FILES_NAMED} more"] if len(names) > FILES_NAMED else []
    *others, last = [*shown, *more]
    return FILES_NOT_READ.format(names=f"{', '.join(others)} and {last}" if others else last)


def vote_text(vote: "Vote") -> str:
    """Return what counts of a person now, for them."""
    return VOTE_WITHDRAWN if vote.vote == "none" else VOTE_COUNTS.format(vote=VOTE_SIGNS[vote.vote])


def privacy_text(*, keep_words: int, keep_exchanges: int) -> str:
    """Return what is kept of people, for how many days; 0 keeps it for good."""
    kept = [f"for {days} days" if days else "for good" for days in (keep_words, keep_exchanges)]
    return PRIVACY.format(words=kept[0], exchanges=kept[1])


def shorten(text: str, limit: int) -> str:
    """Return the beginning of a text that is too long, with an ellipsis; no escaped sign (`&amp;`) is cut through."""
    return text if len(text) <= limit else re.sub(r"&\w{0,3}$", "", text[: limit - 2]).rstrip() + " …"


def split_text(text: str, limit: int) -> list[str]:
    """Return the text in pieces, each cut at the end of a paragraph, else of a line, else of a word; none for none."""
    pieces = []
    while len(text) > limit:
        ends = (text.rfind(end, limit // 2, limit) for end in ("\n\n", "\n", " "))
        at = next((end for end in ends if end > 0), limit)
        pieces.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*pieces, text] if text else pieces


def pack_lines(lines: Iterable[str], limit: int) -> Iterator[str]:
    """Yield the lines in as few texts as hold them; a longer one is left out whole, as a cut link would lead astray."""
    held: list[str] = []
    for line in (line for line in lines if len(line) <= limit):
        if held and len("\n".join([*held, line])) > limit:
            yield "\n".join(held)
            held = []
        held.append(line)
    if held:
        yield "\n".join(held)
