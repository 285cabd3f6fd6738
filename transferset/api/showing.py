"""Measuring and comparing sets, and showing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from transferset.api.sets import decoder, only_set
from transferset.errors import UsageError, sentence
from transferset.manifest import Json
from transferset.shards import ShardSet

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from transferset.stage import Progress


def stats(
    sets: Sequence[str | Path] = (),
    *,
    parent: str | Path | None = None,
    progress: Progress | None = None,
) -> list[Json]:
    """Measure sets: size, lengths, words, types, and how far each is from its parent.

    Args:
        sets: Directories; none is the only set under `sets/`.
        parent: What each is compared with; None is its parent, where that is at hand.
        progress: Told of rows that were read.

    Returns:
        One JSON object a set, see `report.stats.stats`.

    Raises:
        UsageError: A set has no ids.
        SetError: A set is damaged.
    """
    from transferset.report.stats import stats as measure

    related = _with_parents(_open(sets), parent)
    told = _counter(progress, related)
    return [measure(one, of, _word_start(one), told) for one, of in related]


def diff(a: str | Path, b: str | Path, *, progress: Progress | None = None) -> Json:
    """What two sets share: rows, tokens, lengths; and how the one came from the other.

    Args:
        a: Directory of a set.
        b: Directory of another.
        progress: Told of rows that were read.

    Returns:
        A JSON object, see `report.comparing.diff`.

    Raises:
        UsageError: Their ids mean different pieces.
        SetError: A set is damaged.
    """
    from transferset.report.comparing import diff as compare
    from transferset.report.comparing import rows_to_read

    first, second = ShardSet.open(a), ShardSet.open(b)
    if progress is None:
        return compare(first, second)
    progress.start("compare", rows_to_read(first, second), "rows")
    return compare(first, second, lambda rows: progress.advance(rows, rows))


def report(
    sets: Sequence[str | Path] = (),
    out: str | Path = "report.html",
    *,
    figures: str | Path | None = None,
    parent: str | Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write one page about sets: lineage, tables, figures, ledger, rows, licences.

    Args:
        sets: Directories; none is the only set under `sets/`.
        out: The HTML file.
        figures: A directory that the figures are also written to, as SVG and PNG.
        parent: What each set is compared with; None is its parent, where that is at hand.
        progress: Told of rows that were read.

    Returns:
        The file.

    Raises:
        UsageError: A set has no ids, or `out` is a file of something else.
        SetError: A set is damaged.
        TransfersetError: The file cannot be written.
    """
    from transferset.pipeline.remote import written, written_folder
    from transferset.report.figure_files import require_ours
    from transferset.report.measures import measure
    from transferset.report.page import write_report
    from transferset.report.stats import stats_of

    with ExitStack() as stack:
        page = stack.enter_context(written(out))
        folder = None if figures is None else stack.enter_context(written_folder(figures))
        require_ours(page)  # before hours of measuring
        related = _with_parents(_open(sets), parent)
        told = _counter(progress, related)
        measures = [measure(one, _word_start(one), told) for one, _ in related]
        found = [
            stats_of(one, measured, of, told)
            for (one, of), measured in zip(related, measures, strict=True)
        ]
        return write_report(
            [one for one, _ in related],
            page,
            measures=measures,
            stats=found,
            decode=[decoder(one) for one, _ in related],
            figures=folder,
        )


def _open(sets: Sequence[str | Path]) -> list[ShardSet]:
    if isinstance(sets, str | Path):
        raise UsageError(sentence("a list of sets", repr(sets)))
    return [ShardSet.open(one) for one in (sets or [only_set(None)])]


def _with_parents(
    sets: Sequence[ShardSet], parent: str | Path | None
) -> list[tuple[ShardSet, ShardSet | None]]:
    from transferset.report.relatives import find_parent

    given = ShardSet.open(parent) if parent is not None else None
    return [(one, given or find_parent(one, sets)) for one in sets]


def _counter(
    progress: Progress | None, related: Sequence[tuple[ShardSet, ShardSet | None]]
) -> Callable[[int], None] | None:
    from transferset.report.stats import rows_to_read

    if progress is None:
        return None
    progress.start("measure", sum(rows_to_read(*pair) for pair in related), "rows")
    return lambda rows: progress.advance(rows, rows)


def _word_start(found: ShardSet) -> npt.NDArray[np.bool_] | None:
    from transferset.pipeline.setting import word_starts

    tokenizer = found.manifest.tokenizer
    if tokenizer is None or decoder(found) is None:
        return None
    return word_starts(found.root, tokenizer["sha256"])
