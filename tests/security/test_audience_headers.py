"""Threat: a document whose author meant to restrict it is shown to everyone, because its header could not be read.

Each form below says in some way that only `hr` may read. It may be read as that, or hide the document; it may never
leave it open.
"""

import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from reportlab.pdfgen.canvas import Canvas

from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.registry import parse
from retrieval.sources.files import list_files, read_file

BODY = "\n# Salaries\n\nThe board earns more than it says.\n"
HR = frozenset({"hr"})


def fenced(header: str, fence: str = "---") -> str:
    return f"{fence}\n{header}\n{fence}\n{BODY}"


# As they are named in the sync report: all of these hide the document.
HIDDEN = {
    "broken flow mapping": fenced("{title: x, audience: hr"),
    "flow mapping with a broken list": fenced("{title: [, audience: hr}"),
    "broken flow mapping over lines": fenced("{\n  title: x,\n  audience: hr"),
    "flow mapping in a value": fenced("extra: {audience: hr}"),
    "flow mapping with a key and no value": fenced("{audience}"),
    "merge of a mapping": fenced("<<: {audience: hr}\ntitle: x"),
    "merge of an anchor": fenced("base: &base\n  audience: hr\n<<: *base"),
    "list as the whole header": fenced("- title: x\n- audience: hr"),
    "list of names as the whole header": fenced("- audience\n- hr"),
    "flow list as the whole header": fenced("[title: x, audience: hr]"),
    "comment on the fence": f"--- # ours\naudience: hr\n---\n{BODY}",
    "comment on the closing fence": f"---\naudience: hr\n--- # end\n{BODY}",
    "words on the closing fence": f"---\ntitle: x\naudience: hr\n---end\n{BODY}",
    "tag on the fence": f"--- !!map\naudience: hr\n---\n{BODY}",
    "mapping on the fence": f"--- {{audience: hr}}\n---\n{BODY}",
    "key on the fence": f"--- audience: hr\n---\n{BODY}",
    "language on the fence": f"---yaml\naudience: hr\n---\n{BODY}",
    "comment before": f"# ours\n{fenced('audience: hr')}",
    "comment of C before": f"// ours\n{fenced('audience: hr')}",
    "comment of HTML before": f"<!-- ours -->\n{fenced('audience: hr')}",
    "comment of HTML over lines before": f"<!--\nours\n-->\n\n{fenced('audience: hr')}",
    "comment of HTML on the same line": f"<!-- ours -->{fenced('audience: hr')}",
    "comment of HTML that holds it": f"<!--\naudience: hr\n-->\n{BODY}",
    "comment of HTML that holds a block": f"<!--\n---\naudience: hr\n---\n-->\n{BODY}",
    "comment of HTML that holds it in one line": f"<!-- audience: hr -->\n{BODY}",
    "directive before": f"%YAML 1.2\n{fenced('audience: hr')}",
    "second block": f"---\ntitle: x\n---\n\n{fenced('audience: hr')}",
    "second block at once": f"---\ntitle: x\n---\n{fenced('audience: hr')}",
    "second block without an opening fence": f"---\ntitle: x\n---\naudience: hr\n---\n{BODY}",
    "second block after dots": f"---\ntitle: x\n...\naudience: hr\n---\n{BODY}",
    "second block after an empty one": f"---\n---\n{fenced('audience: hr')}",
    "second document of the same block": fenced("title: x\n--- \naudience: hr"),
    "nested key": fenced("meta:\n  audience: hr"),
    "nested key below ours": fenced("footnote:\n  audience: hr"),
    "nested list of keys": fenced("access_rules:\n  - audience: hr"),
    "our name as the key": fenced("footnote: audience"),
    "our name before the key": fenced("footnote:audience: hr"),
    "our name and a dot before the key": fenced("footnote.audience: hr"),
    "no value": fenced("audience:"),
    "no colon": fenced("title: x\naudience hr"),
    "no space after the colon": fenced("title: x\naudience:hr"),
    "no space and nothing else": fenced("audience:hr"),
    "equals sign": fenced("audience = hr"),
    "after a comma": fenced("title: x, audience: hr"),
    "wrong indentation": fenced("title: x\n  audience: hr"),
    "tab before the value of another key": fenced("title:\n\tx: y\naudience: hr"),
    "mapping as the value": fenced("audience: {hr: yes}"),
    "set as the value": fenced("audience: !!set {hr}"),
    "unknown anchor as the value": fenced("audience: *hr"),
    "unknown tag handle": fenced("!x!y audience: hr"),
    "key with a question mark that never ends": fenced("? [audience\n: hr"),
    "key of two words in a list": fenced("? [audience, hr]\n: yes"),
    "alias as the key": fenced("name: &key audience\nx: {*key : hr}"),
    "escaped duplicate": fenced('audience: everyone\n"\\x61udience": hr'),
    "escaped duplicate the other way": fenced('"audi\\u0065nce": everyone\naudience: hr'),
    "duplicate in other case": fenced("audience: everyone\nAudience: hr"),
    "duplicate": fenced("audience: everyone\naudience: hr"),
    "escape that YAML does not read": fenced("\\x61udience: hr"),
    "entity in the key": fenced("audi&#101;nce: hr"),
    "fullwidth colon": fenced("audience：hr"),
    "fullwidth colon beside others": fenced("title: x\naudience： hr"),
    "ratio sign": fenced("audience∶ hr"),
    "letter colon": fenced("audience꞉ hr"),
    "fullwidth letters": fenced("ａｕｄｉｅｎｃｅ: hr"),
    "mathematical letters": fenced("𝐚𝐮𝐝𝐢𝐞𝐧𝐜𝐞: hr"),
    "small capitals": fenced("ᴀᴜᴅɪᴇɴᴄᴇ: hr"),
    "zero-width joiner": fenced("audi\u200dence: hr"),
    "zero-width non-joiner": fenced("audi\u200cence: hr"),
    "combining grapheme joiner": fenced("audi\u034fence: hr"),
    "variation selector": fenced("audience\ufe0f: hr"),
    "Hangul filler": fenced("audi\u3164ence: hr"),
    "Cyrillic letters": fenced("\u0430udi\u0435nc\u0435: hr"),
    "Cyrillic and Armenian letters alone": fenced("\u0430\u057d\u0501\u0456\u0435\u0578\u0441\u0435: hr"),
    "Greek letters": fenced("\u03b1udi\u03b5nce: hr"),
    "a letter nobody has listed": fenced("aud\u0269\u025bnce: hr"),
    "accents": fenced("audiénce: hr"),
    "digits for letters": fenced("aud1enc3: hr"),
    "misspelled audiance": fenced("audiance: hr"),
    "misspelled audence": fenced("audence: hr"),
    "misspelled auidence": fenced("auidence: hr"),
    "misspelled audiences": fenced("audiences: [hr]"),
    "misspelled audienc": fenced("audienc: hr"),
    "with a hyphen": fenced("audi-ence: hr"),
    "prefix": fenced("doc_audience: hr"),
    "camel case": fenced("documentAudience: hr"),
    "groups": fenced("groups: [hr]"),
    "group": fenced("Group: hr"),
    "visibility": fenced("visibility: hr"),
    "misspelled visability": fenced("visability: hr"),
    "access": fenced("access: hr"),
    "restricted": fenced("restricted: hr"),
    "restricted to": fenced("restricted_to: hr"),
    "permissions": fenced("permissions: [hr]"),
    "misspelled permisions": fenced("permisions: [hr]"),
    "readers": fenced("readers: [hr]"),
    "viewers": fenced("viewers: [hr]"),
    "allowed groups": fenced("allowedGroups: [hr]"),
    "acl": fenced("acl: [hr]"),
    "private": fenced("private: true"),
    "roles": fenced("roles: [hr]"),
    "public denied": fenced("public: false"),
    "confidentiality": fenced("confidentiality: hr only"),
    "shared with": fenced("shared_with: hr"),
    "who can read": fenced("whoCanRead: [hr]"),
    "letters in squares": fenced("🅰🆄🅳🅸🅴🅽🅲🅴: hr"),
    "letters of flags": fenced("🇦🇺🇩🇮🇪🇳🇨🇪: hr"),
    "TOML": fenced('audience = "hr"', "+++"),
    "TOML table": fenced('title = "x"\n[extra]\naudience = "hr"', "+++"),
    "TOML table of the key": fenced('[audience]\nnames = ["hr"]', "+++"),
    "TOML dotted key": fenced('extra.audience = "hr"', "+++"),
    "TOML inline table": fenced('extra = { audience = "hr" }', "+++"),
    "TOML quoted key": fenced('"audience" = "hr"', "+++"),
    "TOML between dashes": fenced('title = "x"\naudience = "hr"'),
    "JSON": f'{{"audience": "hr"}}\n{BODY}',
    "JSON over lines": f'{{\n  "title": "x",\n  "audience": ["hr"]\n}}\n{BODY}',
    "JSON with an escape": f'{{\n  "\\u0061udience": "hr"\n}}\n{BODY}',
    "JSON between dashes, broken": fenced('{"title": "x", "audience": "hr",,}'),
    "JSON between semicolons": fenced('"audience": "hr"', ";;;"),
    "code block": fenced("audience: hr", "```"),
    "code block with a language": f"```yaml\naudience: hr\n```\n{BODY}",
    "two dashes": fenced("audience: hr", "--"),
    "four dashes": fenced("audience: hr", "----"),
    "spaced dashes": fenced("audience: hr", "- - -"),
    "em dash": fenced("audience: hr", "\u2014"),
    "en dashes": fenced("audience: hr", "\u2013\u2013\u2013"),
    "tildes": fenced("audience: hr", "~~~"),
    "asterisks": fenced("audience: hr", "***"),
    "a line that is no key before": fenced("Salaries\naudience: hr"),
    "a paragraph that is no key before": fenced("Salaries\n\naudience: hr"),
    "a paragraph before, fullwidth": fenced("Salaries\n\nａｕｄｉｅｎｃｅ: hr\n: x"),
    "colons": fenced("audience: hr", ":::"),
    "dots that end it": f"---\ntitle: x\n---\naudience: hr\n...\n{BODY}",
    "indented": fenced("  audience: hr", "  ---"),
    "indented by a tab": fenced("\taudience: hr"),
    "comment of Markdown": f"[//]: # (audience: hr)\n{BODY}",
    "attribute list": f'{{: audience="hr" }}\n{BODY}',
    "field list": f":audience: hr\n{BODY}",
    "keyword of Org": f"#+AUDIENCE: hr\n{BODY}",
    "tag": f"<audience>hr</audience>\n{BODY}",
    "a license before": "# All rights reserved.\n" * 15 + fenced("audience: hr"),
    "a long comment before": "<!--\n" + "All rights reserved.\n" * 100 + f"-->\n{fenced('audience: hr')}",
    "no end": f"---\ntitle: x\naudience: hr\n{BODY}",
    "no fence": f"audience: hr\n{BODY}",
    "no fence, several keys": f"title: Salaries\naudience: the hr department\n{BODY}",
    "no opening fence": f"title: x\naudience: hr\n---\n{BODY}",
    "a header too long to be parsed": fenced("x: y\n" * 20_000 + "audience: hr"),
    "a header nested too deeply": fenced("x: " + "[" * 3_000 + "\naudience: hr"),
}

