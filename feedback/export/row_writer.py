"""The rows of all formats: what curation gives is read once (sections twice) and written as it comes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feedback.curation.values import Curated, Example, Pair, Rejected, Retrieval, Source
from feedback.export.dataset_writer import BeirShelf, Held, Lines, Shelf
from feedback.export.kto import NO_PLACE, KtoShelf
from feedback.export.negatives import Negatives
from feedback.export.rows import ROW, UNFIT, body, embedded, encoded, retrieval_row
from feedback.export.token_lengths import Counter
from feedback.export.values import KINDS, LINEAGE, REJECTED, ExportRequest, Format, Progress

# A section may be no row of a table of tabs: what would end a cell or a line is written in hexadecimal.
_UNSAFE = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029"%]')
# An exchange that no format which was asked for has a use for leaves at this step.
STAGE = "format"
NOT_ASKED_FOR = "no-row-of-these-formats"
EVERY = 1000


@dataclass
class Desk:
    """Where an export is written, and what is known of it so far; `why` says of exchanges why a format left them."""

    curated: Curated
    wanted: ExportRequest
    folder: Path
    work: Path
    count: Counter
    progress: Progress
    used: set[str] = field(default_factory=set)
    met: dict[str, None] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    held: Held = field(default_factory=Held)

    def asked(self, kind: str) -> list[Format]:
        """The formats of this kind that are wanted."""
        return [name for name in self.wanted.formats if KINDS[name] == kind]

    def fits(self, shelf: Shelf, value: Example | Pair | Retrieval, sources: Iterable[Source]) -> bool:
        """Whether the format can use it; if not, it is counted."""
        shelf.came += 1
        reason = UNFIT[KINDS[shelf.name]](shelf.name, value)
        if reason:
            shelf.leave(reason)
            for source in sources:
                self.why.setdefault(source.exchange, reason)
        return not reason

    def each(self, stage: str, values: Iterable[Any]) -> Iterator[Any]:
        """The values, with progress; exchanges are the only total that is known beforehand."""
        for done, value in enumerate(values, start=1):
            if done % EVERY == 0:
                self.progress(stage, min(done, self.curated.exchanges), self.curated.exchanges)
            yield value


@contextmanager
def opened(desk: Desk) -> Iterator[dict[Format, Shelf]]:
    """A shelf for each format that is wanted, with its files."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(_shelf(desk, name)) for name in desk.wanted.formats}


def _shelf(desk: Desk, name: Format) -> Shelf:
    lineage = desk.work / f"lineage-{name}.jsonl"
    if name == "trl-kto":
        return KtoShelf(
            name,
            desk.folder,
            lineage,
            used=desk.used,
            held=desk.held,
            spool=desk.work / "kto",
            seed=desk.wanted.seed,
        )
    kind = BeirShelf if name == "beir" else Shelf
    return kind(name, desk.folder, lineage, used=desk.used, held=desk.held)


def write_rows(desk: Desk, shelves: Mapping[Format, Shelf]) -> None:
    """Write every row of every format."""
    _write_examples(desk, [shelves[name] for name in desk.asked("examples")])
    _write_pairs(desk, [shelves[name] for name in desk.asked("pairs")])
    _write_retrievals(desk, shelves)


def _write_examples(desk: Desk, shelves: list[Shelf]) -> None:
    for example in desk.each("writing answers", desk.curated.examples()):
        desk.met[example.source.exchange] = None
        fitting = [shelf for shelf in shelves if desk.fits(shelf, example, [example.source])]
        if not fitting:
            continue
        length = _length(desk.count, example.prompt, example.completion)
        for shelf in fitting:
            if isinstance(shelf, KtoShelf):
                shelf.keep(example, length)
            else:
                shelf.add(example.split, ROW["examples"](shelf.name, example), [example.source])
                shelf.note(example.split, length, refusal=example.refusal)
    for shelf in shelves:
        if isinstance(shelf, KtoShelf):
            for exchange in shelf.settle():
                desk.why.setdefault(exchange, NO_PLACE)


