"""People are remembered under a keyed hash, and the key is made once and kept private."""

import re
import stat
import sys

import pytest

from bot.access.pseudonyms import KEY_FILE, pseudonym, user_key
from feedback.errors import FeedbackUnavailable
from tests.processes import start_python

MAKER = """
import sys
from pathlib import Path
from bot.access.pseudonyms import user_key
print("ready", flush=True)
while not Path(sys.argv[2]).exists():
    pass
print(user_key(Path(sys.argv[1])))
"""


def test_a_person_has_one_name_for_one_key_and_another_for_the_next():
    ada = pseudonym("slack:U1", key="a")
    assert re.fullmatch("[0-9a-f]{64}", ada)
    assert ada == pseudonym(" slack:U1 ", key="a")
    assert (
        len({ada, pseudonym("slack:U2", key="a"), pseudonym("slack:u1", key="a"), pseudonym("slack:U1", key="b")}) == 4
    )


def test_the_hash_is_hmac_sha256():
    # printf slack:U1 | openssl dgst -sha256 -hmac key
    assert pseudonym("slack:U1", key="key") == "d36e6333fa1c3513e388ed439c8b4202251a111c60725ae119389ef245dccd2d"


def test_an_address_is_one_person_in_upper_and_lower_case():
    assert pseudonym("Ada@Example.com", key="a") == pseudonym("ada@example.com", key="a")


@pytest.mark.parametrize("user", ["", "  "])
def test_nobody_stays_nobody(user):
    assert pseudonym(user, key="a") == ""


def test_the_key_is_made_once(tmp_path):
    key = user_key(tmp_path / "new" / "home")
    assert re.fullmatch("[0-9a-f]{64}", key)
    assert user_key(tmp_path / "new" / "home") == key
    assert user_key(tmp_path / "other") != key


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_owner_may_read_the_key(tmp_path):
    user_key(tmp_path)
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_what_a_process_that_died_left_behind_is_no_key(tmp_path):
    (tmp_path / "user.new").write_text("half", encoding="ascii")
    assert len(user_key(tmp_path)) == 64
    assert not (tmp_path / "user.new").exists()


def test_processes_that_start_together_agree_on_the_key(tmp_path):
    makers = [start_python(MAKER, str(tmp_path / "home"), str(tmp_path / "go")) for _ in range(3)]
    for maker in makers:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    keys = {maker.communicate(timeout=60)[0] for maker in makers}
    assert keys == {user_key(tmp_path / "home") + "\n"}


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64])
def test_a_damaged_key_is_never_replaced(tmp_path, content):
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(FeedbackUnavailable, match=r"user\.key"):
        user_key(tmp_path)
    assert (tmp_path / KEY_FILE).read_bytes() == content


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FeedbackUnavailable, match=r"user\.key"):
        user_key(tmp_path / "file" / "home")
