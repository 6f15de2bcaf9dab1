"""The company's own words: what a line of the file means, and what it does to a search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import UnreadableSynonyms
from retrieval.passages import Query
from retrieval.ranking.analysis import Analyzer
from retrieval.ranking.synonyms import EverydaySynonyms, SynonymFile, expand, load_synonyms, parse_synonyms
from retrieval.search import Search
from tests.fakes import FakeEmbedder
from tests.retrieval.samples import document, put

FILE = """
# what we say here
PTO, paid time off, annual leave
WFH => remote work, work from home
TOIL, time off in lieu  # since 2024
"""


def spelled(text: str, file: str = FILE) -> str:
    return expand(text, parse_synonyms(file, name="f"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How much PTO do I get?", "How much PTO (paid time off, annual leave) do I get?"),
        ("how much pto?", "how much pto (paid time off, annual leave)?"),
        ("paid time off", "paid time off (PTO, annual leave)"),
        ("Is time off in lieu paid?", "Is time off in lieu (TOIL) paid?"),
        ("May I WFH?", "May I WFH (remote work, work from home)?"),
        ("remote work", "remote work"),
        ("PTO, that is paid time off", "PTO (annual leave), that is paid time off (annual leave)"),
        ("PTO and PTO", "PTO (paid time off, annual leave) and PTO"),
        ("the PTOs", "the PTOs"),
        ("", ""),
    ],
)
def test_known_words_are_spelled_out_once(text, expected):
    assert spelled(text) == expected


@given(st.text(max_size=60))
def test_what_was_asked_stays_letter_by_letter(text):
    assert spelled(text, "nothing, here known") == text


@pytest.mark.parametrize("line", ["PTO", "PTO =>", "=> paid time off", ", ,", "PTO => !"])
def test_a_line_that_is_no_rule_is_named(line):
    with pytest.raises(UnreadableSynonyms, match=r"'f', line 2: expected `PTO, paid time off`"):
        parse_synonyms(f"# rules\n{line}\n", name="f")


def test_a_question_in_our_own_words_finds_what_is_written_in_others_and_a_new_line_counts_at_once(index, tmp_path):
    put(
        index,
        document("docs/leave", "Paid time off\nEverybody has 26 days of paid time off."),
        document("docs/toil", "Overtime\nExtra hours are given back as time off in lieu."),
    )
    file = tmp_path / "synonyms.txt"
    file.write_text("PTO, paid time off\n", encoding="utf-8")
    search = Search(index.reader, FakeEmbedder(), Analyzer(), expand=SynonymFile(file))
    assert search(Query("PTO")).hits[0].passage.document == "docs/leave"
    before = search(Query("GLEITTAG")).confidence
    file.write_text("PTO, paid time off\nGleittag => time off in lieu\n", encoding="utf-8")
    results = search(Query("GLEITTAG"))
    assert results.hits[0].passage.document == "docs/toil"
    assert results.confidence > before


def test_a_file_that_is_gone_or_no_text_is_said_so(tmp_path):
    file = tmp_path / "synonyms.txt"
    with pytest.raises(UnreadableSynonyms, match="cannot be read"):
        load_synonyms(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnreadableSynonyms, match="is not UTF-8"):
        load_synonyms(file)


def test_a_broken_line_costs_no_question_and_what_was_known_stays(tmp_path, caplog):
    file = tmp_path / "synonyms.txt"
    file.write_text("PTO, paid time off\n", encoding="utf-8")
    spell_out = SynonymFile(file)
    assert spell_out("PTO") == "PTO (paid time off)"
    file.write_text("PTO, paid time off\nbroken\n", encoding="utf-8")
    assert spell_out("PTO") == "PTO (paid time off)"
    file.unlink()
    assert spell_out("PTO") == "PTO (paid time off)"
    assert "line 2" in caplog.records[0].getMessage()


def asked_and_others(text: str, everyday: EverydaySynonyms) -> dict[str, tuple[str, ...]]:
    return {each.asked: each.others for each in everyday(text)}


def test_everyday_words_have_synonyms_that_the_question_does_not_hold():
    everyday = EverydaySynonyms("english")
    found = asked_and_others("How much PTO do I get, and may I WFH?", everyday)
    assert set(found) == {"PTO", "WFH"}
    assert {"annual leave", "vacation"} <= set(found["PTO"])
    assert "annual leave" not in asked_and_others("Is PTO annual leave?", everyday)["PTO"]
    assert everyday("") == everyday("Where is the kitchen?") == ()


def test_a_language_without_a_list_has_no_everyday_synonyms():
    assert EverydaySynonyms("german")("PTO") == ()


def test_the_longest_phrase_counts_and_words_of_several_meanings_stand_within_phrases_alone():
    everyday = EverydaySynonyms("english")
    assert set(asked_and_others("which public holidays are there", everyday)) == {"public holidays"}
    for text in ("raise a concern", "leave the door open", "share a document", "adopt a policy", "an expensive device"):
        assert everyday(text) == (), text


def test_every_group_of_the_list_brings_in_words_that_are_searched():
    analyzer, everyday = Analyzer(), EverydaySynonyms("english")
    assert len(everyday.known) > 300
    nothing = [phrase for phrase, others in everyday.known.items() if not any(map(analyzer.terms, others))]
    assert nothing == []


def test_a_word_that_the_company_defines_is_left_to_its_file(tmp_path):
    file = tmp_path / "synonyms.txt"
    file.write_text("PTO, permit to operate\n", encoding="utf-8")
    own = SynonymFile(file)
    everyday = EverydaySynonyms("english", defined=own.known)
    assert everyday("How do I get a PTO?") == ()
    assert everyday("How much annual leave?") != ()
    file.write_text("TOIL, time off in lieu\n", encoding="utf-8")
    assert everyday("How do I get a PTO?") != ()


@pytest.fixture
def everyday_search(index):
    """A search with everyday synonyms over an index that says things in other words."""
    put(
        index,
        document("docs/break", "Time\n\nA career break of three months is possible after five years."),
        document("docs/hours", "Time\n\nEverybody works 37 hours."),
    )
    embedder = FakeEmbedder()
    return Search(index.reader, embedder, Analyzer(), related=EverydaySynonyms("english")), embedder


def test_an_everyday_word_finds_what_is_written_in_another_and_the_asked_one_counts_more(everyday_search, index):
    search, _ = everyday_search
    question = Query("When may I take a sabbatical?")
    results = search(question)
    assert results.hits[0].passage.document == "docs/break"
    assert results.confidence > Search(index.reader, FakeEmbedder(), Analyzer())(question).confidence
    put(index, document("docs/asked", "Time\n\nThe sabbatical is a career of its own, breaks are short."))
    assert search(question).hits[0].passage.document == "docs/asked"


def test_the_question_is_embedded_as_it_was_asked(everyday_search):
    search, embedder = everyday_search
    search(Query("How much vacation?"))
    assert embedder.query_texts == ["How much vacation?"]


def test_what_no_synonym_touches_is_searched_as_without(everyday_search, index):
    search, _ = everyday_search
    assert search(Query("37 hours")) == Search(index.reader, FakeEmbedder(), Analyzer())(Query("37 hours"))
