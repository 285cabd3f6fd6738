"""Small sets with rows that a language model wrote, as `lm sample` leaves them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from label_sets import make_labelled
from row_sets import row

from transferset.files import write_atomic
from transferset.manifest import MANIFEST, FileEntry
from transferset.shards import ShardSet

SOURCES = [
    {"code": 0, "file": "train.tsv", "language": "en", "licence": "CC0-1.0"},
    {"code": 3, "file": "gpt2-toy", "language": "en", "licence": "", "kind": "language model"},
]

SAMPLING = {
    "wanted": 4, "attempts": 10, "kept": 4, "finished": 9, "originals": 2, "multiple": 3.0,
    "pieces": 70, "copied": 2,
    "base": {
        "model": "gpt2-base",
        "natural": {"perplexity": 40.25, "rows": 2, "pieces": 9},
        "written": {"perplexity": 20.5, "rows": 4, "pieces": 17},
    },
}  # fmt: skip

LEDGER = [
    {"reason": reason, "unit": "attempts", "count": count}
    for reason, count in (("unfinished", 1), ("copied", 2), ("repeated", 3))
]

PREFIXES = {"ids": [7, 5, 9], "counts": [1, 3, 0], "pieces": ["Ġthe", "Ġa", "Ġ<b>"]}


def make_generated(
    root: Path,
    natural: Sequence[Sequence[int]],
    generated: Sequence[Sequence[int]],
    *,
    texts: Sequence[str] | None = None,
    sampling: object = SAMPLING,
    prefixes: object = PREFIXES,
    columns: dict[str, list[Any]] | None = None,
    **members: Any,
) -> ShardSet:
    """A committed set of these rows of content ids, natural ones first.

    Args:
        root: Its directory.
        natural: Content ids; 3 is [SEP] and begins the other half.
        generated: The same.
        texts: Of all rows; `row i` if not given.
        sampling: `_tables/sampling.json`; None leaves it out.
        prefixes: `_fit/prefixes.json`; None leaves it out.
        columns: More columns, or other values of those that are there; None leaves one out.
        members: Replace members of the manifest.
    """
    rows = [*natural, *generated]
    given: dict[str, Any] = {
        "input_ids": [row(*one) for one in rows],
        "text": list(texts or (f"row {i}" for i in range(len(rows)))),
        "source": [0] * len(natural) + [3] * len(generated),
        "finished": [True] * len(rows),
        **(columns or {}),
    }
    found = make_labelled(
        root, {name: values for name, values in given.items() if values is not None},
        tables=None if sampling is None else {"sampling.json": sampling},
        **{"op": "lm sample", "sources": SOURCES, "ledger": LEDGER, **members},
    )  # fmt: skip
    return found if prefixes is None else add_prefixes(found, prefixes)


def add_prefixes(found: ShardSet, body: object) -> ShardSet:
    """The set with `_fit/prefixes.json`."""
    raw = json.dumps(body).encode()
    (found.root / "_fit").mkdir()
    digest = write_atomic(found.root / "_fit" / "prefixes.json", raw)
    files = (*found.manifest.files, FileEntry("_fit/prefixes.json", len(raw), digest))
    write_atomic(found.root / MANIFEST, replace(found.manifest, files=files).to_bytes())
    return ShardSet.open(found.root)
