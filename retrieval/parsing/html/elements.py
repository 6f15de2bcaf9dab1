"""HTML elements by what they do to the text around them."""

HEADINGS = {f"h{level}": level for level in range(1, 7)}
SECTIONS = frozenset({"article", "aside", "body", "details", "div", "fieldset", "figure", "main", "section"})
LISTS = frozenset({"dir", "menu", "ol", "ul"})
# A block of text ends where one of these begins or ends.
BREAKING = frozenset(
    """address blockquote body caption center dd dialog dl dt figcaption form header hgroup hr html legend li p pre
    search summary table tbody td tfoot th thead tr""".split()
).union(HEADINGS, SECTIONS, LISTS)
# The library's list ends with HTML 4 and a few more.
_LATER_TAGS = BREAKING | {"picture", "svg", "math", "template", "slot", "data"}


def is_tag(name: str) -> bool:
    """Whether HTML knows an element of this name; `<your name>` is only written like one."""
    from lxml.html.defs import tags

    return name.lower() in tags or name.lower() in _LATER_TAGS
