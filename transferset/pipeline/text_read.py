"""The first pass of `build text`: documents of some parts of files become rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final

from transferset.documents import About
from transferset.errors import InputError
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.pipeline.spill import RowOptions, RowSpill
from transferset.sources.records import Document, RecordFile, RecordPart
from transferset.stage import Done
from transferset.text.books import TextCleaner, decode

#: Stored bytes of one task.
TASK_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What all tasks of the pass share.

    Attributes:
        rows: How text becomes rows.
        layout: Of plain text files; records have a paragraph a line.
        language: Of documents that state none.
        licence: Of documents that state none.
        skip_damaged: Whether a document that cannot be read is counted instead of ending the build.
    """

    rows: RowOptions
    layout: str
    language: str
    licence: str
    skip_damaged: bool


def read_records(root: Path, context: ReadContext, task: Json) -> Done:
    """Turn the documents of some parts into spilled rows.

    Args:
        root: The set's directory.
        context: Shared configuration.
        task: `spill`, `source`, `bytes`, and `reads`: `file` (see `file_json`), `part`, and
            `most`, the documents that are taken, or None.

    Returns:
        The spills as outputs; counts, statistics, ledger and the readers' summaries as result.

    Raises:
        InputError: A file is damaged.
    """
    pages, summaries = 0, []
    with RowSpill(root, task["spill"], task["source"], context.rows) as out:
        for read in task["reads"]:
            file = file_of(read["file"])
            reader = file.read(RecordPart(*read["part"]), out.ledger)
            for document in islice(reader, read["most"]):
                pages += 1
                passages = _passages(document, file, context)
                if passages is None:
                    out.ledger[Reason.UNREADABLE] += 1
                    continue
                about = _about(document.about, context)
                out.add(document.doc_id, document.rev_id, passages, about.language, about)
            summaries.append(reader.summary)
        return out.done(pages, summaries=summaries)


def _passages(document: Document, file: RecordFile, context: ReadContext) -> list[str] | None:
    if isinstance(document.text, str):
        return _cleaner("lines").clean(document.text).passages
    try:
        text = decode(document.text).text
    except InputError as error:
        if context.skip_damaged:
            return None
        raise InputError(f"{file.name}: {error}") from None
    return _cleaner(context.layout).clean(text).passages


def _about(about: About, context: ReadContext) -> About:
    return replace(
        about,
        language=about.language or context.language,
        licence=about.licence or context.licence,
    )


@lru_cache(maxsize=4)
def _cleaner(layout: str) -> TextCleaner:
    return TextCleaner(layout)


def file_json(file: RecordFile) -> Json:
    """A file as it stands in tasks."""
    return {**asdict(file), "path": str(file.path), "origin": dict(file.origin)}


def file_of(entry: Json) -> RecordFile:
    """The reverse of `file_json`."""
    return RecordFile(**{**entry, "path": Path(entry["path"])})


def read_tasks(files: Sequence[tuple[int, RecordFile]], limit: int | None) -> list[Json]:
    """Parts of files in order, small ones some at a time, those of one source together.

    Args:
        files: Each with its source code.
        limit: Only the first documents, this many; they are counted here, by reading.

    Returns:
        Tasks for `read_records`.
    """
    tasks: list[Json] = []
    for source, file in files:
        entry = file_json(file)
        parts = file.parts()
        for part in parts:
            if limit == 0:
                return tasks
            most = limit
            if limit is not None:
                limit -= sum(1 for _ in islice(file.read(part, Ledger()), limit))
            last = tasks[-1] if tasks else None
            if last is None or last["source"] != source or last["bytes"] >= TASK_BYTES:
                last = {"spill": len(tasks), "source": source, "bytes": 0, "reads": []}
                tasks.append(last)
            last["bytes"] += max(1, file.bytes // len(parts))
            where = [part.ordinal, part.start, part.stop]
            last["reads"].append({"file": entry, "part": where, "most": most})
    return tasks
