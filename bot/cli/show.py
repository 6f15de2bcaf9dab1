import difflib

import click

from bot.channels.json_format import document_json
from bot.channels.terminal.rendering import document_text
from bot.cli.errors import CommandFailed
from bot.cli.invocation import Invocation
from bot.cli.options import json_option
from bot.cli.output import print_json, print_text
from retrieval.index.protocols import IndexReader
from retrieval.passages import Document

# What is closed and what does not exist are the same to whoever asks.
UNREADABLE = "no document {name!r} is indexed that these groups may read"


@click.command("show")
@click.argument("document")
@click.option("--version", metavar="V", help="An older version that an answer cited, in place of the current one.")
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="GROUP",
    help="Print only what readers of this group, beside everyone, may read now. May be repeated.",
)
@json_option
@click.pass_obj
def command(
    invocation: Invocation, /, document: str, *, version: str | None, groups: tuple[str, ...], as_json: bool
) -> None:
    """Print what was parsed from a document, with its sections.

    Quotes of answers are slices of this text, and sections give their spans in it. Without --group whatever is
    indexed is printed: whoever runs this may read the index itself.
    """
    index = invocation.app.index.reader
    found = index.document(document, version=version)
    if groups and found is not None and not _may_read(invocation, found, frozenset(groups)):
        found = None
    if found is None:
        raise CommandFailed(_not_found(index, document, version) if not groups else UNREADABLE.format(name=document))
    sections = [section for section in index.sections(document) if section.version == found.version]
    if as_json:
        print_json(document_json(found, sections))
    else:
        print_text(document_text(found, sections))


def _may_read(invocation: Invocation, document: Document, groups: frozenset[str]) -> bool:
    """Whether these groups may read a document; of a past version nobody knows who might."""
    current = invocation.app.index.reader.document(document.id)
    is_current = current is not None and current.version == document.version
    return is_current and invocation.app.gate.may_read([document.id], groups)


def _not_found(index: IndexReader, document: str, version: str | None) -> str:
    """Return why there is nothing to show, with the version or the document that may be meant."""
    known = index.stored(document.split("/", maxsplit=1)[0])
    if document in known:
        return f"version {version!r} of {document!r} is not kept; the current one is {known[document].version!r}"
    close = difflib.get_close_matches(document, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "documents are named SOURCE/PATH, as `footnote search` shows"
    return f"no document {document!r} is indexed; {hint}"
