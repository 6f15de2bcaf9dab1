"""Which groups a place and a person have; what they may read follows from that alone."""

import pytest

from bot.access.audience import channel_settings, groups_of_person, groups_of_place
from bot.config.settings import Settings
from retrieval.passages import readable_audiences

SETTINGS = Settings.model_validate(
    {
        "groups": {
            "finance": ["Ada@Example.com", "slack:U1"],
            "managers": ["slack:S9", "teams:0-1"],
        },
        "channels": {
            "slack:C-FIN": ["finance"],
            "slack:C-ASK": {"auto_answer": True, "per_hour": 5, "buttons": False},
            "slack:C-OPEN": "public",
        },
    }
)


@pytest.mark.parametrize(
    ("channel", "shared", "expected"),
    [
        ("slack:C-FIN", False, {"finance"}),
        ("slack:C-OTHER", False, {"everyone"}),
        ("slack:C-ASK", False, {"everyone"}),
        ("slack:C-OPEN", False, {"public"}),
        ("slack:C-FIN", True, {"public"}),
        ("slack:C-OTHER", True, {"public"}),
        ("teams:C-FIN", False, {"everyone"}),
        ("slack:c-fin", False, {"everyone"}),
        ("", False, {"everyone"}),
    ],
)
def test_a_place_has_what_the_settings_give_it_unless_others_read_along(channel, shared, expected):
    assert groups_of_place(SETTINGS, channel, shared=shared) == expected


@pytest.mark.parametrize(
    ("names", "guest", "expected"),
    [
        (["slack:U1"], False, {"finance"}),
        (["slack:U2", "ada@example.COM "], False, {"finance"}),
        (["slack:U1", "slack:S9"], False, {"finance", "managers"}),
        (["teams:0-1"], False, {"managers"}),
        (["slack:u1"], False, {"everyone"}),
        (["slack:U2", "eve@example.com", ""], False, {"everyone"}),
        ([], False, {"everyone"}),
        (["slack:U1", "ada@example.com", "slack:S9"], True, {"public"}),
    ],
)
def test_a_person_has_the_groups_of_all_names_and_a_guest_none(names, guest, expected):
    assert groups_of_person(SETTINGS, names, guest=guest) == expected


def test_what_others_read_along_with_opens_nothing_but_what_is_public():
    assert readable_audiences(groups_of_place(SETTINGS, "slack:C-FIN", shared=True)) == {"public"}
    assert readable_audiences(groups_of_person(SETTINGS, ["slack:U1"], guest=True)) == {"public"}
    assert readable_audiences(groups_of_person(SETTINGS, [])) == {"everyone", "public"}


def test_how_the_bot_behaves_in_a_channel():
    asked = channel_settings(SETTINGS, "slack:C-ASK")
    assert (asked.auto_answer, asked.per_hour, asked.buttons) == (True, 5, False)
    other = channel_settings(SETTINGS, "slack:C-FIN")
    assert (other.auto_answer, other.buttons) == (False, True)
