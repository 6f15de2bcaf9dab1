"""Renders the pages: each is one HTML file without scripts that loads nothing, for a screen or for paper."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.reports.numbers import format_count, format_percent, format_share


def render(template: str, **values: Any) -> str:
    """Return the page that a template of `templates/` makes from these values; every value is escaped."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bot.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": format_count,
        "fixed": format_fixed,
        "percent": format_percent,
        "share": format_share,
        "stack": stack,
    }
    return environment


def format_fixed(number: float, digits: int = 1) -> str:
    """Return a length or place in a plot with so many digits behind the point."""
    return f"{number:.{digits}f}"


def stack(parts: Iterable[tuple[str, float]]) -> list[tuple[str, float, float]]:
    """Return for each named share where it begins behind those before it, and its width, in percent of the whole."""
    placed, start = [], 0.0
    for name, share in parts:
        placed.append((name, 100 * start, 100 * share))
        start += share
    return placed
