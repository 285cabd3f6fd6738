"""Measuring and comparing sets, and showing it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transferset.api.sets import decoder, only_set
from transferset.errors import UsageError, sentence
from transferset.manifest import Json
from transferset.shards import ShardSet

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def stats(sets: Sequence[str | Path] = (), *, parent: str | Path | None = None) -> list[Json]:
    """Measure sets: size, lengths, words, types, and how far each is from its parent.

    Args:
        sets: Directories; none is the only set under `sets/`.
        parent: What each is compared with; None is its parent, where that is at hand.

    Returns:
        One JSON object a set, see `report.stats.stats`.

    Raises:
        UsageError: A set has no ids.
        SetError: A set is damaged.
    """
    from transferset.report.relatives import find_parent
    from transferset.report.stats import stats as measure

    opened = _open(sets)
    given = ShardSet.open(parent) if parent is not None else None
    return [measure(one, given or find_parent(one, opened), _word_start(one)) for one in opened]


def diff(a: str | Path, b: str | Path) -> Json:
    """What two sets share: rows, tokens, lengths; and how the one came from the other.

    Args:
        a: Directory of a set.
        b: Directory of another.

    Returns:
        A JSON object, see `report.comparing.diff`.

    Raises:
        UsageError: Their ids mean different pieces.
        SetError: A set is damaged.
    """
    from transferset.report.comparing import diff as compare

    return compare(ShardSet.open(a), ShardSet.open(b))


def report(
    sets: Sequence[str | Path] = (),
    out: str | Path = "report.html",
    *,
    figures: str | Path | None = None,
    parent: str | Path | None = None,
) -> Path:
    """Write one page about sets: lineage, tables, figures, ledger, rows, licences.

    Args:
        sets: Directories; none is the only set under `sets/`.
        out: The HTML file.
        figures: A directory that the figures are also written to, as SVG and PNG.
        parent: What each set is compared with; None is its parent, where that is at hand.

    Returns:
        The file.

    Raises:
        UsageError: A set has no ids, or `out` is a file of something else.
        SetError: A set is damaged.
        TransfersetError: The file cannot be written.
    """
    raise NotImplementedError


def _open(sets: Sequence[str | Path]) -> list[ShardSet]:
    if isinstance(sets, str | Path):
        raise UsageError(sentence("a list of sets", repr(sets)))
    return [ShardSet.open(one) for one in (sets or [only_set(None)])]


def _word_start(found: ShardSet) -> npt.NDArray[np.bool_] | None:
    from transferset.pipeline.setting import word_starts

    tokenizer = found.manifest.tokenizer
    if tokenizer is None or decoder(found) is None:
        return None
    return word_starts(found.root, tokenizer["sha256"])
