"""The app as a whole: documents in, hits and answers out, exchanges recorded; only the embedding is a stand-in."""

import json
from contextlib import closing

import pytest

from bot.access.pseudonyms import pseudonym, user_key
from bot.config.settings import load
from feedback.records import Exchange
from feedback.stores.sqlite.store import SqliteFeedback
from retrieval.passages import Hit, Query
from tests.bot.local_app import local_app, run, run_json
from tests.retrieval.embedding.tiny_models import cross_encoder

LEAVE = """# Leave

## Carry-over

Five days of leave may be carried over into the next year.

## Illness

Call your manager before ten when you are ill.
"""
QUESTION = "How many days of leave may be carried over?"


@pytest.fixture(autouse=True)
def handbook(folder, monkeypatch) -> None:
    """One document is indexed, and nothing is too unsure to be answered."""
    monkeypatch.setenv("FOOTNOTE_CONFIDENCE_THRESHOLD", "0")
    (folder / "handbook").mkdir()
    (folder / "handbook" / "leave.md").write_text(LEAVE, encoding="utf-8")
    assert run_json("sync", "handbook", "--json")["added"] == ["handbook/leave.md"]


def recorded(folder) -> list[Exchange]:
    with closing(SqliteFeedback(folder / ".footnote" / "feedback.db")) as store:
        return list(store.exchanges())


def test_what_was_synced_is_found_and_shown():
    hit = run_json("search", QUESTION)["hits"][0]
    assert (hit["document"], hit["section"], hit["anchor"]) == (
        "handbook/leave.md",
        "Leave > Carry-over",
        "carry-over",
    )
    assert hit["text"] in run_json("show", hit["document"], "--json")["text"]


def test_an_answer_is_cited_and_recorded_as_it_was_given(folder):
    given = run_json("ask", QUESTION, "--conversation", "c", "--group", "hr", "--json")
    quote = given["citations"][0]["quote"]
    assert quote in LEAVE
    (kept,) = recorded(folder)
    assert (kept.id, kept.question, kept.answer) == (given["id"], QUESTION, given["text"])
    assert (kept.groups, kept.conversation, kept.generator) == (frozenset({"hr"}), "c", "extractive")
    assert kept.citations[0].quote == quote
    assert kept.shown[0].version == given["citations"][0]["version"]
    assert kept.timings == given["timings"]


def test_who_asked_is_a_keyed_hash_and_nothing_else(folder):
    run_json("ask", QUESTION, "--user", "ada@example.com", "--json")
    run_json("ask", QUESTION, "--json")
    ada, nobody = recorded(folder)
    assert ada.asker == pseudonym("ada@example.com", key=user_key(folder / ".footnote"))
    assert nobody.asker == ""
    assert b"ada@example" not in b"".join(file.read_bytes() for file in (folder / ".footnote").glob("feedback*"))


def test_a_key_that_is_given_is_the_one_that_is_used(folder, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_USER_KEY", "given")
    run_json("ask", QUESTION, "--user", "slack:U1", "--json")
    assert recorded(folder)[0].asker == pseudonym("slack:U1", key="given")
    assert not (folder / ".footnote" / "user.key").exists()


def test_a_follow_up_knows_the_conversation(folder):
    first = run_json("ask", QUESTION, "--conversation", "c", "--json")
    run_json("ask", "And when ill?", "--conversation", "c", "--json")
    assert recorded(folder)[1].history == (("user", QUESTION), ("bot", first["text"]))


def test_a_vote_is_recorded_under_a_keyed_hash_and_the_latest_counts(folder):
    answer = run_json("ask", QUESTION, "--json")["id"]
    run_json("vote", answer, "up", "--user", "ada@example.com", "--json")
    details = [
        "--reason",
        "outdated",
        "--comment",
        "Since May.",
        "--correction",
        "Six days.",
        "--user",
        "Ada@example.com",
    ]
    given = run_json("vote", answer, "down", *details, "--json")
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
    run_json("vote", answer, "none", "--user", "ada@example.com", "--json")
    with closing(SqliteFeedback(folder / ".footnote" / "feedback.db")) as store:
        assert store.votes(answer) == []


def test_a_vote_on_nothing_is_refused(folder):
    result = run("vote", "nothing", "up")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no answer is recorded under 'nothing'" in result.stderr


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
    run_json("ask", QUESTION, "--conversation", "c", "--group", "hr", "--user", "ada@example.com", "--json")
    run_json("ask", "And when ill?", "--conversation", "c", *follower, "--json")
    assert len(recorded(folder)[1].history) == kept


def test_searching_records_nothing(folder):
    run_json("search", QUESTION)
    assert not (folder / ".footnote" / "feedback.db").exists()


def test_a_model_that_brings_along_how_much_its_vectors_count_is_searched_by_that(folder):
    (folder / "tuned").mkdir()
    (folder / "tuned" / "ranking.json").write_text('{"dense": 1}', "utf-8")
    settings = load(None)
    stock, tuned = (
        local_app(each).search(Query(QUESTION), top=1).hits[0].parts["lexical"]
        for each in (settings, settings.model_copy(update={"embedding_model": "tuned"}))
    )
    assert stock > tuned == 0


def test_a_reranker_and_everyday_synonyms_are_settings(folder, tmp_path):
    def hit(**settings: object) -> Hit:
        return local_app(load(None).model_copy(update=settings)).search(Query("How much vacation?"), top=1).hits[0]

    assert "reranker" not in hit().parts
    assert "reranker" in hit(reranker=str(cross_encoder(tmp_path / "cross-encoder"))).parts
    assert hit().parts["lexical"] > hit(everyday_synonyms=False).parts["lexical"]


def test_figures_are_of_this_index_and_change_with_an_ingredient(folder):
    (folder / "q.jsonl").write_text('{"id": 1, "text": "days of leave"}\n{"id": 2, "text": "ill"}', encoding="utf-8")
    (folder / "qrels.tsv").write_text("1\tleave#carry-over\t1", encoding="utf-8")
    arguments = ["evaluate", "--questions", "q.jsonl", "--qrels", "qrels.tsv", "--json"]
    whole, parts = (
        run_json(*arguments),
        run_json(*arguments, "--without", "lexical", "--without", "fields"),
    )
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
    before = run_json("search", lines[0], "--json")["confidence"]
    files = ["--questions", "q.jsonl", "--qrels", "qrels.tsv"]
    done = run("evaluate", *files, "--calibrate", "--json")
    assert "calibrated" in done.stderr
    assert (folder / ".footnote" / "calibration.json").is_file()
    assert run_json("search", lines[0], "--json")["confidence"] != before


def test_calibrating_needs_judgements(folder):
    (folder / "q.jsonl").write_text('{"id": "1", "text": "What?"}', encoding="utf-8")
    assert run("evaluate", "--questions", "q.jsonl", "--calibrate").exit_code == 2


@pytest.mark.parametrize("text", ["Thanks!", "Who are you?", "???"])
def test_small_talk_gets_a_reply_and_no_search(text):
    given = run_json("ask", text, "--json")
    assert given["text"]
    assert given["generator"] == "conversation"
    assert (given["abstained"], given["sentences"], given["citations"], given["nearest"]) == (False, [], [], [])
