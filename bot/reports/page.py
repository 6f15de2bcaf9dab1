"""Pages that need nothing else: one file without scripts, light and dark, for a screen or for paper."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import click

from bot.cli.output import note
from bot.errors import BotError

STYLE = """
:root { color-scheme: light dark; --paper: #fbfbfa; --card: #ffffff; --ink: #1d1d1b; --soft: #6a6a64; --line: #e3e2dd;
  --right: #2a6fc9; --wrong: #d9572b; }
@media (prefers-color-scheme: dark) { :root { --paper: #161615; --card: #1f1f1d; --ink: #f1f0ec; --soft: #a3a29a;
  --line: #363531; --right: #5b9bf0; --wrong: #f0825a; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1.25rem 3rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1020px; margin: 0 auto; display: grid; gap: 1.25rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 430px), 1fr)); }
header, .wide { grid-column: 1 / -1; }
h1 { margin: 0; font-size: 1.5rem; } h2 { margin: 0 0 .2rem; font-size: 1.05rem; }
p { margin: 0; color: var(--soft); } section p { font-size: .88rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.25rem;
  overflow-x: auto; }
svg { display: block; width: 100%; height: auto; margin-top: .7rem; }
svg text { fill: var(--soft); font-size: 12px; } svg .name { font-weight: 600; font-size: 12.5px; }
.grid { stroke: var(--line); } .rule { stroke: var(--soft); stroke-dasharray: 4 4; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; margin-top: .5rem; }
th, td { text-align: right; padding: .24rem 0 .24rem 1.2rem; white-space: nowrap; }
th, td { border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
tr:last-child td { border-bottom: 0; } th { color: var(--soft); font-weight: 500; font-size: .86rem; }
thead th:not(:first-child) { white-space: normal; overflow-wrap: anywhere; } td.noise { color: var(--soft); }
@media print { body { padding: 0; background: none; } section { break-inside: avoid; } }
"""

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Footnote: {name}</title>
<style>{style}</style>
</head>
<body>
<main>
<header><h1>{title}</h1><p>{summary}</p></header>
{sections}
</main>
</body>
</html>
"""


def html_option(told: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option that asks for a page, refused before anything is measured if it could not be written afterwards."""
    kind = click.Path(dir_okay=False, path_type=Path)
    return click.option("--html", type=kind, callback=_new_file, metavar="FILE", help=told)


def _new_file(_: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    if path and not path.absolute().parent.is_dir():
        raise click.BadParameter(f"the folder of {str(path)!r} does not exist.", param=parameter)
    return path


def write(path: Path, page: str) -> None:
    """Put a page into a file and say so; raises `BotError` when that cannot be done."""
    try:
        path.write_text(page, encoding="utf-8", errors="replace")  # half characters have no UTF-8
    except OSError as error:
        raise BotError(f"{str(path)!r} cannot be written ({error.strerror})") from error
    note(f"written: {path}")


def document(title: str, summary: str, sections: Iterable[str], *, style: str = "") -> str:
    """The whole page; `style` is what only this page needs, the sections are made with `section`."""
    return PAGE.format(
        name=escape(title.lower()),
        title=escape(title),
        style=STYLE + style,
        summary=escape(summary),
        sections="\n".join(sections),
    )


def section(title: str, note: str, content: str, *, wide: bool = False) -> str:
    """A part of the page; the content is taken as it is."""
    told = f"<p>{escape(note)}</p>" if note else ""
    style = ' class="wide"' if wide else ""
    return f"<section{style}><h2>{escape(title)}</h2>{told}{content}</section>"


def table(heads: Sequence[str], rows: Sequence[tuple[Sequence[str], bool]]) -> str:
    """Rows of cells, each with whether it may be noise."""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(f"<tr>{_cells(cells, noise=noise)}</tr>" for cells, noise in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def drawing(label: str, width: float, height: float, parts: Iterable[str]) -> str:
    """A picture that says what it shows; the parts are taken as they are."""
    size = f"0 0 {width:g} {height:g}"
    return f'<svg viewBox="{size}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'


def text(x: float, y: float, words: str, *, anchor: str = "start", style: str = "") -> str:
    """Words in a picture."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}">{escape(words)}</text>'


def _cells(cells: Sequence[str], *, noise: bool) -> str:
    style = ' class="noise"' if noise else ""
    return "".join(f"<td{style}>{escape(each)}</td>" for each in cells)
