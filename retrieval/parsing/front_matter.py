"""Reads a document's metadata from the YAML block before its text, or from the same keys found elsewhere.

A header that seems to say who may read the document, and is not read, hides it: shown to everyone it would be a leak.
Two places are looked at: the YAML block itself, all of whose keys are examined, and whatever stands where such a block
belongs without being one (JSON, TOML, a block behind a comment, a second block).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from retrieval.characters import INVISIBLE_IN_DOCUMENTS, one_line
from retrieval.parsing.protocol import SHOWN_TO_NOBODY, Skipped
from retrieval.parsing.restrictions import KEY as AUDIENCE
from retrieval.parsing.restrictions import fold, is_key, plainly_opens, seems_to_restrict
from retrieval.passages import Metadata, combine_audiences

if TYPE_CHECKING:
    import yaml

# A longer header is not parsed: YAML takes seconds for a megabyte.
LONGEST_HEADER = 65_536
# So much of a text is looked at for a header that is none: lines, and characters of each.
HEAD_LINES = 400
LONGEST_LINE = 1_000

_FENCED = re.compile(rf"\A[\s{INVISIBLE_IN_DOCUMENTS}]*---[ \t]*\n(|.*?\n)(---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_URL = re.compile(r"https?://[^\s<>\"\\]+", re.IGNORECASE)

# Everything below is matched against folded lines.
_HEADER_LINE = re.compile(r"\s*$|\s*[#\-{}\[\]<!?&*|%;/]|\s+\S|[\w\"'][^:=]*[:=]")
_KEY_LINE = re.compile(r"(?:#\+|[:@])?[\w\"'][^:=]{0,60}[:=]")
# What opens a block like a header: one of the usual fences, whatever follows it, or a line of nothing but signs.
_FENCE = re.compile(
    r"\s*(?:[-\u2010-\u2015\u2212\u2500]{3,}|\+{3,}|;{3,}|`{3,}|~{3,})"
    r"|\s*(?:[-+;~=*_`:|.^$\\\u2010-\u2015\u2212\u2500][ \t]*){2,}$|\s*[\u2014\u2015][ \t]*$"
)
_COMMENT_LINE = re.compile(r"\s*(?:#(?!\+)|//|/\*|\*/|%|;(?!;))")
_COMMENTS_BEFORE = 20
_NAMES = re.compile(r"[\w.@-]+(?:\s*,\s*[\w.@-]+)*\s*")
_KEY_SIGN = re.compile(r"[:={?\uff1a]")
_SEPARATORS = re.compile(r"([{}\[\](),;:=?|<>])")
# A key and its value without anything between them.
_WORDS_WITHOUT_SEPARATOR = range(2, 5)
# What YAML writes before a key that is not the key: `- `, `!!str`, `&anchor`, `*alias`.
_NODE_PROPERTIES = re.compile(r"(?:[\s\"'\-+*.]|[!&]\S*\s)*")


def unclear_audience(words: str = "") -> Skipped:
    """The reason for a document that is shown to nobody; `words` is what seems to restrict it, as it was written."""
    words = one_line(words)[:60]
    what = f"{words!r} seems to say who may read it, but" if words else "its audience"
    return Skipped("malformed", f"{what} cannot be understood, {SHOWN_TO_NOBODY}")


def split(text: str, *, markup: bool = False) -> tuple[Metadata, str] | Skipped:
    """Split a text into its metadata and the text after it; `Skipped` when it seems to restrict and cannot be read.

    `markup` says that the text is HTML, whose tags are not looked at here. Any other block that cannot be read is
    dropped; two rules with a paragraph between them are no header.
    """
    found = _FENCED.match(text)
    header, body = (found[1], text[found.end() :]) if found else ("", text)
    metadata = _read(header) if found else None
    if isinstance(metadata, Skipped):
        return metadata
    if key := _stray_key(body, after_header=metadata is not None, markup=markup):
        return unclear_audience(key)
    if metadata is not None:
        return metadata, body
    is_header = all(_HEADER_LINE.match(fold(line)) for line in header.splitlines())
    return Metadata(), body if is_header else text


def misplaced_audience(text: str, properties: Iterable[str] = ()) -> Skipped | None:
    """Why a document is hidden whose format keeps its header elsewhere: its visible text begins with one all the same.

    So does a restriction in its `properties`, such as its keywords. None where neither seems to say who may read it.
    """
    parts = split(text)
    if isinstance(parts, Skipped):
        return parts
    if parts[0].audience is not None:
        return unclear_audience(AUDIENCE)
    lines = (line for value in properties for line in value.splitlines())
    key = _first_restricting(_candidates(lines), synonyms=False)
    return unclear_audience(key) if key else None


def _read(header: str) -> Metadata | Skipped | None:
    """The metadata of a YAML block; `Skipped` when it seems to restrict and cannot be read, None when it is no YAML."""
    if not header.strip():
        return Metadata()
    import yaml

    if len(header) <= LONGEST_HEADER:
        try:
            node = yaml.compose(header, Loader=yaml.BaseLoader)
            if isinstance(node, yaml.MappingNode):
                if (key := _restricting_key(node)) is not None:
                    return unclear_audience(key)
                # It makes strings only, so that no date that does not exist takes the audience down with it.
                values = yaml.constructor.BaseConstructor().construct_document(node)
                return metadata_from({str(key).strip().lower(): value for key, value in values.items()})
        except (yaml.YAMLError, ValueError, RecursionError, TypeError):  # a list as a key is a TypeError
            pass
    lines = header.split("\n")
    if _is_prose(header):  # `Audience: managers` is a sentence there, `audience: managers` still a key
        lines = [line for line in lines if line[:1].islower()]
    key = _first_restricting([*_candidates(lines), *_short_lines(lines)])
    return unclear_audience(key) if key else None


def _is_prose(block: str) -> bool:
    """Whether these are paragraphs, of which the first is no key: a text that begins with a rule, not a header."""
    content = [line for line in block.split("\n") if not _COMMENT_LINE.match(line)]
    return "\n\n" in "\n".join(content).strip() and not _KEY_SIGN.search(next(filter(str.strip, content), ""))


def _restricting_key(root: "yaml.MappingNode") -> str | None:
    """A key that seems to restrict, besides the one plain `audience` of the block itself; None without any."""
    seen = False
    for key, is_top in _keys(root):
        if is_top and not seen and is_key(key):
            seen = True
        elif seems_to_restrict(key):
            return key
    return None


def _keys(root: "yaml.MappingNode") -> Iterator[tuple[str, bool]]:
    """Every scalar that is a key, or a part of one, and whether it is a plain key of the block itself."""
    import yaml

    nodes: list[tuple[yaml.Node, bool]] = [(root, False)]
    known: set[tuple[int, bool]] = set()
    while nodes:
        node, in_key = nodes.pop()
        if (id(node), in_key) in known:
            continue
        known.add((id(node), in_key))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if not (isinstance(value, yaml.ScalarNode) and plainly_opens(key.value, value.value)):
                        yield key.value, node is root
                    # `footnote: audience hr` can only be meant for us.
                    in_value = fold(key.value).strip() == "footnote"
                else:
                    nodes.append((key, True))
                    in_value = False
                nodes.append((value, in_key or in_value))
        elif isinstance(node, yaml.SequenceNode):
            nodes += [(each, in_key) for each in node.value]
        elif in_key and isinstance(node, yaml.ScalarNode):
            yield node.value, False


def _stray_key(text: str, *, after_header: bool, markup: bool) -> str:
    """A key that seems to restrict, in what stands at the head of a text like a header; empty when there is none.

    Only blank lines, comments and declarations may stand before it. A fence, a brace or a tag opens it (a tag not in
    `markup`, which reads its tags itself); without one the first paragraph counts if all of it is keys and values.
    After a header that was read such a paragraph is text, unless another fence ends it.
    """
    lines = [fold(line[:LONGEST_LINE]) for line in islice(_lines(text), HEAD_LINES)]
    start, comments = _skip_preamble(lines)
    if key := _first_restricting(_candidates(comments), synonyms=False):
        return key
    lines = lines[start:]
    if not lines:
        return ""
    first = lines[0].lstrip()
    if fence := _FENCE.match(first):
        return _first_restricting(_candidates([first[fence.end() :], *takewhile(_HEADER_LINE.match, lines[1:])]))
    if first.startswith(("{", "[")) and not first.startswith(("{{", "{%")):
        return _first_restricting(_candidates(takewhile(_HEADER_LINE.match, lines)))
    paragraph = list(takewhile(str.strip, lines))
    if first.startswith("<"):
        return "" if markup else _first_restricting(_candidates(paragraph), synonyms=False)
    pairs = list(takewhile(_KEY_LINE.match, paragraph))
    is_fenced = len(pairs) < len(paragraph) and _FENCE.match(paragraph[len(pairs)]) is not None
    is_header = is_fenced or (not after_header and len(pairs) == len(paragraph) and _is_terse(pairs))
    return _first_restricting(_candidates(pairs), synonyms=False) if is_header else ""


def _first_restricting(keys: Iterable[str], *, synonyms: bool = True) -> str:
    return next((key for key in keys if seems_to_restrict(key, synonyms=synonyms)), "")


def _is_terse(pairs: list[str]) -> bool:
    """Whether these lines are a header without fences: several keys, or one with nothing but names behind it."""
    return len(pairs) > 1 or any(_NAMES.fullmatch(_KEY_LINE.sub("", pair, count=1).strip()) for pair in pairs)


def _lines(text: str) -> Iterator[str]:
    """The lines of a text, one after the other, so that a long one is not cut up for its head."""
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end + 1


def _skip_preamble(lines: list[str]) -> tuple[int, list[str]]:
    """The number of the first line that is no blank line, comment or declaration, and the lines of HTML's comments."""
    comments: list[str] = []
    position = counted = 0
    while position < len(lines):
        line = lines[position].strip()
        if line.startswith(("<!", "<?")):
            end = "-->" if line.startswith("<!--") else ">"
            last = next((n for n in range(position, len(lines)) if end in lines[n]), len(lines) - 1)
            comments += lines[position : last + 1] if end == "-->" else []
            rest = lines[last].partition(end)[2]
            if rest.strip():
                lines[last] = rest
                position = last
                continue
            position = last
        elif line and (counted == _COMMENTS_BEFORE or not _COMMENT_LINE.match(line)):
            break
        counted += bool(line)
        position += 1
    return position, comments


