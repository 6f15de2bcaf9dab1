"""Threat: the audience of a document, in a case that nobody has thought of.

Headers, sources inside each other and moves of files are made at random and compared with slow, obvious models.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from string import ascii_lowercase

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.app import bootstrap
from bot.config.settings import Settings, Source
from retrieval.parsing.protocol import Skipped
from retrieval.parsing.registry import parse
from retrieval.parsing.restrictions import seems_to_restrict
from retrieval.passages import EVERYONE, PUBLIC, readable_audiences
from tests.fakes import FakeEmbedder

# --- headers

LOOK_ALIKE = {"a": "аɑａ", "u": "ս𝐮", "d": "ԁ", "i": "іı", "e": "еｅé", "n": "ո", "c": "сⅽ"}
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u034f\ufe0f\u00ad"
letters = st.sampled_from(ascii_lowercase)


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """`audience` with up to two letters changed, then look-alikes, invisible characters and capitals in it."""
    word = list("audience")
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(word) - 1))
        slip = draw(st.sampled_from(["change", "add", "drop", "swap"]))
        if slip == "change":
            word[place] = draw(letters)
        elif slip == "add":
            word.insert(place, draw(letters))
        elif slip == "drop":
            del word[place]
        elif place:
            word[place - 1], word[place] = word[place], word[place - 1]
    spelled = ""
    for letter in word:
        spelled += draw(st.sampled_from([letter, letter, letter.upper(), *LOOK_ALIKE.get(letter, "")]))
        spelled += draw(st.sampled_from(["", "", "", *INVISIBLE]))
    return spelled


before = st.sampled_from(["", "# ours\n", "<!-- ours -->\n", "%YAML 1.2\n", "\n\n", "---\ntitle: x\n---\n"])
fences = st.sampled_from(["---", "+++", "```", "--- # x", "---yaml", "----", "~~~", ";;;"])
lines_before = st.lists(st.sampled_from(["title: x", "title: [", "owner: a: b", "tags: [a, b]", "- x"]), max_size=2)
shapes = st.sampled_from(
    [
        "{}: hr",
        "{} = hr",
        "x: {{{}: hr}}",
        "x:\n  {}: hr",
        "{{{}: hr",
        "? {}\n: hr",
        '"{}": hr',
        "!!str {}: hr",
        "{}：hr",
    ]
)


@settings(deadline=None, max_examples=200)
@given(before, fences, lines_before, shapes, spellings())
def test_a_header_with_anything_like_an_audience_is_never_open(
    opening: str, fence: str, others: list[str], shape: str, key: str
) -> None:
    header = "\n".join([*others, shape.format(key)])
    text = f"{opening}{fence}\n{header}\n{fence.split(maxsplit=1)[0]}\n\n# Salaries\n\nThe board earns more.\n"
    for name in ("a.md", "a.txt", "a.html"):
        result = parse(name, text.encode("utf-8", "ignore"))
        assert isinstance(result, Skipped) or result.metadata.audience == frozenset({"hr"}), text


KEYS = """aliases author authors bibliography categories category date description draft email excerpt header image
keywords lang language lastmod layout license linktitle locale menu nav order owner parent permalink publish_date
published redirect_from review revision section sidebar slug source status subtitle summary superseded_by tags template
theme title toc topic type updated url version weight working_group""".split()


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), st.text("audience: groups,-", max_size=20).map(repr), max_size=6))
def test_a_header_without_one_stays_open(header: Mapping[str, str]) -> None:
    text = "---\n" + "".join(f"{key}: {value}\n" for key, value in header.items()) + "---\n# Leave\n\nFive days.\n"
    result = parse("a.md", text.encode())
    assert not isinstance(result, Skipped)
    assert result.metadata.audience is None


def neighbours(words: Iterable[str]) -> set[str]:
    """The words, and all that one slip makes of them."""
    found = set(words)
    for word in words:
        for place in range(len(word) + 1):
            begin, end = word[:place], word[place:]
            found |= {begin + end[1:], begin[:-1] + end[:1] + begin[-1:] + end[1:]}
            found |= {begin + letter + rest for letter in ascii_lowercase for rest in (end, end[1:])}
    return found


NEAR = neighbours(neighbours({"audience"}))


@settings(deadline=None, max_examples=30)
@given(st.lists(letters, min_size=3, max_size=12).map("".join) | st.sampled_from(sorted(neighbours(["audience"]))))
def test_what_is_a_slip_of_it_is_what_two_slips_make(word: str) -> None:
    for each in neighbours([word]):
        assert seems_to_restrict(each, synonyms=False) == (each in NEAR or "audience" in each)


# --- sources and moves

FOLDERS = [".", "a", "a/b", "a/b/c", "d"]
AUDIENCES = [None, PUBLIC, EVERYONE, "hr", "it", "hr, it"]
READERS = [frozenset({PUBLIC}), frozenset({EVERYONE}), frozenset({"hr"}), frozenset({"it"})]
BROKEN = "broken"


@dataclass(frozen=True)
class Place:
    """A configured source of the model."""

    folder: str
    audience: str | None
    trusts: bool


places = st.lists(
    st.builds(Place, st.sampled_from(FOLDERS), st.sampled_from(AUDIENCES), st.booleans()),
    unique_by=lambda place: place.folder,
    min_size=1,
    max_size=4,
)
files = st.dictionaries(
    st.tuples(st.sampled_from(FOLDERS), st.sampled_from(["x.md", "y.md"])),
    st.sampled_from([*AUDIENCES, BROKEN]),
    min_size=1,
    max_size=6,
)


def words(audience: str | None) -> frozenset[str]:
    """The words that an audience opens a document to."""
    named = {EVERYONE} if audience is None else {word.strip() for word in audience.split(",")}
    if PUBLIC in named:
        return frozenset({PUBLIC, EVERYONE, "hr", "it"})
    return frozenset({EVERYONE, "hr", "it"}) if EVERYONE in named else frozenset(named)


def expected(sources: Sequence[Place], there: Mapping[tuple[str, str], str | None]) -> dict[tuple[str, int], bool]:
    """Which document each reader may read: of the innermost source around it, as far as both allow."""
    readable = {}
    for (folder, name), own in there.items():
        path = PurePosixPath(folder, name)
        around = [place for place in sources if PurePosixPath(place.folder) in path.parents]
        if not around or own == BROKEN:
            continue
        inner = max(around, key=lambda place: len(PurePosixPath(place.folder).parts))
        if inner.audience is None or (inner.trusts and own is not None):
            allowed = words(own)
        else:
            allowed = words(inner.audience) & (words(own) if own is not None else words(PUBLIC))
        document = f"{source_name(inner)}/{path.relative_to(inner.folder)}"
        for number, reader in enumerate(READERS):
            readable[document, number] = bool(allowed & readable_audiences(reader))
    return {key: True for key, may in readable.items() if may}


def source_name(place: Place) -> str:
    return place.folder.replace("/", "-").replace(".", "all")


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(places, files), min_size=1, max_size=4))
def test_each_reader_reads_what_the_model_says_after_any_change(
    steps: list[tuple[list[Place], dict[tuple[str, str], str | None]]],
) -> None:
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        for sources, there in steps:
            write(root / "docs", there)
            configured = tuple(
                Source(
                    name=source_name(place),
                    path=root / "docs" / place.folder,
                    audience=None if place.audience is None else frozenset(place.audience.split(", ")),
                    audience_from="front-matter" if place.trusts else None,
                )
                for place in sources
            )
            app = bootstrap(Settings(home=root / "home", sources=configured), embedder=FakeEmbedder())
            with closing(app.index):
                for name in set(app.index.reader.sources()) - {source.name for source in configured}:
                    app.ingestion.remove(name)
                app.ingestion.sync(allow_empty=True)
                found = {}
                for name in app.index.reader.sources():
                    for key in app.index.reader.stored(name):
                        document = app.index.reader.document(key)
                        assert document is not None
                        for number, reader in enumerate(READERS):
                            found[key, number] = bool(document.audience & readable_audiences(reader))
                assert {key: True for key, may in found.items() if may} == expected(sources, there)


def write(docs: Path, there: Mapping[tuple[str, str], str | None]) -> None:
    """Make the folder hold these files and no others."""
    for path in docs.rglob("*.md"):
        path.unlink()
    for folder in FOLDERS:
        (docs / folder).mkdir(parents=True, exist_ok=True)
    for (folder, name), own in there.items():
        header = {None: "", BROKEN: "---\naudiance: hr\n---\n"}.get(own, f"---\naudience: {own}\n---\n")
        (docs / folder / name).write_text(f"{header}# {folder} {name}\n\nWords of {folder} in {name}.\n")
