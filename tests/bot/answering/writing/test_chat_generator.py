"""What a person sees of an answer that a model writes, over a real socket: well, slowly, wrongly, or not at all."""

import json
import subprocess
import sys
import threading
import time

import pytest
from click.testing import Result

from bot.answering.answers import Done, Question, SentenceReady, Status
from bot.answering.pipeline import NOT_FOUND
from bot.answering.writing.prompts import PROMPT_VERSION
from bot.app import App
from bot.errors import BotError
from tests.bot.local_app import run
from tests.scripted_app import LEAVE, MODEL, QUESTION, RIGHT, Place, numbered
from tests.servers.openai_server import Reply, Server, serving

FIVE = "Five days of leave may be carried over into the next year."
BY_MARCH = "They must be used by 31 March."
WRITTEN = f"{FIVE} [1] {BY_MARCH} [2]"
EXTRACTIVE = f"{FIVE} [1]"


@pytest.fixture
def server():
    with serving() as server:
        yield server


@pytest.fixture
def place(folder, server: Server) -> Place:
    made = Place(folder, server)
    made.write("leave.md", LEAVE)
    return made


def fine(**more) -> Reply:
    return Reply(numbered(RIGHT), **more)


def test_a_fine_model_writes_the_answer_and_each_sentence_is_cited(place):
    answer = place.ask(fine())
    assert answer.text == WRITTEN
    assert [sentence.text for sentence in answer.sentences] == [FIVE, BY_MARCH]
    assert [citation.quote for citation in answer.citations] == [FIVE, BY_MARCH]
    assert (answer.generator, answer.prompt_version, answer.fallback) == (MODEL, PROMPT_VERSION, None)
    assert not answer.abstained


def test_the_request_is_one_call_at_temperature_0_with_a_bounded_length(place, server):
    place.ask(fine())
    (request,) = server.requests
    assert request["temperature"] == 0
    assert request["max_completion_tokens"] == 700
    assert request["stream"] is True
    assert "tools" not in request
    assert [message["role"] for message in request["messages"]] == ["system", "user"]


def test_a_line_that_announces_the_answer_takes_nothing_from_it(place):
    assert place.ask(Reply(numbered(f"Here is what I found in the passages:\n\n{RIGHT}"))).text == WRITTEN


def test_what_the_documents_lack_is_not_said_beside_what_they_hold(place):
    answer = place.ask(Reply(numbered(f"{RIGHT} The passages do not say who decides.")))
    assert (answer.text, answer.abstained) == (WRITTEN, False)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_how_the_stream_is_chopped_changes_nothing(place, size):
    assert place.ask(fine(size=size)).text == WRITTEN


def test_bytes_that_come_one_by_one_change_nothing(place):
    assert place.ask(fine(byte_by_byte=True)).text == WRITTEN


BAD = {
    "silent": ([Reply(silent=True)], "The model took too long; the sections are quoted instead (timeout)."),
    "gone-at-once": (
        [Reply(drop=0)],
        "The model is not available at present; the sections are quoted instead (unavailable).",
    ),
    "errors": (
        [Reply(status=500)],
        "The model is not available at present; the sections are quoted instead (unavailable).",
    ),
    "wrong-key": (
        [Reply(status=401)],
        "The model is not available at present; the sections are quoted instead (unavailable).",
    ),
    "busy-for-long": (
        [Reply(status=429, headers={"Retry-After": "60"})],
        "The model takes no more requests at present; the sections are quoted instead (rate-limited).",
    ),
    "garbage": (
        [Reply(raw=b"\xff\xfe\x00\r\n\r\ndata: {oops\n\ndata: \xc3\x28\n\n")],
        "The model is not available at present; the sections are quoted instead (unavailable).",
    ),
    "empty": ([Reply("")], "The model wrote nothing; the sections are quoted instead (empty)."),
    "cut-in-its-first-sentence": (
        [Reply("Five days of leave may be", finish="length")],
        "The model's answer broke off; the sections are quoted instead (truncated).",
    ),
    "line-cut-in-its-first-sentence": (
        [Reply("Five days of leave may be carried over", drop=4)],
        "The model's answer broke off; the sections are quoted instead (truncated).",
    ),
    "filtered": (
        [Reply("I", finish="content_filter")],
        "The model gave no answer, though the sections seem to hold it; the sections are quoted instead (refused).",
    ),
    "refusing": (
        [Reply("I'm sorry, but I can't help with that.")],
        "The model gave no answer, though the sections seem to hold it; the sections are quoted instead (refused).",
    ),
    "not-finding-what-is-there-in-its-own-words": (
        [Reply(numbered("I'm sorry, but the provided passages do not mention that [{leave}]."))],
        "The model gave no answer, though the sections seem to hold it; the sections are quoted instead (refused).",
    ),
    "not-finding-what-is-there": (
        [Reply("NOT FOUND")],
        "The model gave no answer, though the sections seem to hold it; the sections are quoted instead (refused).",
    ),
    "off-topic": (
        [Reply("The capital of France is Paris [1]. It lies on the Seine [1].")],
        "The sections do not support what the model wrote; the sections are quoted instead (ungrounded).",
    ),
    "lying-about-numbers": (
        [Reply(numbered("Nine days of leave may be carried over into the next year [{leave}]."))],
        "The sections do not support what the model wrote; the sections are quoted instead (ungrounded).",
    ),
    "lying-about-what-is-allowed": (
        [Reply(numbered("Five days of leave may not be carried over into the next year [{leave}]."))],
        "The sections do not support what the model wrote; the sections are quoted instead (ungrounded).",
    ),
}


