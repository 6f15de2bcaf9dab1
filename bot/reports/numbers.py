"""Shares and counts as people read them (pure)."""

from collections.abc import Mapping
from typing import Any


def format_percent(share: float | None) -> str:
    """Return a share in whole percent, a dash for none."""
    return "-" if share is None else f"{100 * share:.0f}%"


def format_share(figures: Mapping[str, Any] | None) -> str:
    """Return a share with its interval, a dash for none."""
    if figures is None:
        return "-"
    low, high = format_percent(figures["low"]), format_percent(figures["high"])
    return f"{format_percent(figures['share'])} ({low} to {high})"


def format_count(number: float) -> str:
    """Return a count, which may be a sum of parts, with at most one digit behind the point."""
    return f"{number:,.1f}".removesuffix(".0")
