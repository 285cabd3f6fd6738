"""transferset: transfer sets for knowledge distillation, data first.

import transferset
corpus = transferset.build_wiki("simplewiki@latest", "sets/simple")
for batch in corpus.batches(): ...
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from transferset.version import __version__

if TYPE_CHECKING:
    from transferset.api import (
        build_wiki,
        inspect,
        open,
        plan_wiki,
        verify,
        vocab_fit,
    )
    from transferset.errors import InputError, SetError, TransfersetError, UsageError
    from transferset.shards import ShardSet


_HOME = {
    **dict.fromkeys(
        ("build_wiki", "inspect", "open", "plan_wiki", "verify", "vocab_fit"), "transferset.api"
    ),
    **dict.fromkeys(
        ("InputError", "SetError", "TransfersetError", "UsageError"), "transferset.errors"
    ),
    "ShardSet": "transferset.shards",
}

__all__ = [
    "InputError",
    "SetError",
    "ShardSet",
    "TransfersetError",
    "UsageError",
    "__version__",
    "build_wiki",
    "inspect",
    "open",
    "plan_wiki",
    "verify",
    "vocab_fit",
]


def __getattr__(name: str) -> object:
    # lazy: `transferset --help` must not load Arrow
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
