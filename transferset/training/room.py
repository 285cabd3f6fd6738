"""Telling that memory ran out from other failures."""

from __future__ import annotations

from typing import Final

#: What torch says of the processor's memory; of a GPU's there is a class of its own.
_SAYINGS: Final = ("can't allocate memory", "not enough memory", "out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that there was too little memory."""
    if isinstance(error, MemoryError):
        return True
    told = str(error).lower()
    return isinstance(error, RuntimeError) and any(saying in told for saying in _SAYINGS)
