"""What differs between two exports, by exchange."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from feedback.errors import ExportRefused
from feedback.export.folder import is_export
from feedback.export.values import FORMATS, LINEAGE, MANIFEST, REJECTED

Told = dict[str, Any]


def compared(old: Path, new: Path) -> Told:
    """For each format of either the exchanges whose rows were added, removed, changed, relabelled or moved.

    `settings` are those that differ, `rejected` the exchanges that left or came back, with step and reason. Raises
    `ExportRefused` for a folder that is no export or is damaged.
    """
    for place in (old, new):
        if not is_export(place):
            raise ExportRefused(f"{str(place)!r} is no export of Footnote's: name the folder that --out was given")
    try:
        return {
            "old": str(old),
            "new": str(new),
            "snapshot": {"old": _manifest(old)["snapshot"], "new": _manifest(new)["snapshot"]},
            "settings": _settings(_manifest(old)["settings"], _manifest(new)["settings"]),
            "formats": {
                name: _format(name, old, new) for name in FORMATS if (old / name).is_dir() or (new / name).is_dir()
            },
            "rejected": _rejections(old, new),
        }
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ExportRefused(
            f"{str(old)!r} or {str(new)!r} is damaged ({error}): compare with an export that is whole"
        ) from error


def _manifest(place: Path) -> Told:
    manifest: Told = json.loads((place / MANIFEST).read_bytes())
    return manifest


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Told:
    return {
        key: {"old": old.get(key), "new": new.get(key)} for key in sorted({*old, *new}) if old.get(key) != new.get(key)
    }


def _format(name: str, old: Path, new: Path) -> Told:
    before, after = _rows(old, name), _rows(new, name)
    both = sorted(before.keys() & after.keys())
    told: Told = {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": [each for each in both if _of(before[each], "sha256") != _of(after[each], "sha256")],
        "moved": [
            {"exchange": each, "old": _of(before[each], "split"), "new": _of(after[each], "split")}
            for each in both
            if _of(before[each], "split") != _of(after[each], "split")
        ],
        "unchanged": sum(before[each] == after[each] for each in both),
    }
    if name == "trl-kto":
        told["relabelled"] = [
            {"exchange": each, "old": _of(before[each], "label"), "new": _of(after[each], "label")}
            for each in both
            if _of(before[each], "label") != _of(after[each], "label")
        ]
    return told


def _rows(place: Path, name: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    """By exchange what is said of each row of this format: split, sha256 and, for KTO, label."""
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    labels = _labels(place / name) if name == "trl-kto" else {}
    for line in _lines(place / LINEAGE):
        if line["format"] == name:
            label = (labels[line["split"]][line["row"]],) if name == "trl-kto" else ("",)
            found[line["exchange"]].append((line["split"], line["sha256"], *label))
    return {exchange: tuple(sorted(rows)) for exchange, rows in found.items()}


def _labels(folder: Path) -> dict[str, list[str]]:
    """For each split the label of each row, as JSON writes it."""
    if not folder.is_dir():
        return {}
    return {path.stem: [json.dumps(line["label"]) for line in _lines(path)] for path in sorted(folder.glob("*.jsonl"))}


def _of(rows: tuple[tuple[str, ...], ...], what: str) -> list[str]:
    place = ("split", "sha256", "label").index(what)
    return sorted({row[place] for row in rows})


def _rejections(old: Path, new: Path) -> list[Told]:
    before, after = _rejected(old), _rejected(new)
    return [
        {"exchange": each, "old": before.get(each), "new": after.get(each)}
        for each in sorted({*before, *after})
        if before.get(each) != after.get(each)
    ]


def _rejected(place: Path) -> dict[str, str]:
    return {line["exchange"]: f"{line['stage']}: {line['reason']}" for line in _lines(place / REJECTED)}


def _lines(path: Path) -> Iterator[Told]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)
