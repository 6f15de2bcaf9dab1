"""What the retriever learns from votes: simulated ones, exported, trained on by the shipped recipe, and measured.

    python -m tests.benchmarks.votes_teach DOC2DIAL [--python INTERPRETER] [--folder FOLDER] [--recipe "OPTIONS"]

DOC2DIAL is a folder with `docs/`, `queries.jsonl` (`_id`, `text`, `history`, `doc_id`, `answer`), `qrels.tsv` and
`corpus.jsonl`. A third of its documents, drawn by their names, is not asked about in training. From dialogues about the
others, shuffled with a fixed seed, whole dialogues are taken until there are 800 questions; the questions of all other
dialogues are those that are measured with, told apart by whether their document was asked about in training.

Each of the 800 is asked as `footnote ask` asks it, with its history, of the stock model, by one of 100 people, and gets
one vote by another one:

- thumbs-up, where the section that is cited first answers it as the data set judges;
- else thumbs-down with the reason `wrong-source` and a correction, which an owner accepts: the sentences that hold the
  data set's answer, as they stand in its section. Whether what was shown supports them is for the export to find out.

Nobody ever points at a section that was not shown. `App.export` makes triplets of that, with the questions that are
measured with as `evaluation`, so that nothing near them is trained on. The recipe (INTERPRETER is one with `datasets`
and `accelerate`) writes the tuned model or, where what it holds back does not get better, none. Then `embedding_model`
is that folder, the documents are synced again, and `footnote evaluate` looks up the same questions.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from bot.answering.answers import Answer, Question
from bot.app import App, bootstrap
from bot.config.settings import Settings
from bot.services.evaluation.scoring import cites_gold
from bot.services.questions import exchange_record
from feedback.curation.options import EVERYONE
from feedback.records import Correction, Decision, Vote
from retrieval.evaluation.judgements import Section, read_corpus, read_qrels
from retrieval.evaluation.matching import Matcher, documents_by_name, matcher
from retrieval.evaluation.question_lines import parse_query
from retrieval.sectioning.sentences import sentences

Row = Mapping[str, Any]

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
VOTES, PEOPLE, SEED = 800, 100, 0
# Of the documents one in so many is not asked about in training.
UNSEEN = 3
FIGURES = ("nDCG@10", "recall@10", "MRR@10")


@dataclass(frozen=True, slots=True)
class Parted:
    """The questions to vote on, and those to measure with by whether their document is among the others'."""

    voted: Sequence[Row]
    seen: Sequence[Row]
    unseen: Sequence[Row]


