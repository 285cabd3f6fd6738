"""The first pass of `build wiki`: one part of a dump becomes rows, in one process.

Bytes are read, decompressed, scanned, cleaned, split and encoded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from transferset.documents import About
from transferset.manifest import Json
from transferset.pipeline.spill import RowOptions, RowSpill
from transferset.sources.dump import Dump, Part
from transferset.stage import Done
from transferset.text.wikitext import WikitextCleaner


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What all tasks of the first pass share."""

    dumps: tuple[Dump, ...]
    sources: tuple[int, ...]
    origins: tuple[Json, ...]
    rows: RowOptions
    skip_damaged: bool


def read_part(root: Path, context: ReadContext, task: Json) -> Done:
    """Turn one part of a dump into spilled rows.

    Args:
        root: The set's directory; holds the tokenizer to use.
        context: Shared configuration.
        task: `file`, `ordinal`, `start`, `stop`, `max_pages`, `spill`, `bytes`.

    Returns:
        The spills as output; counts, statistics, ledger and the reader's summary as result.
    """
    dump, origin = context.dumps[task["file"]], context.origins[task["file"]]
    part = Part(task["ordinal"], task["start"], task["stop"], task["max_pages"])
    language = origin["language"]
    cleaner = _cleaner(language, tuple(sorted(dump.site.namespaces.items())))
    with RowSpill(root, task["spill"], context.sources[task["file"]], context.rows) as out:
        reader = dump.read(part, out.ledger, skip_damaged=context.skip_damaged)
        pages = 0
        for page in reader:
            pages += 1
            passages = cleaner.clean(page.text, page.title)
            about = _about(origin, page.title, page.doc_id)
            out.add(page.doc_id, page.rev_id, passages, language, about)
        return out.done(pages, summary=reader.summary)


def _about(origin: Json, title: str, doc_id: int) -> About:
    base = origin["base"]
    url = f"{base.partition('/wiki/')[0]}/?curid={doc_id}" if "/wiki/" in base else ""
    return About(
        title=title,
        language=origin["language"],
        licence=origin["licence"] or "",
        url=url,
        retrieved=_day(origin["date"]),
    )


def _day(date: str | None) -> str:
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if date is not None and len(date) == 8 else ""


@lru_cache(maxsize=4)  # a worker does many parts
def _cleaner(language: str, namespaces: tuple[tuple[str, int], ...]) -> WikitextCleaner:
    return WikitextCleaner(language=language, namespaces=dict(namespaces))
