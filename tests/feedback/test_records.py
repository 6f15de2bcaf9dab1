"""Records survive being written down, and say what is wrong with what is no record."""

import json
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.codec import from_bytes, from_json, to_bytes, to_json, to_line
from feedback.records import (
    AnswerSentence,
    Correction,
    Exchange,
    RetrievedPassage,
    StoredCitation,
    Vote,
)
from tests.feedback.samples import NOON, exchange, vote

TIMES = st.datetimes(timezones=st.just(UTC))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PAIRS = st.lists(st.tuples(st.text(), st.text()), max_size=3).map(tuple)


def several(kind: type) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.builds(kind, **({"score": NUMBERS} if kind is RetrievedPassage else {})), max_size=3).map(tuple)


EXCHANGES = st.builds(
    Exchange,
    at=TIMES,
    history=PAIRS,
    groups=st.frozensets(st.text(), max_size=3),
    shown=several(RetrievedPassage),
    sentences=st.lists(st.builds(AnswerSentence, citations=st.lists(st.integers()).map(tuple)), max_size=3).map(tuple),
    citations=several(StoredCitation),
    confidence=NUMBERS,
    fallback=st.none() | st.text(),
    timings=st.dictionaries(st.text(), NUMBERS, max_size=3),
)
RECORDS = EXCHANGES | st.builds(Vote, at=TIMES) | st.builds(Correction, at=TIMES)


def written(record) -> Any:
    """The JSON that a file would hold."""
    return json.loads(json.dumps(to_json(record), allow_nan=False))


@given(RECORDS)
def test_a_record_comes_back_from_its_json_as_it_was(record):
    assert from_json(type(record), written(record)) == record


@given(EXCHANGES)
def test_equal_exchanges_have_the_same_json(record):
    assert json.dumps(to_json(record)) == json.dumps(to_json(from_json(Exchange, written(record))))


def test_the_json_says_its_kind_and_version_and_holds_every_field():
    row = written(exchange())
    assert (row["kind"], row["schema"]) == ("exchange", "1.1")
    assert {field.name for field in fields(Exchange)} == set(row) - {"kind", "schema"}
    assert row["citations"] == [asdict(cited) for cited in exchange().citations]
    assert row["groups"] == ["hr", "leeds"]


def test_keys_of_a_newer_minor_version_are_ignored_at_every_depth():
    row = written(exchange())
    row |= {"schema": "1.7", "mood": "good"}
    row["citations"][0]["colour"] = "blue"
    assert from_json(Exchange, row) == exchange()


def test_keys_that_an_older_version_lacks_take_their_default():
    row = {"kind": "exchange", "schema": "1.0", "id": "1", "at": "2026-03-02T12:00:00+00:00"}
    assert from_json(Exchange, row | {"question": "q", "answer": "a"}) == Exchange("1", NOON, "q", "a")


def test_the_line_is_in_ascii_and_in_the_order_of_the_fields():
    line = to_line(to_json(vote(1, "up", comment="Gr\u00fc\u00dfe")))
    assert line == (
        '{"kind": "vote", "schema": "1.1", "key": "click-00001", "answer": "answer-00000", "voter": "'
        + "1e" * 32
        + '", '
        '"at": "2026-03-02T12:00:01+00:00", "vote": "up", "reason": "outdated", "comment": "Gr\\u00fc\\u00dfe"}'
    )


def test_numbers_and_mappings_of_other_libraries_are_written_as_ours():
    given = exchange(confidence=np.float64(0.75), timings=MappingProxyType({"search": 0.01, "total": 0.02}))
    assert to_line(to_json(given)) == to_line(to_json(exchange()))


def test_a_newer_major_version_is_refused():
    with pytest.raises(ValueError, match=r"schema 2\.0 is of a newer Footnote"):
        from_json(Exchange, written(exchange()) | {"schema": "2.0"})


