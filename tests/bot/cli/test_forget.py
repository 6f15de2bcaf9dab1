"""`footnote forget`: what goes, what is asked before, and which exports it names."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from bot.access.pseudonyms import pseudonym, user_key
from bot.state.protocol import person_prefix
from bot.state.sqlite.store import SqliteState
from feedback.records import Export
from feedback.stores.sqlite.store import SqliteFeedback
from tests.bot.cli.command_line import error_line, footnote
from tests.feedback.samples import NOON, exchange

ADA = "ada@example.com"


@pytest.fixture
def known(folder) -> Path:
    """A state folder in which Ada asked once, and voted twice."""
    home: Path = folder / ".footnote"
    with closing(SqliteFeedback(home / "feedback.db")) as store:
        store.record(exchange(0, asker=pseudonym(ADA, key=user_key(home))))
        store.record(exchange(1, asker=""))
    for answer in ("answer-00000", "answer-00001"):
        footnote("vote", answer, "down", "--user", ADA)
    footnote("vote", "answer-00001", "up", "--user", "slack:U0123")
    return home


def test_a_person_is_erased_and_what_went_is_counted(known):
    result = footnote("forget", "Ada@Example.com")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "Erased exchanges: 1, votes: 2, corrections: 0, decisions: 0.\n"
    with closing(SqliteFeedback(known / "feedback.db")) as store:
        (left,) = store.reviewed_exchanges()
    assert left.exchange.id == "answer-00001"
    assert [each.vote for each in left.votes] == ["up"]
    again = footnote("forget", ADA, "--json")
    assert json.loads(again.stdout) == {
        "exchanges": 0,
        "votes": 0,
        "corrections": 0,
        "decisions": 0,
        "exports": [],
        "elsewhere": {},
    }


def test_exports_that_hold_rows_are_named_with_their_files(known, folder):
    place = folder / "out"
    (place / "trl-kto").mkdir(parents=True)
    lineage = [
        {"format": "trl-kto", "split": "train", "row": 0, "sha256": "aa", "exchange": "answer-00000", "why": ""},
        {"format": "trl-kto", "split": "train", "row": 1, "sha256": "bb", "exchange": "answer-00001", "why": ""},
        {"format": "trl-kto", "split": "test", "row": 0, "sha256": "cc", "exchange": "answer-00000", "why": ""},
    ]
    (place / "lineage.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lineage), encoding="utf-8")
    with closing(SqliteFeedback(known / "feedback.db")) as store:
        rows = {pseudonym(ADA, key=user_key(known)): ["aa", "cc"]}
        store.register_export(Export("e1", NOON, str(place), 3), rows)
        store.register_export(Export("e2", NOON, str(folder / "gone"), 3), rows)
    result = footnote("forget", ADA)
    assert result.stdout.splitlines()[1:] == [
        f"The export e1 in {place} holds 2 rows of theirs:",
        "  trl-kto/test.jsonl  1 rows",
        "  trl-kto/train.jsonl  1 rows",
        f"The export e2 in {folder / 'gone'} holds 2 rows of theirs:",
        "  it is not there any more, or not whole; find the rows in copies by the hashes that --json prints",
        "Export these again, and train models anew that were trained on them.",
    ]
    exports = json.loads(footnote("forget", ADA, "--json").stdout)["exports"]
    assert exports[0] == {
        "id": "e1",
        "at": NOON.isoformat(),
        "place": str(place),
        "rows": ["aa", "cc"],
        "files": {"trl-kto/test.jsonl": 1, "trl-kto/train.jsonl": 1},
    }
    assert exports[1]["files"] == {}


class Keyboard(BytesIO):
    """What somebody types at a terminal."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_it_is_asked_before(known):
    no = footnote("forget", ADA, stdin=Keyboard(b"n\n"))
    assert no.exit_code == 1
    assert "Erase everything that is recorded of ada@example.com?" in no.stderr
    assert footnote("forget", ADA, stdin=Keyboard(b"y\n")).stdout.startswith("Erased exchanges: 1")
    assert footnote("forget", ADA, "--yes", stdin=Keyboard()).stdout.startswith("Erased exchanges: 0")


def test_values_that_a_platform_keeps_of_a_person_go_too(known):
    now, hour = datetime.now(UTC), timedelta(hours=1)
    with closing(SqliteState(known / "state.db")) as state:
        mine, other = (
            f"{person_prefix(pseudonym(name, key=user_key(known)))}slack:voted:a" for name in (ADA, "bob@example.com")
        )
        for key in (mine, other):
            state.put(key, "1", expires=now + hour)
        assert footnote("forget", ADA).exit_code == 0
        assert (state.get(mine, now=now), state.get(other, now=now)) == (None, "1")


def test_nobody_cannot_be_forgotten(folder):
    assert "name the person" in error_line(footnote("forget", " "), 2)


def test_with_redis_people_need_one_name_everywhere(folder, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_REDIS_URL", "redis://127.0.0.1:1")
    assert "give `user_key`" in error_line(footnote("forget", ADA), 1)
