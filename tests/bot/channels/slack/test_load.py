"""A lively workspace: every question is answered once, no chatter is, though one of two replicas is killed."""

import pytest

from tests.bot.channels.slack.load import meet, play, two_replicas, wait_until_right
from tests.servers.slack_server import serving


@pytest.mark.full
@pytest.mark.server
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["redis"])
def test_a_lively_workspace_is_served_though_a_replica_dies(tmp_path, kind):
    with serving() as slack, two_replicas(tmp_path, slack, kind=kind) as (day, both):
        meet(day)
        play(day, both, events=1000, rate=8)
        assert wait_until_right(day, seconds=180).wrong == []
        assert min(day.steps.values()) > 20
