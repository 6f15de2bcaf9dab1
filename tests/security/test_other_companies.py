"""Threat: people of another company, or of a workspace that is not listed, are taken for staff."""

from typing import Any

from bot.channels.presentation import QUOTES_NOT_SHOWN
from tests.bot.channels.slack.harness import SlackStage
from tests.bot.channels.slack.test_organizations import staged
from tests.conversations.conversations import DOORS, DOORS_SAID, LEAVE_SAID, NOT_FOUND, only
from tests.scripted_app import QUESTION
from tests.servers.slack.workspace import Message


def test_people_of_another_organisation_are_external_though_nothing_calls_them_strangers(tmp_path):
    with staged(tmp_path) as stage:
        general = stage.channels["general"]
        before = stage.asks(QUESTION)
        assert LEAVE_SAID in only(before.seen()).text
        shown = before.answer()
        general.members.append(stage.people["Kim"].id)
        for way in ("mention", "direct"):
            assert NOT_FOUND in only(stage.asks(QUESTION, who="Kim", way=way).seen()).text
            assert DOORS_SAID in only(stage.asks(DOORS, who="Kim", way=way).seen()).text
        kim = stage.people["Kim"]
        assert kim.clicks(shown, "Quoted text").status == 200
        stage.slack.workspace.wait(lambda: kim.modal and QUOTES_NOT_SHOWN in kim.modal.shown, "a line")
        modal = kim.modal
        assert modal
        assert LEAVE_SAID not in modal.shown


def test_their_votes_count_and_their_page_tells_of_what_is_public(tmp_path):
    with staged(tmp_path) as stage:
        partners, kim = stage.channels["partners"], stage.people["Kim"]
        partners.members.append(kim.id)
        asked = stage.asks(DOORS, who="Kim", where="partners")
        assert DOORS_SAID in only(asked.seen()).text
        answer = asked.answer()
        kim.clicks(answer, "footnote_vote", "negative")
        modal = stage.slack.workspace.wait(lambda: kim.modal, "the form")
        assert modal
        assert kim.submits(modal, comment="Seven, on Mondays").status == 200
        stage.people["Bob"].reacts(answer, "+1")
        assert sorted((vote.vote, vote.comment) for vote in stage.counted()) == [
            ("down", "Seven, on Mondays"),
            ("up", ""),
        ]
        for name in ("home", "messages"):
            kim.opens(name)
        stage.slack.workspace.wait(lambda: kim.home and kim.prompts, "suggestions and the page")
        assert kim.home
        shown = f"{kim.home.shown} {kim.prompts}"
        assert "Leave" not in shown
        assert "Pay" not in shown


def test_where_one_workspace_alone_is_listed_the_others_people_are_external(tmp_path):
    with staged(tmp_path, slack_allowed_teams=["T0ONE"]) as stage:
        assert LEAVE_SAID in only(stage.asks(QUESTION, way="direct").seen()).text
        assert NOT_FOUND in only(stage.asks(QUESTION, where="general").seen()).text
        alone = stage.slack.workspace.channel("alone", stage.people["Ada"])
        stage.channels["alone"] = alone
        asked = stage.asks(QUESTION, where="alone")
        assert LEAVE_SAID in only(asked.seen()).text
        bob = stage.people["Bob"]
        bob.clicks(asked.answer(), "footnote_vote", "positive")
        bob.clicks(asked.answer(), "Quoted text")
        bob.commands("/ask", DOORS, alone)
        stage.settle()
        assert stage.counted() == [], "his payload names his own workspace"
        assert bob.modal is None
        assert not told_of_documents(stage, bob)


def told_of_documents(stage: SlackStage, person: Any) -> list[Message]:
    """What one person alone was told with something of a document in it."""
    found = [each for place in stage.channels.values() for each in stage.slack.workspace.visible(place, to=person)]
    return [each for each in found if each.only_for == person.id and DOORS_SAID in each.shown]
