"""How far the distribution of a set is from that of its parent.

KL is the relative entropy of Kullback and Leibler 1951 ("On information and sufficiency"), JS the
Jensen–Shannon divergence of Lin 1991 ("Divergence measures based on the Shannon entropy", § IV)
with equal weights; both in bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from transferset.compiled import kernel
from transferset.report.bigrams import NgramTable
from transferset.report.id_rows import Counts

#: Aligned counts of child and parent, a block of types at a time.
Blocks = Callable[[], Iterable[tuple[Counts, Counts]]]

#: Added to each count for KL, which is infinite wherever the other set has nothing.
SMOOTHING = 0.5


@dataclass(frozen=True, slots=True)
class Divergence:
    """A child's distribution over types against its parent's.

    Attributes:
        kl: KL(child‖parent) in bits, ½ added to the counts of all types that either has.
        kl_reverse: KL(parent‖child), alike.
        js: Jensen–Shannon divergence in bits, 0 to 1, of the counts as they are.
        outside: Share of the child's tokens whose type the parent has not.
        outside_types: Share of the child's types that the parent has not.
        sampled_share: Share of all types that this was computed on; 1.0 is exact.
    """

    kl: float
    kl_reverse: float
    js: float
    outside: float
    outside_types: float
    sampled_share: float


def divergence(child: Counts, parent: Counts) -> Divergence | None:
    """Compare two distributions.

    Args:
        child: int64[types], how often each type occurs.
        parent: int64[types], the same types in the same order.

    Returns:
        The divergence, None if either set is empty.
    """
    return _compare(lambda: [(child, parent)], (int(child.sum()), int(parent.sum())), 1.0)


def ngram_divergence(table: NgramTable) -> Divergence | None:
    """Compare the distributions of side 0, the child, and side 1, the parent.

    Of a sample of the types, sums are those of the sample divided by its share, with the totals of
    all n-grams, which are known exactly.

    Returns:
        The divergence, None if either set has no n-grams.
    """
    return _compare(table.counts, (table.total(0), table.total(1)), table.share)


def _compare(blocks: Blocks, totals: tuple[int, int], share: float) -> Divergence | None:
    if not min(totals):
        return None
    union = sum(int(((c > 0) | (p > 0)).sum()) for c, p in blocks()) / share
    sums = np.zeros(6)
    for child, parent in blocks():
        _sum(child, parent, totals[0], totals[1], union, SMOOTHING, sums)
    kl, kl_reverse, js, outside, types_outside, types = (float(x) for x in sums)
    scale = 1 / share / math.log(2)
    return Divergence(
        kl=kl * scale,
        kl_reverse=kl_reverse * scale,
        js=min(1.0, js * scale / 2),
        outside=min(1.0, outside / share / totals[0]),
        outside_types=types_outside / types if types else 0.0,
        sampled_share=share,
    )


@kernel
def _sum(
    child: Any, parent: Any, of_child: int, of_parent: int, union: float, smoothing: float,
    sums: Any,
) -> None:  # fmt: skip
    for i in range(len(child)):
        in_child, in_parent = child[i], parent[i]
        if in_child == 0 and in_parent == 0:
            continue
        p = (in_child + smoothing) / (of_child + smoothing * union)
        q = (in_parent + smoothing) / (of_parent + smoothing * union)
        # p − q is 0 over all types; taking it off each makes a sum over some of them steadier
        sums[0] += max(0.0, p * math.log(p / q) - p + q)
        sums[1] += max(0.0, q * math.log(q / p) - q + p)
        p, q = in_child / of_child, in_parent / of_parent
        if p > 0:
            sums[2] += p * math.log(2 * p / (p + q))
            sums[5] += 1
            if q == 0:
                sums[3] += in_child
                sums[4] += 1
        if q > 0:
            sums[2] += q * math.log(2 * q / (p + q))
