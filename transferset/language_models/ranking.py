"""The highest of many scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor


def highest(scores: Tensor, count: int) -> list[npt.NDArray[np.int64]]:
    """Places of the highest scores of each row, from the highest; of equal ones the first.

    torch says nothing of the order of equal scores, so they are put in order here.

    Args:
        scores: float32[rows, places]; −inf is never chosen.
        count: How many, at most.

    Returns:
        int64 of up to `count` places for each row.
    """
    import torch

    count = min(count, scores.shape[1])
    if not count:
        return [np.zeros(0, np.int64)] * len(scores)
    values, places = torch.topk(scores, count, dim=1)
    tied = (scores >= values[:, -1:]).sum(1) > count
    ordered, finite = _in_order(values.cpu().numpy(), places.cpu().numpy())
    for row in torch.nonzero(tied).flatten().tolist():
        whole = scores[row].cpu().numpy()
        best = np.argsort(-whole, kind="stable")[:count]
        ordered[row], finite[row] = best, np.isfinite(whole[best])
    return [row[kept] for row, kept in zip(ordered, finite, strict=True)]


def _in_order(
    values: npt.NDArray[np.float32], places: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    order = np.lexsort((places, -values), axis=1)
    return np.take_along_axis(places, order, 1), np.isfinite(np.take_along_axis(values, order, 1))
