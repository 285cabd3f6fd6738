"""The first pass of `build wiki`: one part of a dump becomes rows, in one process.

Bytes are read, decompressed, scanned, cleaned, split and encoded here; nothing large crosses a
pipe. Rows are spilled below `_run/`, sorted by their shuffle key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from transferset.files import HashingFile
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.pipeline.order import spill_path
from transferset.pipeline.rows import RowBuffer, Statistics
from transferset.sentences import Splitter, get_splitter
from transferset.sources.dump import Dump, Page, Part
from transferset.stage import RUN, Done, Output
from transferset.text.wikitext import WikitextCleaner
from transferset.tokens import WordPiece, load_tokenizer

STAGE = "read"

#: Characters of the longest sentence that is encoded in one go; the offsets of its tokens are
#: needed to split it, some hundred bytes each.
LONGEST = 50_000

#: Sentences of one page that are handed on at once.
PORTION = 10_000


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What all tasks of the first pass share."""

    dumps: tuple[Dump, ...]
    sources: tuple[int, ...]
    languages: tuple[str, ...]
    splitter: str | None
    engine: str
    unit: str
    min_len: int
    max_len: int | None
    keep_text: bool
    shuffle_seed: int | None
    skip_damaged: bool


def read_part(root: Path, context: ReadContext, task: Json) -> Done:
    """Turn one part of a dump into spilled rows.

    Args:
        root: The set's directory; holds the tokenizer to use.
        context: Shared configuration.
        task: `file`, `ordinal`, `start`, `stop`, `max_pages`, `spill`, `bytes`.

    Returns:
        The spill as output; counts, statistics, ledger and the reader's summary as result.
    """
    dump, language = context.dumps[task["file"]], context.languages[task["file"]]
    part = Part(task["ordinal"], task["start"], task["stop"], task["max_pages"])
    ledger, statistics = Ledger(), Statistics()
    tokenizer = _tokenizer(str(root), context.engine)
    spill = spill_path(root, STAGE, task["spill"])
    reader = dump.read(part, ledger, skip_damaged=context.skip_damaged)
    with HashingFile(spill) as sink, _Spill(sink) as out:
        buffer = RowBuffer(
            encoder=tokenizer,
            emit=out.write,
            source=context.sources[task["file"]],
            min_len=context.min_len,
            max_len=context.max_len,
            keep_text=context.keep_text,
            shuffle_seed=context.shuffle_seed,
            ledger=ledger,
        )
        pages = _read_pages(reader, dump, language, context, buffer, statistics)
        buffer.flush()
        out.close()
        digest = sink.commit()
    result = {
        "pages": pages,
        "rows": buffer.rows,
        "tokens": buffer.tokens,
        "ledger": {str(reason): count for reason, count in sorted(ledger.items())},
        "statistics": statistics.to_json(),
        "summary": reader.summary,
        "engine": tokenizer.engine,
    }
    name = f"{RUN}/{STAGE}/{spill.name}"
    return Done([Output(name, sink.size, digest)], result)


def _read_pages(
    pages: Iterable[Page],
    dump: Dump,
    language: str,
    context: ReadContext,
    buffer: RowBuffer,
    statistics: Statistics,
) -> int:
    cleaner = _cleaner(language, tuple(sorted(dump.site.namespaces.items())))
    splitter = _splitter(context.splitter, language)
    whole = context.unit == "document"
    count = 0
    for page in pages:
        count += 1
        passages = cleaner.clean(page.text, page.title)
        more = False
        for texts in _whole(passages) if whole else _sentences(passages, splitter):
            statistics.add(texts)
            buffer.add(page.doc_id, page.rev_id, texts, more=more)
            more = True
        if more:
            statistics.documents += 1
        else:
            buffer.ledger[Reason.NO_PROSE] += 1
    return count


def _whole(passages: list[str]) -> Iterator[list[str]]:
    if passages:
        yield ["\n".join(passages)]


def _sentences(passages: list[str], splitter: Splitter) -> Iterator[list[str]]:
    """Sentences in portions, for a page may hold a million of them."""
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
        self._closed = False

    def __enter__(self) -> _Spill:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def write(self, batch: pa.RecordBatch) -> None:
        if self._writer is None:
            self._writer = pa.ipc.new_file(self._sink, batch.schema)
        self._writer.write_batch(batch)

    def close(self) -> None:
        if self._closed:
            return
        if self._writer is None:  # a part without rows
            self._writer = pa.ipc.new_file(self._sink, pa.schema([]))
        self._writer.close()
        self._closed = True


# A worker does many parts: what is slow to make is made once a process.


@lru_cache(maxsize=1)
def _tokenizer(path: str, engine: str) -> WordPiece:
    return load_tokenizer(path, engine=engine)


@lru_cache(maxsize=4)
def _splitter(name: str | None, language: str) -> Splitter:
    return get_splitter(name, language)


@lru_cache(maxsize=4)
def _cleaner(language: str, namespaces: tuple[tuple[str, int], ...]) -> WikitextCleaner:
    return WikitextCleaner(language=language, namespaces=dict(namespaces))
