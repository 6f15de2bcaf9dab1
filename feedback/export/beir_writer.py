"""Writes BEIR's layout: sections and questions once, and tables of which answers which, called train, dev and test."""

import re
from pathlib import Path

from feedback.curation.dataset import SPLITS, RetrievalExample, Split
from feedback.export.dataset_writer import DatasetWriter
from feedback.export.line_file import LineFile
from feedback.export.rows import encode_row, section_body
from feedback.export.token_lengths import RowLength

# An id stands in a table of tabs: what would end a cell or a line there is written in hexadecimal.
_UNSAFE = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029"%]')


class BeirWriter(DatasetWriter):
    """The files of BEIR; its rows are the judgements, a question and a section that answers it."""

    def _open_splits(self, folder: Path) -> dict[Split, LineFile]:
        self._corpus = self._open_file(folder / "corpus.jsonl")
        self._queries = self._open_file(folder / "queries.jsonl")
        self._section_ids: set[str] = set()
        self._question_ids: set[str] = set()
        head = b"query-id\tcorpus-id\tscore"
        paths = {split: folder / "qrels" / f"{self.split_name(split)}.tsv" for split in SPLITS}
        return {split: self._open_file(path, head=head) for split, path in paths.items()}

    def split_name(self, split: Split) -> str:
        """Return `dev` for validation, as BEIR calls it."""
        return "dev" if split == "validation" else split

    def add_judgement(self, example: RetrievalExample, length: RowLength) -> None:
        """Write which section answers the question, and the question and its sections where they are new."""
        for section in (example.positive, *example.negatives):
            if section.id not in self._section_ids:
                self._section_ids.add(section.id)
                row = {"_id": _escape(section.id), "title": section.title, "text": section_body(section)}
                self._corpus.add(encode_row(row))
        question = _escape(example.origin.exchange)
        if question not in self._question_ids:
            self._question_ids.add(question)
            self._queries.add(encode_row({"_id": question, "text": example.question}))
        judgement = f"{question}\t{_escape(example.positive.id)}\t1"
        self.add(example.split, judgement.encode("utf-8", "replace"), [example.origin], length)


def _escape(identifier: str) -> str:
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", identifier)
