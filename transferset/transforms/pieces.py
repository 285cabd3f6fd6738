"""What kernels ask of a single id: is it a content token, does it stay, does a word begin there."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import uint32

from transferset.compiled import inlined
from transferset.errors import UsageError, sentence
from transferset.transforms.protocol import Setting


class Specials(NamedTuple):
    """Ids of the pieces that are no content; kernels take it as it is."""

    cls: int
    sep: int
    pad: int
    mask: int


def specials(setting: Setting) -> Specials:
    """The special pieces of a tokenizer; [UNK] is a content token."""
    return Specials(setting.cls, setting.sep, setting.pad, setting.mask)


def word_table(setting: Setting, *, words: bool) -> npt.NDArray[np.bool_]:
    """For each id whether a word begins there, for `begins_word`.

    Args:
        setting: The tokenizer.
        words: False makes every token a word of its own: the table is empty.

    Raises:
        UsageError: Words are wanted of a tokenizer without them.
    """
    if not words:
        return np.empty(0, np.bool_)
    if setting.word_start is None:
        raise UsageError(sentence("a tokenizer that says where words begin", "none"))
    return np.array(setting.word_start, np.bool_)


@inlined
def is_content(token: Any, specials: Any) -> Any:
    """Whether an id is a content token; `|` because one branch is faster than four."""
    return not (is_fixed(token, specials) | (token == specials.mask))


@inlined
def is_fixed(token: Any, specials: Any) -> Any:
    """Whether an id keeps its place when others move; [MASK] moves like a token."""
    return (token == specials.sep) | (token == specials.cls) | (token == specials.pad)


@inlined
def begins_word(token: Any, table: Any) -> Any:
    """Whether an id begins a word by the table; ids beyond it do."""
    return uint32(token) >= len(table) or table[uint32(token)]
