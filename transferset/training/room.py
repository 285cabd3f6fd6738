"""Telling that memory ran out from other failures, and saying it in one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from transferset.errors import TransfersetError, sentence

#: What torch says of the processor's memory; of a GPU's there is a class of its own.
_SAYINGS: Final = ("allocate memory", "not enough memory", "out of memory", "bad_alloc")

#: What oneDNN says when it has no memory for its own; a descriptor is refused for other reasons.
_ONEDNN: Final = re.compile(r"could not (create|execute) a (primitive|memory object)", re.I)

#: How much was asked for, as torch and numpy tell it.
_WANTED: Final = re.compile(r"allocate ([\d.]+ \w+)")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that there was too little memory."""
    if isinstance(error, MemoryError):
        return True
    told = str(error).strip().lower()
    if not isinstance(error, RuntimeError):
        return False
    return any(saying in told for saying in _SAYINGS) or _ONEDNN.fullmatch(told) is not None


def shortage(error: BaseException) -> str:
    """What was found where memory ended, for a sentence."""
    wanted = _WANTED.search(str(error))
    return f"none left for {wanted[1]} more" if wanted else "none left"


@contextmanager
def with_memory(do: str) -> Iterator[None]:
    """Say in one sentence that memory ended.

    Args:
        do: What may help.

    Raises:
        TransfersetError: It did.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise TransfersetError(sentence("enough memory", shortage(error), do=do)) from error
