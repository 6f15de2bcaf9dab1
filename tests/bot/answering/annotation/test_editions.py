"""Which names are editions of one document, and which of them is newer."""

from datetime import date

import pytest

from bot.answering.annotation.editions import edition_of_path, edition_of_title, is_newer

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hr/leave-2024.md", "hr/leave-2025.md"),
        ("hr/2024/leave.md", "hr/2025/leave.md"),
        ("hr/leave_2025-03-31.md", "hr/leave_2025-04-01.md"),
        ("hr/leave 20250331.docx", "hr/leave 20260101.pdf"),
        ("hr/travel-v2.md", "hr/travel-v3.md"),
        ("hr/travel-v2.9.md", "hr/travel-v2.10.md"),
        ("hr/travel.md", "hr/travel v2.md"),
        ("hr/travel rev A.md", "hr/travel rev B.md"),
        ("hr/travel (draft).md", "hr/travel (final).md"),
        ("hr/travel.md", "hr/travel (final).md"),
        ("hr/leave March 2025.md", "hr/leave April 2025.md"),
    ],
)
def test_of_names_that_differ_only_in_their_edition_one_is_newer(old: str, new: str) -> None:
    assert is_newer(edition_of_path(new), than=edition_of_path(old), today=TODAY)
    assert not is_newer(edition_of_path(old), than=edition_of_path(new), today=TODAY)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Leave policy 2024", "Travel policy 2025"),
        ("Leave policy", "Leave policy 2025"),
        ("Leave policy 2026", "Leave policy 2027"),
        ("Minutes 2025-03-01", "Minutes 2025-04-01"),
        ("Annual report 2024", "Annual report 2025"),
        ("2024", "2025"),
        ("Leave policy v2", "Leave policy v2"),
        ("", ""),
    ],
    ids=["others", "no year", "not in force yet", "minutes", "reports", "no name", "the same", "nothing"],
)
def test_other_names_are_not_editions_of_one_document(one: str, other: str) -> None:
    assert not is_newer(edition_of_title(other), than=edition_of_title(one), today=TODAY)