# These are YAML, and say it plainly enough to be read.
READ = {
    "plain": fenced("audience: hr"),
    "list": fenced("audience:\n  - hr"),
    "quoted": fenced("'audience': \"hr\""),
    "capitals": fenced("AUDIENCE: hr"),
    "question mark": fenced("? audience\n: hr"),
    "tag on the key": fenced("!!str audience: hr"),
    "anchor on the key": fenced("&a audience: hr"),
    "anchor on the value": fenced("audience: &a [hr]"),
    "alias as the value": fenced("title: &a hr\naudience: *a"),
    "flow mapping": fenced("{title: x, audience: hr}"),
    "comment inside": fenced("# ours\naudience: hr  # theirs"),
    "escape in the key": fenced('"\\x61udience": hr'),
    "blank lines before": f"\n\n{fenced('audience: hr')}",
    "byte order mark": f"\ufeff{fenced('audience: hr')}",
    "Windows line ends": fenced("audience: hr").replace("\n", "\r\n"),
    "old line ends": fenced("audience: hr").replace("\n", "\r"),
    "line separators": fenced("audience: hr").replace("\n", "\u2028"),
}

PAGE = "<!doctype html><html><head>{}<title>Salaries</title></head><body><p>The board earns more.</p></body></html>"
BLOCK_THEN_PAGE = "---\naudience: hr\n---\n" + PAGE.format("")

