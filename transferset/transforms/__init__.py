"""Transforms: how the steps of a derivation change record batches.

Working batches carry each row's address, the columns `parent_row` and `copy`; randomness is a
function of the address, so it does not depend on batches, shards or workers.
"""

from transferset.transforms.protocol import (
    Fitter,
    Origin,
    Position,
    Setting,
    Survey,
    Surveyed,
    Transformer,
    implement,
)

__all__ = [
    "Fitter",
    "Origin",
    "Position",
    "Setting",
    "Survey",
    "Surveyed",
    "Transformer",
    "implement",
]
