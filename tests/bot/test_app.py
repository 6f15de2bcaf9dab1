"""The rooms fit together: documents in, hits and answers out, exchanges remembered; only the model is a stand-in."""

import json
from contextlib import closing
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.access.conversations import visible_turns
from bot.access.pseudonyms import pseudonym, user_key
from bot.app import App, bootstrap
from bot.cli import main
from bot.cli.invocation import Invocation
from bot.config.settings import Settings, load
from feedback.records import Exchange
from feedback.stores.sqlite.store import SqliteFeedback
from retrieval.passages import EVERYONE, PUBLIC, Query, Turn
from tests.bot.cli.conftest import folder as empty_folder
from tests.fakes import FakeEmbedder
from tests.feedback.samples import exchange

folder = empty_folder

LEAVE = """# Leave

## Carry-over

Five days of leave may be carried over into the next year.

## Illness

Call your manager before ten when you are ill.
"""
QUESTION = "How many days of leave may be carried over?"


def with_stand_in(settings: Settings) -> App:
    return bootstrap(settings, embedder=FakeEmbedder())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(
        main, ["--debug", *arguments], obj=Invocation(bootstrap=with_stand_in), prog_name="footnote"
    )


def read(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(autouse=True)
def handbook(folder, monkeypatch) -> None:
    """One document is indexed, and nothing is too unsure to be answered."""
    monkeypatch.setenv("FOOTNOTE_CONFIDENCE_THRESHOLD", "0")
    (folder / "handbook").mkdir()
    (folder / "handbook" / "leave.md").write_text(LEAVE, encoding="utf-8")
    assert read(run("sync", "handbook", "--json"))["added"] == ["handbook/leave.md"]


def remembered(folder) -> list[Exchange]:
    with closing(SqliteFeedback(folder / ".footnote" / "feedback.db")) as store:
        return list(store.exchanges())


def test_what_was_synced_is_found_and_shown():
    hit = read(run("search", QUESTION))["hits"][0]
    assert (hit["document"], hit["section"], hit["anchor"]) == (
        "handbook/leave.md",
        "Leave > Carry-over",
        "carry-over",
    )
    assert hit["text"] in read(run("show", hit["document"], "--json"))["text"]


def test_an_answer_is_cited_and_remembered_as_it_was_given(folder):
    given = read(run("ask", QUESTION, "--conversation", "c", "--group", "hr", "--json"))
    quote = given["citations"][0]["quote"]
    assert quote in LEAVE
    (kept,) = remembered(folder)
    assert (kept.id, kept.question, kept.answer) == (given["id"], QUESTION, given["text"])
    assert (kept.groups, kept.conversation, kept.generator) == (frozenset({"hr"}), "c", "extractive")
    assert kept.citations[0].quote == quote
    assert kept.shown[0].version == given["citations"][0]["version"]
    assert kept.timings == given["timings"]


def test_who_asked_is_a_keyed_hash_and_nothing_else(folder):
    read(run("ask", QUESTION, "--user", "ada@example.com", "--json"))
    read(run("ask", QUESTION, "--json"))
    ada, nobody = remembered(folder)
    assert ada.asker == pseudonym("ada@example.com", key=user_key(folder / ".footnote"))
    assert nobody.asker == ""
    assert b"ada@example" not in b"".join(file.read_bytes() for file in (folder / ".footnote").glob("feedback*"))


def test_a_key_that_is_given_is_the_one_that_is_used(folder, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_USER_KEY", "given")
    read(run("ask", QUESTION, "--user", "slack:U1", "--json"))
    assert remembered(folder)[0].asker == pseudonym("slack:U1", key="given")
    assert not (folder / ".footnote" / "user.key").exists()


def test_a_follow_up_knows_the_conversation(folder):
    first = read(run("ask", QUESTION, "--conversation", "c", "--json"))
    read(run("ask", "And when ill?", "--conversation", "c", "--json"))
    assert remembered(folder)[1].history == (("user", QUESTION), ("bot", first["text"]))


def test_a_vote_is_recorded_under_a_keyed_hash_and_the_latest_counts(folder):
    answer = read(run("ask", QUESTION, "--json"))["id"]
    read(run("vote", answer, "up", "--user", "ada@example.com", "--json"))
    said = ["--reason", "outdated", "--comment", "Since May.", "--correction", "Six days.", "--user", "Ada@example.com"]
    given = read(run("vote", answer, "down", *said, "--json"))
    assert {**given, "at": ""} == {
        "answer": answer,
        "vote": "down",
        "reason": "outdated",
        "comment": "Since May.",
        "correction": "Six days.",
        "at": "",
    }
    with closing(SqliteFeedback(folder / ".footnote" / "feedback.db")) as store:
        (vote,) = store.votes(answer)
        (correction,) = store.corrections(answer)
    assert vote.voter == correction.author == pseudonym("ada@example.com", key=user_key(folder / ".footnote"))
    assert (vote.vote, vote.reason, vote.at.isoformat()) == ("down", "outdated", given["at"])
    read(run("vote", answer, "none", "--user", "ada@example.com", "--json"))
    with closing(SqliteFeedback(folder / ".footnote" / "feedback.db")) as store:
        assert store.votes(answer) == []


def test_a_vote_on_nothing_is_refused(folder):
    result = run("vote", "nothing", "up")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no answer is recorded under 'nothing'" in result.stderr


def spoken(number: int = 0, **changes) -> Exchange:
    return exchange(number, **{"asker": "ada", "groups": frozenset({"hr"}), **changes})


@pytest.mark.parametrize(
    ("had", "asker", "groups", "told"),
    [
        pytest.param(spoken(), "ada", {"hr"}, True, id="ones-own"),
        pytest.param(spoken(), "ada", {"hr", "it"}, True, id="more-groups-now"),
        pytest.param(spoken(), "ada", {"it"}, False, id="ones-own-of-a-group-one-has-left"),
        pytest.param(spoken(), "ada", set(), False, id="ones-own-where-everyone-reads"),
        pytest.param(spoken(), "bob", {"hr"}, False, id="another-persons"),
        pytest.param(spoken(), "", {"hr"}, False, id="a-persons-to-nobody"),
        pytest.param(spoken(asker=""), "", {"hr"}, True, id="nobodys"),
        pytest.param(spoken(asker=""), "", set(), False, id="nobodys-of-a-group"),
        pytest.param(spoken(asker=""), "ada", {"hr"}, True, id="nobodys-to-a-person"),
        pytest.param(spoken(groups=frozenset()), "ada", {"hr"}, True, id="what-everyone-reads"),
        pytest.param(spoken(groups=frozenset({EVERYONE})), "ada", set(), True, id="everyone-said-or-not"),
        pytest.param(spoken(groups=frozenset()), "ada", {PUBLIC}, False, id="what-everyone-reads-to-a-guest"),
        pytest.param(spoken(groups=frozenset({PUBLIC})), "ada", {PUBLIC}, True, id="what-is-public-to-a-guest"),
        pytest.param(spoken(groups=frozenset({PUBLIC})), "ada", set(), True, id="what-is-public"),
    ],
)
def test_who_is_told_what_a_conversation_holds(had, asker, groups, told):
    expected = (Turn("user", had.question), Turn("bot", had.answer)) if told else ()
    assert visible_turns([had], asker=asker, groups=frozenset(groups)) == expected


def test_what_may_be_told_of_a_conversation_stays_in_order():
    had = [spoken(0, question="a"), spoken(1, question="b", asker="bob"), spoken(2, question="c")]
    told = visible_turns(had, asker="ada", groups=frozenset({"hr"}))
    assert [(turn.role, turn.text) for turn in told] == [
        ("user", "a"),
        ("bot", "Five days. [1]"),
        ("user", "c"),
        ("bot", "Five days. [1]"),
    ]


@pytest.mark.parametrize(
    ("follower", "kept"),
    [
        pytest.param(["--group", "hr", "--user", "ada@example.com"], 2, id="the-same"),
        pytest.param(["--group", "hr", "--user", "bob@example.com"], 0, id="another"),
        pytest.param(["--user", "ada@example.com"], 0, id="in-a-place-for-everyone"),
        pytest.param([], 0, id="nobody"),
    ],
)
def test_knowing_the_name_of_a_conversation_opens_nothing(folder, follower, kept):
    read(run("ask", QUESTION, "--conversation", "c", "--group", "hr", "--user", "ada@example.com", "--json"))
    read(run("ask", "And when ill?", "--conversation", "c", *follower, "--json"))
    assert len(remembered(folder)[1].history) == kept


def test_searching_remembers_nothing(folder):
    read(run("search", QUESTION))
    assert not (folder / ".footnote" / "feedback.db").exists()


def test_a_model_that_brings_along_how_much_its_vectors_count_is_searched_by_that(folder):
    (folder / "tuned").mkdir()
    (folder / "tuned" / "ranking.json").write_text('{"dense": 1}', "utf-8")
    settings = load(None)
    stock, tuned = (
        with_stand_in(each).search(Query(QUESTION), top=1).hits[0].parts["lexical"]
        for each in (settings, settings.model_copy(update={"embedding_model": "tuned"}))
    )
    assert stock > tuned == 0


def test_figures_are_of_this_index_and_change_with_an_ingredient(folder):
    (folder / "q.jsonl").write_text('{"id": 1, "text": "days of leave"}\n{"id": 2, "text": "ill"}', encoding="utf-8")
    (folder / "qrels.tsv").write_text("1\tleave#carry-over\t1", encoding="utf-8")
    arguments = ["evaluate", "--questions", "q.jsonl", "--qrels", "qrels.tsv", "--json"]
    whole, parts = read(run(*arguments)), read(run(*arguments, "--without", "lexical", "--without", "fields"))
    assert (whole["judged"], whole["recall@1"], whole["unanswerable"]) == (1, 1.0, 1)
    assert list(whole) == list(parts)


def test_judged_questions_teach_what_a_confidence_means_and_it_is_kept(folder):
    words = "amber basil cedar delta ember fjord grove haven ivory jolly kiosk lemon mango noble ocean pearl quilt"
    subjects = [*words.split(), "river", "salad", "tiger", "umbra", "vivid"]
    (folder / "docs").mkdir()
    for subject in subjects:
        (folder / "docs" / f"{subject}.md").write_text(f"# {subject}\n\nThe {subject} rule allows {subject} always.\n")
    run("sync", "docs")
    lines = [json.dumps({"id": each, "text": f"What does the {each} rule allow?"}) for each in subjects]
    (folder / "q.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "qrels.tsv").write_text("\n".join(f"{each}\t{each}\t1" for each in subjects), encoding="utf-8")
    before = read(run("search", lines[0], "--json"))["confidence"]
    files = ["--questions", "q.jsonl", "--qrels", "qrels.tsv"]
    done = run("evaluate", *files, "--calibrate", "--json")
    assert "calibrated" in done.stderr
    assert (folder / ".footnote" / "calibration.json").is_file()
    assert read(run("search", lines[0], "--json"))["confidence"] != before


def test_calibrating_needs_judgements(folder):
    (folder / "q.jsonl").write_text('{"id": "1", "text": "What?"}', encoding="utf-8")
    assert run("evaluate", "--questions", "q.jsonl", "--calibrate").exit_code == 2


@pytest.mark.parametrize("text", ["Thanks!", "Who are you?", "???"])
def test_small_talk_gets_a_reply_and_no_search(text):
    given = read(run("ask", text, "--json"))
    assert given["text"]
    assert given["generator"] == "conversation"
    assert (given["abstained"], given["sentences"], given["citations"], given["nearest"]) == (False, [], [], [])