HIDDEN_PAGES = {
    "block after a doctype": "<!doctype html>\n---\naudience: hr\n---\n<html><body><p>More.</p></body></html>",
    "block after a declaration": "<?xml version='1.0'?>\n" + BLOCK_THEN_PAGE,
    "zero-width letters": BLOCK_THEN_PAGE.replace("audi", "audi\u200b"),
    "zero-width letters in a second key": BLOCK_THEN_PAGE.replace("audience", "title: x\naudi\u2060ence"),
    "space after our name": PAGE.format('<meta name="footnote: audience" content="hr">'),
    "dot after our name": PAGE.format('<meta name="footnote.audience" content="hr">'),
    "misspelled": PAGE.format('<meta name="footnote:audiance" content="hr">'),
    "another name for it": PAGE.format('<meta name="footnote:groups" content="hr">'),
    "zero-width letter in the name": PAGE.format('<meta name="footnote:audi&#8203;ence" content="hr">'),
    "Cyrillic letter in the name": PAGE.format('<meta name="footnote:\u0430udience" content="hr">'),
    "no content": PAGE.format('<meta name="footnote:audience">'),
    "another attribute for the content": PAGE.format('<meta name="footnote:audience" value="hr">'),
    "our name left out": PAGE.format('<meta name="audience" content="hr">'),
    "our name left out, misspelled": PAGE.format('<meta name="audiance" content="hr">'),
    "quote that does not close": PAGE.format('<meta name="footnote:audience content="hr">'),
    "misspelled name of ours": PAGE.format('<meta name="footnotes:audience" content="hr">'),
    "hyphen after our name": PAGE.format('<meta name="Footnote-Audience" content="hr">'),
    "another tag": PAGE.format('<metadata name="footnote:audience" content="hr">'),
    "as a tag": PAGE.format("<footnote:audience>hr</footnote:audience>"),
    "our key as an attribute": PAGE.format('<meta audience="hr">'),
    "block in what is shown": PAGE.format("").replace("<p>", "<p>---</p><p>audience: hr</p><p>---</p><p>"),
    "block in what is shown as it stands": PAGE.format("").replace("<p>", "<pre>---\naudience: hr\n---</pre><p>"),
    "two that have nothing in common": "---\naudience: it\n---\n"
    + PAGE.format('<meta name="footnote:audience" content="hr">'),
}

