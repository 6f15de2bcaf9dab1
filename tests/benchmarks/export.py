"""How long `App.export` takes over a store of many exchanges, in every format, and how much memory.

    python -m tests.benchmarks.export [--exchanges 100000] [--documents FOLDER] [--folder FOLDER]

The passages are those of FOLDER's documents (the sample handbook's without one), cut as `footnote sync` cuts them. An
exchange shows eight and cites the first, in two or three sentences; of a third of the answers one sentence is not word
for word what stands there. One question in ten is an earlier one again, with the same passages and another answer, and
one is a follow-up; one in twelve finds nothing. 2,000 people ask and vote, one to three on each answer, nine times in
ten alike; one bad answer in ten is corrected, and an owner accepts it. One question in twenty holds personal data or a
password. All is drawn with a fixed seed. The export runs in a process of its own, which shows its progress.
"""

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import App, bootstrap
from bot.config.settings import Settings
from feedback.export.formats import FORMATS
from feedback.records import (
    AnswerSentence,
    Correction,
    Decision,
    Exchange,
    Record,
    RetrievedPassage,
    StoredCitation,
    Vote,
)
from retrieval.passages import EVERYONE, Passage
from retrieval.sectioning.sentences import sentences
from tests.fakes import FakeEmbedder

HANDBOOK = Path(__file__).parents[2] / "bot" / "handbook"
START = datetime(2025, 1, 6, tzinfo=UTC)
PEOPLE, SHOWN, SEED = 2000, 8, 0
BATCH = 1000
OPENINGS = "What does it mean that|Is it true that|Where does it say that|Who decides whether|Since when is it so that"
PRIVATE = (
    "My number is +44 20 7946 0{0:03d}.",
    "Write to person.{0}@example.com.",
    "My password is hunter{0}x.",
    "The key is AKIAIOSFODNN7EX{0:05d}.",
)
NOT_FOUND = "I could not find this in the documents."


