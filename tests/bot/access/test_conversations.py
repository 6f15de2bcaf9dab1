"""Which turns of a remembered conversation the person who asks now may know of."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.access.conversations import visible_turns
from bot.access.disclosure import DisclosureGate
from feedback.records import Exchange, without_words
from retrieval.passages import EVERYONE, PUBLIC, Turn
from tests.fakes import gate
from tests.feedback import samples

LEAVE = "handbook/leave.md"


def visible(
    exchanges: Sequence[Exchange], *, asker: str, groups: frozenset[str], access: DisclosureGate | None = None
) -> tuple[Turn, ...]:
    """The turns that a person of these groups may know of; every document is public unless `access` says else."""
    asked = access or gate({LEAVE: {PUBLIC}})
    return visible_turns(exchanges, asker=asker, may_show=lambda each: asked.may_show(each, groups))


def recorded(number: int = 0, **changes) -> Exchange:
    return samples.exchange(number, **{"asker": "ada", "groups": frozenset({"hr"}), **changes})


@pytest.mark.parametrize(
    ("exchange", "asker", "groups", "is_visible"),
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
def test_who_may_know_what_a_conversation_holds(exchange, asker, groups, is_visible):
    turns = (Turn("user", exchange.question, exchange.id), Turn("bot", exchange.answer, exchange.id))
    assert visible([exchange], asker=asker, groups=frozenset(groups)) == (turns if is_visible else ())


def test_what_is_visible_of_a_conversation_stays_in_order():
    exchanges = [recorded(0, question="a"), recorded(1, question="b", asker="bob"), recorded(2, question="c")]
    turns = visible(exchanges, asker="ada", groups=frozenset({"hr"}))
    assert [(turn.role, turn.text) for turn in turns] == [
        ("user", "a"),
        ("bot", "Five days. [1]"),
        ("user", "c"),
        ("bot", "Five days. [1]"),
    ]


def test_what_has_lost_its_words_is_no_part_of_a_conversation():
    assert visible([without_words(recorded(asker=""))], asker="", groups=frozenset({"hr"})) == ()


@pytest.mark.parametrize(
    "access",
    [
        pytest.param(gate({LEAVE: {"managers"}}), id="restricted"),
        pytest.param(gate({LEAVE: set()}), id="nobody-s"),
        pytest.param(gate(gone={LEAVE}), id="deleted"),
    ],
)
def test_what_rests_on_a_document_that_one_may_not_read_any_more_is_no_part_of_a_conversation(access):
    assert visible([recorded()], asker="ada", groups=frozenset({"hr"})) != ()
    assert visible([recorded()], asker="ada", groups=frozenset({"hr"}), access=access) == ()


def test_a_turn_stays_when_a_document_that_it_was_not_made_from_is_deleted():
    shown = (*recorded().shown, replace(recorded().shown[0], document="handbook/old.md"))
    turns = visible(
        [recorded(shown=shown)], asker="ada", groups=frozenset({"hr"}), access=gate(gone={"handbook/old.md"})
    )
    assert len(turns) == 2
    assert (
        visible(
            [recorded(shown=shown)],
            asker="ada",
            groups=frozenset({"hr"}),
            access=gate({"handbook/old.md": {"managers"}}),
        )
        == ()
    )