def test_a_time_with_another_offset_is_the_same_moment():
    row = written(exchange()) | {"at": "2026-03-02T13:00:00+01:00"}
    assert from_json(Exchange, row).at == NOON
    assert from_json(Exchange, row).at.tzinfo is UTC


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"kind": "vote"}, "this is no exchange", id="other-kind"),
        pytest.param({"schema": None}, "`schema`", id="no-schema"),
        pytest.param({"schema": "1"}, "`schema`", id="odd-schema"),
        pytest.param({"id": 1}, "`exchange.id` must be a text", id="number-for-text"),
        pytest.param({"abstained": 1}, "`exchange.abstained` must be true or false", id="number-for-truth"),
        pytest.param({"confidence": "1"}, "`exchange.confidence` must be a number", id="text-for-number"),
        pytest.param({"confidence": True}, "`exchange.confidence` must be a number", id="truth-for-number"),
        pytest.param({"confidence": float("nan")}, "`exchange.confidence` must be a number", id="no-number"),
        pytest.param({"timings": {"a": float("inf")}}, "`exchange.timings.a` must be a number", id="endless-number"),
        pytest.param({"timings": {"a": 10**400}}, "`exchange.timings", id="number-out-of-range"),
        pytest.param({"fallback": 1}, "`exchange.fallback` must be a text", id="number-for-text-or-null"),
        pytest.param({"at": "yesterday"}, "`exchange.at` must be a time", id="no-time"),
        pytest.param({"at": 3}, "`exchange.at` must be a time", id="number-for-time"),
        pytest.param({"at": "2026-03-02T12:00:00"}, "`exchange.at` must be a time", id="time-without-offset"),
        pytest.param({"history": {}}, "`exchange.history` must be a list", id="object-for-list"),
        pytest.param({"history": [["user"]]}, "`exchange.history\\[0\\]` must be a list of 2", id="half-a-pair"),
        pytest.param({"timings": []}, "`exchange.timings` must be an object", id="list-for-mapping"),
        pytest.param({"timings": {"a": "b"}}, "`exchange.timings.a` must be a number", id="text-in-mapping"),
        pytest.param({"sentences": ["a"]}, "`exchange.sentences\\[0\\]` must be an object", id="text-for-object"),
        pytest.param({"sentences": [{}]}, "`exchange.sentences\\[0\\].text` is missing", id="missing"),
        pytest.param(
            {"sentences": [{"text": "a", "citations": [1.5]}]},
            "`exchange.sentences\\[0\\].citations\\[0\\]` must be a whole number",
            id="fraction",
        ),
    ],
)
def test_what_is_no_exchange_is_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        from_json(Exchange, to_json(exchange()) | change)


def test_what_is_no_object_is_refused():
    with pytest.raises(ValueError, match="this is no exchange"):
        from_json(Exchange, [])


@pytest.mark.parametrize("value", ["sideways", [], None])
def test_a_vote_is_up_down_or_none(value):
    row = to_json(Vote("k", "a", "v", NOON, "up"))
    with pytest.raises(ValueError, match=r"`vote\.vote` must be one of up, down, none"):
        from_json(Vote, row | {"vote": value})


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(datetime(2026, 3, 2, 12), id="no-offset"),  # noqa: DTZ001 - the point of the test
        pytest.param(datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=1))), id="other-offset"),
    ],
)
def test_a_record_is_made_in_utc_only(at):
    with pytest.raises(ValueError, match="UTC"):
        replace(exchange(), at=at)


@pytest.mark.parametrize("text", ["plain", "Gr\u00fc\u00dfe \U0001f600", "half \ud800"])
def test_quick_json_keeps_every_text(text):
    row = {"b": (text, 1, None), "a": [1.5]}
    assert from_bytes(to_bytes(row)) == {"a": [1.5], "b": [text, 1, None]}
    assert from_bytes(to_bytes({"s": frozenset({text})}, sorted)) == {"s": [text]}
    assert to_bytes({"b": 1, "a": text}) == to_bytes({"a": text, "b": 1})


def test_quick_json_takes_records_and_refuses_what_is_no_json():
    up = vote(1, "up")
    assert from_bytes(to_bytes(up))["voter"] == up.voter
    with pytest.raises(ValueError, match="line 1"):
        from_bytes(b"{")
