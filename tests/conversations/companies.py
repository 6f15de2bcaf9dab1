"""Conversations with people of another company, who share a channel with those who work here."""

from tests.conversations.conversations import (
    DOORS,
    DOORS_SAID,
    LEAVE_SAID,
    NOT_FOUND,
    PAY,
    Stage,
    only,
    scenario,
)
from tests.scripted_app import QUESTION


@scenario()
def a_person_of_another_company_sees_only_what_is_public(stage: Stage) -> None:
    """Wherever they ask, and whoever asked before them; nothing is said of what is not theirs."""
    asked = stage.asks(DOORS, who="Pat", where="partners")
    assert DOORS_SAID in only(asked.seen()).text
    asked.says(QUESTION, calls=True)
    said = asked.seen()
    assert len(said) == 2
    assert NOT_FOUND in said[-1].text
    for question in (QUESTION, PAY):
        for alone in (stage.asks(question, who="Pat", way="direct"), stage.asks(question, who="Pat", where="partners")):
            assert NOT_FOUND in only(alone.seen()).text
    assert DOORS_SAID in only(stage.asks(DOORS, who="Pat", way="direct").seen()).text
    assert LEAVE_SAID in only(stage.asks(QUESTION).seen()).text


@scenario()
def a_person_of_another_company_votes_and_asks_a_person(stage: Stage) -> None:
    """What is public they may ask about like anybody, and what the expert says of it comes back."""
    asked = stage.asks(DOORS, who="Pat", where="partners")
    only(asked.seen())
    asked.votes("up")
    asked.votes("down", by="Ada")
    assert sorted(vote.vote for vote in stage.counted()) == ["down", "up"]
    asked.asks_a_person()
    request = only(stage.expert_is_asked())
    assert DOORS in request.text
    stage.expert_answers("At seven on Mondays.")
    assert any("At seven on Mondays." in each.text for each in asked.seen())
