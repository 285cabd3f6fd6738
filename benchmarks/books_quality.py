"""How well rows are the sentences that books were made of.

A boundary is the number of letters and digits before it, so that a tool may set spaces, quotes and
hyphens as it likes; a closing quote on the wrong side of a boundary is therefore no fault here.
Every tool must give exactly the letters and digits of the books, in order, or it is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from books_made import HEADING, SENTENCE, Unit

Places = npt.NDArray[np.int64]

_OTHER = re.compile(r"[\W_]+")


def letters(text: str) -> str:
    """Letters and digits alone."""
    return _OTHER.sub("", text)


def ends(texts: Iterable[str]) -> Places:
    """Where each text ends, in letters and digits of all of them."""
    return np.cumsum([len(letters(text)) for text in texts], dtype=np.int64)


def check_same(truth: Sequence[str], rows: Sequence[str]) -> None:
    """End the benchmark where rows are another text than the books'."""
    ours, theirs = letters("\n".join(truth)), letters("\n".join(rows))
    if ours != theirs:
        pairs = enumerate(zip(ours, theirs, strict=False))
        at = next((i for i, (a, b) in pairs if a != b), min(len(ours), len(theirs)))
        near = f"{ours[at - 20 : at + 20]!r}, found {theirs[at - 20 : at + 20]!r}"
        raise SystemExit(f"expected the books' own text in the rows: {near} at letter {at}")


def judge(units: Sequence[Unit], rows: Sequence[str], lines: Iterable[str]) -> dict[str, float]:
    """Compare rows with the truth.

    Args:
        units: What the books were made of, in order.
        rows: What a tool made of the books, in order.
        lines: The lines of the books' files, in order.

    Returns:
        Precision, recall and F1 of the boundaries between units; shares of sentences that were cut
        at a line's end (`cut_at_lines`) or elsewhere (`cut_inside`); share of headings joined with
        what stands before or behind them.
    """
    check_same([text for _, text in units], rows)
    after = ends(text for _, text in units)
    total = after[-1]
    true = after[:-1]
    found = np.unique(ends(rows))
    found = found[(found > 0) & (found < total)]
    right = np.isin(found, true).sum()
    precision, recall = _share(right, len(found)), _share(right, len(true))
    wrong = np.setdiff1d(found, true)
    at_line = np.isin(wrong, ends(lines))
    kinds = np.array([kind for kind, _ in units])
    sentences = (kinds == SENTENCE).sum()
    return {
        "precision": precision,
        "recall": recall,
        "f1": _share(2 * precision * recall, precision + recall),
        "cut_at_lines": _share(_cut(wrong[at_line], after, kinds), sentences),
        "cut_inside": _share(_cut(wrong[~at_line], after, kinds), sentences),
        "headings_joined": _joined(after, found, kinds),
    }


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 1.0


def _cut(places: Places, after: Places, kinds: npt.NDArray[np.str_]) -> int:
    """Sentences that any of the places is inside of."""
    inside = np.unique(np.searchsorted(after, places))
    return int((kinds[inside] == SENTENCE).sum())


def _joined(after: Places, found: Places, kinds: npt.NDArray[np.str_]) -> float:
    """Share of headings of which one end is no boundary of rows."""
    edges = np.concatenate([[0], found, after[-1:]])
    before = np.concatenate([[0], after[:-1]])
    headings = kinds == HEADING
    apart = np.isin(before[headings], edges) & np.isin(after[headings], edges)
    return 1 - _share(apart.sum(), headings.sum())
