"""Choosing among cleaned books, and the account of it that the set carries."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from transferset.curation.criteria import Choice, Criteria, choose
from transferset.curation.language import Vote
from transferset.curation.records import Record
from transferset.curation.shingles import Sketch, read_shingles
from transferset.ledger import Ledger, Reason
from transferset.manifest import Json
from transferset.pipeline.books_clean import shingles_path
from transferset.storage.mounts import present

#: What is taken off around a text, beside which removals within it are minor.
_AROUND: Final = ("licence", "credits")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What came of the choice.

    Attributes:
        books: The chosen, in order, for `books_read.read_tasks`.
        ledger: The others by reason, and characters of licences taken off the chosen.
        account: For `_tables/books.json`.
    """

    books: list[Json]
    ledger: Ledger
    account: Json

    @property
    def first_reason(self) -> str:
        """Why the first book that did not stay did not."""
        for entry in self.account["dropped"]:
            return f"{entry['name']}: {entry['note']}"
        return ""


def choose_books(
    root: Path, criteria: Criteria, tasks: Sequence[Json], cleaned: Sequence[Json]
) -> Chosen:
    """Apply the criteria to all books of a build.

    Args:
        root: The set's directory.
        criteria: Language, words, authors, duplicates.
        tasks: Of the first pass.
        cleaned: Their results.

    Returns:
        Which books become rows, and why the others do not.
    """
    readable = [i for i, result in enumerate(cleaned) if "unreadable" not in result]
    records = [_record(cleaned[i]) for i in readable]

    def shingles_of(index: int) -> npt.NDArray[np.uint64]:
        return read_shingles(present(shingles_path(root, readable[index])))

    choice = choose(records, criteria, shingles_of)
    kept = [readable[index] for index in choice.kept]
    ledger = Ledger({Reason.UNREADABLE: len(cleaned) - len(readable)})
    ledger.update(dropped.reason for dropped in choice.dropped)
    removed = Counter[str]()
    for i in kept:
        removed.update(cleaned[i]["removed"])
    ledger[Reason.LICENCE_TEXT] += sum(removed[what] for what in _AROUND)
    account = {
        "chosen": len(kept),
        "dropped": [
            *_dropped(choice, readable, tasks, cleaned),
            *(
                {"name": tasks[i]["name"], "reason": "unreadable", "note": result["unreadable"]}
                for i, result in enumerate(cleaned)
                if "unreadable" in result
            ),
        ],
        "removed_characters": dict(sorted(removed.items())),
        "warnings": [
            {"name": tasks[i]["name"], "title": cleaned[i]["about"]["title"], "warning": warning}
            for i in kept
            for warning in cleaned[i]["warnings"]
        ],
        "encodings": dict(sorted(Counter(cleaned[i]["encoding"] for i in kept).items())),
    }
    return Chosen(_chosen(kept, tasks, cleaned), ledger, account)


def _record(result: Json) -> Record:
    about = result["about"]
    return Record(
        doc_id=result["doc_id"],
        author=about["author"],
        licence=about["licence"],
        words=result["words"],
        vote=Vote(**result["vote"]),
        stated_language=about["language"],
        sketch=Sketch.from_json(result["sketch"]),
    )


def _dropped(
    choice: Choice, readable: Sequence[int], tasks: Sequence[Json], cleaned: Sequence[Json]
) -> list[Json]:
    found = []
    for dropped in choice.dropped:
        i = readable[dropped.index]
        entry: dict[str, Any] = {
            "name": tasks[i]["name"],
            "title": cleaned[i]["about"]["title"],
            "author": cleaned[i]["about"]["author"],
            "words": cleaned[i]["words"],
            "reason": str(dropped.reason),
            "note": dropped.note,
        }
        if dropped.of is not None:
            of = readable[dropped.of]
            entry["of"] = {"name": tasks[of]["name"], "title": cleaned[of]["about"]["title"]}
            entry["jaccard"] = None if dropped.jaccard is None else round(dropped.jaccard, 4)
        found.append(entry)
    return found


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogateescape")).hexdigest()


def _chosen(kept: Sequence[int], tasks: Sequence[Json], cleaned: Sequence[Json]) -> list[Json]:
    books = []
    seen: set[tuple[int, int]] = set()
    for i in kept:
        result, source = cleaned[i], tasks[i]["source"]
        about, doc_id = dict(result["about"]), result["doc_id"]
        # two editions under one number, two copies of one file
        for other in (about["sha256"], _digest(about["sha256"], tasks[i]["name"])):
            if (source, doc_id) in seen:
                doc_id = int(other[:16], 16)
        seen.add((source, doc_id))
        about["language"] = about["language"] or result["vote"]["language"]
        bytes_ = result["bytes"]
        books.append(
            {"book": i, "doc_id": doc_id, "about": about, "source": source, "bytes": bytes_}
        )
    return books
