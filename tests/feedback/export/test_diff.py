"""What differs between two exports, by exchange."""

import pytest

from feedback.errors import ExportRefused
from feedback.export.diff import compare_exports
from tests.feedback.export.samples import curated, example, many, pair, retrieval


def test_two_exports_are_compared_by_exchange(write, tmp_path):
    old = write(many(60), place=tmp_path / "old", min_agreement=0.7)
    now = [
        *(example(n) for n in range(20)),
        example(20, label=True),
        *(example(n, label=n != 23) for n in range(21, 70)),
    ]
    new = write(
        curated(
            examples=now,
            pairs=map(pair, range(12)),
            retrievals=[*map(retrieval, range(29)), retrieval(30, split="test")],
        ),
        place=tmp_path / "new",
        min_agreement=0.9,
    )
    comparison = compare_exports(old.place, new.place)
    assert comparison["settings"] == {"min_agreement": {"old": 0.7, "new": 0.9}}
    kto = comparison["formats"]["trl-kto"]
    assert kto["added"] == [f"answer-{n:05}" for n in range(60, 70)]
    assert {"exchange": "answer-00005", "old": ["false"], "new": ["true"]} in kto["relabelled"]
    assert "answer-00004" not in [each["exchange"] for each in kto["relabelled"]]
    assert (
        "answer-00059" in comparison["formats"]["sentence-transformers"]["removed"]
        or "answer-00058" in (comparison["formats"]["sentence-transformers"]["removed"])
    )
    moved = comparison["formats"]["beir"]["moved"]
    assert moved == [{"exchange": "answer-00030", "old": ["train"], "new": ["test"]}]
    assert {"exchange": "answer-00060", "old": "agreement: disputed", "new": None} in comparison["rejected"]


def test_an_export_does_not_differ_from_itself(write):
    made = write(many(60))
    comparison = compare_exports(made.place, made.place)
    assert comparison["settings"] == {}
    assert comparison["rejected"] == []
    for changes in comparison["formats"].values():
        assert not any(changes[kind] for kind in ("added", "removed", "changed", "moved"))
        assert changes["unchanged"] > 0


def test_what_is_no_export_or_is_damaged_is_not_compared(write, tmp_path):
    made = write(many(60), "trl-sft")
    with pytest.raises(ExportRefused, match="is no export of Footnote's"):
        compare_exports(made.place, tmp_path)
    (made.place / "lineage.jsonl").write_text('{"format": "trl-sft"}\n')
    with pytest.raises(ExportRefused, match="is damaged"):
        compare_exports(made.place, made.place)
