"""Escapes what people and documents wrote for Slack (pure).

No escaped text can notify anybody, and no link leads elsewhere than to the address that it was given.
"""

import re
from urllib.parse import urlsplit

from retrieval.characters import CONTROLS_IN_TEXT, DIRECTION, SURROGATES

_CONTROL = re.compile(f"[{CONTROLS_IN_TEXT}{DIRECTION}{SURROGATES}]")
_CALL = re.compile(r"@(?=(?:channel|here|everyone)\b)", re.IGNORECASE)
# A scheme is looked for where its letters and signs begin, and nowhere within them; `_` and `é` are none of these.
_ADDRESS = re.compile(r"(?<![a-z0-9+.-])[0-9+.-]*+[a-z][a-z0-9+.-]*+://\S+|(?<![a-z0-9])www\.\S+", re.IGNORECASE)
_AFTER_ADDRESS = ".,;:!?)]}'\""
_MARKDOWN = re.compile(r"([\\`*_\[\]~])")
# What makes a list, a heading, a rule or a table of a line.
_LINE_START = re.compile(r"^([^\S\n]*+)([-+#=|:]|\d++(?=[.)]))", re.MULTILINE)
# Joins without a gap, so that the word reads as before and is no call any more.
_JOINER = "\u2060"

LONGEST_URL = 2900


def clean(text: str) -> str:
    """Return the text without control characters, and without a mention of everybody."""
    return _CALL.sub(f"@{_JOINER}", _CONTROL.sub("", text))


def mrkdwn(text: str) -> str:
    """Escape for a `mrkdwn` text object that is sent with `verbatim`, or a message's `text`: its three signs."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def markdown(text: str) -> str:
    """Escape for standard Markdown: every sign that means something; an address becomes code, so that it is no link."""
    cleaned, parts, at = clean(text), [], 0
    for found in _ADDRESS.finditer(cleaned):
        address = found.group().rstrip(_AFTER_ADDRESS)
        parts += [_escaped(cleaned[at : found.start()]), code(address)]
        at = found.start() + len(address)
    return _LINE_START.sub(_no_marker, "".join([*parts, _escaped(cleaned[at:])]))


def code(text: str) -> str:
    """Return a code span that holds the text, which cannot leave it."""
    content = clean(text).replace("`", "'").replace("\n", " ").replace("<", "‹").replace(">", "›")
    return f"`{content}`"


def joined(before: str, after: str) -> str:
    """Return two pieces of Markdown as one; two spans of code that meet would become one with signs in it."""
    gap = _JOINER if before.endswith("`") and after.startswith("`") else ""
    return f"{before}{gap}{after}"


def code_block(text: str) -> str:
    """Return a fenced block that holds the text line by line, which cannot leave it."""
    content = clean(text).replace("`", "'").replace("<", "‹").replace(">", "›").strip("\n")
    return f"```\n{content}\n```"


def url(address: str) -> str:
    """Return the address if it may be a link, with what could end a link encoded; empty for any other."""
    try:
        parts = urlsplit(address.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return ""
    except ValueError:
        return ""
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", address) or len(address) > LONGEST_URL:
        return ""
    return re.sub(r"[\s<>|()\[\]\"'`\\^{}*]", lambda found: _percent(found.group()), address.strip())


def mrkdwn_link(address: str, label: str) -> str:
    """Return a link in mrkdwn where the address may be one, else the label alone."""
    shown, target = mrkdwn(" ".join(label.split())), url(address)
    return f"<{target.replace('&', '&amp;')}|{shown.replace('|', '¦')}>" if target else shown


def markdown_link(address: str, label: str) -> str:
    """Return a link in standard Markdown where the address may be one, else the label alone."""
    shown, target = markdown(label), re.sub(r"(&#?\w+);", r"\1%3B", url(address))  # else read as a sign's name
    return f"[{shown}]({target})" if target else shown


def _escaped(text: str) -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(r"\\\1", safe)


def _no_marker(found: re.Match[str]) -> str:
    """Return the beginning of a line so that it makes no list, quote or rule."""
    space, sign = found.groups()
    return f"{space}{sign}\u2060" if sign.isdigit() else f"{space}\\{sign}"


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())
