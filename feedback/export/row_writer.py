"""Writes the rows of all formats, as curation gives them; it is read once, retrieval examples twice."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from feedback.curation.dataset import CuratedDataset, Example, PreferencePair, RetrievalExample, RowOrigin
from feedback.export.beir_writer import BeirWriter
from feedback.export.dataset_writer import DatasetWriter
from feedback.export.exchange_usage import ExchangeUsage
from feedback.export.formats import Format
from feedback.export.kto_writer import KtoWriter
from feedback.export.negatives import NegativeSampler
from feedback.export.request import ExportRequest
from feedback.export.rows import embedded_text, example_row, find_flaw, pair_row, retrieval_row
from feedback.export.token_lengths import RowLength, TokenCounter
from feedback.ports import Message
from feedback.progress import Progress

PROGRESS_STEP = 1000

Writers = Mapping[Format, DatasetWriter]
CuratedRow = TypeVar("CuratedRow", Example, PreferencePair, RetrievalExample)


@contextmanager
def open_writers(request: ExportRequest, folder: Path, *, work: Path, usage: ExchangeUsage) -> Iterator[Writers]:
    """Open a writer for each format that is asked for, in the order of all formats; closes their files at the end."""
    with ExitStack() as stack:
        writers: dict[Format, DatasetWriter] = {}
        for name in request.ordered_formats:
            if name == "trl-kto":
                writer: DatasetWriter = KtoWriter(name, folder, work=work, usage=usage, seed=request.seed)
            elif name == "beir":
                writer = BeirWriter(name, folder, work=work, usage=usage)
            else:
                writer = DatasetWriter(name, folder, work=work, usage=usage)
            writers[name] = stack.enter_context(writer)
        yield writers


@dataclass(frozen=True, slots=True)
class RowWriter:
    """Gives every curated row to the writers of the formats that can use it.

    `work` is a folder for temporary files, `count_tokens` measures rows, `usage` learns what became of each exchange.
    """

    request: ExportRequest
    curated: CuratedDataset
    writers: Writers
    usage: ExchangeUsage
    work: Path
    count_tokens: TokenCounter
    progress: Progress

    def write_all(self) -> None:
        """Write every row of every format."""
        self._write_examples([self.writers[name] for name in self.request.formats_of("examples")])
        self._write_pairs([self.writers[name] for name in self.request.formats_of("pairs")])
        self._write_retrievals()

    def _write_examples(self, writers: Sequence[DatasetWriter]) -> None:
        for example in self._with_progress("writing answers", self.curated.examples()):
            origins = [example.origin]
            if not (fitting := self._fitting(writers, example, origins)):
                continue
            length = self._chat_length(example.prompt, example.completion)
            for writer in fitting:
                if isinstance(writer, KtoWriter):
                    writer.buffer(example, length)
                else:
                    row = example_row(writer.name, example)
                    writer.add(example.split, row, origins, length, refusal=example.refusal)
        for writer in writers:
            if isinstance(writer, KtoWriter):
                writer.write_buffered()

    def _write_pairs(self, writers: Sequence[DatasetWriter]) -> None:
        for pair in self._with_progress("writing pairs", self.curated.pairs()):
            if not (fitting := self._fitting(writers, pair, pair.origins)):
                continue
            length = self._chat_length(pair.prompt, max(pair.chosen, pair.rejected, key=len))
            for writer in fitting:
                writer.add(pair.split, pair_row(writer.name, pair), pair.origins, length)
                writer.length_ratios.append(len(pair.chosen) / len(pair.rejected))

    def _write_retrievals(self) -> None:
        writers = [self.writers[name] for name in self.request.formats_of("retrievals")]
        with ExitStack() as stack:
            sampler = None
            if "sentence-transformers" in self.writers:
                sampler = NegativeSampler(self.curated.retrievals, self.work / "sections", seed=self.request.seed)
                stack.enter_context(closing(sampler))
            for example in self._with_progress("writing questions", self.curated.retrievals()):
                origins = [example.origin]
                if not (fitting := self._fitting(writers, example, origins)):
                    continue
                length = self._retrieval_length(example)
                for writer in fitting:
                    if isinstance(writer, BeirWriter):
                        writer.add_judgement(example, length)
                    else:
                        # Triplets or pairs: all rows of a file have the same keys.
                        negative = sampler.sample(example) if sampler and sampler.complete else None
                        writer.add(example.split, retrieval_row(example, negative), origins, length)

    def _fitting(
        self, writers: Sequence[DatasetWriter], row: CuratedRow, origins: Sequence[RowOrigin]
    ) -> list[DatasetWriter]:
        """Return the writers whose format can use a row; the others count why not."""
        self.usage.record_offered(origins)
        fitting = []
        for writer in writers:
            writer.offered += 1
            if flaw := find_flaw(writer.name, row):
                writer.leave_out(origins, flaw)
            else:
                fitting.append(writer)
        return fitting

    def _with_progress(self, step: str, rows: Iterable[CuratedRow]) -> Iterator[CuratedRow]:
        """Yield the rows; how many there will be is not known, but not more than exchanges, or nearly."""
        total = self.curated.exchanges
        for done, row in enumerate(rows, start=1):
            if done % PROGRESS_STEP == 0:
                self.progress(step, min(done, total), total)
            yield row

    def _chat_length(self, prompt: Sequence[Message], completion: str) -> RowLength:
        return RowLength(self.count_tokens(prompt), self.count_tokens((*prompt, ("assistant", completion))))

    def _retrieval_length(self, example: RetrievalExample) -> RowLength:
        question = self.count_tokens([("user", example.question)])
        section = self.count_tokens([("user", embedded_text(example.positive))])
        return RowLength(question, max(question, section))
