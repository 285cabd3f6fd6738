"""Where a row that is too long is cut: least number of parts, near-equal, between words."""

from __future__ import annotations

import bisect
import itertools

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]


def cuts(spaced: Bools, starts: Bools, apart: Bools, limit: int) -> list[int]:
    """Choose where to cut a row of n content tokens.

    Cuts fall after spaces if that takes no more parts than cutting between any two words does
    (a full stop or a Chinese character is a word of its own). A word is cut only if it is longer
    than `limit`. Among the cuts that give the least number of parts, each is the one nearest to
    where equal parts would end.

    Args:
        spaced: bool[n], whether a space stands before the token.
        starts: bool[n], whether the token starts a word.
        apart: bool[n], whether the token's text begins after that of the token before it.
        limit: Most content tokens of a part, ≥ 1.

    Returns:
        Token indices: 0, the cuts, n; ascending, neighbours at most `limit` apart.
    """
    fine = _allowed(starts, [apart], limit)
    coarse = _allowed(spaced & starts, [starts, apart], limit)
    fewest, needed = _parts_needed(fine, limit), _parts_needed(coarse, limit)
    if needed[0] == fewest[0]:
        return _nearest_to_equal(coarse, needed, limit)
    return _nearest_to_equal(fine, fewest, limit)


def _allowed(marks: Bools, finer: list[Bools], limit: int) -> list[int]:
    """Positions that are marked, and where two are more than `limit` apart also finer ones."""
    n = len(marks)
    points = sorted({0, n, *np.flatnonzero(marks).tolist()})
    for finer_marks in [*finer, np.ones(n, np.bool_)]:
        between = [
            int(i) + a
            for a, b in itertools.pairwise(points)
            if b - a > limit
            for i in np.flatnonzero(finer_marks[a:b])
        ]
        points = sorted({*points, *between})
    return points


def _parts_needed(points: list[int], limit: int) -> list[int]:
    """Least number of parts from each point to the end: always go as far as `limit` allows."""
    needed = [0] * len(points)
    far = len(points) - 1
    for i in range(len(points) - 2, -1, -1):
        while points[far] - points[i] > limit:
            far -= 1
        needed[i] = 1 + needed[far]
    return needed


def _nearest_to_equal(points: list[int], needed: list[int], limit: int) -> list[int]:
    n, parts = points[-1], needed[0]
    chosen = [0]
    for part in range(1, parts):
        last = bisect.bisect_right(points, points[chosen[-1]] + limit)
        able = [i for i in range(chosen[-1] + 1, last) if 0 < needed[i] <= parts - part]
        # In whole numbers: how far each is from part × n / parts.
        off = [abs(points[i] * parts - part * n) for i in able]
        chosen.append(able[off.index(min(off))])
    return [points[i] for i in chosen] + [n]
