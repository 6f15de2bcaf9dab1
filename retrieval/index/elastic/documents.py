"""Encodes documents and passages as records of the index, and decodes them (pure)."""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.vectors import Encoded, TokenVectors, no_vectors, text_key
from retrieval.index.elastic.mapping import BLOCK, DOCUMENT, PASSAGE, SKIP, TEXT, VERSION
from retrieval.index.elastic.query.term_stats import BLOCK_BITS, PASSAGE_BITS, digest, index_term, packed_counts
from retrieval.index.elastic.visibility import SOURCE_MARK
from retrieval.index.local.records import audience_record, document_from, document_record, passage_from, passage_record
from retrieval.index.protocols import Indexable, SkippedFile
from retrieval.passages import Document, Passage
from retrieval.ranking.analysis import Analyzer, bigrams
from retrieval.ranking.bm25 import DOCUMENT_TITLE_WEIGHT, blocks, passage_terms
from retrieval.ranking.candidates import PassageTokens

# A document's text is cut into parts of so many characters, far below what a request may hold.
PART = 1_000_000
NUMBER = np.dtype("<i4")
# How often a term of the title or of a heading counts when the index chooses candidates.
FIELD_WEIGHT = 2

Action = tuple[dict[str, Any], dict[str, Any]]
"""The action of a bulk request and its record."""


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """The records of a document's next edition, which replaces its current one; empty for a deletion."""

    document: str
    source: str = ""
    edition: str = ""
    version: str = ""
    fingerprint: str = ""
    records: Sequence[Action] = field(default=())


@lru_cache(maxsize=10_000)
def document_key(document: str) -> str:
    """A document's id as a part of record ids, which must be short."""
    return digest(document)


def source_mark(source: str) -> str:
    """The mark on every record that came from a source."""
    return f"{SOURCE_MARK}{document_key(source)}"


def text_ids(document: str, edition: str, parts: int) -> list[str]:
    """Ids of the records that hold one edition of a document as it was parsed."""
    return [f"t-{document_key(document)}-{edition}-{part}" for part in range(parts)]


def passage_id(document: str, edition: str, ordinal: int) -> str:
    """Id of a passage's record."""
    return f"p-{document_key(document)}-{edition}-{ordinal}"


def replacement(
    document: Document, passages: Sequence[Indexable], *, analyzer: Analyzer, fingerprint: str
) -> DocumentChange:
    """The change that stores a document in place of its current edition; equal arguments make equal records."""
    content = document_record(document)
    edition = _edition(document, content, [each.passage for each in passages], fingerprint)
    base = {
        "source": document.source,
        "document": document.id,
        "edition": edition,
        "audience": sorted(document.audience),
        "marks": [edition, source_mark(document.source)],
    }
    key = f"{document_key(document.id)}-{edition}"
    parts = compress(content)
    head = {
        "kind": DOCUMENT,
        "version": document.version,
        "fingerprint": fingerprint,
        "parts": len(parts),
        "kept": {"audience": audience_record(document.audience)},
    }
    records: list[Action] = [({"index": {"_id": f"d-{key}"}}, base | head)]
    records += [
        # An earlier edition of the same content may be in use as a past version: its parts are left as they are.
        ({"create": {"_id": id_}}, {**_without_audience(base), "kind": TEXT, "kept": {"part": part}})
        for id_, part in zip(text_ids(document.id, edition, len(parts)), parts, strict=True)
    ]
    terms = [passage_terms(analyzer, each.passage) for each in passages]
    block_of = blocks([0] * len(terms), [len(text) for text, *_ in terms]).tolist()
    for each, fields, block in zip(passages, terms, block_of, strict=True):
        action = {"index": {"_id": passage_id(document.id, edition, each.passage.ordinal)}}
        records.append((action, base | _passage(each, fields, block, edition, document)))
    for block in sorted(set(block_of)):
        members = [fields for fields, number in zip(terms, block_of, strict=True) if number == block]
        records.append(({"index": {"_id": f"b-{key}-{block}"}}, base | _block(members, block, edition)))
    return DocumentChange(document.id, document.source, edition, document.version, fingerprint, records)


