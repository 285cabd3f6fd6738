"""Feeds: batches of a shard set for whoever trains on them.

from transferset.feeds import arrays
for batch in arrays("sets/wiki", tokens=8192, seed=1): ...
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transferset.feeds.batching import Batch
    from transferset.feeds.collating import MaskedLm, Padding
    from transferset.feeds.feed import Feed
    from transferset.feeds.mapped import MappedRows
    from transferset.feeds.order import EpochOrder
    from transferset.feeds.plain import arrays, record_batches
    from transferset.feeds.ragged import Ragged
    from transferset.feeds.rows import Row
    from transferset.feeds.torch_batches import ShardBatches
    from transferset.feeds.torch_loader import Loader
    from transferset.feeds.torch_rows import ShardDataset
    from transferset.feeds.trainer import Epochs

# lazy: what is written for torch is not imported without being asked for
_HOMES = {
    "Batch": "batching",
    "EpochOrder": "order",
    "Epochs": "trainer",
    "Feed": "feed",
    "Loader": "torch_loader",
    "MappedRows": "mapped",
    "MaskedLm": "collating",
    "Padding": "collating",
    "Ragged": "ragged",
    "Row": "rows",
    "ShardBatches": "torch_batches",
    "ShardDataset": "torch_rows",
    "arrays": "plain",
    "record_batches": "plain",
}

__all__ = [
    "Batch",
    "EpochOrder",
    "Epochs",
    "Feed",
    "Loader",
    "MappedRows",
    "MaskedLm",
    "Padding",
    "Ragged",
    "Row",
    "ShardBatches",
    "ShardDataset",
    "arrays",
    "record_batches",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"transferset.feeds.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
