"""Real files that break loaders: every one ends indexed or skipped with a reason, soon."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest

from retrieval.parsing.protocol import Skipped
from retrieval.parsing.registry import FORMATS, parse
from retrieval.sources.files import list_files, read_file
from tests.retrieval.parsing.assertions import assert_well_formed, parse_text

DATA = os.environ.get("FOOTNOTE_TEST_DATA", "")  # noqa: TID251 - FOOTNOTE_TEST_* belongs to the tests
FOLDER = Path(DATA) / "messy"
LONGEST_SECONDS = 20.0

pytestmark = pytest.mark.skipif(
    not DATA or not FOLDER.is_dir(),
    reason="set FOOTNOTE_TEST_DATA to a folder that holds messy/, real files that break loaders",
)

EXPECTED = {
    "derived-broken/pdf-renamed-to-docx.docx": "malformed",
    "derived-broken/truncated-1k.pdf": "malformed",
    "derived-broken/truncated-half.pdf": "malformed",
    "derived-broken/zero-byte.docx": "no-text",
    "derived-broken/missing-content-types.pptx": "unsupported",
    "markitdown/markitdown-ocr/pdf_scanned_invoice.pdf": "no-text",
    "py-pdf-sample-files/005-libreoffice-writer-password/libreoffice-writer-password.pdf": "encrypted",
    "py-pdf-sample-files/019-grayscale-image/grayscale-image.pdf": "no-text",
    "unstructured/empty.txt": "no-text",
    "unstructured/password_protected.xlsx": "unsupported",
}


def test_every_file_ends_indexed_or_with_a_reason(record_property: Callable[[str, object], None]) -> None:
    reasons: Counter[str] = Counter()
    slowest = (0.0, "")
    for file in list_files(FOLDER):
        data = read_file(file)
        start = perf_counter()
        result = data if isinstance(data, Skipped) else parse(file.relative, data)
        slowest = max(slowest, (perf_counter() - start, file.relative))
        if isinstance(result, Skipped):
            assert result.detail
            reasons[result.reason] += 1
            supported = Path(file.relative).suffix.lower() in FORMATS
            assert supported == (result.reason != "unsupported")
        else:
            assert_well_formed(result)
            reasons["indexed"] += 1
    record_property("reasons", dict(reasons))
    record_property("slowest", slowest)
    assert slowest[0] < LONGEST_SECONDS
    assert reasons["indexed"] > 50


@pytest.mark.parametrize("name", EXPECTED)
def test_known_bad_files_give_their_reason(name: str) -> None:
    result = parse(name, (FOLDER / name).read_bytes())
    assert isinstance(result, Skipped)
    assert result.reason == EXPECTED[name]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("derived-broken/latin1-as-utf8.md", "Congés payés"),
        ("derived-broken/no-eof-no-xref.pdf", "LayoutParser: A Unified Toolkit"),
        ("unstructured/fake-text-utf-16-be.txt", "This is a test document"),
        ("unstructured/fake-text-utf-32.txt", "This is a test document"),
        ("unstructured/umlauts-non-utf8.md", "können"),
        ("unstructured/handbook-872p.docx", "standing trustee"),
        ("unstructured/rotated-page-90.pdf", ""),
    ],
)
def test_known_odd_files_are_read(name: str, words: str) -> None:
    assert words in parse_text(name, (FOLDER / name).read_bytes()).text
