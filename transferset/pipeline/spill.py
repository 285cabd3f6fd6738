"""From documents to spilled rows: what the reading tasks of every build have in common.

A task spills its rows, sorted by their shuffle key, and its documents, in source order, below
`_run/`; nothing large crosses a pipe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa

from transferset import documents
from transferset.documents import About
from transferset.files import HashingFile
from transferset.holding import RUN
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.pipeline.corpus import READ
from transferset.pipeline.options import BuildParams
from transferset.pipeline.order import spill_path
from transferset.pipeline.rows import RowBuffer, Statistics
from transferset.sentences import Splitter, get_splitter
from transferset.stage import Done, Output
from transferset.storage.mounts import present
from transferset.tokens import WordPiece, load_tokenizer

#: Characters of the longest sentence that is encoded in one go; the offsets of its tokens are
#: needed to split it, some hundred bytes each.
LONGEST = 50_000

#: Sentences of one document that are handed on at once.
PORTION = 10_000


@dataclass(frozen=True, slots=True)
class RowOptions:
    """What workers are told of how text becomes rows."""

    splitter: str | None
    engine: str
    unit: str
    min_len: int
    max_len: int | None
    keep_text: bool
    shuffle_seed: int | None

    @classmethod
    def of(cls, params: BuildParams, seed: int, engine: str) -> Self:
        """The options of a build."""
        return cls(
            params.splitter,
            engine,
            params.unit,
            params.min_len,
            params.max_len,
            params.keep_text,
            seed if params.shuffle else None,
        )


class RowSpill:
    """Takes the documents of one task; use it as a context manager, and `done` inside."""

    def __init__(self, root: Path, ordinal: int, source: int, options: RowOptions) -> None:
        """Open the spill.

        Args:
            root: The set's directory; holds the tokenizer to use.
            ordinal: Of the task.
            source: Value of the `source` column.
            options: How text becomes rows.
        """
        self._root, self._ordinal, self._options = root, ordinal, options
        self._tokenizer = _tokenizer(str(root), options.engine)
        self.ledger = Ledger()
        self._statistics = Statistics()
        self._source = source
        self._documents: list[tuple[int, int, int, About]] = []
        self._sink = HashingFile(spill_path(root, READ, ordinal))
        self._file = _Spill(self._sink)
        self._rows = RowBuffer(
            encoder=self._tokenizer,
            emit=self._file.write,
            source=source,
            min_len=options.min_len,
            max_len=options.max_len,
            keep_text=options.keep_text,
            shuffle_seed=options.shuffle_seed,
            ledger=self.ledger,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sink.__exit__(kind, error, trace)

    def add(
        self, doc_id: int, rev_id: int, passages: Sequence[str], language: str, about: About
    ) -> None:
        """Take one document.

        Args:
            doc_id: Its id.
            rev_id: Its revision, or 0.
            passages: Paragraphs, headings, lines of verse; none holds a line break.
            language: For the splitter.
            about: For the documents table.
        """
        splitter = _splitter(self._options.splitter, language)
        whole = self._options.unit == "document"
        more, words = False, self._statistics.words
        for texts in _whole(passages) if whole else _sentences(passages, splitter):
            self._statistics.add(texts)
            self._rows.add(doc_id, rev_id, texts, more=more)
            more = True
        if not more:
            self.ledger[Reason.NO_PROSE] += 1
            return
        self._statistics.documents += 1
        self._documents.append((doc_id, rev_id, self._statistics.words - words, about))

    def done(self, pages: int, **result: object) -> Done:
        """Finish the files.

        Args:
            pages: Documents read, with those that gave nothing.
            result: Further members of the result.

        Returns:
            Both files as outputs; counts, statistics and ledger as result.
        """
        self._rows.flush()
        self._file.close()
        digest = self._sink.commit()
        path = documents_path(self._root, self._ordinal)
        with HashingFile(path) as sink:
            with pa.ipc.new_stream(sink, documents.SCHEMA) as stream:
                stream.write_batch(self._table())
            about = Output(f"{RUN}/{READ}/{path.name}", sink.size, sink.commit())
        found: Json = {
            "pages": pages,
            "rows": self._rows.rows,
            "tokens": self._rows.tokens,
            "ledger": {str(reason): count for reason, count in sorted(self.ledger.items())},
            "statistics": self._statistics.to_json(),
            "engine": self._tokenizer.engine,
            **result,
        }
        rows = Output(f"{RUN}/{READ}/{self._sink.path.name}", self._sink.size, digest)
        return Done([rows, about], found)

    def _table(self) -> pa.RecordBatch:
        numbers = np.array([d[:3] for d in self._documents], np.uint64).reshape(-1, 3)
        texts = {
            name: pa.array([getattr(d[3], name) for d in self._documents], pa.string())
            for name in documents.TEXTS
        }
        columns = {
            "source": pa.array(np.full(len(numbers), self._source, np.uint16)),
            "doc_id": pa.array(numbers[:, 0]),
            "rev_id": pa.array(numbers[:, 1]),
            **texts,
            "words": pa.array(numbers[:, 2]),
            "rows": pa.array(np.array(self._rows.by_document, np.uint32)),
        }
        return pa.RecordBatch.from_pydict(columns, documents.SCHEMA)


def documents_path(root: Path, ordinal: int) -> Path:
    """Where task `ordinal` spills its documents."""
    return spill_path(root, READ, ordinal).with_name(f"{ordinal:05d}-documents.arrow")


def spilled_documents(root: Path, count: int) -> Iterator[pa.RecordBatch]:
    """The documents that the tasks have spilled, in source order."""
    for ordinal in range(count):
        with pa.memory_map(str(present(documents_path(root, ordinal)))) as source:
            yield from pa.ipc.open_stream(source)


def _whole(passages: Sequence[str]) -> Iterator[list[str]]:
    if passages:
        yield ["\n".join(passages)]


def _sentences(passages: Iterable[str], splitter: Splitter) -> Iterator[list[str]]:
    """Sentences in portions, for a document may hold a million of them."""
    texts: list[str] = []
    for passage in passages:
        for text in splitter.split(passage):
            texts += [text] if len(text) <= LONGEST else shorter(text)
        while len(texts) > PORTION:
            yield texts[:PORTION]
            del texts[:PORTION]
    if texts:
        yield texts


def shorter(text: str) -> list[str]:
    """Cut what no splitter could, at the last white space that fits, else where it must be."""
    parts = []
    while len(text) > LONGEST:
        at = text.rfind(" ", 1, LONGEST + 1)
        at = LONGEST if at < 0 else at
        parts.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*parts, text] if text else parts


class _Spill:
    """An Arrow IPC file (random access by batch) whose schema is that of the first batch."""

    def __init__(self, sink: HashingFile) -> None:
        self._sink = sink
        self._writer: pa.RecordBatchFileWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        if self._writer is None:
            self._writer = pa.ipc.new_file(self._sink, batch.schema)
        self._writer.write_batch(batch)

    def close(self) -> None:
        if self._writer is None:  # a part without rows
            self._writer = pa.ipc.new_file(self._sink, pa.schema([]))
        self._writer.close()


# A worker does many parts: what is slow to make is made once a process.


@lru_cache(maxsize=1)
def _tokenizer(path: str, engine: str) -> WordPiece:
    return load_tokenizer(path, engine=engine)


@lru_cache(maxsize=4)
def _splitter(name: str | None, language: str) -> Splitter:
    return get_splitter(name, language)
