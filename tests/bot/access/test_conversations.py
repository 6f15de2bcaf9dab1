"""Which turns of a remembered conversation the person who asks now may know of."""

import pytest

from bot.access.conversations import visible_turns
from feedback.records import Exchange, without_words
from retrieval.passages import EVERYONE, PUBLIC, Turn
from tests.feedback import samples


def recorded(number: int = 0, **changes) -> Exchange:
    return samples.exchange(number, **{"asker": "ada", "groups": frozenset({"hr"}), **changes})


@pytest.mark.parametrize(
    ("exchange", "asker", "groups", "visible"),
    [
        pytest.param(recorded(), "ada", {"hr"}, True, id="ones-own"),
        pytest.param(recorded(), "ada", {"hr", "it"}, True, id="more-groups-now"),
        pytest.param(recorded(), "ada", {"it"}, False, id="ones-own-of-a-group-one-has-left"),
        pytest.param(recorded(), "ada", set(), False, id="ones-own-where-everyone-reads"),
        pytest.param(recorded(), "bob", {"hr"}, False, id="another-persons"),
        pytest.param(recorded(), "", {"hr"}, False, id="a-persons-to-nobody"),
        pytest.param(recorded(asker=""), "", {"hr"}, True, id="nobodys"),
        pytest.param(recorded(asker=""), "", set(), False, id="nobodys-of-a-group"),
        pytest.param(recorded(asker=""), "ada", {"hr"}, True, id="nobodys-to-a-person"),
        pytest.param(recorded(groups=frozenset()), "ada", {"hr"}, True, id="what-everyone-reads"),
        pytest.param(recorded(groups=frozenset({EVERYONE})), "ada", set(), True, id="everyone-named-or-not"),
        pytest.param(recorded(groups=frozenset()), "ada", {PUBLIC}, False, id="what-everyone-reads-to-a-guest"),
        pytest.param(recorded(groups=frozenset({PUBLIC})), "ada", {PUBLIC}, True, id="what-is-public-to-a-guest"),
        pytest.param(recorded(groups=frozenset({PUBLIC})), "ada", set(), True, id="what-is-public"),
    ],
)
def test_who_may_know_what_a_conversation_holds(exchange, asker, groups, visible):
    turns = (Turn("user", exchange.question, exchange.id), Turn("bot", exchange.answer, exchange.id))
    assert visible_turns([exchange], asker=asker, groups=frozenset(groups)) == (turns if visible else ())


def test_what_is_visible_of_a_conversation_stays_in_order():
    exchanges = [recorded(0, question="a"), recorded(1, question="b", asker="bob"), recorded(2, question="c")]
    turns = visible_turns(exchanges, asker="ada", groups=frozenset({"hr"}))
    assert [(turn.role, turn.text) for turn in turns] == [
        ("user", "a"),
        ("bot", "Five days. [1]"),
        ("user", "c"),
        ("bot", "Five days. [1]"),
    ]


def test_what_has_lost_its_words_is_no_part_of_a_conversation():
    assert visible_turns([without_words(recorded(asker=""))], asker="", groups=frozenset({"hr"})) == ()