@pytest.mark.parametrize(("replies", "fallback"), BAD.values(), ids=BAD)
def test_a_model_that_fails_leaves_the_person_with_quotes_and_a_reason(place, replies, fallback):
    answer = place.ask(*replies, timeout=1.0 if replies[0].silent else 20.0)
    assert answer.fallback == fallback
    assert answer.text.startswith(EXTRACTIVE)
    assert (answer.generator, answer.prompt_version) == ("extractive", "")
    assert all(citation.quote in LEAVE for citation in answer.citations)


def test_a_busy_model_is_asked_again_when_it_says(place, server):
    started = time.perf_counter()
    answer = place.ask(Reply(status=429, headers={"Retry-After": "0.3"}), fine())
    assert (answer.text, answer.fallback) == (WRITTEN, None)
    assert time.perf_counter() - started >= 0.3
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(Reply(status=503), id="unavailable"),
        pytest.param(Reply(drop=0), id="dropped"),
        pytest.param(Reply(raw=b""), id="nothing-at-all"),
        pytest.param(Reply(status=400, error="Unsupported value: 'temperature' does not support 0"), id="temperature"),
    ],
)
def test_a_passing_failure_is_tried_again_and_nobody_notices(place, server, first):
    answer = place.ask(first, fine())
    assert (answer.text, answer.fallback) == (WRITTEN, None)
    assert len(server.requests) == 2


def test_a_model_that_knows_one_temperature_only_is_not_given_any(place, server):
    place.ask(Reply(status=400, error="Unsupported value: 'temperature' does not support 0"), fine())
    assert "temperature" not in server.requests[1]


def test_what_was_shown_before_the_model_broke_off_stands(place):
    answer = place.ask(Reply(numbered(RIGHT + " Part-time staff may"), finish="length"))
    assert answer.text == WRITTEN
    assert answer.fallback == "The model's answer broke off; what stands here was checked before (truncated)."
    assert answer.generator == MODEL


def test_a_line_that_is_cut_after_a_sentence_keeps_that_sentence(place, server):
    answer = place.ask(Reply(numbered(RIGHT), size=len(RIGHT) - 25, drop=2))
    assert answer.text.startswith(FIVE)
    assert "(truncated)" in str(answer.fallback)
    assert len(server.requests) == 1, "what somebody has seen is not asked for again"


def test_a_slow_model_is_left_when_its_time_is_over(place):
    started = time.perf_counter()
    answer = place.ask(Reply(numbered(RIGHT + " And so on, word by word." * 60), pause=0.03), timeout=1.0)
    assert answer.text.startswith(FIVE)
    assert "(timeout)" in str(answer.fallback)
    assert time.perf_counter() - started < 8, "all of it takes longer"


