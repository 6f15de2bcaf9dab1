"""A small handbook with judged questions, and a server of scripted models."""

import pytest

from tests.bot.services.evaluation.evaluating import QRELS, QUESTIONS, write_questions
from tests.scripted_app import LEAVE, RIGHT, Place, numbered
from tests.servers.openai_server import Reply, Server, serving

LIE = "Nine days of leave may be carried over into the next year [{leave}]. They must be used by 5 May [{leave}]."


@pytest.fixture
def server():
    with serving() as server:
        server.models = {
            "good": Reply(numbered(RIGHT), usage=(200, 30)),
            "liar": Reply(numbered(LIE), usage=(210, 40)),
            "gone": Reply(status=500),
            "mute": Reply(numbered(RIGHT)),
            "absent": Reply("NOT FOUND", usage=(200, 2)),
        }
        yield server


@pytest.fixture
def place(folder, server: Server) -> Place:
    made = Place(folder, server)
    made.write("leave.md", LEAVE)
    write_questions(folder, QUESTIONS)
    (folder / "qrels.tsv").write_text(QRELS, encoding="utf-8")
    return made