class Drawn:
    """Exchanges and what is said of them, drawn one after the other."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._chance = random.Random(SEED)
        self._passages = passages
        self._sentences = [_split(each.text) for each in passages]
        self._told = [number for number, said in enumerate(self._sentences) if len(said) > 1]
        self._last: tuple[str, tuple[tuple[str, str], ...], tuple[int, ...]] | None = None

    def records(self, exchanges: int) -> Iterator[Record]:
        """Each exchange, then what is said of it."""
        for number in range(exchanges):
            made = self._exchange(number)
            yield made
            yield from self._said(number, made)

    def _exchange(self, number: int) -> Exchange:
        question, history, shown = self._asked(number)
        first = self._passages[shown[0]]
        found = number % 12 != 5
        said = self._answer(shown[0]) if found else []
        return Exchange(
            f"{number:032x}",
            START + timedelta(minutes=5 * number),
            question,
            " ".join(f"{each} [1]" for each in said) or NOT_FOUND,
            history,
            groups=frozenset({EVERYONE}),
            asker=f"{self._chance.randrange(PEOPLE):064x}",
            platform="slack",
            shown=tuple(_shown(self._passages[place], 1 - rank / 10) for rank, place in enumerate(shown)),
            sentences=tuple(AnswerSentence(each, (1,)) for each in said),
            citations=(_cited(first, self._sentences[shown[0]][0]),) if found else (),
            abstained=not found,
            confidence=0.8 if found else 0.2,
            generator="openai:some-model",
            prompt_version="1",
            timings={"search": 0.02, "first": 0.9, "total": 2.1},
        )

    def _asked(self, number: int) -> tuple[str, tuple[tuple[str, str], ...], tuple[int, ...]]:
        """The question, what went before it, and the places of what is shown."""
        if number % 10 == 9 and self._last:
            return self._last
        chance = self._chance
        shown = (chance.choice(self._told), *chance.sample(range(len(self._passages)), SHOWN - 1))
        words = chance.choice(self._sentences[shown[0]]).split()
        begin = chance.randrange(max(1, len(words) - 8))
        question = f"{chance.choice(OPENINGS.split('|'))} {' '.join(words[begin : begin + 14])}?"
        if number % 20 == 3:
            question += f" {PRIVATE[number // 20 % len(PRIVATE)].format(number % 1000)}"
        before = (("user", f"Tell me about {' '.join(words[:4])}."), ("bot", "What about it?"))
        self._last = (question, before if number % 10 == 4 else (), shown)
        return self._last

    def _answer(self, place: int) -> list[str]:
        said = self._sentences[place]
        begin = self._chance.randrange(len(said) - 1)
        taken = [" ".join(each.split()) for each in said[begin : begin + self._chance.choice((2, 3))]]
        if self._chance.random() < 1 / 3:
            taken[0] = f"As the section says, {taken[0][:1].lower()}{taken[0][1:]}"
        return taken

    def _said(self, number: int, made: Exchange) -> Iterator[Record]:
        chance, at = self._chance, made.at + timedelta(minutes=1)
        is_good = number % 10 != 9 and chance.random() < 0.75
        for turn in range(chance.choice((1, 1, 2, 3))):
            up = is_good == (chance.random() < 0.9)
            voter = f"{chance.randrange(PEOPLE):064x}"
            yield Vote(f"{made.id}-{turn}", made.id, voter, at, "up" if up else "down", "" if up else "wrong")
        if not is_good and chance.random() < 0.1:
            key, text = f"{made.id}-right", self._corrected(made)
            yield Correction(key, made.id, f"{chance.randrange(PEOPLE):064x}", at, text)
            yield Decision(f"{key}-yes", made.id, f"{PEOPLE:064x}", at, "accept", key)

    def _corrected(self, made: Exchange) -> str:
        """Now and then in the words of whoever corrects."""
        text = " ".join(self._chance.choice(_split(made.shown[0].text)).split())
        return text if self._chance.random() < 0.5 else f"In fact, {text[:1].lower()}{text[1:]}"


def _split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def _shown(p: Passage, score: float) -> RetrievedPassage:
    return RetrievedPassage(p.document, p.anchor, p.section, p.title, p.version, p.embedded_text, score)


def _cited(p: Passage, quote: str) -> StoredCitation:
    return StoredCitation(1, p.document, p.title, p.section, p.anchor, p.url, quote, p.version)


def opened(home: Path) -> App:
    """A app whose vectors mean nothing: an export asks for none."""
    return bootstrap(Settings(home=home), embedder=FakeEmbedder())


def fill(home: Path, documents: Path, exchanges: int) -> None:
    app = opened(home)
    app.ingestion.sync([documents], name="documents")
    passages = [
        each
        for source in app.index.reader.sources()
        for name in sorted(app.index.reader.stored(source))
        for each in app.index.reader.sections(name)
    ]
    batch: list[Record] = []
    for record in Drawn(passages).records(exchanges):
        batch.append(record)
        if len(batch) >= BATCH:
            app.feedback.write_many(batch)
            batch = []
    app.feedback.write_many(batch)
    app.feedback.close()
    size = (home / "feedback.db").stat().st_size / 1e6
    print(f"{exchanges} exchanges over {len(passages)} passages, {size:.0f} MB", flush=True)


def export(home: Path, out: Path) -> None:
    """Print seconds, megabytes and rows; progress goes to stderr."""
    app = opened(home)
    started = time.perf_counter()
    stages: dict[str, float] = {}

    def progress(stage: str, done: int, total: int) -> None:
        if stage not in stages:
            stages[stage] = time.perf_counter() - started
            print(f"{stages[stage]:6.1f} s, {most()} MB at most: {stage}", file=sys.stderr, flush=True)

    made = app.training.export(
        FORMATS,
        out,
        force=True,
        since=None,
        until=None,
        min_agreement=0.75,
        groups=frozenset(),
        evaluation=None,
        tokenizer=None,
        progress=progress,
    )
    seconds, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    computing = used.ru_utime + used.ru_stime
    exchanges = made.manifest["exchanges"]
    print(f"{seconds:.1f} s ({computing:.1f} s of the processor), {most()} MB at most")
    print(f"{exchanges['in']} exchanges, {exchanges['used']} in rows")
    print({name: told["rows"] for name, told in made.manifest["formats"].items()})
    print(exchanges["rejected"], flush=True)


def most() -> int:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--exchanges", type=int, default=100_000)
    arguments.add_argument("--documents", type=Path, default=HANDBOOK)
    arguments.add_argument("--folder", type=Path, help="where to keep everything; a temporary one otherwise")
    arguments.add_argument("--only-export", action="store_true", help="what was filled before, in this very process")
    given = arguments.parse_args()
    if given.only_export:
        export(given.folder / "state", given.folder / "export")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = given.folder or Path(name)
        if not (folder / "state" / "feedback.db").exists():
            fill(folder / "state", given.documents, given.exchanges)
        command = [sys.executable, "-m", "tests.benchmarks.export", "--only-export", "--folder", str(folder)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