def test_a_sentence_without_a_citation_gets_the_one_that_supports_it(place):
    answer = place.ask(Reply(f"{FIVE} The moon is made of cheese. Call your manager before ten when you are ill."))
    assert answer.text == f"{FIVE} [1] Call your manager before ten when you are ill. [2]"
    assert [citation.anchor for citation in answer.citations] == ["carry-over", "illness"]
    assert answer.fallback is None


def test_a_wrong_citation_is_put_right_and_one_of_nothing_is_left_out(place):
    answer = place.ask(Reply(numbered(f"{FIVE[:-1]} [{{ill}}]. {BY_MARCH[:-1]} [77][{{leave}}].")))
    assert answer.text == WRITTEN
    assert {citation.anchor for citation in answer.citations} == {"carry-over"}


def test_numbers_go_up_in_the_order_of_first_use(place):
    answer = place.ask(Reply(numbered(f"Call your manager before ten when you are ill [{{ill}}]. {FIVE} [{{leave}}]")))
    assert [sentence.citations for sentence in answer.sentences] == [(1,), (2,)]
    assert [(citation.number, citation.anchor) for citation in answer.citations] == [(1, "illness"), (2, "carry-over")]


def test_too_little_left_is_filled_up_with_quotes_and_nothing_is_taken_back(place, server):
    lies = " Everybody gets a car [1]. Lunch is free on Fridays [1]. Dogs are welcome at work [1]."
    server.replies = [Reply(numbered(f"{BY_MARCH} [{{leave}}]{lies}"))]
    events = list(place.app().questions.stream(Question(QUESTION)))
    shown = [event.sentence.text for event in events if isinstance(event, SentenceReady)]
    assert shown[0] == BY_MARCH
    assert FIVE in shown
    done = events[-1]
    assert isinstance(done, Done)
    assert [sentence.text for sentence in done.answer.sentences] == shown
    assert "(ungrounded)" in str(done.answer.fallback)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{five} See [the form](https://evil.example/?q=leave) [{{leave}}].", id="markdown-link"),
        pytest.param("{five} ![x](https://evil.example/x.png?leave) [{{leave}}]", id="image"),
        pytest.param("{five} More at https://evil.example/leave [{{leave}}].", id="url"),
        pytest.param("{five} <a href='https://evil.example'>Carried over</a> [{{leave}}].", id="html"),
        pytest.param("{five} The form is at https://intranet.example/forms/sick-note/x [{{ill}}].", id="longer-url"),
    ],
)
def test_a_link_that_the_cited_section_does_not_hold_is_never_shown(place, text):
    answer = place.ask(Reply(numbered(text.format(five=FIVE))))
    assert FIVE in answer.text
    assert "evil" not in answer.text
    assert "://" not in answer.text


def test_a_link_of_the_cited_section_is_kept(place):
    text = "The form for it is at https://intranet.example/forms/sick-note and nowhere else"
    assert place.ask(Reply(numbered(f"{text} [{{ill}}]."))).text == f"{text}. [1]"


def test_a_very_long_answer_ends(place):
    answer = place.ask(Reply(numbered(f"{RIGHT} " * 400), size=50))
    assert answer.text == WRITTEN
    assert len(answer.sentences) == 2


def test_a_model_that_does_not_come_to_an_end_is_stopped(place):
    days = [f"Rule {number} of the office asks for form {number}." for number in range(1, 31)]
    place.write("rules.md", "# Rules of the office\n\n" + " ".join(days))
    answer = place.ask(Reply(" ".join(days)), text="Which form does rule 3 of the office ask for?")
    assert len(answer.sentences) == 12
    assert answer.fallback is None


def test_what_a_model_thinks_aloud_is_never_shown(place):
    answer = place.ask(Reply(numbered(f"<think>{FIVE} [{{leave}}]. Hm.</think>\n\n{BY_MARCH} [{{leave}}]")))
    assert answer.text == f"{BY_MARCH} [1]"


def test_what_is_not_there_is_not_answered_when_the_search_was_unsure_too(place):
    sure = place.app().questions.answer(Question(QUESTION)).confidence
    answer = place.ask(Reply("NOT FOUND"), threshold=sure)
    assert answer.abstained
    assert answer.text == NOT_FOUND
    assert (answer.generator, answer.fallback) == (MODEL, None)
    assert answer.nearest


def test_an_unlikely_question_does_not_reach_the_model(place, server):
    answer = place.ask(fine(), text="Who won the football?", threshold=0.99)
    assert answer.abstained
    assert server.requests == []


