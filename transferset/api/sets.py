"""Sets by path: opening, checking, looking at them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from transferset.errors import UsageError, sentence
from transferset.manifest import MANIFEST, Json
from transferset.shards import ShardSet

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from transferset.report.inspect import Decode

#: Where sets go, and are looked for, when no directory is named.
SETS: Final = Path("sets")

#: What says how a source is stored, not what it is; outer ones first.
_ENDINGS: Final = (
    *(".bz2", ".gz", ".zst", ".zip", ".xml", ".toml", ".csv", ".txt", ".epub"),
    *(".jsonl", ".ndjson", ".parquet", ".arrow", "-multistream", "-pages-articles"),
)

#: Most rows that `inspect` reads.
MOST_SHOWN: Final = 1_000_000


def open(path: str | Path) -> ShardSet:  # reads as transferset.open(path)
    """Open a shard set.

    Args:
        path: Its directory.

    Returns:
        The set; sizes are checked against its manifest, digests are `verify`'s business.

    Raises:
        SetError: There is no set, or it is unfinished or damaged.
    """
    return ShardSet.open(path)


def verify(
    path: str | Path | None = None, *, progress: Callable[[int], None] | None = None
) -> ShardSet:
    """Check every digest and every invariant of a set.

    Args:
        path: Its directory; None is the only one under `sets/`.
        progress: Called with the bytes of each shard that was found right.

    Returns:
        The set, if nothing is wrong.

    Raises:
        SetError: The first place that is wrong.
        UsageError: There is no set, or more than one, to choose from.
    """
    from transferset.verification import verify as check

    return check(only_set(path), progress)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What `inspect` found: the set's facts, and its first rows decoded."""

    facts: Json
    rows: list[Json]


def inspect(path: str | Path | None = None, *, head: int = 5) -> Inspection:
    """Look at a set: schema, totals, ledger, lineage, and a few rows.

    Args:
        path: Its directory; None is the only one under `sets/`.
        head: How many rows, ≥ 0.

    Returns:
        Facts (rows, tokens, content_tokens, columns, totals, ledger, parents, op, params, seed,
        shards, …) and rows with ids, pieces and text side by side.

    Raises:
        SetError: There is no set, or it is unfinished or damaged.
        UsageError: There is no set, or more than one, to choose from; head is below 0.
    """
    from transferset.report import inspect as report

    if not 0 <= head <= MOST_SHOWN:
        raise UsageError(sentence(f"--head from 0 to {MOST_SHOWN:,}", str(head)))
    found = ShardSet.open(only_set(path))
    rows = report.head(found, head, decoder(found) if head else None)
    return Inspection(report.summary(found), rows)


def decoder(found: ShardSet) -> Decode | None:
    """What turns the ids of a set into pieces and text; None if it has no ids."""
    if found.manifest.tokenizer is None or "input_ids" not in found.manifest.schema:
        return None
    from transferset.tokens import load_tokenizer

    tokenizer = load_tokenizer(str(found.root), engine="tokenizers")
    return lambda ids: (tokenizer.pieces(ids), tokenizer.decode(ids))


def word_starts(path: str | Path) -> npt.NDArray[np.bool_]:
    """Where words begin, for masking whole words: see `feeds.MaskedLm`.

    Args:
        path: A set's directory; the set carries its tokenizer.

    Returns:
        bool[V], whether a word begins with each piece; special pieces do.

    Raises:
        SetError: There is no set, or it is damaged.
        UsageError: It has no ids, or its tokenizer does not mark where words begin.
    """
    from transferset.pipeline.setting import word_starts as starts

    found = ShardSet.open(path)
    tokenizer = found.manifest.tokenizer
    if tokenizer is None or "input_ids" not in found.manifest.schema:
        raise UsageError(sentence("a set with input_ids", "none", found.label))
    return starts(found.root, tokenizer["sha256"])


def only_set(path: str | Path | None) -> Path:
    """The set that is meant when none is named: the only one under `sets/`.

    Raises:
        UsageError: There is none, or there are several; the message lists them.
    """
    if path is not None:
        return Path(path)
    found = sorted(p.parent for p in SETS.glob(f"*/{MANIFEST}"))
    if len(found) == 1:
        return found[0]
    expected = f"one set under {SETS}/"
    if found:
        raise UsageError(sentence(expected, ", ".join(map(str, found)), do="name one of them"))
    raise UsageError(sentence(expected, "none", do="run `transferset build wiki`, or name a set"))


def set_name(kind: str, source: str, date: str | None = None) -> str:
    """A telling name for a set: `wiki-simplewiki-20261101` for `simplewiki@latest`.

    Args:
        kind: What was built.
        source: As the user wrote it.
        date: What `latest` turned out to be.
    """
    name = Path(source).name.replace("@latest", f"@{date}")
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return f"{kind}-{name.replace('@', '-')}"