READ_PAGES = {
    "block": BLOCK_THEN_PAGE,
    "block with old line ends": BLOCK_THEN_PAGE.replace("\n", "\r"),
    "block after a byte order mark": "\ufeff" + BLOCK_THEN_PAGE,
    "meta tag": PAGE.format('<meta name="footnote:audience" content="hr">'),
    "property": PAGE.format('<meta property="Footnote:Audience" content="hr">'),
    "meta tag and one for everyone": PAGE.format(
        '<meta name="footnote:audience" content="public"><meta name="footnote:audience" content="hr">'
        '<meta property="footnote:audience" content="everyone">'
    ),
    "meta tag and a wider block": "---\naudience: everyone\n---\n"
    + PAGE.format('<meta name="footnote:audience" content="hr">'),
    "block and a wider meta tag": BLOCK_THEN_PAGE.replace(
        "<head>", '<head><meta name="footnote:audience" content="everyone">'
    ),
}

# What people write without meaning to restrict anything.
OPEN = {
    "rule, then prose": "---\n\n# Travel\n\nTarget audience: all who travel.\n\nBook early.\n",
    "prose between rules": "---\nWe wrote this for a large audience in mind, not for experts.\n---\nBook early.\n",
    "target audience between rules": "---\nTarget audience: all who travel.\n---\nBook early.\n",
    "audience in a value": fenced("title: Audience research\ndescription: Who our audience is, and why"),
    "audience as a tag": fenced("tags: [audience, access]"),
    "heading": "# Audience\n\nAll who travel.\n",
    "first paragraph": "Audience: all employees of the company who travel.\n\nBook early.\n",
    "first paragraph after a header": "---\ntitle: Travel\n---\n\nAudience: managers\n\nBook early.\n",
    "rule, then paragraphs": "---\n\n# Courses\n\nTwo a year.\n\nAudience: managers, leads\n\n---\n\nBook early.\n",
    "bold first line": "**Audience:** all who travel\n\nBook early.\n",
    "title between lines": "========\nAudience\n========\n\nAll who travel.\n",
    "heading after a rule": "---\nAudience\n---\n\nAll who travel.\n",
    "table": "| Audience | managers |\n|---|---|\n| Owner | People |\n",
    "later block": "# Courses\n\nTwo of them.\n\n---\nAudience: managers\nDuration: 2 hours\n---\n\nBook early.\n",
    "words that only look alike": fenced("author: Ada\nheader: Travel\nprocess: yes\nworking_group: http\nleaders: Bo"),
    "comment": fenced("# audience: hr\ntitle: x"),
    "foreign keys": fenced("заголовок: Отпуск\nописание: Всё\nаудитория: все"),
    "other keys that open": fenced(
        "public: true\nvisibility: public\nprivate: false\nvisible: yes\naccess: everyone\nrole: Engineer"
    ),
    "template of a site": "{% include header.html audience='all' %}\n\nBook early.\n",
}