def test_events_come_in_order_and_the_answer_is_what_was_streamed(place, server):
    server.replies = [fine()]
    events = list(place.app().questions.stream(Question(QUESTION)))
    assert [type(event) for event in events] == [Status, Status, SentenceReady, SentenceReady, Done]
    ready = [event for event in events if isinstance(event, SentenceReady)]
    done = events[-1]
    assert isinstance(done, Done)
    assert tuple(event.sentence for event in ready) == done.answer.sentences
    assert tuple(citation for event in ready for citation in event.citations) == done.answer.citations


def test_the_first_sentence_is_shown_before_the_second_is_written(place, server):
    server.replies = [Reply(numbered(RIGHT), size=70, pause=3.0)]
    for event in place.app(timeout=40).questions.stream(Question(QUESTION)):
        if isinstance(event, SentenceReady):
            assert len(server.sent_at) == 2, "the rest has been sent"  # the first names the role
            assert event.sentence.text == FIVE
            break


def test_the_exchange_says_who_wrote_it_and_by_which_prompt(place, server):
    server.replies = [fine()]
    app: App = place.app()
    question = Question(QUESTION)
    app.questions.record(question, app.questions.answer(question))
    (kept,) = app.feedback.exchanges()
    assert (kept.generator, kept.prompt_version, kept.fallback) == (MODEL, PROMPT_VERSION, None)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param(
            "mistralai:small",
            "the model 'mistralai:small' needs packages that are not installed: "
            "pip install 'footnote-bot[chat-models]' langchain-mistralai",
            id="package",
        ),
        pytest.param("nobody:x", "the model 'nobody:x' cannot be used: see that its provider is one", id="provider"),
    ],
)
def test_a_model_that_cannot_be_used_is_one_line_with_the_mend(place, model, expected):
    with pytest.raises(BotError) as caught:
        place.app(model=model).questions.answer(Question(QUESTION))
    assert str(caught.value).startswith(expected)


def test_the_command_line_answers_with_the_model(place, server, monkeypatch):
    server.replies = [fine()]
    given = ask(place, monkeypatch, "--json")
    assert given.exit_code == 0, given.output
    answer = json.loads(given.stdout)
    assert (answer["text"], answer["generator"], answer["fallback"]) == (WRITTEN, MODEL, None)
    assert answer["timings"]["first"] <= answer["timings"]["total"]


def test_the_command_line_says_why_it_quotes(place, server, monkeypatch):
    server.replies = [Reply(status=500)]
    given = ask(place, monkeypatch)
    assert given.exit_code == 0
    assert FIVE in given.stdout
    assert "The model is not available at present; the sections are quoted instead (unavailable)." in " ".join(
        given.stdout.split()
    )


def test_a_package_that_is_missing_ends_the_command_with_the_mend(place, monkeypatch):
    given = ask(place, monkeypatch, model="cohere:command")
    assert (given.exit_code, given.stdout) == (1, "")
    assert given.stderr == (
        "footnote: the model 'cohere:command' needs packages that are not installed: "
        "pip install 'footnote-bot[chat-models]' langchain-cohere\n"
    )


def ask(place: Place, monkeypatch, *more: str, model: str = MODEL) -> Result:
    """`footnote ask`, with the model set by the environment."""
    place.app()
    monkeypatch.setenv("FOOTNOTE_MODEL", model)
    monkeypatch.setenv("FOOTNOTE_MODEL_BASE_URL", place.server.url)
    monkeypatch.setenv("FOOTNOTE_CONFIDENCE_THRESHOLD", "0")
    return run("--home", str(place.folder / "state"), "ask", QUESTION, *more)


def test_nobody_who_has_no_model_waits_for_its_client():
    code = "import sys, bot.app; import bot.answering.writing.chat_generator\n"
    code += "print('langchain' in sys.modules, 'openai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False False\n"


def test_somebody_who_leaves_leaves_no_thread_behind(place, server):
    server.replies = [fine(size=1, pause=0.05)]
    before = threading.active_count()
    for event in place.app().questions.stream(Question(QUESTION)):
        if isinstance(event, SentenceReady):
            break
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        server.closing.wait(0.02)
    assert threading.active_count() <= before