def skip_change(skip: SkippedFile) -> DocumentChange:
    """The change that stores a skipped file in place of its document."""
    content = json.dumps([skip.document, skip.source, skip.fingerprint, skip.skipped.reason, skip.skipped.detail])
    edition = sha256(content.encode()).hexdigest()[:20]
    record = {
        "kind": SKIP,
        "source": skip.source,
        "document": skip.document,
        "edition": edition,
        "marks": [edition, source_mark(skip.source)],
        "fingerprint": skip.fingerprint,
        "kept": {"reason": skip.skipped.reason, "detail": skip.skipped.detail},
    }
    action = {"index": {"_id": f"k-{document_key(skip.document)}-{edition}"}}
    return DocumentChange(skip.document, skip.source, edition, "", skip.fingerprint, [(action, record)])


def past_version(record: Mapping[str, Any], at: int) -> Action:
    """The record of a past version from the document's record; `at` is when it was replaced, in milliseconds."""
    return (
        {"index": {"_id": f"v-{document_key(record['document'])}-{record['version']}"}},
        {
            "kind": VERSION,
            "source": record["source"],
            "document": record["document"],
            "edition": record["edition"],
            "version": record["version"],
            "parts": record["parts"],
            "at": at,
            "marks": [source_mark(record["source"])],
        },
    )


def _edition(document: Document, content: str, passages: Iterable[Passage], fingerprint: str) -> str:
    """A hash of everything in the document and its passages."""
    whole = sha256()
    head = [document.id, document.source, document.version, fingerprint, audience_record(document.audience), content]
    for text in (*head, *(passage_record(each) for each in passages)):
        whole.update(sha256(text.encode("utf-8", "surrogatepass")).digest())
    return whole.hexdigest()[:20]


def _without_audience(base: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in base.items() if name != "audience"}


def _passage(each: Indexable, terms: list[list[str]], block: int, edition: str, document: Document) -> dict[str, Any]:
    passage = each.passage
    pairs = [bigrams(field) for field in terms]
    both = [field + pair for field, pair in zip(terms, pairs, strict=True)]
    repeated = [*terms[0], *(terms[1] + terms[2]) * FIELD_WEIGHT, *pairs[0], *(pairs[1] + pairs[2]) * FIELD_WEIGHT]
    record: dict[str, Any] = {
        "kind": PASSAGE,
        "ordinal": passage.ordinal,
        "place": encode_place([*map(len, terms), passage.ordinal, block], f"{edition} {passage.document}"),
        "terms": " ".join(map(index_term, repeated)),
        "counts": packed_counts(both, PASSAGE_BITS),
        "length": dict(zip(("text", "title", "headings"), map(len, terms), strict=True)),
        "text_key": text_key(passage.embedded_text).hex(),
        "heading_key": text_key(passage.embedded_heading).hex(),
        "kept": {
            "passage": passage_record(passage),
            "said": [passage.version, passage.title, passage.url, audience_record(document.audience)],
            # Left out when there are none, as in a record of before blocks had vectors.
            **({"blocks": _packed_blocks(each.text.blocks)} if len(each.text.blocks) else {}),
        },
        "tokens": _base64(_packed_tokens(each.heading.tokens, each.text.tokens)),
    }
    for name, vector in (("text_vector", each.text.vector), ("heading_vector", each.heading.vector)):
        if np.any(vector):  # the index refuses a vector without direction, which is near to nothing
            record[name] = np.ascontiguousarray(vector, np.float32)
    return record