def _candidates(lines: Iterable[str]) -> Iterator[str]:
    """What may be a key in lines that are no YAML: words before `:` or `=`, after `?`, in brackets of their own."""
    for line in map(fold, lines):
        if _COMMENT_LINE.match(line):
            continue
        in_key = line.lstrip().startswith("?")
        parts = _SEPARATORS.split(line)
        for words, before, after in zip(parts[::2], ["", *parts[1::2]], [*parts[1::2], ""], strict=True):
            if in_key or after in {":", "="} or before == "?" or before + after in {"[]", "<>"}:
                yield _without_properties(words)


def _short_lines(lines: Iterable[str]) -> Iterator[str]:
    """Lines of few words without anything that parts a key from its value."""
    for line in map(fold, lines):
        if len(line.split()) in _WORDS_WITHOUT_SEPARATOR and not _SEPARATORS.search(line):
            yield _without_properties(line)


def _without_properties(words: str) -> str:
    found = _NODE_PROPERTIES.match(words)
    return words[found.end() if found else 0 :].rstrip(" \t\"'")


def metadata_from(values: Mapping[str, object]) -> Metadata | Skipped:
    """Metadata from the keys that Footnote knows; `Skipped` for an audience that cannot be understood."""
    audience = None
    if "audience" in values:
        audience = _audience(values["audience"])
        if audience is None:
            return unclear_audience()
    return Metadata(
        title=_line(values.get("title")),
        url=_url(values.get("url")),
        owner=_line(values.get("owner")),
        review=_date(values.get("review")),
        audience=audience,
        superseded_by=_line(values.get("superseded_by") or values.get("superseded-by")),
    )


def merge(first: Metadata, second: Metadata) -> Metadata:
    """The values of `first`, and those of `second` where `first` has none; of two audiences what both leave open."""
    given = [each for each in (first.audience, second.audience) if each is not None]
    return Metadata(
        title=first.title or second.title,
        url=first.url or second.url,
        owner=first.owner or second.owner,
        review=first.review or second.review,
        audience=combine_audiences(*given) if len(given) == 2 else next(iter(given), None),
        superseded_by=first.superseded_by or second.superseded_by,
    )


def _audience(value: object) -> frozenset[str] | None:
    """The names in a text (separated by commas) or a list; None for anything else or an empty name."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name.strip() for name in names):
        return None
    return frozenset(one_line(name) for name in names)


def _line(value: object) -> str:
    return one_line(value) if isinstance(value, str) else ""


def _url(value: object) -> str:
    """The address if a browser may open it from a chat message (no `javascript:`, nothing relative), else empty."""
    text = _line(value)
    return text if _URL.fullmatch(text) else ""


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(_line(value)[:10])
    except ValueError:
        return None
