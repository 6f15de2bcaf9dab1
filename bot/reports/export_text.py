"""What an export of training data holds, and how two differ, as text for a terminal (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any

CHANGES = ("added", "removed", "changed", "relabelled", "moved")
# Exchanges of a kind of change that are named; all of them are in the JSON.
NAMED = 10


def export_text(manifest: Mapping[str, Any]) -> str:
    """Return what was written, what it is enough for, and how many exchanges were left out for which reason."""
    exchanges = manifest["exchanges"]
    lines = [f"{exchanges['in']} exchanges, {exchanges['used']} of them in rows"]
    for stage, reasons in exchanges["rejected"].items():
        lines += [f"  {count} left out: {stage}, {reason}" for reason, count in reasons.items()]
    for name, rows in manifest["formats"].items():
        lines.append(f"{name}: {rows['readiness']['note']}")
        tokens = rows["tokens"]
        if rows["of"] != "retrievals":
            how = "counted" if tokens["counted_by"] == "tokenizer" else "estimated; --tokenizer counts them"
            lines.append(f"  max_length {tokens['recommended_max_length']} ({how})")
    return "\n".join(lines)


def export_changes_text(changes: Mapping[str, Any]) -> str:
    """Return how many exchanges differ between two exports, and the first of each kind of change."""
    lines = [f"{key}: {each['old']} before, now {each['new']}" for key, each in changes["settings"].items()]
    for name, kinds in changes["formats"].items():
        counts = [f"{len(kinds[kind])} {kind}" for kind in CHANGES if kinds.get(kind)]
        lines.append(f"{name}, exchanges: {', '.join([*counts, str(kinds['unchanged']) + ' unchanged'])}")
        for kind in CHANGES:
            lines += _first(kinds.get(kind, []), prefix=f"{kind} ")
    lines.append(f"left or came back: {len(changes['rejected'])}")
    lines += _first(changes["rejected"])
    return "\n".join(lines)


def _first(changes: Sequence[Any], *, prefix: str = "") -> list[str]:
    lines = [f"  {prefix}{_change(each)}" for each in changes[:NAMED]]
    return [*lines, f"  and {len(changes) - NAMED} more"] if len(changes) > NAMED else lines


def _change(change: Any) -> str:
    if isinstance(change, str):
        return change
    return f"{change['exchange']} ({_value(change['old'])} before, now {_value(change['new'])})"


def _value(value: Any) -> str:
    if value is None:
        return "not left out"
    return ", ".join(value) if isinstance(value, list) else str(value)
