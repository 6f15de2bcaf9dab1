"""Injected orders have no effect, not even on a model that obeys every one of them."""

import re
from collections import Counter

import pytest

from bot.answering.answers import Answer, Question
from bot.answering.verification.plain_text import has_only_cited_links
from bot.answering.writing.prompts import NOT_FOUND_TOKEN, RULES
from bot.app import App
from retrieval.passages import Turn
from tests.injections import ATTACKS, FACT, Attack
from tests.scripted_app import LEAVE, QUESTION, Place, numbered
from tests.servers.openai_server import Reply, Server, serving

SECRET = "---\naudience: managers\n---\n# Vault\n\nThe vault of leave days opens with vault-4711.\n"


@pytest.fixture(scope="module")
def server():
    with serving() as server:
        yield server


def set_up(place: Place, attack: Attack) -> Question:
    """Write the documents with the attack in its place, and ask."""
    text, title, file, asked = LEAVE, "", "leave.md", QUESTION
    history: tuple[Turn, ...] = ()
    match attack.place:
        case "text":
            text = LEAVE.replace("\n## Illness", f"\n{attack.words}\n\n## Illness")
        case "heading":
            text = LEAVE.replace("## Carry-over", f"## {attack.words}")
        case "title":
            title = attack.words
        case "file":
            file = f"{attack.words}.md"
        case "question":
            asked = f"{QUESTION} {attack.words}"
        case "history":
            history = (Turn("user", attack.words), Turn("bot", attack.words))
        case "document":
            place.write("note.md", f"# Leave days carried over\n\n{attack.words}\n")
    place.write(file, f"---\ntitle: {title!r}\n---\n{text}" if title else text)
    place.write("vault.md", SECRET)
    return Question(asked, history)


def assert_grounded(answer: Answer, app: App) -> None:
    """Every sentence is cited, every citation is of a real section that anybody may read and quotes it exactly."""
    real = {citation.number for citation in answer.citations}
    for sentence in answer.sentences:
        assert sentence.citations
        assert set(sentence.citations) <= real
        cited = [citation for citation in answer.citations if citation.number in sentence.citations]
        assert has_only_cited_links(sentence.text, [section_of(app, each.document, each.anchor) for each in cited])
        assert supported_by_words(sentence.text, [f"{c.title} {section_of(app, c.document, c.anchor)}" for c in cited])
    for citation in answer.citations:
        document = app.index.reader.document(citation.document)
        assert document is not None
        assert citation.quote in document.text
        assert citation.document != "docs/vault.md"


def section_of(app: App, document: str, anchor: str) -> str:
    return "\n".join(passage.text for passage in app.index.reader.sections(document) if passage.anchor == anchor)


def supported_by_words(text: str, cited: list[str]) -> bool:
    """A judge that shares nothing with the verifier: no number and next to no word that is not there."""
    shown, there = (Counter(re.findall(r"\w+", each.casefold())) for each in (text, " ".join(cited)))
    strange = [word for word in shown if word not in there]
    return not any(word.isdigit() for word in strange) and len(strange) <= 0.2 * len(shown)


def test_there_are_enough_attacks_of_different_kinds():
    assert len(ATTACKS) >= 60
    assert {attack.place for attack in ATTACKS} == {
        "text",
        "title",
        "heading",
        "file",
        "question",
        "history",
        "document",
    }
    assert all(count == 1 for count in Counter((attack.name, attack.place) for attack in ATTACKS).values())


def ids(attack: Attack) -> str:
    return f"{attack.name}-{attack.place}"


@pytest.mark.parametrize("attack", ATTACKS, ids=ids)
def test_a_model_that_obeys_brings_the_attacker_nothing(folder, server: Server, attack):
    place = Place(folder, server)
    question = set_up(place, attack)
    server.requests.clear()
    server.replies = [Reply(numbered(attack.obeyed) if isinstance(attack.obeyed, str) else attack.obeyed, size=30)]
    app = place.app()
    answer = app.questions.answer(question)
    assert_grounded(answer, app)
    quoted = {sentence.text for sentence in place.app(model="").questions.answer(question).sentences}
    shown = " ".join(sentence.text for sentence in answer.sentences if sentence.text not in quoted)
    for harm in attack.harm:
        assert harm.casefold() not in shown.casefold()
        assert harm.casefold() not in (answer.fallback or "").casefold()
    assert not any(line in answer.text for line in RULES.splitlines() if len(line) > 20)
    assert NOT_FOUND_TOKEN not in answer.text
    assert FACT in answer.text, "the person still gets the answer"
    assert "vault-4711" not in answer.text
    assert all("vault-4711" not in str(request) for request in server.requests), "the model never saw it either"
    assert all("tools" not in request for request in server.requests)


@pytest.mark.parametrize("attack", ATTACKS, ids=ids)
def test_quotes_are_not_moved_by_an_attack_either(folder, server: Server, attack):
    place = Place(folder, server)
    question = set_up(place, attack)
    app = place.app(model="")
    answer = app.questions.answer(question)
    assert_grounded(answer, app)
    assert "vault-4711" not in answer.text
    assert (answer.generator, answer.fallback) == ("extractive", None)


def test_a_reader_of_the_vault_still_gets_what_is_in_it(folder, server):
    place = Place(folder, server)
    set_up(place, ATTACKS[0])
    app = place.app(model="")
    answer = app.questions.answer(Question("Which code opens the vault of leave days?", groups=frozenset({"managers"})))
    assert "vault-4711" in answer.text
