"""Compares two exports, by exchange."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from feedback.errors import ExportRefused
from feedback.export.folder import LINEAGE, MANIFEST, REJECTED, is_export
from feedback.export.formats import FORMATS

JsonObject = dict[str, Any]
Rows = tuple[tuple[str, ...], ...]
"""For each row of an exchange its split, its sha256 and its label, which is empty but for KTO."""


def compare_exports(old: Path, new: Path) -> JsonObject:
    """Return for each format of either the exchanges whose rows were added, removed, changed, relabelled or moved.

    `settings` are those that differ, `rejected` the exchanges that were left out or came back, with step and reason.
    Raises `ExportRefused` for a folder that is no export or is damaged.
    """
    for place in (old, new):
        if not is_export(place):
            raise ExportRefused(f"{str(place)!r} is no export of Footnote's: name the folder that --out was given")
    try:
        return {
            "old": str(old),
            "new": str(new),
            "snapshot": {"old": _read_manifest(old)["snapshot"], "new": _read_manifest(new)["snapshot"]},
            "settings": _compare_settings(_read_manifest(old)["settings"], _read_manifest(new)["settings"]),
            "formats": {
                name: _compare_format(name, old, new)
                for name in FORMATS
                if (old / name).is_dir() or (new / name).is_dir()
            },
            "rejected": _compare_rejected(old, new),
        }
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ExportRefused(
            f"{str(old)!r} or {str(new)!r} is damaged ({error}): compare with an export that is whole"
        ) from error


def _read_manifest(place: Path) -> JsonObject:
    manifest: JsonObject = json.loads((place / MANIFEST).read_bytes())
    return manifest


def _compare_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> JsonObject:
    return {
        key: {"old": old.get(key), "new": new.get(key)} for key in sorted({*old, *new}) if old.get(key) != new.get(key)
    }


def _compare_format(name: str, old: Path, new: Path) -> JsonObject:
    before, after = _read_rows(old, name), _read_rows(new, name)
    both = sorted(before.keys() & after.keys())
    changes: JsonObject = {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": [each for each in both if _values(before[each], "sha256") != _values(after[each], "sha256")],
        "moved": [
            {"exchange": each, "old": _values(before[each], "split"), "new": _values(after[each], "split")}
            for each in both
            if _values(before[each], "split") != _values(after[each], "split")
        ],
        "unchanged": sum(before[each] == after[each] for each in both),
    }
    if name == "trl-kto":
        changes["relabelled"] = [
            {"exchange": each, "old": _values(before[each], "label"), "new": _values(after[each], "label")}
            for each in both
            if _values(before[each], "label") != _values(after[each], "label")
        ]
    return changes


def _read_rows(place: Path, name: str) -> dict[str, Rows]:
    """Return the rows of this format by exchange."""
    rows: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    labels = _read_labels(place / name) if name == "trl-kto" else {}
    for line in _read_lines(place / LINEAGE):
        if line["format"] == name:
            label = labels[line["split"]][line["row"]] if name == "trl-kto" else ""
            rows[line["exchange"]].append((line["split"], line["sha256"], label))
    return {exchange: tuple(sorted(each)) for exchange, each in rows.items()}


def _read_labels(folder: Path) -> dict[str, list[str]]:
    """Return for each split the label of each row, as JSON writes it; nothing where there is no such folder."""
    if not folder.is_dir():
        return {}
    return {
        path.stem: [json.dumps(line["label"]) for line in _read_lines(path)] for path in sorted(folder.glob("*.jsonl"))
    }


def _values(rows: Rows, what: str) -> list[str]:
    """Return the different values of `split`, `sha256` or `label` of the rows, sorted."""
    place = ("split", "sha256", "label").index(what)
    return sorted({row[place] for row in rows})


def _compare_rejected(old: Path, new: Path) -> list[JsonObject]:
    before, after = _read_rejected(old), _read_rejected(new)
    return [
        {"exchange": each, "old": before.get(each), "new": after.get(each)}
        for each in sorted({*before, *after})
        if before.get(each) != after.get(each)
    ]


def _read_rejected(place: Path) -> dict[str, str]:
    return {line["exchange"]: f"{line['stage']}: {line['reason']}" for line in _read_lines(place / REJECTED)}


def _read_lines(path: Path) -> Iterator[JsonObject]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)