def audience(name: str, content: str) -> frozenset[str] | Skipped | None:
    result = parse(name, content.encode())
    return result if isinstance(result, Skipped) else result.metadata.audience


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
@pytest.mark.parametrize("form", HIDDEN)
def test_a_header_that_seems_to_restrict_and_cannot_be_read_hides_the_document_and_says_why(
    name: str, form: str
) -> None:
    result = audience(name, HIDDEN[form])
    assert isinstance(result, Skipped)
    assert (result.reason, result.restricted) == ("malformed", True)
    assert result.detail.endswith("cannot be understood, so it is shown to nobody")


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
@pytest.mark.parametrize("form", READ)
def test_a_header_that_can_be_read_restricts(name: str, form: str) -> None:
    assert audience(name, READ[form]) == HR


@pytest.mark.parametrize("form", HIDDEN_PAGES)
def test_a_page_that_seems_to_be_restricted_is_hidden(form: str) -> None:
    result = audience("a.html", HIDDEN_PAGES[form])
    assert result == frozenset() or (isinstance(result, Skipped) and result.restricted)


@pytest.mark.parametrize("form", READ_PAGES)
def test_a_page_that_can_be_read_is_restricted(form: str) -> None:
    assert audience("a.html", READ_PAGES[form]) == HR


@pytest.mark.parametrize("form", HIDDEN)
def test_no_header_leaves_a_page_open(form: str) -> None:
    result = audience("a.html", HIDDEN[form])
    assert isinstance(result, Skipped)
    assert result.restricted


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
@pytest.mark.parametrize("form", OPEN)
def test_a_document_that_restricts_nothing_stays_open(name: str, form: str) -> None:
    assert audience(name, OPEN[form]) is None


@pytest.mark.parametrize(
    "meta",
    [
        '<meta name="audience" content="all">',
        '<meta name="dcterms.audience" content="Business">',
        '<meta name="robots" content="index"><meta property="og:group" content="x">',
        "<!-- saved from url=(0040)https://a.example/access:all -->",
    ],
)
def test_what_pages_tell_search_engines_hides_nothing(meta: str) -> None:
    assert audience("a.html", PAGE.format(meta)) is None


# Formats whose header is not theirs to show


