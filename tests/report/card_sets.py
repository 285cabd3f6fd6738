"""Manifests and documents for tests of cards: nothing is written to a disk."""

from __future__ import annotations

import pyarrow as pa
from report_sets import ORIGIN
from sets import TOKENIZER

from transferset import documents, schema
from transferset.manifest import FileEntry, Json, Manifest, ShardEntry

SCHEMA = schema.make_schema(["input_ids", "doc_id", "rev_id", "sentence", "source"], pa.uint16())
MIXED = schema.make_schema(
    ["input_ids", "doc_id", "rev_id", "sentence", "source", "part"], pa.uint16()
)
TABLE = FileEntry(documents.DOCUMENTS, 10, "0" * 64)


def statistics(histogram: list[list[int]], **more: int) -> Json:
    """Statistics of a source whose sentences have these lengths."""
    sentences, words = sum(n for _, n in histogram), sum(k * n for k, n in histogram)
    return {
        "source": 0, "pages": 9, "documents": 3, "sentences": sentences, "words": words,
        "text_bytes": 6 * words, "words_per_sentence": histogram, **more,
    }  # fmt: skip


def manifest(**members: object) -> Manifest:
    """A manifest of 1,000 rows; `members` replaces some of it."""
    of_set = members.pop("of_set", SCHEMA)
    standard: dict[str, object] = {
        "format": 1, "name": "corpus", "op": "build wiki", "params": {"max_len": 128}, "seed": 7,
        "generator": "philox4x32-10", "recipe": "ab" * 32, "code": {"transferset": "0.1.0"},
        "tokenizer": TOKENIZER, "parents": [], "sources": [ORIGIN], "licence": "CC BY-SA 4.0",
        "schema": schema.describe(of_set),
        "totals": {"rows": 1000, "tokens": 30_000, "content_tokens": 28_000, "bytes": 90_000},
        "statistics": [], "ledger": [],
        "shards": (ShardEntry("data-00000-of-00001.arrow", 1000, 30_000, 90_000, "0" * 64, ()),),
        "files": (),
    }  # fmt: skip
    return Manifest(**{**standard, **members})


def composite(**members: object) -> Manifest:
    """Of a wiki and of books: [5, 5, 5, 9] and [1, 9, 9] words per sentence."""
    wiki = statistics([[5, 3], [9, 1]], part=0)
    books = statistics([[1, 1], [9, 2]], part=1, source=1, documents=2)
    library = {"code": 1, "file": "books", "language": "en", "licence": "CC0-1.0", "bytes": 77}
    return manifest(**{
        "op": "mix", "name": "wiki-books", "of_set": MIXED, "sources": [ORIGIN, library],
        "params": {"max_len": 128, "parts": ["wiki", "books"], "counts": [600, 400]},
        "licence": "CC BY-SA 4.0 AND CC0-1.0", "statistics": [wiki, books], **members,
    })  # fmt: skip


def documents_of(*rows: dict[str, object], of: pa.Schema = documents.SCHEMA) -> pa.RecordBatch:
    """A batch of a documents table; what a row leaves out is empty."""
    empty = {f.name: "" if pa.types.is_string(f.type) else 0 for f in of}
    return pa.RecordBatch.from_pylist([{**empty, **row} for row in rows], of)
