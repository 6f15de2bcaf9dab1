"""Which passages a judgement names."""

from dataclasses import replace

import pytest

from retrieval.errors import UnreadableJudgements
from retrieval.evaluation.judgements import Section
from retrieval.evaluation.matching import covers, documents_by_name, matcher, shingles
from tests.retrieval.evaluation.judged import CARRY, SICK, figures, passage, results


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(CARRY, True, id="all"),
        pytest.param(CARRY.upper(), True, id="in-capitals"),
        pytest.param(" ".join(CARRY.split()[:11]), True, id="half"),  # 9 of its 18 shingles
        pytest.param(" ".join(CARRY.split()[:10]), False, id="less-than-half"),
        pytest.param("Say: " + CARRY + " That is all.", True, id="with-more-around"),
        pytest.param(SICK, False, id="another"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_half_of_the_shingles_find_a_section(text, found):
    assert covers(shingles(CARRY), text) is found


def test_a_table_head_that_is_shown_before_its_rows_is_read_too():
    hit = replace(passage("d/a.md", "two four six"), lead="one three five")
    corpus = {"a": Section("a", "one three five")}
    assert matcher("a", corpus, {})(hit)
    assert not matcher("a", corpus, {})(replace(hit, lead=""))


@pytest.mark.parametrize(
    ("words", "found"),
    [pytest.param(15, True, id="fifteen-words"), pytest.param(14, False, id="fourteen-words")],
)
def test_a_hit_inside_a_long_section_needs_fifteen_words(words, found):
    section = " ".join(f"w{number}" for number in range(100))
    assert covers(shingles(section), " ".join(f"w{number}" for number in range(20, 20 + words))) is found


def test_a_hit_lies_inside_when_four_fifths_of_it_do():
    section = " ".join(f"w{number}" for number in range(100))
    inside = [f"w{number}" for number in range(18)]  # 16 shingles; each word more is one more outside
    assert covers(shingles(section), " ".join([*inside, *"abcd"]))
    assert not covers(shingles(section), " ".join([*inside, *"abcde"]))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param("handbook/hr/leave.md", True, id="document"),
        pytest.param("hr/leave.md", True, id="without-source"),
        pytest.param("handbook/hr/leave", True, id="without-suffix"),
        pytest.param("hr/leave", True, id="without-both"),
        pytest.param("leave.md", False, id="file-name-alone"),
        pytest.param("handbook/hr/leave.md#carry", True, id="anchor"),
        pytest.param("hr/leave#page=2", True, id="fragment"),
        pytest.param("hr/leave#other", False, id="other-anchor"),
        pytest.param("unknown", False, id="unknown-document"),
        pytest.param("unknown#carry", False, id="unknown-document-with-anchor"),
    ],
)
def test_a_judgement_names_a_document_or_a_place_in_it(name, found):
    hit = passage("handbook/hr/leave.md", anchor="carry", fragment="page=2")
    assert matcher(name, {}, documents_by_name([hit.document]))(hit) is found


def test_a_document_with_a_number_sign_in_its_name_is_a_document():
    hit = passage("handbook/c#.md", anchor="x")
    assert matcher("c#", {}, documents_by_name([hit.document]))(hit)


def test_an_exact_name_wins_over_shorter_ones():
    hits = [passage("a/b/leave.md"), passage("b/leave.md")]
    exact = matcher("b/leave.md", {}, documents_by_name([hit.document for hit in hits]))
    assert [exact(hit) for hit in hits] == [False, True]


def test_a_name_that_fits_several_documents_is_refused():
    found = {"q": results(passage("hr/leave.md"), passage("old/leave.md"))}
    with pytest.raises(UnreadableJudgements, match=r"'leave' fits hr/leave\.md and old/leave\.md"):
        figures(found, {"q": ["leave"]})