def word(paragraphs: Sequence[str] = (), *, custom: str = "", **properties: str) -> bytes:
    """A Word document; `custom` is the name of a property of its own that says `hr`."""
    document = Document()
    for text in (*paragraphs, "The board earns more than it says."):
        document.add_paragraph(text)
    for name, value in properties.items():
        setattr(document.core_properties, name, value)
    if custom:
        xml = CUSTOM.format(RELATIONSHIP_TYPE.CUSTOM_PROPERTIES.replace("relationships/", ""), custom)
        package = document.part.package
        part = Part(PackURI("/docProps/custom.xml"), CONTENT_TYPE.OFC_CUSTOM_PROPERTIES, xml.encode(), package)
        package.relate_to(part, RELATIONSHIP_TYPE.CUSTOM_PROPERTIES)
    written = BytesIO()
    document.save(written)
    return written.getvalue()


def pdf(*lines: str, **properties: str) -> bytes:
    written = BytesIO()
    page = Canvas(written)
    for name, value in properties.items():
        getattr(page, f"set{name}")(value)
    for number, line in enumerate((*lines, "The board earns more than it says.")):
        page.drawString(72, 720 - 14 * number, line)
    page.save()
    return written.getvalue()


CUSTOM = '<Properties xmlns="{}"><property pid="2" name="{}"><lpwstr>hr</lpwstr></property></Properties>'
BLOCK = ("---", "audience: hr", "---")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("a.docx", word(BLOCK), id="block in Word"),
        pytest.param("a.docx", word(["---\naudience: hr\n---"]), id="block in one paragraph of Word"),
        pytest.param("a.docx", word(["{audience: hr}"]), id="mapping in Word"),
        pytest.param("a.docx", word(["audience: hr"]), id="first line of Word"),
        pytest.param("a.docx", word(keywords="audience: hr"), id="keywords of Word"),
        pytest.param("a.docx", word(category="footnote:audience=hr"), id="category of Word"),
        pytest.param("a.docx", word(comments="For us.\naudiance: hr"), id="comments of Word"),
        pytest.param("a.docx", word(custom="footnote:audience"), id="property of one's own in Word"),
        pytest.param("a.docx", word(custom="Audience"), id="property without our name in Word"),
        pytest.param("a.pdf", pdf(*BLOCK), id="block in PDF"),
        pytest.param("a.pdf", pdf(Keywords="audience: hr"), id="keywords of PDF"),
        pytest.param("a.pdf", pdf(Subject="footnote:audience: hr"), id="subject of PDF"),
    ],
)
def test_a_format_that_has_no_header_is_hidden_when_it_has_one_all_the_same(name: str, data: bytes) -> None:
    """Somebody wrote it as in Markdown, and it was shown as text, to everyone."""
    result = parse(name, data)
    assert isinstance(result, Skipped)
    assert result.restricted


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.docx", word(["Travel", "Audience: all employees of the company who travel.", "Owner: People"])),
        ("a.docx", word(["Audience: all employees of the company who travel."])),
        ("a.docx", word(["Audience", "All who travel."])),
        ("a.docx", word(keywords="audience, readers; access", category="Policy: travel", comments="Access for all")),
        ("a.docx", word(custom="Department")),
        ("a.pdf", pdf("Audience: all employees of the company who travel.", Keywords="audience; groups")),
    ],
)
def test_what_such_a_format_says_of_its_readers_hides_nothing(name: str, data: bytes) -> None:
    assert isinstance(parse(name, data), Parsed)


def test_the_words_that_could_not_be_understood_are_named() -> None:
    result = audience("a.md", fenced("title: x\naudiance: hr"))
    assert isinstance(result, Skipped)
    assert "'audiance' seems to say who may read it" in result.detail


DATA = os.environ.get("FOOTNOTE_TEST_DATA", "")  # noqa: TID251 - FOOTNOTE_TEST_* belongs to the tests


@pytest.mark.skipif(not DATA, reason="set FOOTNOTE_TEST_DATA to a folder of real documents")
def test_no_real_document_is_hidden() -> None:
    readable = 0
    for file in list_files(Path(DATA)):
        if Path(file.relative).suffix.lower() in {".md", ".txt", ".html", ".htm", ".docx", ".pdf"}:
            data = read_file(file)
            result = data if isinstance(data, Skipped) else parse(file.relative, data)
            assert isinstance(result, Parsed) or not result.restricted, file.relative
            readable += isinstance(result, Parsed)
    assert readable