def _block(members: Sequence[list[list[str]]], block: int, edition: str) -> dict[str, Any]:
    """The record of consecutive passages of one document; their title and headings count once."""
    text = [term for fields in members for term in fields[0]]
    _, title, headings = members[0]
    return {
        "kind": BLOCK,
        "place": encode_place([len(text), len(title), len(headings), block], edition),
        "context": " ".join(map(index_term, [*text, *title * int(DOCUMENT_TITLE_WEIGHT)])),
        "counts": packed_counts([text, title], BLOCK_BITS),
        "length": {"text": len(text), "title": len(title), "headings": len(headings)},
    }


def encode_place(numbers: Sequence[int], label: str) -> str:
    """Encode what every hit brings along of its record: whole numbers, and a text behind them."""
    return _base64(np.array(numbers, NUMBER).tobytes() + label.encode("utf-8", "surrogatepass"))


def decode_places(places: Iterable[str], count: int) -> tuple[NDArray[np.int32], list[str]]:
    """Decode n places into their numbers, shape (n, `count`), and their texts."""
    data = [base64.b64decode(each) for each in places]
    size = count * NUMBER.itemsize
    numbers = np.frombuffer(b"".join(each[:size] for each in data), NUMBER).reshape(-1, count)
    return numbers, [each[size:].decode("utf-8", "surrogatepass") for each in data]


def compress(content: str) -> list[str]:
    """Compress ASCII text into parts that are short enough for any request."""
    whole = base64.b64encode(zlib.compress(content.encode("ascii"))).decode("ascii")
    return [whole[start : start + PART] for start in range(0, len(whole), PART)]


def decompress(parts: Iterable[str]) -> str:
    """The text from all its parts in order."""
    return zlib.decompress(base64.b64decode("".join(parts))).decode("ascii")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _packed_tokens(heading: TokenVectors, text: TokenVectors) -> bytes:
    """Width and the number of the heading's, then the vectors of both."""
    head = np.array([text.shape[1], len(heading)], NUMBER).tobytes()
    return head + heading.astype(np.int8).tobytes() + text.astype(np.int8).tobytes()


def passage_of(record: Mapping[str, Any]) -> Passage:
    """Decode a passage from its record."""
    kept = record["kept"]
    return passage_from(kept["passage"], record["ordinal"], record["document"], *kept["said"])


def tokens_of(record: Mapping[str, Any]) -> PassageTokens:
    """Decode a passage's token vectors and those of its blocks from its record."""
    data = base64.b64decode(record["tokens"])
    width, count = np.frombuffer(data, NUMBER, 2).tolist()
    rows = np.frombuffer(data, np.int8, offset=2 * NUMBER.itemsize).reshape(-1, width)
    return PassageTokens(rows[:count], rows[count:], _blocks_of(record))


def _packed_blocks(blocks: TokenVectors) -> list[int | str]:
    return [blocks.shape[1], _base64(blocks.astype(np.int8).tobytes())]


def _blocks_of(record: Mapping[str, Any]) -> TokenVectors:
    """Decode the vectors of a passage's blocks; a record of before they were kept has none."""
    if "blocks" not in record.get("kept", {}):
        return no_vectors()
    width, data = record["kept"]["blocks"]
    return np.frombuffer(base64.b64decode(data), np.int8).reshape(-1, width)


def vectors_of(record: Mapping[str, Any]) -> list[tuple[bytes, Encoded]]:
    """Decode the vectors of a passage's heading and text, each with its key; one without direction is left out."""
    tokens = tokens_of(record)
    return [
        (bytes.fromhex(record[f"{name}_key"]), Encoded(np.array(vector, np.float32), *own))
        for name, own in (("heading", (tokens.heading,)), ("text", (tokens.text, tokens.blocks)))
        if (vector := record.get(f"{name}_vector"))
    ]


def document_of(record: Mapping[str, Any], parts: Iterable[str]) -> Document:
    """Decode a document from its record and parts; a past version has no source and no audience."""
    is_past = record["kind"] == VERSION
    return document_from(
        decompress(parts),
        record["document"],
        "" if is_past else record["source"],
        record["version"],
        "[]" if is_past else record["kept"]["audience"],
    )