def _write_pairs(desk: Desk, shelves: list[Shelf]) -> None:
    for pair in desk.each("writing pairs", desk.curated.pairs()):
        desk.met |= dict.fromkeys(source.exchange for source in pair.sources)
        fitting = [shelf for shelf in shelves if desk.fits(shelf, pair, pair.sources)]
        if not fitting:
            continue
        longer = max(pair.chosen, pair.rejected, key=len)
        length = _length(desk.count, pair.prompt, longer)
        for shelf in fitting:
            shelf.add(pair.split, ROW["pairs"](shelf.name, pair), pair.sources)
            shelf.note(pair.split, length)
            shelf.ratios.append(len(pair.chosen) / len(pair.rejected))


def _write_retrievals(desk: Desk, shelves: Mapping[Format, Shelf]) -> None:
    triplets, beir = shelves.get("sentence-transformers"), shelves.get("beir")
    negatives = Negatives(desk.curated.retrievals, desk.work / "sections", seed=desk.wanted.seed) if triplets else None
    known: set[str] = set()
    asked: set[str] = set()
    for each in desk.each("writing questions", desk.curated.retrievals()):
        desk.met[each.source.exchange] = None
        if triplets and negatives and desk.fits(triplets, each, [each.source]):
            triplets.add(
                each.split, retrieval_row(each, negatives(each) if negatives.complete else None), [each.source]
            )
            triplets.note(each.split, _lengths_of(desk.count, each))
        if isinstance(beir, BeirShelf) and desk.fits(beir, each, [each.source]):
            _judge(beir, each, known, asked)
            beir.note(each.split, _lengths_of(desk.count, each))
    if negatives:
        negatives.close()


def _judge(shelf: BeirShelf, each: Retrieval, known: set[str], asked: set[str]) -> None:
    """Write the question and its sections where they are new, and which answers it."""
    for section in (each.positive, *each.negatives):
        if section.id not in known:
            known.add(section.id)
            shelf.section({"_id": _id(section.id), "title": section.title, "text": body(section)})
    question = _id(each.source.exchange)
    if question not in asked:
        asked.add(question)
        shelf.query({"_id": question, "text": each.question})
    judgement = f"{question}\t{_id(each.positive.id)}\t1"
    shelf.write(each.split, judgement.encode("utf-8", "replace"), [each.source])


def _id(name: str) -> str:
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", name)


def _length(count: Counter, prompt: tuple[tuple[str, str], ...], completion: str) -> tuple[int, int]:
    before = count(prompt)
    return before, count((*prompt, ("assistant", completion)))


def _lengths_of(count: Counter, each: Retrieval) -> tuple[int, int]:
    question, section = count([("user", each.question)]), count([("user", embedded(each.positive))])
    return question, max(question, section)


def write_lineage(desk: Desk) -> None:
    """Put the lineage of all formats into one file."""
    with (desk.folder / LINEAGE).open("wb") as whole:
        for name in desk.wanted.formats:
            with (desk.work / f"lineage-{name}.jsonl").open("rb") as part:
                while block := part.read(1 << 20):
                    whole.write(block)


def write_rejected(desk: Desk) -> dict[str, dict[str, int]]:
    """Write each exchange that gave no row, once, with the step and the reason; tells how many by both.

    Raises RuntimeError when an exchange that went in is in neither or both of what is written.
    """
    counts: dict[str, dict[str, int]] = {}
    gone: set[str] = set()
    lines = Lines(desk.folder / REJECTED)
    try:
        for each in _rejected(desk):
            if each.exchange in gone or each.exchange in desk.used:
                raise RuntimeError(f"the exchange {each.exchange!r} is accounted for twice")
            gone.add(each.exchange)
            by_reason = counts.setdefault(each.stage, {})
            by_reason[each.reason] = by_reason.get(each.reason, 0) + 1
            lines.add(encoded({"exchange": each.exchange, "stage": each.stage, "reason": each.reason}))
    finally:
        lines.close()
    if len(gone) + len(desk.used) != desk.curated.exchanges:
        raise RuntimeError(
            f"{desk.curated.exchanges} exchanges went in, {len(desk.used)} are used and {len(gone)} were rejected"
        )
    return counts


def _rejected(desk: Desk) -> Iterator[Rejected]:
    yield from desk.curated.rejected()
    for exchange in desk.met:
        if exchange not in desk.used:
            yield Rejected(exchange, STAGE, desk.why.get(exchange, NOT_ASKED_FOR))