def parted(rows: Sequence[Row]) -> Parted:
    """Whole dialogues to either side; no dialogue and, of `unseen`, no document is on both."""
    documents = sorted({row["doc_id"] for row in rows}, key=lambda name: sha256(name.encode()).digest())
    unseen = set(documents[: len(documents) // UNSEEN])
    dialogues: dict[str, list[Row]] = {}
    for row in rows:
        dialogues.setdefault(dialogue(row), []).append(row)
    names = sorted(dialogues)
    random.Random(SEED).shuffle(names)
    voted: list[Row] = []
    rest: list[Row] = []
    for name in names:
        asked_about = {row["doc_id"] for row in dialogues[name]}
        (voted if len(voted) < VOTES and not asked_about & unseen else rest).extend(dialogues[name])
    return Parted(
        voted[:VOTES],
        [row for row in rest if row["doc_id"] not in unseen],
        [row for row in rest if row["doc_id"] in unseen],
    )


def dialogue(row: Row) -> str:
    """Its name: the question's id without the number of the turn."""
    return str(row["_id"]).rpartition("_")[0]


def cast(app: App, rows: Sequence[Row], qrels: Mapping[str, Sequence[str]], corpus: Mapping[str, Section]) -> str:
    """Ask and vote; tells how."""
    ups = downs = abstained = 0
    known = documents_by_name(
        document for source in app.index.reader.sources() for document in app.index.reader.stored(source)
    )
    for number, row in enumerate(rows):
        at = START + timedelta(minutes=10 * number)
        query = parse_query(row, groups=frozenset({EVERYONE}))
        question = Question(query.text, query.history, query.groups)
        answer = replace(app.questions.answer(question), id=f"asked-{number:04}", timings={})
        made = exchange_record(
            question, answer, asker=f"asker-{number % PEOPLE}", at=at, index_version=app.embedder.name
        )
        app.feedback.record(replace(made, conversation=dialogue(row)))
        names = qrels[row["_id"]]
        is_right = begins_with_gold(answer, [matcher(name, corpus, known) for name in names])
        right = holding(row["answer"], corpus[names[0]].text)
        app.feedback.write_many(list(opinions(number, answer.id, right, at, is_right=is_right)))
        ups += is_right
        downs += not is_right
        abstained += answer.abstained
    return f"{ups} up, {downs} down and corrected ({abstained} of these had found nothing)"


def begins_with_gold(answer: Answer, golds: Sequence[Matcher]) -> bool:
    """Whether the first section that is cited is one of these."""
    return cites_gold(replace(answer, citations=answer.citations[:1]), golds)


def holding(said: str, text: str) -> str:
    """The sentences of the text in which this stands; by itself where it stands in none."""
    begin = text.find(said)
    end = begin + len(said)
    found = [text[start:stop] for start, stop in sentences(text) if start < end and begin < stop]
    return " ".join(found) if begin >= 0 else said


def opinions(
    number: int, answer: str, right: str, at: datetime, *, is_right: bool
) -> Iterator[Vote | Correction | Decision]:
    """What somebody says of an answer, and what the owner makes of it."""
    voter, later = f"voter-{number * 7 % PEOPLE}", at + timedelta(minutes=1)
    if is_right:
        yield Vote(f"vote-{number}", answer, voter, later, "up")
        return
    yield Vote(f"vote-{number}", answer, voter, later, "down", "wrong-source")
    if right.strip():
        yield Correction(f"correction-{number}", answer, voter, later, right)
        yield Decision(f"decision-{number}", answer, "owner", later, "accept", f"correction-{number}")


def measured(app: App, data: Path, questions: Mapping[str, Path]) -> dict[str, Mapping[str, Any]]:
    """What `footnote evaluate` says of each question file."""
    return {
        which: app.evaluation.evaluate(
            path,
            qrels=data / "qrels.tsv",
            corpus=data / "corpus.jsonl",
            without=frozenset(),
            models=None,
            progress=lambda *_: None,
        )
        for which, path in questions.items()
    }


def opened(folder: Path, data: Path, model: str | None = None) -> App:
    """The app with this embedding model, its index brought up to date."""
    home = folder / "state"
    app = bootstrap(Settings(home=home, embedding_model=model) if model else Settings(home=home))
    app.ingestion.sync([data / "docs"])
    return app


def written(rows: Sequence[Row], path: Path) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def exported(app: App, place: Path, evaluation: Path) -> Mapping[str, Any]:
    """The manifest of the triplets, in which nothing is near these questions."""
    return app.training.export(
        ["sentence-transformers"],
        place,
        force=True,
        since=None,
        until=None,
        min_agreement=0.75,
        groups=frozenset(),
        evaluation=evaluation,
        tokenizer=None,
        progress=lambda *_: None,
    ).manifest


def taught(folder: Path, data: Path, interpreter: str, recipe: Sequence[str]) -> None:
    """Print each step; all is kept in this folder."""
    parts = parted([json.loads(line) for line in (data / "queries.jsonl").read_text("utf-8").splitlines()])
    questions = {name: written(getattr(parts, name), folder / f"{name}.jsonl") for name in ("seen", "unseen")}
    everything = written([*parts.seen, *parts.unseen], folder / "evaluation.jsonl")
    app = opened(folder, data)
    say(f"{len(parts.voted)} votes to cast; to measure with {len(parts.seen)} seen, {len(parts.unseen)} unseen")
    say(cast(app, parts.voted, read_qrels(data / "qrels.tsv"), read_corpus(data / "corpus.jsonl")))
    manifest = exported(app, folder / "export", everything)
    say(f"left out: {json.dumps(manifest['exchanges']['rejected'])}")
    say(f"rows: {json.dumps(manifest['formats']['sentence-transformers']['splits'])}")
    before = measured(app, data, questions)
    tuned = folder / "tuned"
    if not tuned.exists():
        script = str(folder / "export" / "recipes" / "sentence-transformers.py")
        started = time.perf_counter()
        done = subprocess.run([interpreter, script, "--out", str(tuned), *recipe], check=False)
        say(f"the recipe took {time.perf_counter() - started:.0f} s")
        if done.returncode:
            raise SystemExit(done.returncode)
    after = measured(opened(folder, data, str(tuned)), data, questions)
    for which, old in before.items():
        new = after[which]
        told = (f"{name} {old[name]:.3f} -> {new[name]:.3f} ({new[name] - old[name]:+.3f})" for name in FIGURES)
        say(f"{which} documents, {old['judged']} questions: {', '.join(told)}")


def say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--folder", type=Path, help="where to keep everything; a temporary one otherwise")
    arguments.add_argument("--python", default=sys.executable, help="an interpreter with datasets and accelerate")
    arguments.add_argument("--recipe", default="", help="options for the recipe, in one text")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = given.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        taught(folder, given.data, given.python, given.recipe.split())


if __name__ == "__main__":
    main()
