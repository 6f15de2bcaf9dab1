"""A page as a tree: its metadata, and the part of it that holds the text people came for."""

import re
from typing import TYPE_CHECKING

from retrieval.parsing.front_matter import metadata_from, unclear_audience
from retrieval.parsing.links import address
from retrieval.parsing.protocol import Skipped
from retrieval.parsing.restrictions import fold, is_slip, seems_to_restrict
from retrieval.parsing.titles import plausible_title
from retrieval.passages import EVERYONE, PUBLIC, Metadata

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_INVISIBLE = (
    "//script | //style | //template | //noscript | //svg | //math//annotation | //head | //nav | //footer"
    " | //*[@role='navigation' or @role='contentinfo' or @role='search'] | //*[@hidden and not(@hidden='until-found')]"
    " | //*[@aria-hidden='true'] | //button | //select | //input | //textarea | //option | //datalist"
    " | //iframe | //object | //embed | //canvas | //audio | //video | //map"
    " | //header[not(ancestor::main or ancestor::article) and not(.//h1 or .//h2)]"
    " | //*[contains(translate(@style, ' ', ''), 'display:none')]"
)
CUT = Skipped("too-large", "its elements are nested too deep; what stands there and after it is not read")
_WHITE_SPACE = re.compile(r"[ \t\n\r\f]+")
_PREFIX = "footnote:"
_AUDIENCE = f"{_PREFIX}audience"
_NAME_PARTS = re.compile(r"[\s:._-]+")
# Search engines are told so: it restricts nothing.
_ANYBODY = frozenset({"all", "any", "anybody", "anyone", "everybody", "everyone", "general", "global", "public"})
# A tag that gives the audience, where the tree has none: its quotes do not close, or it is no `<meta>`.
_AUDIENCE_TAG = re.compile(r"<[^<>]*footnote[\s:._-]*audience")
_HEAD = 65_536


def parse_tree(text: str) -> "HtmlElement | None":
    """The root element; None when there is nothing but comments and white space."""
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    # As bytes, because a str with an XML declaration is refused; NUL would end the document.
    data = text.replace("\x00", "").encode("utf-8", errors="ignore")
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True)
    try:
        return document_fromstring(data, parser=parser)
    except (etree.ParserError, AssertionError):
        return None


def notes_of(root: "HtmlElement") -> tuple[Skipped, ...]:
    """What of the page the tree lacks: the library ends where elements are nested too deep."""
    parser = root.getroottree().parser
    errors = parser.error_log if parser is not None else ()
    return (CUT,) if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in errors) else ()


def read_metadata(root: "HtmlElement", page: str) -> Metadata | Skipped:
    """Metadata from `footnote:` meta tags, with the page's own title where they give none; `page` is its source.

    `Skipped` for an audience that cannot be understood, and for any other tag that seems to say who may read the page;
    several audience tags add up, but one for everyone opens nothing that another restricts.
    """
    values: dict[str, object] = {}
    audiences: list[str] = []
    for meta in root.iter("meta"):
        content = meta.get("content") or ""
        for attribute in ("name", "property", "itemprop", "http-equiv"):
            name = (meta.get(attribute) or "").strip().lower()
            if name == _AUDIENCE:
                audiences.append(content)
            elif _restricts(name, content):
                return unclear_audience(name)
            elif name.startswith(_PREFIX):
                values[name.removeprefix(_PREFIX)] = content
    names = {element.tag for element in root.iter() if isinstance(element.tag, str)}
    names |= {attribute for meta in root.iter("meta") for attribute in meta.attrib}
    if key := next((each for each in sorted(names) if seems_to_restrict(each, synonyms=False)), ""):
        return unclear_audience(key)
    if audiences:
        values["audience"] = ",".join(_narrowest(audiences))
    elif _AUDIENCE_TAG.search(fold(page[:_HEAD], entities=False)):
        return unclear_audience(_AUDIENCE)
    if not values.get("title"):
        values["title"] = _title(root)
    return metadata_from(values)


def _narrowest(audiences: list[str]) -> list[str]:
    """Those of several audiences, each names with commas between them, that are for no more people than others."""
    for word in (PUBLIC, EVERYONE):
        audiences = [each for each in audiences if word not in map(str.strip, each.split(","))] or audiences
    return audiences


def _restricts(name: str, content: str) -> bool:
    """Whether a meta tag seems to say who may read the page; `dcterms.audience` says whom it is written for."""
    first, *others = _NAME_PARTS.split(fold(name).strip())
    if is_slip(first, "footnote"):
        return seems_to_restrict(" ".join(others))
    return not others and seems_to_restrict(first, synonyms=False) and fold(content).strip() not in _ANYBODY


def _title(root: "HtmlElement") -> str:
    """`<title>`, else the first h1; a title inside a drawing is not the page's."""
    for path in ("//title[not(ancestor::*[local-name()='svg'])]", "//h1"):
        for element in root.xpath(path):
            if title := plausible_title(element.text_content()):
                return title
    return ""


def read_base(root: "HtmlElement") -> str:
    """What the page's first `<base>` with an address makes its relative links relative to; empty without one."""
    return next((address(found) for base in root.iter("base") if (found := base.get("href"))), "")


def remove_invisible(root: "HtmlElement") -> None:
    """Remove menus, forms, footers and what is not shown from the tree; the text after them stays."""
    for element in root.xpath(_INVISIBLE):
        if element.getparent() is not None:
            element.drop_tree()


def main_content(root: "HtmlElement") -> "HtmlElement":
    """`<main>` or `<article>` if at least half of the page's text is in it, else the page."""
    total = len(_WHITE_SPACE.sub("", root.text_content()))
    for tag in ("main", "article"):
        for element in root.iter(tag):
            if len(_WHITE_SPACE.sub("", element.text_content())) * 2 >= total:
                return element
    return root
