"""From the sentences of documents to Arrow rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transferset import rng
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.tokens import Rows, WordPiece

#: Rows and characters that are held in memory before they are written.
FLUSH_ROWS = 50_000
FLUSH_CHARACTERS = 8_000_000


@dataclass(slots=True)
class Statistics:
    """What the corpus tables of the literature are made of."""

    documents: int = 0
    sentences: int = 0
    words: int = 0
    text_bytes: int = 0
    words_per_sentence: Counter[int] = field(default_factory=Counter)

    def add(self, texts: Sequence[str]) -> None:
        """Count sentences of a document; a word is what stands between white space."""
        joined = "".join(texts)
        self.sentences += len(texts)
        self.text_bytes += len(joined.encode())
        lengths = [text.count(" ") + 1 for text in texts]  # white space is single, by cleaning
        if "\n" in joined:  # documents: paragraphs are lines
            lengths = [n + text.count("\n") for n, text in zip(lengths, texts, strict=True)]
        self.words += sum(lengths)
        self.words_per_sentence.update(lengths)

    def to_json(self) -> Json:
        """Counts, and the histogram as [words, sentences] pairs in order."""
        return {
            "documents": self.documents,
            "sentences": self.sentences,
            "words": self.words,
            "text_bytes": self.text_bytes,
            "words_per_sentence": [list(item) for item in sorted(self.words_per_sentence.items())],
        }


def merge_statistics(results: Sequence[Json]) -> Json:
    """The statistics of several parts of one source, as one."""
    merged = Statistics()
    for one in results:
        merged.documents += one["documents"]
        merged.sentences += one["sentences"]
        merged.words += one["words"]
        merged.text_bytes += one["text_bytes"]
        merged.words_per_sentence.update(dict(one["words_per_sentence"]))
    return merged.to_json()


@dataclass(slots=True)
class RowBuffer:
    """Collects documents' sentences and hands them on as record batches, in source order.

    Attributes:
        emit: Called with each batch: the set's columns, and `key` when rows are to be shuffled.
        by_document: Rows that each document has given, in order.
    """

    encoder: WordPiece
    emit: Callable[[pa.RecordBatch], None]
    source: int
    min_len: int
    max_len: int | None
    keep_text: bool
    shuffle_seed: int | None
    ledger: Ledger
    rows: int = 0
    tokens: int = 0
    by_document: list[int] = field(default_factory=list)
    _texts: list[str] = field(default_factory=list)
    _documents: list[tuple[int, int, int]] = field(default_factory=list)
    _characters: int = 0
    _given: int = 0  # rows that the first document held has given before
    _last: int = 0  # rows that the last document has given so far

    def add(self, doc_id: int, rev_id: int, texts: Sequence[str], *, more: bool = False) -> None:
        """Append sentences of one document.

        Args:
            doc_id: Its id.
            rev_id: Its revision.
            texts: Sentences, in order.
            more: They go on where the last call ended.
        """
        before = 0
        if not more:
            self.by_document.append(0)
        if not self._documents:
            self._given = self._last if more else 0
        elif more:
            before = self._documents.pop()[2]
        self._texts += texts
        self._documents.append((doc_id, rev_id, before + len(texts)))
        self._characters += sum(map(len, texts))
        if len(self._texts) >= FLUSH_ROWS or self._characters >= FLUSH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Turn what is held into one batch."""
        if not self._texts:
            return
        rows = self._encode(self._texts)
        documents = np.array(self._documents, np.uint64).reshape(-1, 3)
        self._texts, self._documents, self._characters = [], [], 0
        earlier = len(self.by_document) - len(documents)
        of_document = np.repeat(np.arange(len(documents)), documents[:, 2].astype(np.int64))
        of_row = of_document[rows.source]
        first = np.searchsorted(of_row, np.arange(len(documents)))
        doc_id, rev_id = documents[of_row, 0], documents[of_row, 1]
        sentence = (np.arange(len(of_row)) - first[of_row]).astype(np.uint32)
        sentence[of_row == 0] += np.uint32(self._given)
        self._last = int(sentence[-1]) + 1
        source = np.full(len(of_row), self.source, np.uint16)
        columns: dict[str, pa.Array] = {
            "input_ids": pa.ListArray.from_arrays(
                pa.array(rows.offsets.astype(np.int32)),
                pa.array(rows.ids.astype(self.encoder.info.dtype)),
            ),
            "doc_id": pa.array(doc_id),
            "rev_id": pa.array(rev_id),
            "sentence": pa.array(sentence),
            "source": pa.array(source),
        }
        if self.keep_text:
            columns["text"] = pa.array(rows.texts, pa.string())
        if self.shuffle_seed is not None:
            keys = rng.order_keys(self.shuffle_seed, 0, source, doc_id, rev_id, sentence)
            columns["key"] = pa.array(keys)
        self._emit(pa.RecordBatch.from_pydict(columns), np.diff(rows.offsets), of_row + earlier)

    def _encode(self, texts: list[str]) -> Rows:
        if self.max_len is not None:
            return self.encoder.encode_rows(texts, self.max_len)
        ids, offsets = self.encoder.encode(texts)
        return Rows(ids, offsets, texts, np.arange(len(texts)))

    def _emit(
        self, batch: pa.RecordBatch, lengths: npt.NDArray[np.int64], of_row: npt.NDArray[np.int64]
    ) -> None:
        if self.min_len > 0 and (lengths < self.min_len).any():
            keep = lengths >= self.min_len
            self.ledger[Reason.BELOW_MIN_LEN] += int((~keep).sum())
            batch, lengths = batch.filter(pa.array(keep)), lengths[keep]
            of_row = of_row[keep]
        counts = np.bincount(of_row)
        for document in np.flatnonzero(counts).tolist():
            self.by_document[document] += int(counts[document])
        self.rows += batch.num_rows
        self.tokens += int(lengths.sum())
        if "key" in batch.schema.names:
            order = np.argsort(batch.column("key").to_numpy(), kind="stable")
            batch = batch.take(pa.array(order))
        self.emit(batch)
