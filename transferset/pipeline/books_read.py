"""The last pass of `build books` before the order: passages of chosen books become rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from transferset.documents import About
from transferset.manifest import Json
from transferset.pipeline.books_clean import read_passages
from transferset.pipeline.spill import RowOptions, RowSpill
from transferset.stage import Done

#: Cleaned text of one task, in bytes.
TASK_BYTES: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What all tasks of the pass share.

    Attributes:
        rows: How text becomes rows.
        language: Of the splitter; `any` is each book's own.
    """

    rows: RowOptions
    language: str


def read_books(root: Path, context: ReadContext, task: Json) -> Done:
    """Turn the passages of some books into spilled rows.

    Args:
        root: The set's directory.
        context: Shared configuration.
        task: `spill`, `source`, `bytes`, and `books`: `book` (ordinal), `doc_id`, `about`.

    Returns:
        The spills as outputs; counts, statistics and ledger as result.
    """
    with RowSpill(root, task["spill"], task["source"], context.rows) as out:
        for book in task["books"]:
            about = About(**book["about"])
            language = about.language if context.language == "any" else context.language
            passages = read_passages(root, book["book"])
            out.add(book["doc_id"], 0, passages, language, about)
        return out.done(len(task["books"]))


def read_tasks(books: Sequence[Json]) -> list[Json]:
    """Books in order, some at a time, those of one source together.

    Args:
        books: `book`, `doc_id`, `about`, `source`, `bytes` (of cleaned text).

    Returns:
        Tasks for `read_books`.
    """
    tasks: list[Json] = []
    for book in books:
        last = tasks[-1] if tasks else None
        if last is None or last["source"] != book["source"] or last["bytes"] >= TASK_BYTES:
            last = {"spill": len(tasks), "source": book["source"], "bytes": 0, "books": []}
            tasks.append(last)
        last["bytes"] += book["bytes"]
        last["books"].append({name: book[name] for name in ("book", "doc_id", "about")})
    return tasks
