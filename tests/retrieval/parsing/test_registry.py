import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.parsing.protocol import Parsed, Skipped
from retrieval.parsing.registry import FORMATS, parse
from tests.retrieval.parsing.assertions import assert_well_formed, skip_reason

SUFFIXES = sorted(FORMATS)
MARKS = st.sampled_from(
    (
        "# ~\n~\n\n~- ~1. ~<p>~</p>~<h1 id='x'>~<table><tr><td>~```~>~    ~---\n~&nbsp;~\u200b~\r~\0~\ud800~e\u0301"
        "~<br>~<li>~</div>~!!! note\n~[^1]~[^1]: ~**~\u2028~<a name=x>~{#x}~<pre>~title: ~| a | b |\n|---|---|\n"
    ).split("~")
)
TEXTS = st.lists(MARKS | st.text(max_size=20), max_size=30).map("".join)


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(deadline=None)
@given(data=st.binary(max_size=400))
def test_arbitrary_bytes_never_raise(suffix: str, data: bytes) -> None:
    result = parse(f"a{suffix}", data)
    if isinstance(result, Parsed):
        assert_well_formed(result)


@pytest.mark.parametrize("suffix", [".md", ".html", ".txt"])
@settings(deadline=None)
@given(text=TEXTS)
def test_arbitrary_text_gives_exact_spans(suffix: str, text: str) -> None:
    result = parse(f"a{suffix}", text.encode("utf-8", errors="surrogatepass"))
    if isinstance(result, Parsed):
        assert_well_formed(result)


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.", ".md/a", "a.md.exe"])
def test_unknown_formats_are_unsupported(name: str) -> None:
    assert skip_reason(name, b"x") == "unsupported"


def test_suffixes_are_read_in_any_case() -> None:
    assert isinstance(parse("A.MD", b"x"), Parsed)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_file_has_no_text(suffix: str) -> None:
    assert skip_reason(f"a{suffix}", b"") == "no-text"


def test_files_above_the_limit_are_not_read() -> None:
    assert isinstance(parse("a.md", b"x" * 10, largest=10), Parsed)
    result = parse("a.md", b"x" * 11, largest=10)
    assert isinstance(result, Skipped)
    assert result.reason == "too-large"


@pytest.mark.parametrize(
    ("error", "reason"),
    [(MemoryError(), "out-of-memory"), (RecursionError(), "malformed"), (KeyError("secret"), "malformed")],
    ids=["memory", "recursion", "anything else"],
)
def test_a_parser_that_fails_becomes_a_reason(error: Exception, reason: str) -> None:
    def fail(name: str, data: bytes) -> Parsed:
        raise error

    result = parse("a.txt", b"x", parser_for=lambda suffix: fail)
    assert not isinstance(result, Parsed)
    assert result.reason == reason
    assert "secret" not in result.detail


def test_importing_the_package_loads_no_parser() -> None:
    script = "import sys, retrieval.parsing.registry\n"
    script += "print(*{'lxml', 'docx', 'pypdfium2', 'markdown_it', 'yaml'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == ""


@pytest.mark.timeout(20)
@pytest.mark.parametrize("suffix", [".md", ".html", ".txt"])
@pytest.mark.parametrize("filling", [" ", "\t", "\n", " \n", "<", "[", "|", "\u00a0"], ids=repr)
def test_endless_repetition_takes_no_endless_time(suffix: str, filling: str) -> None:
    parse(f"a{suffix}", f"Start\n\na{filling * 50_000}b".encode())
