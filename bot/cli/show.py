import difflib

import click

from bot.channels import json_format
from bot.channels.terminal import rendering
from bot.cli.options import json_option
from bot.cli.output import Invocation, Refused, emit, say
from retrieval.index.protocols import IndexReader


@click.command("show")
@click.argument("document")
@click.option("--version", metavar="V", help="An older version that an answer cited, in place of the current one.")
@json_option
@click.pass_obj
def command(invocation: Invocation, /, document: str, *, version: str | None, as_json: bool) -> None:
    """Print what was parsed from a document, with its sections.

    Quotes of answers are slices of this text, and sections give their spans in it.
    """
    index = invocation.app.index.reader
    shown = index.document(document, version=version)
    if shown is None:
        raise Refused(_missing(index, document, version))
    sections = [section for section in index.sections(document) if section.version == shown.version]
    if as_json:
        emit(json_format.document(shown, sections))
    else:
        say(rendering.document(shown, sections))


def _missing(index: IndexReader, document: str, version: str | None) -> str:
    known = index.stored(document.split("/", maxsplit=1)[0])
    if document in known:
        return f"version {version!r} of {document!r} is not kept; the current one is {known[document].version!r}"
    close = difflib.get_close_matches(document, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "documents are named SOURCE/PATH, as `footnote search` shows"
    return f"no document {document!r} is indexed; {hint}"
